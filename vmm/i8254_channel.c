/* i8254_channel.c: one counter of the 8254, computed from its clock, not counted down. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/i8254_channel.h"

/* Modes 2 and 3 repeat; 1 and 5 start at a rising gate; 0 and 4 stop while the gate is low. */
static bool repeats(const struct i8254_channel *ch)
{
    return ch->mode == 2 || ch->mode == 3;
}

static bool triggered(const struct i8254_channel *ch)
{
    return ch->mode == 1 || ch->mode == 5;
}

static bool gated(const struct i8254_channel *ch)
{
    return ch->mode == 0 || ch->mode == 4;
}

/* Counts that the counting element runs through before it wraps. */
static uint32_t modulus(const struct i8254_channel *ch)
{
    return ch->bcd ? 10000 : 65536;
}

/* Clks since the count was loaded; negative before that. */
static int64_t counted(const struct i8254_channel *ch, uint64_t clk)
{
    if (gated(ch) && !ch->gate) {
        return ch->stopped;
    }
    return (int64_t)(clk - ch->start);
}

/* Length of the high part of mode 3's square wave; the rest of the count is low. */
static uint32_t high_half(uint32_t count)
{
    return (count + 1) / 2;
}

/* The first value of a period: mode 3 counts by two, from the even part of its count. */
static uint32_t first_value(const struct i8254_channel *ch)
{
    return ch->mode == 3 ? ch->count - ch->count % 2 : ch->count;
}

/* The counting element, binary. */
static uint32_t element(const struct i8254_channel *ch, uint64_t clk)
{
    int64_t n = counted(ch, clk);
    uint32_t pos;

    if (!ch->loaded || n < 0 || (repeats(ch) && !ch->gate)) {
        return ch->before;
    }
    if (ch->mode == 2) {
        return first_value(ch) - (uint32_t)((uint64_t)n % ch->count);
    }
    if (ch->mode == 3) {
        pos = (uint32_t)((uint64_t)n % ch->count);
        pos = pos < high_half(ch->count) ? pos : pos - high_half(ch->count);
        return first_value(ch) - 2 * pos; /* once for each half */
    }
    pos = (uint32_t)((uint64_t)n % modulus(ch));
    return (ch->count + modulus(ch) - pos) % modulus(ch);
}

bool i8254_channel_out(const struct i8254_channel *ch, uint64_t clk)
{
    int64_t n = counted(ch, clk);

    if (repeats(ch) && !ch->gate) {
        return true;
    }
    if (!ch->loaded || n < 0) {
        return ch->before_out;
    }
    switch (ch->mode) {
    case 0:
    case 1:
        return n >= ch->count;
    case 2:
        return (uint64_t)n % ch->count != ch->count - 1;
    case 3:
        return (uint64_t)n % ch->count < high_half(ch->count);
    default: /* 4 and 5: a strobe of one clk */
        return n != ch->count;
    }
}

/* Loads the written count at the next clk; until then what is visible stays. */
static void load(struct i8254_channel *ch, uint64_t clk)
{
    bool out = i8254_channel_out(ch, clk);
    uint32_t value = element(ch, clk);

    ch->count = ch->reload;
    ch->before_out = out;
    ch->before = value;
    if (repeats(ch) && !ch->gate) {
        ch->before = first_value(ch); /* loaded, and stands until the gate rises */
    }
    ch->start = clk + 1;
    ch->stopped = 0; /* with the gate low, the count is in place when it rises */
    ch->loaded = true;
    ch->next_valid = false;
}

void i8254_channel_control(struct i8254_channel *ch, uint64_t clk, uint8_t mode, bool bcd)
{
    ch->before = element(ch, clk);
    ch->before_out = mode != 0;
    ch->mode = mode;
    ch->bcd = bcd;
    ch->loaded = false;
    ch->armed = false;
    ch->next_valid = false;
}

void i8254_channel_half_written(struct i8254_channel *ch, uint64_t clk)
{
    if (ch->mode == 0) {
        ch->before = element(ch, clk);
        ch->before_out = false;
        ch->loaded = false;
    }
}

