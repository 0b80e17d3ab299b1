/* service.c: the service thread: what VMMs ask of vmspace, and the end of those that die. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/service.h"

#include "kernel/abi/boot.h"
#include "servers/lib/control.h"
#include "servers/lib/slots.h"
#include "servers/vmspace/hold.h"
#include "servers/vmspace/kernel.h"
#include "servers/vmspace/park.h"
#include "servers/vmspace/stats.h"

static const struct start_info *start;
static struct ipc_buffer *ipc;
static uint64_t total_pages;

/* The caller's guest; if it has none the answer is made, and NULL is the value. */
static struct guest *caller_guest(struct message *m)
{
    struct guest *guest = guest_of_owner((uint32_t)m->badge);
    if (guest == NULL) {
        server_answer(m, E_STATE, 0);
    }
    return guest;
}

/* Bytes of guest memory that the manifest allows that child; 0: it may have no guest. */
static uint64_t allowance(uint64_t child)
{
    const struct start_entry *e;
    for (unsigned i = 0; (e = start_find(start, START_CLIENT, NULL, i)) != NULL; i++) {
        if (e->address == child) {
            return e->size;
        }
    }
    return 0;
}

static enum status create(const struct message *m, struct guest **guest)
{
    uint32_t received = cap_root(CAPS_RECEIVE);
    struct cap_identity id;
    if ((start->features & (BOOT_HAS_VMX | BOOT_HAS_SVM)) == 0) {
        return E_UNSUPPORTED;
    }
    if (m->word[0] > allowance(m->badge)) {
        return E_LIMIT;
    }
    if (tag_caps(m->tag) != 1 || kernel_identify(received, &id) != OK || id.type != OBJ_SPACE ||
        (id.rights & (SP_MAP | SP_FUND)) != (SP_MAP | SP_FUND)) {
        return E_ARGUMENT;
    }
    enum space_type type = (start->features & BOOT_HAS_VMX) != 0 ? PT_EPT : PT_NPT;
    return guest_create((uint32_t)m->badge, received, type, m->word[0], guest);
}

static enum server_verdict on_create(struct server *server, struct message *m)
{
    struct guest *guest = NULL;
    enum status status = create(m, &guest);
    (void)server;
    server_answer(m, status, 0);
    if (status == OK) {
        ipc->cap[0] = guest_cap(guest_index(guest), GUEST_SPACE_ASSIGN);
        m->tag |= TAG_CAPS(1);
    }
    return SERVER_ANSWER;
}

static enum server_verdict on_endpoints(struct server *server, struct message *m)
{
    struct guest *guest = caller_guest(m);
    (void)server;
    if (guest == NULL) {
        return SERVER_ANSWER;
    }
    for (unsigned i = 1; i < worker_count; i++) {
        if (workers[i].cpu != m->word[0]) {
            continue;
        }
        enum status status = guest_make_endpoints(guest, i);
        server_answer(m, status, 0);
        if (status == OK) {
            ipc->cap[0] = guest_cap(guest_index(guest), GUEST_ENDPOINTS + 2 * i);
            ipc->cap[1] = ipc->cap[0] + 1;
            m->tag |= TAG_CAPS(2);
        }
        return SERVER_ANSWER;
    }
    return server_answer(m, E_ARGUMENT, 0);
}

static enum server_verdict on_add_segment(struct server *server, struct message *m)
{
    struct guest *guest = caller_guest(m);
    (void)server;
    if (guest == NULL) {
        return SERVER_ANSWER;
    }
    unsigned rights = m->word[2] <= MAP_RIGHTS ? (unsigned)m->word[2] : 0;
    return server_answer(m, guest_add_segment(guest, m->word[0], m->word[1], rights), 0);
}

static enum server_verdict on_device_window(struct server *server, struct message *m)
{
    struct guest *guest = caller_guest(m);
    (void)server;
    if (guest == NULL) {
        return SERVER_ANSWER;
    }
    enum status status = segments_check_window(&guest->segments, m->word[0], m->word[1]);
    if (status == OK) {
        status = kernel_window(guest_cap(guest_index(guest), GUEST_SPACE), m->word[0], m->word[1]);
    }
    if (status == OK) {
        segments_add_window(&guest->segments, m->word[0], m->word[1]);
    }
    return server_answer(m, status, 0);
}

