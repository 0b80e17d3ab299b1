/* ns16550.c: drives a 16550 UART: sends from a queue, and passes on what it receives. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/uart/ns16550.h"

/*
 * The transmitter's FIFO has 16 places. One is left for the kernel's log: it too writes a byte when
 * it sees the FIFO empty, and may do so on another CPU between our look at the line status and our
 * bytes.
 */
#define BURST 15u
#define ROUNDS_MAX \
    4096u /* a chip that asks for more is broken, and must not hold the console for ever */

static uint8_t in(const struct ns16550 *chip, enum ns16550_register which)
{
    return chip->host.in(chip->host.context, which);
}

static void out(const struct ns16550 *chip, enum ns16550_register which, uint8_t value)
{
    chip->host.out(chip->host.context, which, value);
}

/* The scratch register keeps what is written; where no chip is, nothing does. */
static bool is_there(const struct ns16550 *chip)
{
    out(chip, NS_SCR, 0x5a);
    if (in(chip, NS_SCR) != 0x5a) {
        return false;
    }
    out(chip, NS_SCR, 0xa5);
    return in(chip, NS_SCR) == 0xa5;
}

bool ns16550_start(struct ns16550 *chip, struct ns16550_host host, struct ring *output)
{
    *chip = (struct ns16550){ .host = host, .output = output, .idle = true };
    if (!is_there(chip)) {
        return false;
    }
    out(chip, NS_IER, 0);
    out(chip, NS_LCR, NS_LCR_DLAB | NS_LCR_8_BITS);
    out(chip, NS_RBR_THR, NS_DIVISOR_115200);
    out(chip, NS_IER, 0);
    out(chip, NS_LCR, NS_LCR_8_BITS);
    /* The transmitter is not cleared: the kernel's last line may still be in it. */
    out(chip, NS_IIR_FCR, NS_FCR_ENABLE | NS_FCR_CLEAR_IN);
    out(chip, NS_MCR, NS_MCR_DTR | NS_MCR_RTS | NS_MCR_OUT2);
    out(chip, NS_IER, NS_IER_RECEIVED);
    return true;
}

static void set_idle(struct ns16550 *chip, bool idle)
{
    if (chip->idle != idle) {
        chip->idle = idle;
        out(chip, NS_IER, NS_IER_RECEIVED | (idle ? 0 : NS_IER_EMPTY));
    }
}

static void send(struct ns16550 *chip)
{
    char byte;
    set_idle(chip, ring_count(chip->output) == 0);
    for (unsigned i = 0; i < BURST && ring_take(chip->output, &byte); i++) {
        out(chip, NS_RBR_THR, (uint8_t)byte);
    }
}

void ns16550_serve(struct ns16550 *chip)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        uint8_t status = in(chip, NS_LSR);
        if ((status & NS_LSR_READY) != 0) {
            char byte = (char)in(chip, NS_RBR_THR);
            if ((status & NS_LSR_BREAK) == 0) {
                chip->host.received(chip->host.context, byte);
            }
        } else if ((status & NS_LSR_EMPTY) != 0 && !(chip->idle && ring_count(chip->output) == 0)) {
            send(chip);
        } else if ((in(chip, NS_IIR_FCR) & NS_IIR_NONE) != 0) {
            return;
        }
    }
}
