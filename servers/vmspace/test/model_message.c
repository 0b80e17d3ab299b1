/* model_message.c: the kernel's model: endpoints, replies, and who waits for whom. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "servers/lib/control.h"
#include "servers/lib/slots.h"
#include "servers/vmspace/test/model_state.h"
#include "servers/vmspace/worker.h"

bool model_ending;
struct ipc_buffer model_buffer;

static unsigned waiting; /* threads of vmspace that wait in a receive */
static struct message last_report;

struct message model_last_report(void)
{
    return last_report;
}

static unsigned queued(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < worker_count; i++) {
        int cap = model_cap_at(workers[i].endpoint);
        count += cap >= 0 ? model_objects[model_caps[cap].object].queued : 0;
    }
    return count;
}

bool model_rests(void)
{
    return waiting == worker_count && queued() == 0;
}

void model_enqueue(int endpoint, struct model_caller *caller)
{
    struct model_object *object = &model_objects[endpoint];
    if (object->queued == MODEL_QUEUE) {
        abort();
    }
    object->queue[object->queued++] = caller;
    pthread_cond_broadcast(&model_change);
}

static struct model_object *object_of(uint32_t slot)
{
    int cap = model_cap_at(slot);
    return cap >= 0 ? &model_objects[model_caps[cap].object] : NULL;
}

/* Hands over the caller's capability, if the receiver has a free slot for it. */
static void pass_in(struct model_caller *caller, struct message *m)
{
    uint32_t slot = model_buffer.receive_slot;
    if (caller->give >= 0 && slot != 0 && model_cap_at(slot) < 0) {
        struct model_cap cap = model_caps[caller->give];
        model_new_cap(slot, cap.object, caller->give, cap.rights, cap.badge);
        m->tag |= TAG_CAPS(1);
    }
}

static void pass_out(struct model_caller *caller, const struct message *m)
{
    for (unsigned i = 0; i < tag_caps(m->tag); i++) {
        int from = model_cap_at(model_buffer.cap[i]);
        if (from >= 0) {
            struct model_cap cap = model_caps[from];
            caller->got[i] = model_new_cap(0, cap.object, from, cap.rights, cap.badge);
        }
    }
}

static void reply(uint32_t slot, const struct message *m)
{
    struct model_object *object = object_of(slot);
    struct model_caller *caller = object->held;
    if (caller == NULL) {
        return;
    }
    object->held = NULL;
    caller->m = *m;
    pass_out(caller, m);
    caller->answered = true;
    pthread_cond_broadcast(&model_change);
}

static enum status receive(uint32_t endpoint, uint32_t reply_slot, struct message *m)
{
    struct model_object *object = object_of(endpoint);
    if (object == NULL || object_of(reply_slot)->held != NULL) {
        abort();
    }
    waiting++;
    pthread_cond_broadcast(&model_change);
    while (object->queued == 0 && !model_ending) {
        pthread_cond_wait(&model_change, &model_lock);
    }
    waiting--;
    if (model_ending) {
        return E_GONE;
    }
    struct model_caller *caller = object->queue[0];
    object->queued--;
    for (unsigned i = 0; i < object->queued; i++) {
        object->queue[i] = object->queue[i + 1];
    }
    *m = caller->m;
    pass_in(caller, m);
    if (caller->notification) {
        free(caller);
    } else {
        object_of(reply_slot)->held = caller;
    }
    return OK;
}

enum status kernel_recv(uint32_t endpoint, uint32_t reply_slot, struct message *m)
{
    pthread_mutex_lock(&model_lock);
    enum status status = receive(endpoint, reply_slot, m);
    pthread_mutex_unlock(&model_lock);
    return status;
}

enum status kernel_reply(uint32_t reply_slot, const struct message *m)
{
    pthread_mutex_lock(&model_lock);
    reply(reply_slot, m);
    pthread_mutex_unlock(&model_lock);
    return OK;
}

enum status kernel_reply_recv(uint32_t endpoint, uint32_t reply_slot, struct message *m)
{
    pthread_mutex_lock(&model_lock);
    reply(reply_slot, m);
    enum status status = receive(endpoint, reply_slot, m);
    pthread_mutex_unlock(&model_lock);
    return status;
}

enum status kernel_map_reply_recv(uint32_t endpoint, uint32_t reply_slot, uint32_t space,
                                  uint32_t frame, uint64_t offset, uint64_t address_flags,
                                  struct message *m)
{
    uint64_t lacking = 0;
    enum status status = kernel_map(space, frame, offset, address_flags, 1, &lacking);
    if (status != OK) {
        m->tag = lacking;
        return status;
    }
    struct message answer = { .tag = TAG(FR_RETRY, 0) };
    pthread_mutex_lock(&model_lock);
    reply(reply_slot, &answer);
    status = receive(endpoint, reply_slot, m);
    pthread_mutex_unlock(&model_lock);
    return status;
}

static enum status control(struct message *m)
{
    if (tag_label(m->tag) == CTL_DIED) {
        model_numbers.reports++;
        last_report = *m;
    } else if (tag_label(m->tag) == CTL_RELEASED) {
        model_numbers.released++;
    }
    m->tag = TAG(OK, 0);
    return OK;
}

enum status kernel_call(uint32_t endpoint, struct message *m)
{
    struct model_caller caller = { .m = *m, .give = -1 };
    enum status status = OK;
    pthread_mutex_lock(&model_lock);
    if (endpoint == SLOT_CONTROL) {
        status = control(m);
    } else {
        caller.m.badge = 0;
        model_enqueue(model_caps[model_cap_at(endpoint)].object, &caller);
        while (!caller.answered && !model_ending) {
            pthread_cond_wait(&model_change, &model_lock);
        }
        *m = caller.m;
        status = caller.answered ? OK : E_GONE;
    }
    pthread_mutex_unlock(&model_lock);
    return status;
}

void kernel_yield(void)
{
    sched_yield();
}
