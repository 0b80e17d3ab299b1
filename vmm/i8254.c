/* i8254.c: the interval timer: ports, latches, interrupt; and system control port B. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/i8254.h"

#include "vmm/clock.h"

/* Control word (8254 data sheet, "Control Word Format", "Read-Back Command"). */
enum {
    CONTROL_PORT = 3,
    SELECT_READ_BACK = 3,
    RW_LATCH = 0,
    RW_LOW = 1,
    RW_HIGH = 2,
    RW_BOTH = 3,
    READ_BACK_NO_COUNT = 1 << 5,
    READ_BACK_NO_STATUS = 1 << 4,
    STATUS_OUT = 1 << 7,
    STATUS_NULL_COUNT = 1 << 6,
};

/* Port 0x61. */
enum {
    PORT_B_GATE2 = 1 << 0,
    PORT_B_SPEAKER = 1 << 1,
    PORT_B_REFRESH = 1 << 4,
    PORT_B_OUT2 = 1 << 5,
};

/* The refresh bit toggles every 15.085 us: 18 periods of the clock. */
#define REFRESH_CLKS 18

static uint64_t clk_at(const struct i8254 *pit, uint64_t now)
{
    return clock_ticks(now - pit->epoch, pit->tsc_hz, I8254_HZ);
}

static void set_line(struct i8254 *pit, bool level)
{
    pit->line = level;
    pit->irq.set(pit->irq.ctx, pit->irq_number, level);
}

/* Shows the edges of channel 0's output in (seen, clk]: a rise in between as one low-high pulse. */
static void pass_on(struct i8254 *pit, uint64_t clk)
{
    struct i8254_channel *ch = &pit->channel[0];

    if (i8254_channel_next_rise(ch, pit->seen) <= clk) {
        if (pit->line) {
            set_line(pit, false);
        }
        set_line(pit, true);
    }
    if (i8254_channel_out(ch, clk) != pit->line) {
        set_line(pit, !pit->line);
    }
    pit->seen = clk;
}

/* Brings all channels to `clk`. A reload that falls due on the way splits the time in two. */
static void advance(struct i8254 *pit, uint64_t clk)
{
    const struct i8254_channel *ch = &pit->channel[0];

    if (ch->next_valid && ch->next_at <= clk) {
        pass_on(pit, ch->next_at);
    }
    for (unsigned i = 0; i < 3; i++) {
        i8254_channel_sync(&pit->channel[i], clk);
    }
    pass_on(pit, clk);
}

/* Passes on what a change of registers did to channel 0's output, and finds its next edge. */
static void settle(struct i8254 *pit, uint64_t clk)
{
    const struct i8254_channel *ch = &pit->channel[0];
    uint64_t next = i8254_channel_next_rise(ch, clk);

    if (i8254_channel_out(ch, clk) != pit->line) {
        set_line(pit, !pit->line);
    }
    if (ch->next_valid && ch->next_at < next) {
        next = ch->next_at;
    }
    pit->deadline = CLOCK_NEVER;
    if (next != I8254_NEVER) {
        pit->deadline = pit->epoch + clock_tsc(next, pit->tsc_hz, I8254_HZ);
    }
}

void i8254_init(struct i8254 *pit, uint64_t tsc_hz, uint64_t now, const struct irq_line *irq,
                unsigned irq_number)
{
    *pit = (struct i8254){.irq = *irq, .irq_number = irq_number, .tsc_hz = tsc_hz, .epoch = now};
    for (unsigned i = 0; i < 3; i++) {
        pit->channel[i].gate = i != 2;
        pit->channel[i].before = 1;
        pit->access[i].order = RW_BOTH;
    }
    pit->deadline = CLOCK_NEVER;
}

void i8254_tick(struct i8254 *pit, uint64_t now)
{
    uint64_t clk;

    if (now >= pit->deadline) {
        clk = clk_at(pit, now);
        advance(pit, clk);
        settle(pit, clk);
    }
}

/* A count that is latched already stays as it is until it has been read. */
static void latch_count(struct i8254 *pit, unsigned n, uint64_t clk)
{
    if (!pit->access[n].count_latched) {
        pit->access[n].latch = i8254_channel_value(&pit->channel[n], clk);
        pit->access[n].count_latched = true;
    }
}

static void latch_status(struct i8254 *pit, unsigned n, uint64_t clk)
{
    const struct i8254_channel *ch = &pit->channel[n];
    struct i8254_access *access = &pit->access[n];

    if (access->status_latched) {
        return;
    }
    access->status_latched = true;
    access->status = (uint8_t)(access->order << 4 | ch->mode << 1 | ch->bcd);
    access->status |= i8254_channel_out(ch, clk) ? STATUS_OUT : 0;
    access->status |= i8254_channel_null_count(ch, clk) ? STATUS_NULL_COUNT : 0;
}

