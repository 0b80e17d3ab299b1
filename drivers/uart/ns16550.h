/* ns16550.h: drives a 16550 UART: sends from a queue, and passes on what it receives. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DRIVERS_UART_NS16550_H
#define DRIVERS_UART_NS16550_H

#include <stdbool.h>
#include <stdint.h>
#include "drivers/uart/ring.h"

/* Registers (National Semiconductor PC16550D data sheet, table II). */
enum ns16550_register {
    NS_RBR_THR = 0, /* receiver buffer, transmitter holding; divisor low if LCR.DLAB */
    NS_IER = 1,     /* divisor high if LCR.DLAB */
    NS_IIR_FCR = 2,
    NS_LCR = 3,
    NS_MCR = 4,
    NS_LSR = 5,
    NS_SCR = 7,
    NS_REGISTERS = 8
};
enum { NS_IER_RECEIVED = 1 << 0, NS_IER_EMPTY = 1 << 1 };
enum { NS_IIR_NONE = 1 << 0 };
enum { NS_FCR_ENABLE = 1 << 0, NS_FCR_CLEAR_IN = 1 << 1, NS_FCR_CLEAR_OUT = 1 << 2 };
enum { NS_LCR_8_BITS = 3, NS_LCR_DLAB = 1 << 7 };
enum { NS_MCR_DTR = 1 << 0, NS_MCR_RTS = 1 << 1, NS_MCR_OUT2 = 1 << 3 };
enum { NS_LSR_READY = 1 << 0, NS_LSR_BREAK = 1 << 4, NS_LSR_EMPTY = 1 << 5 };

#define NS_DIVISOR_115200 1

/* How to reach the chip, and where received bytes go. */
struct ns16550_host {
    uint8_t (*in)(void *context, enum ns16550_register which);
    void (*out)(void *context, enum ns16550_register which, uint8_t value);
    void (*received)(void *context, char byte);
    void *context;
};

struct ns16550 {
    struct ns16550_host host;
    struct ring *output;
    bool idle; /* all of `output` is out; no interrupt will come for more */
};

/* Sets it to 115200 baud, 8N1, FIFOs and interrupts on. False: there is no such chip. */
bool ns16550_start(struct ns16550 *chip, struct ns16550_host host, struct ring *output);

/*
 * Does all that the chip is ready for, until it asks for no interrupt any more. To be called after
 * each interrupt (after unmasking it: the line is edge-triggered), and when `idle` and there is
 * something to send.
 */
void ns16550_serve(struct ns16550 *chip);

#endif