static enum server_verdict on_hold(struct server *server, struct message *m)
{
    struct guest *guest = caller_guest(m);
    uint64_t address = 0;
    (void)server;
    if (guest == NULL) {
        return SERVER_ANSWER;
    }
    enum status status = hold_take(guest, &workers[0], m->word[0], m->word[1], &address);
    m->word[0] = address;
    return server_answer(m, status, status == OK ? 1 : 0);
}

static enum server_verdict on_release(struct server *server, struct message *m)
{
    struct guest *guest = caller_guest(m);
    (void)server;
    return guest != NULL ? server_answer(m, hold_release(guest, m->word[0]), 0) : SERVER_ANSWER;
}

static enum server_verdict on_stats(struct server *server, struct message *m)
{
    uint64_t which = m->word[0];
    enum status status = OK;
    (void)server;
    if (which == VMS_POOL) {
        blocks_reap();
        stats_pool(total_pages, m->word);
    } else {
        struct guest *guest = caller_guest(m);
        if (guest == NULL) {
            return SERVER_ANSWER;
        }
        status = stats_guest(guest, which, m->word);
    }
    return server_answer(m, status, status == OK ? 4 : 0);
}

static enum server_verdict on_destroy(struct server *server, struct message *m)
{
    struct guest *guest = caller_guest(m);
    (void)server;
    if (guest == NULL) {
        return SERVER_ANSWER;
    }
    guest_destroy(guest);
    return server_answer(m, OK, 0);
}

static const struct server_operation operations[] = {
    { VMS_CREATE, 1, on_create },
    { VMS_ENDPOINTS, 1, on_endpoints },
    { VMS_ADD_SEGMENT, 3, on_add_segment },
    { VMS_DEVICE_WINDOW, 2, on_device_window },
    { VMS_HOLD, 2, on_hold },
    { VMS_RELEASE, 1, on_release },
    { VMS_STATS, 1, on_stats },
    { VMS_DESTROY, 0, on_destroy },
};

/* Children that ended: bit n for child n. */
static void on_ended(struct server *server, uint64_t children)
{
    (void)server;
    for (uint32_t child = 1; child <= CHILD_NUMBER_MAX; child++) {
        if ((children >> child & 1) == 0) {
            continue;
        }
        struct guest *guest = guest_of_owner(child);
        if (guest != NULL) {
            guest_destroy(guest);
        }
        struct message m = { .tag = TAG(CTL_RELEASED, 1), .word = { child } };
        kernel_call(SLOT_CONTROL, &m);
    }
}

/* A fault of a VMM's first thread, whose fault endpoint is the service's: the badge is its child
 * number. */
static enum server_verdict on_fault(struct server *server, struct message *m)
{
    struct guest *guest = guest_of_owner((uint32_t)m->badge);
    struct fault fault;
    enum verdict verdict = FAULT_REPORT;
    if (guest != NULL && tag_label(m->tag) == KL_PAGE_FAULT) {
        verdict = fault_window(guest, 0, &workers[0].cache, m->word[0], m->word[1], &fault);
    }
    if (verdict == FAULT_MAP) {
        verdict = worker_map(&workers[0], &fault);
    }
    if (verdict == FAULT_WAIT) {
        uint32_t free_reply = park_add(guest, server->reply, fault.epoch);
        if (free_reply != 0) {
            server_hold(server, free_reply);
            return SERVER_HOLD;
        }
    }
    if (verdict == FAULT_REPORT) {
        worker_report((uint32_t)m->badge, m);
    }
    m->tag = TAG(verdict_label(verdict), 0);
    return SERVER_ANSWER;
}

enum status service_run(const struct start_info *info, struct ipc_buffer *buffer, uint64_t total)
{
    struct server server = {
        .endpoint = workers[0].endpoint,
        .reply = workers[0].reply,
        .operation = operations,
        .operation_count = sizeof operations / sizeof operations[0],
        .notified = on_ended,
        .fault = on_fault,
    };
    struct message m = { 0 };
    start = info;
    ipc = buffer;
    total_pages = total;
    ipc->receive_slot = cap_root(CAPS_RECEIVE);
    enum status status = kernel_recv(server.endpoint, server.reply, &m);
    while (status == OK) {
        unsigned received = tag_caps(m.tag);
        enum server_verdict verdict = server_dispatch(&server, &m);
        if (received != 0) {
            /* What no operation took: the next message needs the slot. */
            kernel_delete(cap_root(CAPS_RECEIVE));
        }
        status = verdict == SERVER_ANSWER ? kernel_reply_recv(server.endpoint, server.reply, &m)
                                          : kernel_recv(server.endpoint, server.reply, &m);
    }
    return status;
}
