/* main.c: the console server: the service "console" on one 16550, driven by interrupts. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "drivers/uart/mux.h"
#include "drivers/uart/ns16550.h"
#include "kernel/abi/object.h"
#include "servers/lib/console.h"
#include "servers/lib/control.h"
#include "servers/lib/layout.h"
#include "servers/lib/log.h"
#include "servers/lib/server.h"
#include "servers/lib/slots.h"
#include "servers/lib/start_info.h"

#define REPLY_COUNT    33u /* callers that can wait at a time, and the one who is being served */
#define IRQ_BIT        1u
#define WORD_BYTES     sizeof(uint64_t)
#define REGISTER_BYTES ((TAG_SIMPLE_MAX - 1) * WORD_BYTES)

/* Slots that the driver uses, from start_info.free_slot on. */
enum own_slot {
    OWN_NOTIFICATION,
    OWN_IRQ_SIGNAL, /* the same with IRQ_BIT as its badge */
    OWN_RECEIVED,   /* where a capability in a message arrives */
    OWN_REPLIES = OWN_RECEIVED + MESSAGE_CAPS,
    OWN_LISTENERS = OWN_REPLIES + REPLY_COUNT /* by client number */
};

/* A caller who waits for its answer. */
struct waiter {
    uint32_t reply;
    bool flush; /* for an empty queue; otherwise for room */
};

struct uart {
    const struct start_info *info;
    uint32_t ports, irq;
    uint16_t port;
    struct mux mux;
    struct ns16550 chip;
    uint32_t news; /* clients with new input: a bit each */
    uint32_t free_count;
    uint32_t free_reply[REPLY_COUNT];
    uint32_t waiter_count;
    struct waiter waiter[REPLY_COUNT]; /* in the order in which they came */
};

int main(const struct start_info *info);

static struct uart uart;

static uint32_t own(enum own_slot slot)
{
    return uart.info->free_slot + slot;
}

/* --- the chip --- */

static uint8_t port_in(void *context, enum ns16550_register which)
{
    const struct uart *u = context;
    uint32_t value = 0xff;
    sys_port_in(u->ports, (uint16_t)(u->port + which), 1, &value);
    return (uint8_t)value;
}

static void port_out(void *context, enum ns16550_register which, uint8_t value)
{
    const struct uart *u = context;
    sys_port_out(u->ports, (uint16_t)(u->port + which), 1, value);
}

static void received(void *context, char byte)
{
    struct uart *u = context;
    uint32_t number = mux_input(&u->mux, byte);
    u->news |= number != 0 ? 1u << number : 0;
}

/* --- callers who wait --- */

/* Keeps the caller until wake_waiters; false: too many wait already. */
static bool hold(struct server *server, bool flush)
{
    if (uart.free_count == 0) {
        return false;
    }
    uint32_t held = server_hold(server, uart.free_reply[--uart.free_count]);
    uart.waiter[uart.waiter_count++] = (struct waiter){ held, flush };
    return true;
}

/*
 * Answers writers when half of the queue is free, so that each wake-up is worth its while; flushers
 * when all is out.
 */
static void wake_waiters(void)
{
    bool room = ring_room(&uart.mux.output) >= MUX_OUTPUT_SIZE / 2;
    bool empty = uart.chip.idle && ring_count(&uart.mux.output) == 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < uart.waiter_count; i++) {
        struct waiter waiter = uart.waiter[i];
        if (waiter.flush ? empty : room) {
            struct message m = { .tag = TAG(OK, 1) };
            sys_reply(waiter.reply, &m);
            uart.free_reply[uart.free_count++] = waiter.reply;
        } else {
            uart.waiter[kept++] = waiter;
        }
    }
    uart.waiter_count = kept;
}

static void tell_listeners(void)
{
    for (uint32_t number = 1; uart.news != 0 && number <= MUX_CLIENT_MAX; number++) {
        if ((uart.news & 1u << number) != 0) {
            sys_signal(own(OWN_LISTENERS) + number);
        }
    }
    uart.news = 0;
}

static void serve_chip(void)
{
    ns16550_serve(&uart.chip);
    wake_waiters();
    tell_listeners();
}

/* --- the protocol (servers/lib/console.h) --- */

static enum server_verdict on_write(struct server *server, struct message *m)
{
    char bytes[CONSOLE_WRITE_MAX];
    const struct ipc_buffer *buffer = (const struct ipc_buffer *)LAYOUT_IPC_BUFFER;
    uint64_t count = m->word[0];
    if (!mux_knows(&uart.mux, m->badge) || count > CONSOLE_WRITE_MAX ||
        tag_words(m->tag) < 1 + (count + WORD_BYTES - 1) / WORD_BYTES) {
        return server_answer(m, E_ARGUMENT, 0);
    }
    memcpy(bytes, &m->word[1], REGISTER_BYTES);
    if (count > REGISTER_BYTES) {
        memcpy(bytes + REGISTER_BYTES, &buffer->word[TAG_SIMPLE_MAX], count - REGISTER_BYTES);
    }
    m->word[0] = mux_write(&uart.mux, (uint32_t)m->badge, bytes, count);
    if (uart.chip.idle) {
        serve_chip();
    }
    if (count > 0 && m->word[0] == 0 && hold(server, false)) {
        return SERVER_HOLD;
    }
    return server_answer(m, OK, 1);
}

