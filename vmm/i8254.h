/* i8254.h: the programmable interval timer and system control port B. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_I8254_H
#define VMM_I8254_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/i8254_channel.h"
#include "vmm/interrupt.h"

#define I8254_HZ 1193182

/* What the CPU sees of a counter: byte order, latches (8254 data sheet, "Control Word Format"). */
struct i8254_access {
    uint8_t order; /* RW bits: 1 low byte, 2 high byte, 3 low then high */
    bool write_high, read_high; /* the second byte is next */
    bool count_latched, status_latched;
    uint8_t low_written, status;
    uint16_t latch;
};

struct i8254 {
    struct irq_line irq;
    unsigned irq_number;
    uint64_t tsc_hz;
    uint64_t epoch;    /* TSC tick of clk 0 */
    uint64_t seen;     /* clk up to which channel 0's output was passed on */
    uint64_t deadline; /* TSC tick of channel 0's next rising edge */
    bool line;         /* channel 0's output as last passed on */
    bool speaker;
    struct i8254_channel channel[3];
    struct i8254_access access[3];
};

/* Handlers for 0x40 to 0x43, and for port 0x61. `dev` is the struct i8254. */
extern const struct bus_ops i8254_ports;
extern const struct bus_ops i8254_port_b;

/*
 * Power-up at TSC tick `now`: no channel counts. Channel 0's output drives line `irq_number` of
 * `irq`.
 */
void i8254_init(struct i8254 *pit, uint64_t tsc_hz, uint64_t now, const struct irq_line *irq,
                unsigned irq_number);

/* TSC tick at which channel 0's output rises next, or CLOCK_NEVER. */
static inline uint64_t i8254_deadline(const struct i8254 *pit)
{
    return pit->deadline;
}

/*
 * Passes on what channel 0's output did up to `now`. Missed rising edges become one. A
 * falling edge alone has no deadline: it is passed on at the next access or rising edge.
 */
void i8254_tick(struct i8254 *pit, uint64_t now);

#endif
