/* ns16550.h: a 16550A serial port whose line is as fast as its user. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_NS16550_H
#define VMM_NS16550_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/interrupt.h"

/* Registers (PC16550D data sheet, table II "Summary of Registers"). */
enum ns16550_register {
    NS16550_RBR = 0, /* read; DLAB=1: divisor, low byte */
    NS16550_THR = 0, /* write */
    NS16550_IER = 1, /* DLAB=1: divisor, high byte */
    NS16550_IIR = 2, /* read */
    NS16550_FCR = 2, /* write */
    NS16550_LCR = 3,
    NS16550_MCR = 4,
    NS16550_LSR = 5,
    NS16550_MSR = 6,
    NS16550_SCR = 7,
};

enum ns16550_ier {
    NS16550_IER_RDA = 1 << 0,
    NS16550_IER_THRE = 1 << 1,
    NS16550_IER_RLS = 1 << 2,
    NS16550_IER_MSR = 1 << 3,
};

/* Values of the IIR in order of priority (table IV "Interrupt Control Functions"). */
enum ns16550_iir {
    NS16550_IIR_RLS = 0x06,
    NS16550_IIR_RDA = 0x04,
    NS16550_IIR_TIMEOUT = 0x0C,
    NS16550_IIR_THRE = 0x02,
    NS16550_IIR_MSR = 0x00,
    NS16550_IIR_NONE = 0x01,
    NS16550_IIR_FIFO = 0xC0,
};

enum ns16550_lsr {
    NS16550_LSR_DR = 1 << 0,
    NS16550_LSR_OE = 1 << 1,
    NS16550_LSR_THRE = 1 << 5,
    NS16550_LSR_TEMT = 1 << 6,
};

enum ns16550_mcr {
    NS16550_MCR_DTR = 1 << 0,
    NS16550_MCR_RTS = 1 << 1,
    NS16550_MCR_OUT1 = 1 << 2,
    NS16550_MCR_OUT2 = 1 << 3, /* on a PC: connects the interrupt */
    NS16550_MCR_LOOP = 1 << 4,
};

enum ns16550_msr {
    NS16550_MSR_CTS = 1 << 4,
    NS16550_MSR_DSR = 1 << 5,
    NS16550_MSR_RI = 1 << 6,
    NS16550_MSR_DCD = 1 << 7,
};

#define NS16550_FIFO_SIZE 16

/* Where bytes that the guest sends go. */
struct ns16550_out {
    void (*put)(void *ctx, uint8_t byte);
    void *ctx;
};

struct ns16550 {
    struct ns16550_out out;
    struct irq_line irq;
    unsigned irq_number;
    uint64_t tsc_hz;
    uint64_t deadline; /* TSC tick of the character timeout, or CLOCK_NEVER */
    uint16_t divisor;
    uint8_t ier, lcr, mcr, msr, scr;
    uint8_t trigger;     /* FIFO level that interrupts */
    bool fifo_on;
    bool overrun;        /* LSR bit OE */
    bool thre_pending;   /* the THRE interrupt source is active */
    bool timed_out;      /* the character timeout source is active */
    uint8_t fifo[NS16550_FIFO_SIZE];
    unsigned first, count; /* of the receive FIFO */
};

/* Handlers for the eight ports; `dev` is the struct ns16550. */
extern const struct bus_ops ns16550_ports;

/* Master reset. The interrupt drives line `irq_number` of `irq`; a terminal is always connected. */
void ns16550_init(struct ns16550 *uart, uint64_t tsc_hz, const struct ns16550_out *out,
                  const struct irq_line *irq, unsigned irq_number);

/* Bytes that ns16550_receive() can take now without an overrun. */
unsigned ns16550_room(const struct ns16550 *uart);

/* A byte arrives on the line. If there is no room it is lost, and the guest sees an overrun. */
void ns16550_receive(struct ns16550 *uart, uint8_t byte, uint64_t now);

/* TSC tick of the character timeout interrupt, or CLOCK_NEVER. */
static inline uint64_t ns16550_deadline(const struct ns16550 *uart)
{
    return uart->deadline;
}

/* Raises the character timeout interrupt if it is due. */
void ns16550_tick(struct ns16550 *uart, uint64_t now);

#endif
