/* mc146818.h: the real-time clock and CMOS memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MC146818_H
#define VMM_MC146818_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/interrupt.h"

/* Registers (MC146818 data sheet, figure 11 "Address Map"). */
enum mc146818_register {
    MC146818_SECONDS = 0x00,
    MC146818_SECONDS_ALARM = 0x01,
    MC146818_MINUTES = 0x02,
    MC146818_MINUTES_ALARM = 0x03,
    MC146818_HOURS = 0x04,
    MC146818_HOURS_ALARM = 0x05,
    MC146818_WEEKDAY = 0x06,
    MC146818_DAY = 0x07,
    MC146818_MONTH = 0x08,
    MC146818_YEAR = 0x09,
    MC146818_A = 0x0A,
    MC146818_B = 0x0B,
    MC146818_C = 0x0C,
    MC146818_D = 0x0D,
};

enum mc146818_a {
    MC146818_A_UIP = 1 << 7,
    MC146818_A_DIVIDER = 7 << 4,
    MC146818_A_DIVIDER_RESET = 6 << 4, /* and 7 << 4 */
    MC146818_A_RATE = 15,
};

enum mc146818_b {
    MC146818_B_SET = 1 << 7,
    MC146818_B_PIE = 1 << 6,
    MC146818_B_AIE = 1 << 5,
    MC146818_B_UIE = 1 << 4,
    MC146818_B_BINARY = 1 << 2,
    MC146818_B_24H = 1 << 1,
};

/* The flags of register C stand where their enables stand in register B. */
enum mc146818_c {
    MC146818_C_IRQF = 1 << 7,
    MC146818_C_PF = 1 << 6,
    MC146818_C_AF = 1 << 5,
    MC146818_C_UF = 1 << 4,
};

#define MC146818_D_VALID 0x80
#define MC146818_SIZE 128

struct mc146818 {
    struct irq_line irq;
    unsigned irq_number;
    uint64_t tsc_hz;
    uint64_t epoch;    /* TSC tick at which the divider chain was 0 */
    uint64_t seen;     /* TSC tick up to which the flags are gathered */
    uint64_t deadline; /* TSC tick of the next interrupt */
    int64_t base;      /* wall clock at `epoch`, seconds after 1970; valid while the clock runs */
    uint8_t index;
    uint8_t a, b, c;
    uint8_t ram[MC146818_SIZE]; /* alarms and memory; the time while the clock stands */
};

/* Handlers for 0x70 and 0x71; `dev` is the struct mc146818. */
extern const struct bus_ops mc146818_ports;

/*
 * Power-up with valid memory: 24-hour BCD, no interrupt enabled, wall clock `seconds` after
 * 1970-01-01 at TSC tick `now`. The interrupt drives line `irq_number` of `irq`.
 */
void mc146818_init(struct mc146818 *rtc, uint64_t tsc_hz, uint64_t now, int64_t seconds,
                   const struct irq_line *irq, unsigned irq_number);

/*
 * TSC tick of the next interrupt, or CLOCK_NEVER (also while one waits for register C to be
 * read).
 */
static inline uint64_t mc146818_deadline(const struct mc146818 *rtc)
{
    return rtc->deadline;
}

/* Raises what fell due up to `now`. */
void mc146818_tick(struct mc146818 *rtc, uint64_t now);

#endif