/* The count as a number; 0 stands for the largest. Modes 2 and 3 cannot do 1: they take 2. */
static uint32_t decode(const struct i8254_channel *ch, uint16_t value)
{
    uint32_t n = value;

    if (ch->bcd) {
        n = (value >> 12) * 1000U + (value >> 8 & 15) * 100U + (value >> 4 & 15) * 10U +
            (value & 15);
        n %= 10000;
    }
    if (n == 0) {
        return modulus(ch);
    }
    return n == 1 && repeats(ch) ? 2 : n;
}

/* In modes 2 and 3 a new count waits for the end of the period, or half period, under way. */
static void schedule_reload(struct i8254_channel *ch, uint64_t clk)
{
    uint64_t n = clk - ch->start;
    uint64_t begin = ch->start + n / ch->count * ch->count;

    ch->next_low = ch->mode == 3 && n % ch->count < high_half(ch->count);
    ch->next_at = begin + (ch->next_low ? high_half(ch->count) : ch->count);
    ch->next_valid = true;
}

void i8254_channel_load(struct i8254_channel *ch, uint64_t clk, uint16_t value)
{
    ch->reload = decode(ch, value);
    ch->armed = true;
    if (triggered(ch) || (repeats(ch) && ch->loaded && !ch->gate)) {
        return; /* a rising gate will load it */
    }
    if (repeats(ch) && ch->loaded && counted(ch, clk) >= 0) {
        schedule_reload(ch, clk);
        return;
    }
    if (ch->mode == 0) {
        i8254_channel_half_written(ch, clk);
    }
    load(ch, clk);
}

void i8254_channel_gate(struct i8254_channel *ch, uint64_t clk, bool gate)
{
    if (gate == ch->gate) {
        return;
    }
    if (gated(ch) && ch->loaded) {
        if (gate) {
            ch->start = clk - (uint64_t)ch->stopped;
        } else {
            ch->stopped = counted(ch, clk) < 0 ? 0 : counted(ch, clk);
        }
    } else if (repeats(ch) && !gate) {
        ch->before = element(ch, clk);
        ch->before_out = true;
        ch->next_valid = false;
    }
    if (gate && ch->armed && !gated(ch)) {
        load(ch, clk);
    }
    ch->gate = gate;
}

void i8254_channel_sync(struct i8254_channel *ch, uint64_t clk)
{
    if (!ch->next_valid || clk < ch->next_at) {
        return;
    }
    ch->count = ch->reload;
    ch->start = ch->next_low ? ch->next_at - high_half(ch->count) : ch->next_at;
    ch->next_valid = false;
}

uint16_t i8254_channel_value(const struct i8254_channel *ch, uint64_t clk)
{
    uint32_t n = element(ch, clk) % modulus(ch);

    if (ch->bcd) {
        n = n / 1000 << 12 | n / 100 % 10 << 8 | n / 10 % 10 << 4 | n % 10;
    }
    return (uint16_t)n;
}

bool i8254_channel_null_count(const struct i8254_channel *ch, uint64_t clk)
{
    if (ch->next_valid || !ch->loaded || ch->count != ch->reload) {
        return true;
    }
    return counted(ch, clk) < 0;
}

uint64_t i8254_channel_next_rise(const struct i8254_channel *ch, uint64_t clk)
{
    uint64_t at = ch->start + ch->count + (ch->mode >= 4 ? 1 : 0);

    if (!ch->loaded || (!triggered(ch) && !ch->gate)) {
        return I8254_NEVER;
    }
    if (counted(ch, clk) < 0 && !ch->before_out && ch->mode >= 2) {
        return ch->start; /* a strobe that was low when the count was written ends here */
    }
    if (repeats(ch)) {
        /* The output is high from `start` on, and falls and rises once in each period. */
        if (counted(ch, clk) < 0) {
            return ch->start + ch->count;
        }
        return ch->start + ((clk - ch->start) / ch->count + 1) * ch->count;
    }
    return at > clk ? at : I8254_NEVER;
}
