/* terminal.c: carries bytes between the guest's serial port and the console service, in batches. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/terminal.h"

#include "vmm/clock.h"
#include "vmm/pc.h"

#define PATIENCE_PER_SECOND 100 /* 10 ms: nobody sees that */

void terminal_init(struct terminal *terminal, const struct terminal_ops *ops, uint64_t tsc_hz)
{
    *terminal = (struct terminal){
        .ops = *ops,
        .patience = tsc_hz / PATIENCE_PER_SECOND,
        .deadline = CLOCK_NEVER,
    };
}

void terminal_flush(struct terminal *terminal)
{
    if (terminal->count > 0) {
        terminal->ops.write(terminal->ops.ctx, terminal->out, terminal->count);
    }
    terminal->count = 0;
    terminal->deadline = CLOCK_NEVER;
}

void terminal_put(struct terminal *terminal, uint8_t byte, uint64_t now)
{
    if (terminal->count == 0) {
        terminal->deadline = now + terminal->patience;
    }
    terminal->out[terminal->count++] = (char)byte;
    if (byte == '\n' || terminal->count == TERMINAL_BUFFER) {
        terminal_flush(terminal);
    }
}

void terminal_input(struct terminal *terminal, struct pc *pc, uint64_t now)
{
    for (;;) {
        while (terminal_has_input(terminal) && pc_serial_room(pc) > 0) {
            pc_serial_receive(pc, (uint8_t)terminal->in[terminal->in_next++], now);
        }
        if (terminal_has_input(terminal)) {
            return;
        }
        terminal->in_next = 0;
        terminal->in_count = terminal->ops.read(terminal->ops.ctx, terminal->in);
        if (terminal->in_count == 0) {
            return;
        }
    }
}
