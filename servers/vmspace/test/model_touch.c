/* model_touch.c: the kernel's model: guests and VMMs that touch memory, and their faults. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "servers/vmspace/test/model_state.h"
#include "servers/vmspace/worker.h"

/* The faulter that was left waiting. */
static struct {
    struct model_caller *caller;
    struct model_guest guest;
    int cpu;
    bool window;
    uint64_t address;
    unsigned access;
    uint64_t *value;
} waiter;

uint64_t model_send(unsigned cpu, uint32_t badge, uint64_t tag, uint64_t address, uint64_t access)
{
    struct model_caller caller = model_new_caller(badge, tag, address, access, 0);
    model_call_at(model_caps[model_cap_at(workers[cpu + 1].endpoint)].object, &caller);
    return tag_label(caller.m.tag);
}

uint32_t model_badge(const struct model_guest *guest)
{
    return model_caps[guest->nested[0]].badge;
}

/* Asks about a fault until it is answered, or all rest. The lock is held. */
static enum touch await(struct model_caller *caller, enum touch *end)
{
    while (!caller->answered && !model_rests()) {
        pthread_cond_wait(&model_change, &model_lock);
    }
    if (!caller->answered) {
        return *end = TOUCH_WAITS;
    }
    uint64_t label = tag_label(caller->m.tag);
    return *end = label == FR_DEVICE ? TOUCH_DEVICE : label == FR_STOP ? TOUCH_STOPPED : TOUCH_DONE;
}

static bool access_memory(int space, uint64_t address, unsigned access, uint64_t *value)
{
    unsigned rights = 0;
    uint64_t page = model_lookup(space, address, &rights);
    if (page == 0 || (access & ~rights) != 0) {
        return false;
    }
    uint64_t *at = (uint64_t *)(model_ram + page * 4096 + (address & 0xff8));
    if ((access & FAULT_WRITE) != 0) {
        *at = *value;
    } else {
        *value = *at;
    }
    return true;
}

/* The endpoint that hears of the fault, as a capability; -1: it is gone. */
static int fault_endpoint(const struct model_guest *guest, int cpu, bool window)
{
    int cap = window ? guest->window[cpu] : guest->nested[cpu];
    return model_caps[cap].used ? cap : -1;
}

/* One message about the fault; the lock is held. */
static enum touch raise(bool window, const struct model_guest *guest, int cpu, uint64_t address,
                        unsigned access, uint64_t *value)
{
    struct model_caller *caller = malloc(sizeof *caller);
    uint64_t label = window ? KL_PAGE_FAULT : KL_NESTED_FAULT;
    int endpoint = model_service;
    enum touch end;
    *caller = model_new_caller(guest->child, TAG(label, 4) | TAG_KERNEL, address, access, 0x1234);
    if (cpu >= 0) {
        int cap = fault_endpoint(guest, cpu, window);
        if (cap < 0) {
            free(caller);
            return TOUCH_STOPPED;
        }
        endpoint = model_caps[cap].object;
        caller->m.badge = model_caps[cap].badge;
    }
    model_enqueue(endpoint, caller);
    if (await(caller, &end) == TOUCH_WAITS) {
        waiter.caller = caller;
        waiter.guest = *guest;
        waiter.cpu = cpu;
        waiter.window = window;
        waiter.address = address;
        waiter.access = access;
        waiter.value = value;
        return end;
    }
    free(caller);
    return end;
}

static enum touch touch(bool window, const struct model_guest *guest, int cpu, uint64_t address,
                        unsigned access, uint64_t *value)
{
    enum touch end = TOUCH_DONE;
    pthread_mutex_lock(&model_lock);
    while (end == TOUCH_DONE) {
        int space = window ? model_own_space[guest->child] : guest->space;
        if (!model_caps[space].used) {
            end = TOUCH_STOPPED;
            break;
        }
        if (access_memory(model_caps[space].object, address, access, value)) {
            break;
        }
        end = raise(window, guest, cpu, address, access, value);
    }
    pthread_mutex_unlock(&model_lock);
    return end;
}

enum touch model_touch(const struct model_guest *guest, unsigned cpu, uint64_t gpa, unsigned access,
                       uint64_t *value)
{
    return touch(false, guest, (int)cpu, gpa, access, value);
}

enum touch model_touch_window(const struct model_guest *guest, int cpu, uint64_t address,
                              unsigned access, uint64_t *value)
{
    return touch(true, guest, cpu, address, access, value);
}

enum touch model_finish(void)
{
    enum touch end;
    pthread_mutex_lock(&model_lock);
    await(waiter.caller, &end);
    pthread_mutex_unlock(&model_lock);
    if (end != TOUCH_DONE) {
        return end;
    }
    free(waiter.caller);
    waiter.caller = NULL;
    return touch(waiter.window, &waiter.guest, waiter.cpu, waiter.address, waiter.access,
                 waiter.value);
}
