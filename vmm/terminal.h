/* terminal.h: carries bytes between the guest's serial port and the console service, in batches. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

#include <stddef.h>
#include <stdint.h>

#include "servers/lib/console.h"

struct pc;

#define TERMINAL_BUFFER 512u

/* The console: by messages in the VMM, a model in the host test. */
struct terminal_ops {
    /* Takes all the bytes. */
    void (*write)(void *ctx, const char *bytes, size_t count);
    /* Gives what input there is; returns how many bytes. */
    size_t (*read)(void *ctx, char bytes[CONSOLE_READ_MAX]);
    void *ctx;
};

struct terminal {
    struct terminal_ops ops;
    uint64_t patience; /* TSC ticks for which a byte may wait for the rest of its line */
    uint64_t deadline; /* TSC tick when what was put must go out, or CLOCK_NEVER */
    size_t count;      /* bytes to go out */
    size_t in_next, in_count;
    char out[TERMINAL_BUFFER];
    char in[CONSOLE_READ_MAX];
};

/* Makes a terminal without anything in it. */
void terminal_init(struct terminal *terminal, const struct terminal_ops *ops, uint64_t tsc_hz);

/* A byte that the guest sends at `now`. Goes out with its line, or when many are there. */
void terminal_put(struct terminal *terminal, uint8_t byte, uint64_t now);

/* Writes out what waits. */
void terminal_flush(struct terminal *terminal);

/* Gives the serial port of `pc` the console's input, as much as it takes. */
void terminal_input(struct terminal *terminal, struct pc *pc, uint64_t now);

/* Whether there is input that the serial port did not take yet. */
static inline int terminal_has_input(const struct terminal *terminal)
{
    return terminal->in_next != terminal->in_count;
}

#endif
