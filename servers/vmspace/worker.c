/* worker.c: the threads that answer faults, one a CPU. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/worker.h"

#include "servers/lib/control.h"
#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/vmspace/kernel.h"
#include "servers/vmspace/park.h"

struct worker workers[WORKER_MAX];
unsigned worker_count;

enum fault_reply verdict_label(enum verdict verdict)
{
    switch (verdict) {
    case FAULT_DEVICE:
        return FR_DEVICE;
    case FAULT_STOP:
    case FAULT_REPORT:
        return FR_STOP;
    default:
        return FR_RETRY;
    }
}

void worker_report(uint32_t child, const struct message *m)
{
    struct message report = {
        .tag = TAG(CTL_DIED, 4),
        .word = { child, tag_label(m->tag), m->word[0], m->word[2] },
    };
    kernel_call(SLOT_CONTROL, &report);
}

/* What the last call mapped is mapped since it returned. */
static inline void settle(struct worker *worker)
{
    if (worker->settle_entry != NULL) {
        region_settle(worker->settle_entry, worker->settle_value);
        worker->settle_entry = NULL;
    }
}

static inline void mapped(struct worker *worker, const struct fault *fault)
{
    if ((fault->target & MAP_FRESH) != 0) {
        worker->settle_entry = fault->entry;
        worker->settle_value = fault->value;
    }
}

static enum verdict examine(struct worker *worker, const struct message *m, struct fault *fault)
{
    struct guest *guest = guest_of_badge(m->badge);
    bool window = (m->badge & BADGE_WINDOW) != 0;
    uint64_t label = tag_label(m->tag);
    if (guest == NULL || (m->tag & TAG_KERNEL) == 0) {
        /* Nobody's, or forged; or workers_barrier(), to which any answer will do. */
        return FAULT_STOP;
    }
    if (label == KL_NESTED_FAULT && !window) {
        return fault_nested(guest, worker->index, &worker->cache, m->word[0], m->word[1], fault);
    }
    fault->guest = guest;
    if (label == KL_PAGE_FAULT && window) {
        return fault_window(guest, worker->index, &worker->cache, m->word[0], m->word[1], fault);
    }
    return FAULT_REPORT;
}

/* Answers the message in `m` and receives the next into it. */
static enum status answer(struct worker *worker, struct message *m, uint64_t label)
{
    m->tag = TAG(label, 0);
    return kernel_reply_recv(worker->endpoint, worker->reply, m);
}

static enum status finish(struct worker *worker, struct message *m, enum verdict verdict,
                          struct fault *fault)
{
    if (verdict == FAULT_WAIT) {
        uint32_t free_reply = park_add(fault->guest, worker->reply, fault->epoch);
        if (free_reply != 0) {
            worker->reply = free_reply;
            return kernel_recv(worker->endpoint, worker->reply, m);
        }
    }
    if (verdict == FAULT_REPORT) {
        worker_report(fault->guest->owner, m);
    }
    return answer(worker, m, verdict_label(verdict));
}

/* Deals with the message in `m` and receives the next into it. */
static enum status step(struct worker *worker, struct message *m)
{
    struct fault fault;
    settle(worker);
    enum verdict verdict = examine(worker, m, &fault);
    if (__builtin_expect(verdict != FAULT_MAP, 0)) {
        return finish(worker, m, verdict, &fault);
    }
    struct message next;
    do {
        enum status status = kernel_map_reply_recv(
            worker->endpoint, worker->reply, fault.space, frame_cap(PAGE_FRAME(fault.value)),
            frame_offset(PAGE_FRAME(fault.value)), fault.target, &next);
        if (__builtin_expect(status == OK, 1)) {
            mapped(worker, &fault);
            *m = next;
            return OK;
        }
        verdict = fault_failed(&fault, status, next.tag);
    } while (verdict == FAULT_MAP);
    return finish(worker, m, verdict, &fault);
}

enum verdict worker_map(struct worker *worker, struct fault *fault)
{
    enum verdict verdict = FAULT_MAP;
    settle(worker);
    while (verdict == FAULT_MAP) {
        uint64_t lacking = 0;
        uint32_t frame = PAGE_FRAME(fault->value);
        enum status status = kernel_map(fault->space, frame_cap(frame), frame_offset(frame),
                                        fault->target, 1, &lacking);
        if (status == OK) {
            mapped(worker, fault);
            settle(worker);
            return FAULT_RETRY;
        }
        verdict = fault_failed(fault, status, lacking);
    }
    return verdict;
}

enum status worker_run(struct worker *worker)
{
    struct message m = { 0 };
    enum status status = kernel_recv(worker->endpoint, worker->reply, &m);
    while (status == OK) {
        status = step(worker, &m);
    }
    return status;
}

void workers_barrier(void)
{
    for (unsigned i = 1; i < worker_count; i++) {
        struct message m = { .tag = TAG(0, 0) };
        enum status status = kernel_call(workers[i].endpoint, &m);
        if (status != OK) {
            log_line("worker %u does not answer: %s", i, status_words(status));
        }
    }
}
