/* i8259.h: the pair of cascaded interrupt controllers of a PC, with ELCR. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_I8259_H
#define VMM_I8259_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/interrupt.h"

/* One 8259A. Bit n of a mask stands for input n. */
struct i8259_chip {
    uint8_t irr, imr, isr;
    uint8_t lines;      /* level of the inputs */
    uint8_t level;      /* inputs that are level-triggered (ELCR) */
    uint8_t base;       /* vector of input 0 (ICW2) */
    uint8_t lowest;     /* the input with the lowest priority */
    uint8_t next_icw;   /* the ICW that the next write to the data port is; 0: OCW1 */
    bool want_icw4, single;
    bool auto_eoi, rotate_auto, special_mask, fully_nested; /* ICW4, OCW2, OCW3 */
    bool read_isr, poll;
};

struct i8259 {
    struct i8259_chip master, slave;
    struct irq_line out; /* INTR, line 0 */
};

/* Handlers for 0x20 and 0x21; 0xA0 and 0xA1; 0x4D0 and 0x4D1. `dev` is the struct i8259. */
extern const struct bus_ops i8259_master_ports;
extern const struct bus_ops i8259_slave_ports;
extern const struct bus_ops i8259_elcr_ports;

/*
 * Power-up: all inputs masked and edge-triggered, vectors at 0x08 and 0x70, as firmware leaves a
 * PC. `out` gets the level of INTR as line 0.
 */
void i8259_init(struct i8259 *pic, const struct irq_line *out);

/*
 * ISA interrupt `irq` (0 to 15, not 2) is asserted or not; a struct irq_line.set with the struct
 * i8259.
 */
void i8259_set_line(void *pic, unsigned irq, bool level);

/* Whether INTR is asserted. */
bool i8259_output(const struct i8259 *pic);

/* The vector that i8259_acknowledge() would return now. */
uint8_t i8259_vector(const struct i8259 *pic);

/*
 * The two INTA cycles: the vector, now in service. A request that went away gives input 7
 * (spurious).
 */
uint8_t i8259_acknowledge(struct i8259 *pic);

#endif
