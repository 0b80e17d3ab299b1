/* server.c: the loop of a server: receive, dispatch by label, answer. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/server.h"

enum server_verdict server_answer(struct message *m, enum status status, unsigned words)
{
    m->tag = TAG(status, words);
    return SERVER_ANSWER;
}

uint32_t server_hold(struct server *server, uint32_t free_reply)
{
    uint32_t held = server->reply;
    server->reply = free_reply;
    return held;
}

static enum server_verdict from_kernel(struct server *server, struct message *m)
{
    if (tag_label(m->tag) == KL_NOTIFICATION) {
        if (server->notified != NULL) {
            server->notified(server, m->badge);
        }
        return SERVER_HOLD;
    }
    if (server->fault != NULL) {
        return server->fault(server, m);
    }
    m->tag = TAG(FR_STOP, 0);
    return SERVER_ANSWER;
}

enum server_verdict server_dispatch(struct server *server, struct message *m)
{
    if ((m->tag & TAG_KERNEL) != 0) {
        return from_kernel(server, m);
    }
    for (size_t i = 0; i < server->operation_count; i++) {
        const struct server_operation *operation = &server->operation[i];
        if (operation->label == tag_label(m->tag)) {
            return tag_words(m->tag) < operation->words ? server_answer(m, E_ARGUMENT, 0)
                                                        : operation->handle(server, m);
        }
    }
    return server_answer(m, E_CALL, 0);
}

static void drop_received(const struct server *server, unsigned count)
{
    for (unsigned i = 0; server->received != 0 && i < count; i++) {
        sys_cap_delete(server->received + i);
    }
}

enum status server_run(struct server *server)
{
    struct message m = { 0 };
    enum status status = sys_recv(server->endpoint, server->reply, &m);
    while (status == OK) {
        unsigned caps = tag_caps(m.tag);
        enum server_verdict verdict = server_dispatch(server, &m);
        drop_received(server, caps);
        if (verdict == SERVER_ANSWER) {
            status = sys_reply_recv(server->endpoint, server->reply, &m);
        } else {
            status = sys_recv(server->endpoint, server->reply, &m);
        }
    }
    return status;
}
