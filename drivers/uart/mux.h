/* mux.h: many clients share one line: whose output is shown how, and who gets the input. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DRIVERS_UART_MUX_H
#define DRIVERS_UART_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "drivers/uart/ring.h"

/*
 * The only guest's output goes out as it is. Where there are several guests, and for all other
 * clients, each line begins with "[name] "; a line that another one has not finished is ended
 * first. Input goes to the client that has the focus: a guest, or another that listens. Ctrl-A
 * begins a command: n the next client, h help, a Ctrl-A itself.
 */
#define MUX_CLIENT_MAX  31u /* clients have the numbers 1 to this */
#define MUX_NAME_SIZE   24u
#define MUX_INPUT_SIZE  4096u
#define MUX_OUTPUT_SIZE 16384u

struct mux_client {
    char name[MUX_NAME_SIZE]; /* empty: no such client */
    bool guest;
    bool listens;  /* may have the focus */
    uint32_t lost; /* input bytes for which there was no room */
    struct ring input;
    char input_bytes[MUX_INPUT_SIZE];
};

struct mux {
    struct ring output; /* what is to go out on the line */
    uint32_t guests;
    uint32_t line;  /* the client whose line is not finished, or 0 */
    uint32_t focus; /* the client that gets the input, or 0 */
    bool command;   /* Ctrl-A was the last byte */
    struct mux_client client[MUX_CLIENT_MAX + 1];
    char output_bytes[MUX_OUTPUT_SIZE];
};

void mux_init(struct mux *mux);

/*
 * Makes a client known. `number` is 1 to MUX_CLIENT_MAX; a longer name is cut. The first guest gets
 * the focus.
 */
void mux_add(struct mux *mux, uint32_t number, const char *name, bool guest);

/* Whether there is such a client. */
bool mux_knows(const struct mux *mux, uint64_t number);

/* It wants input: it can have the focus, and has it if nobody else does. */
void mux_listen(struct mux *mux, uint32_t number);

/* Writes for a client; the value is how many bytes there was room for. */
size_t mux_write(struct mux *mux, uint32_t number, const char *bytes, size_t count);

/* Ends the client's line if it is not finished. False: there was no room. */
bool mux_end_line(struct mux *mux, uint32_t number);

/* Takes a byte from the line. The value is the client that has new input by it, or 0. */
uint32_t mux_input(struct mux *mux, char byte);

/* Takes up to `count` bytes of a client's input; the value is how many. */
size_t mux_read(struct mux *mux, uint32_t number, char *bytes, size_t count);

#endif