static enum server_verdict on_read(struct server *server, struct message *m)
{
    (void)server;
    if (!mux_knows(&uart.mux, m->badge)) {
        return server_answer(m, E_ARGUMENT, 0);
    }
    m->word[0] = mux_read(&uart.mux, (uint32_t)m->badge, (char *)&m->word[1], CONSOLE_READ_MAX);
    return server_answer(m, OK, TAG_SIMPLE_MAX);
}

static enum server_verdict on_listen(struct server *server, struct message *m)
{
    uint32_t number = (uint32_t)m->badge;
    if (!mux_knows(&uart.mux, m->badge) || tag_caps(m->tag) != 1) {
        return server_answer(m, E_ARGUMENT, 0);
    }
    sys_cap_delete(own(OWN_LISTENERS) + number);
    enum status status = sys_cap_move(server->received, own(OWN_LISTENERS) + number);
    if (status == OK) {
        mux_listen(&uart.mux, number);
        uart.news |= ring_count(&uart.mux.client[number].input) != 0 ? 1u << number : 0;
        tell_listeners();
    }
    return server_answer(m, status, 0);
}

static enum server_verdict on_flush(struct server *server, struct message *m)
{
    if (!mux_knows(&uart.mux, m->badge)) {
        return server_answer(m, E_ARGUMENT, 0);
    }
    mux_end_line(&uart.mux, (uint32_t)m->badge);
    if (!hold(server, true)) {
        return server_answer(m, E_LIMIT, 0);
    }
    if (uart.chip.idle) {
        serve_chip();
    }
    return SERVER_HOLD;
}

static void on_interrupt(struct server *server, uint64_t bits)
{
    (void)server;
    (void)bits;
    /* Unmasked first: an edge that comes while the chip is served must not be lost. */
    sys_irq_ack(uart.irq);
    serve_chip();
}

/* --- start --- */

static bool step(const char *what, enum status status)
{
    if (status != OK) {
        log_line("%s: %s", what, status_words(status));
    }
    return status == OK;
}

static bool make_objects(void)
{
    uint32_t untyped = start_cap(uart.info, START_UNTYPED, NULL);
    for (uint32_t i = 0; i < REPLY_COUNT; i++) {
        uart.free_reply[i] = own(OWN_REPLIES) + i;
    }
    uart.free_count = REPLY_COUNT;
    return step("Reply objects",
               sys_retype(untyped, own(OWN_REPLIES), OBJ_REPLY, 0, 0, REPLY_COUNT)) &&
           step("Notification",
               sys_retype(untyped, own(OWN_NOTIFICATION), OBJ_NOTIFICATION, 0, 0, 1)) &&
           step("badge of the interrupt",
               sys_cap_mint(own(OWN_NOTIFICATION), own(OWN_IRQ_SIGNAL), NT_SIGNAL, IRQ_BIT)) &&
           step("binding its Notification", sys_thread_bind(SLOT_THREAD, own(OWN_NOTIFICATION)));
}

static bool find_clients(void)
{
    const struct start_entry *client;
    mux_init(&uart.mux);
    for (unsigned n = 0; (client = start_find(uart.info, START_CLIENT, NULL, n)) != NULL; n++) {
        if (client->address >= 1 && client->address <= MUX_CLIENT_MAX) {
            mux_add(&uart.mux, (uint32_t)client->address, client->name, client->size != 0);
        }
    }
    return true;
}

static bool start_chip(void)
{
    const struct start_entry *ports = start_find(uart.info, START_PORTS, NULL, 0);
    uart.irq = start_cap(uart.info, START_IRQ, NULL);
    if (ports == NULL || ports->size < NS_REGISTERS || uart.irq == CPTR_NONE) {
        log_line("the manifest gives it no interrupt, or fewer than %d ports", NS_REGISTERS);
        return false;
    }
    uart.ports = ports->cap;
    uart.port = (uint16_t)ports->address;
    const struct ns16550_host host = { port_in, port_out, received, &uart };
    if (!ns16550_start(&uart.chip, host, &uart.mux.output)) {
        log_line("there is no 16550 at port 0x%x", uart.port);
        return false;
    }
    return step("interrupt", sys_irq_bind(uart.irq, own(OWN_IRQ_SIGNAL)));
}

int main(const struct start_info *info)
{
    static const struct server_operation operations[] = {
        { CONSOLE_WRITE, 1, on_write },
        { CONSOLE_READ, 0, on_read },
        { CONSOLE_LISTEN, 0, on_listen },
        { CONSOLE_FLUSH, 0, on_flush },
    };
    log_init(info->name, SLOT_LOG);
    uart.info = info;
    if (!make_objects() || !find_clients() || !start_chip()) {
        return 1;
    }
    struct ipc_buffer *buffer = (struct ipc_buffer *)LAYOUT_IPC_BUFFER;
    buffer->receive_slot = own(OWN_RECEIVED);
    struct server server = {
        .endpoint = start_cap(info, START_SERVE, NULL),
        .reply = uart.free_reply[--uart.free_count],
        .received = own(OWN_RECEIVED),
        .operation = operations,
        .operation_count = sizeof(operations) / sizeof(operations[0]),
        .notified = on_interrupt,
    };
    serve_chip();
    step("service", server_run(&server));
    return 1;
}
