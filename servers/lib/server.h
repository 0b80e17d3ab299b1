/* server.h: the loop of a server: receive, dispatch by label, answer. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_SERVER_H
#define SERVERS_LIB_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include "kernel/abi/error.h"
#include "servers/lib/syscall.h"

/* What a handler did with the caller. */
enum server_verdict {
    SERVER_ANSWER, /* the message that it was given now holds the answer */
    SERVER_HOLD    /* no answer now: the Reply was taken with server_hold, or nobody waits */
};

struct server;

/* One label of a protocol. A message of fewer than `words` words is answered by E_ARGUMENT. */
struct server_operation {
    uint64_t label;
    unsigned words;
    /* `m` holds words 0 to 3, the others are in the thread's IPC buffer. */
    enum server_verdict (*handle)(struct server *server, struct message *m);
};

struct server {
    uint32_t endpoint; /* EP_RECV */
    uint32_t reply;    /* the Reply object for the next receive */
    uint32_t received; /* the IPC buffer's receive_slot: capabilities that a handler leaves there
                          are deleted after it; 0: none are received */
    const struct server_operation *operation; /* a label that none has: the caller gets E_CALL */
    size_t operation_count;
    /* A bound Notification was signalled. NULL: that is ignored. */
    void (*notified)(struct server *server, uint64_t bits);
    /* A fault or exit: anyone with EP_CALL can have one sent. NULL: the answer is FR_STOP. */
    enum server_verdict (*fault)(struct server *server, struct message *m);
    void *context; /* the server's own */
};

/* Receives and handles for ever; returns only if the endpoint fails: the status says why. */
enum status server_run(struct server *server);

/* Handles one message as server_run does, without waiting for the next: for tests. */
enum server_verdict server_dispatch(struct server *server, struct message *m);

/* Makes `m` an answer of `words` words with `status` as its label. The value is SERVER_ANSWER. */
enum server_verdict server_answer(struct message *m, enum status status, unsigned words);

/*
 * Keeps the present caller: the Reply that holds it is the value, and `free_reply` (which holds
 * nobody) takes its place. The handler then says SERVER_HOLD; answer later by sys_reply, after
 * which the Reply is free again.
 */
uint32_t server_hold(struct server *server, uint32_t free_reply);

#endif
