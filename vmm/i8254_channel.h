/* i8254_channel.h: one counter of the 8254, computed from its clock, not counted down. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_I8254_CHANNEL_H
#define VMM_I8254_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#define I8254_NEVER UINT64_MAX

/*
 * A counter between two events. Time is in periods of the 1.193182 MHz clock ("clk").
 *
 * A count that is loaded at clk `start` has counted `clk - start` times; until then the counter
 * shows the value and output that it had before. Names of modes and rules are the Intel 8254 data
 * sheet's, section "Mode Definitions".
 */
struct i8254_channel {
    uint8_t mode; /* 0 to 5 */
    bool bcd;
    bool gate;
    bool loaded;      /* `count` and `start` are valid: a count was loaded since the control word */
    bool armed;       /* a count was written since the control word */
    bool next_valid;  /* `reload` replaces `count` at clk `next_at` (modes 2 and 3) */
    bool next_low;    /* ... where the low half of mode 3 begins */
    bool before_out;  /* output until `start` */
    uint32_t before;  /* counting element until `start` */
    uint32_t reload;  /* the count last written, 1 to 65536 */
    uint32_t count;   /* the count in use */
    int64_t stopped;  /* clks counted when the gate stopped it (modes 0 and 4) */
    uint64_t start;
    uint64_t next_at;
};

/* A control word selects `mode` and BCD or binary; the counter waits for a count. */
void i8254_channel_control(struct i8254_channel *ch, uint64_t clk, uint8_t mode, bool bcd);

/* The first of two bytes of a count is written: mode 0 stops and takes its output low. */
void i8254_channel_half_written(struct i8254_channel *ch, uint64_t clk);

/* The count register is complete: `value` as written, BCD if the counter is. */
void i8254_channel_load(struct i8254_channel *ch, uint64_t clk, uint16_t value);

/* The gate input changes. */
void i8254_channel_gate(struct i8254_channel *ch, uint64_t clk, bool gate);

/*
 * Puts a pending reload into effect if its time has come. To be called before the following four.
 */
void i8254_channel_sync(struct i8254_channel *ch, uint64_t clk);

/* The output at `clk`. */
bool i8254_channel_out(const struct i8254_channel *ch, uint64_t clk);

/* The counting element as the CPU would read it at `clk`, BCD if the counter is. */
uint16_t i8254_channel_value(const struct i8254_channel *ch, uint64_t clk);

/* "Null count": whether the count last written is not yet in the counting element. */
bool i8254_channel_null_count(const struct i8254_channel *ch, uint64_t clk);

/* The first clk after `clk` at which the output rises if nothing else happens, or I8254_NEVER. */
uint64_t i8254_channel_next_rise(const struct i8254_channel *ch, uint64_t clk);

#endif
