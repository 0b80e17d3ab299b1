/* mux.c: many clients share one line: whose output is shown how, and who gets the input. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/uart/mux.h"

#include <string.h>

#define CTRL_A    1
#define NOBODY    0u
#define BYTE_COST (2u + MUX_NAME_SIZE + 2u + 2u) /* a line end, "[name] ", and the byte as "\r\n" \
                                                  */
#define MESSAGE_MAX 160u

void mux_init(struct mux *mux)
{
    memset(mux, 0, sizeof(*mux));
    mux->output = (struct ring){ .bytes = mux->output_bytes, .size = MUX_OUTPUT_SIZE };
}

void mux_add(struct mux *mux, uint32_t number, const char *name, bool guest)
{
    struct mux_client *client = &mux->client[number];
    strncpy(client->name, name, MUX_NAME_SIZE - 1);
    client->guest = guest;
    client->input = (struct ring){ .bytes = client->input_bytes, .size = MUX_INPUT_SIZE };
    if (guest) {
        mux->guests++;
        mux_listen(mux, number);
    }
}

bool mux_knows(const struct mux *mux, uint64_t number)
{
    return number >= 1 && number <= MUX_CLIENT_MAX && mux->client[number].name[0] != 0;
}

void mux_listen(struct mux *mux, uint32_t number)
{
    mux->client[number].listens = true;
    if (mux->focus == NOBODY) {
        mux->focus = number;
    }
}

/* The callers have made sure that there is room. */
static void put_text(struct mux *mux, const char *text)
{
    for (; *text != 0; text++) {
        ring_put(&mux->output, *text);
    }
}

static void end_line(struct mux *mux)
{
    if (mux->line != NOBODY) {
        put_text(mux, "\r\n");
        mux->line = NOBODY;
    }
}

static void put_byte(struct mux *mux, uint32_t number, bool raw, char byte)
{
    const struct mux_client *client = &mux->client[number];
    if (mux->line != number) {
        end_line(mux);
        if (!raw) {
            put_text(mux, "[");
            put_text(mux, client->name);
            put_text(mux, "] ");
        }
        mux->line = number;
    }
    /* Guests send "\r\n" themselves. */
    if (byte == '\n' && !client->guest) {
        ring_put(&mux->output, '\r');
    }
    ring_put(&mux->output, byte);
    if (byte == '\n') {
        mux->line = NOBODY;
    }
}

size_t mux_write(struct mux *mux, uint32_t number, const char *bytes, size_t count)
{
    bool raw = mux->client[number].guest && mux->guests == 1;
    size_t done = 0;
    while (done < count && ring_room(&mux->output) >= BYTE_COST) {
        put_byte(mux, number, raw, bytes[done++]);
    }
    return done;
}

bool mux_end_line(struct mux *mux, uint32_t number)
{
    if (mux->line == number) {
        if (ring_room(&mux->output) < BYTE_COST) {
            return false;
        }
        end_line(mux);
    }
    return true;
}

/* A line of the console's own. If there is no room, it is not worth waiting for. */
static void say(struct mux *mux, const char *text, const char *name)
{
    if (ring_room(&mux->output) < MESSAGE_MAX) {
        return;
    }
    end_line(mux);
    put_text(mux, "[console] ");
    put_text(mux, text);
    put_text(mux, name);
    put_text(mux, "\r\n");
}

static void focus_next(struct mux *mux)
{
    for (uint32_t step = 1; step <= MUX_CLIENT_MAX; step++) {
        uint32_t number = (mux->focus + step - 1) % MUX_CLIENT_MAX + 1;
        if (mux->client[number].listens) {
            mux->focus = number;
            say(mux, "input goes to ", mux->client[number].name);
            return;
        }
    }
    say(mux, "nobody listens", "");
}

static uint32_t give(struct mux *mux, char byte)
{
    if (mux->focus == NOBODY) {
        return NOBODY;
    }
    struct mux_client *client = &mux->client[mux->focus];
    if (!ring_put(&client->input, byte)) {
        client->lost++;
        return NOBODY;
    }
    return mux->focus;
}

uint32_t mux_input(struct mux *mux, char byte)
{
    if (!mux->command) {
        mux->command = byte == CTRL_A;
        return mux->command ? NOBODY : give(mux, byte);
    }
    mux->command = false;
    switch (byte) {
    case 'n':
        focus_next(mux);
        return NOBODY;
    case 'a':
    case CTRL_A:
        return give(mux, CTRL_A);
    default:
        say(mux,
            "Ctrl-A n: input to the next guest; Ctrl-A a: a Ctrl-A; Ctrl-A x: end; input goes to ",
            mux->focus != NOBODY ? mux->client[mux->focus].name : "nobody");
        return NOBODY;
    }
}

size_t mux_read(struct mux *mux, uint32_t number, char *bytes, size_t count)
{
    size_t done = 0;
    while (done < count && ring_take(&mux->client[number].input, &bytes[done])) {
        done++;
    }
    return done;
}