static void read_back(struct i8254 *pit, uint64_t clk, uint8_t value)
{
    for (unsigned n = 0; n < 3; n++) {
        if ((value >> (n + 1) & 1) == 0) {
            continue;
        }
        if ((value & READ_BACK_NO_COUNT) == 0) {
            latch_count(pit, n, clk);
        }
        if ((value & READ_BACK_NO_STATUS) == 0) {
            latch_status(pit, n, clk);
        }
    }
}

static void write_control(struct i8254 *pit, uint64_t clk, uint8_t value)
{
    unsigned n = value >> 6;
    unsigned order = value >> 4 & 3;
    unsigned mode = value >> 1 & 7;

    if (n == SELECT_READ_BACK) {
        read_back(pit, clk, value);
    } else if (order == RW_LATCH) {
        latch_count(pit, n, clk);
    } else {
        pit->access[n] = (struct i8254_access){.order = (uint8_t)order};
        /* Modes 6 and 7 are 2 and 3 with a bit that does not count. */
        i8254_channel_control(&pit->channel[n], clk, (uint8_t)(mode > 5 ? mode - 4 : mode),
                              (value & 1) != 0);
    }
}

static void write_count(struct i8254 *pit, unsigned n, uint64_t clk, uint8_t value)
{
    struct i8254_channel *ch = &pit->channel[n];
    struct i8254_access *access = &pit->access[n];

    if (access->order == RW_LOW) {
        i8254_channel_load(ch, clk, value);
    } else if (access->order == RW_HIGH) {
        i8254_channel_load(ch, clk, (uint16_t)(value << 8));
    } else if (!access->write_high) {
        access->low_written = value;
        access->write_high = true;
        i8254_channel_half_written(ch, clk);
    } else {
        access->write_high = false;
        i8254_channel_load(ch, clk, (uint16_t)(value << 8 | access->low_written));
    }
}

static uint8_t read_count(struct i8254 *pit, unsigned n, uint64_t clk)
{
    struct i8254_access *access = &pit->access[n];
    uint16_t value = access->latch;
    bool high = access->order == RW_HIGH || (access->order == RW_BOTH && access->read_high);

    if (access->status_latched) {
        access->status_latched = false;
        return access->status;
    }
    if (!access->count_latched) {
        value = i8254_channel_value(&pit->channel[n], clk);
    }
    if (access->order == RW_BOTH) {
        access->read_high = !access->read_high;
    }
    if (access->order != RW_BOTH || high) {
        access->count_latched = false;
    }
    return (uint8_t)(high ? value >> 8 : value);
}

static uint64_t port_read(void *dev, const struct bus_access *access)
{
    struct i8254 *pit = dev;
    uint64_t clk = clk_at(pit, access->now);

    if (access->offset == CONTROL_PORT) {
        return 0xFF; /* write only */
    }
    advance(pit, clk);
    settle(pit, clk);
    return read_count(pit, (unsigned)access->offset, clk);
}

static void port_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct i8254 *pit = dev;
    uint64_t clk = clk_at(pit, access->now);

    advance(pit, clk);
    if (access->offset == CONTROL_PORT) {
        write_control(pit, clk, (uint8_t)value);
    } else {
        write_count(pit, (unsigned)access->offset, clk, (uint8_t)value);
    }
    settle(pit, clk);
}

static uint64_t port_b_read(void *dev, const struct bus_access *access)
{
    struct i8254 *pit = dev;
    uint64_t clk = clk_at(pit, access->now);
    uint64_t value;

    advance(pit, clk);
    settle(pit, clk);
    value = (pit->channel[2].gate ? PORT_B_GATE2 : 0) | (pit->speaker ? PORT_B_SPEAKER : 0);
    value |= clk / REFRESH_CLKS % 2 != 0 ? PORT_B_REFRESH : 0;
    value |= i8254_channel_out(&pit->channel[2], clk) ? PORT_B_OUT2 : 0;
    return value;
}

static void port_b_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct i8254 *pit = dev;
    uint64_t clk = clk_at(pit, access->now);

    advance(pit, clk);
    pit->speaker = (value & PORT_B_SPEAKER) != 0;
    i8254_channel_gate(&pit->channel[2], clk, (value & PORT_B_GATE2) != 0);
    settle(pit, clk);
}

const struct bus_ops i8254_ports = {.width = 1, .read = port_read, .write = port_write};
const struct bus_ops i8254_port_b = {.width = 1, .read = port_b_read, .write = port_b_write};
