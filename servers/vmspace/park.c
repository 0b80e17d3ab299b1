/* park.c: faulters that wait, unanswered, until there is memory again. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/park.h"

#include <stdatomic.h>

#include "servers/lib/log.h"
#include "servers/vmspace/capmap.h"
#include "servers/vmspace/guest.h"
#include "servers/vmspace/kernel.h"
#include "servers/vmspace/lock.h"

struct faulter {
    struct guest *guest;
    uint32_t reply;
};

static struct lock park_lock;
static struct faulter faulters[REPLY_MAX]; /* park_lock; the first faulter_count are in use */
static uint32_t spare[REPLY_MAX];          /* park_lock; the first spare_count are free Replies */
static _Atomic uint32_t faulter_count;     /* written under park_lock */
static uint32_t spare_count;               /* park_lock */
static _Atomic uint32_t epoch_now;

void park_init(void)
{
    for (unsigned i = 0; i < REPLY_MAX; i++) {
        spare[i] = reply_cap(i);
    }
    spare_count = REPLY_MAX;
    atomic_store(&faulter_count, 0);
}

uint32_t park_epoch(void)
{
    return atomic_load(&epoch_now);
}

uint32_t park_count(void)
{
    return atomic_load(&faulter_count);
}

/* Answers with `label` those of a guest (NULL: all) who wait now, and no others who may come
 * meanwhile. */
static void answer(const struct guest *guest, enum fault_reply label)
{
    struct message m = { .tag = TAG(label, 0) };
    lock_take(&park_lock);
    uint32_t kept = 0, count = faulter_count;
    for (uint32_t i = 0; i < count; i++) {
        if (guest == NULL || faulters[i].guest == guest) {
            kernel_reply(faulters[i].reply, &m);
            spare[spare_count++] = faulters[i].reply;
        } else {
            faulters[kept++] = faulters[i];
        }
    }
    atomic_store(&faulter_count, kept);
    lock_release(&park_lock);
}

uint32_t park_add(struct guest *guest, uint32_t reply, uint32_t epoch)
{
    uint32_t next = 0;
    lock_take(&park_lock);
    uint32_t count = faulter_count;
    if (spare_count > 0) {
        next = spare[--spare_count];
        faulters[count] = (struct faulter){ guest, reply };
        atomic_store(&faulter_count, count + 1);
    }
    lock_release(&park_lock);
    if (next != 0 && !atomic_exchange(&guest->waits, true)) {
        log_line("guest of child %u waits: no memory is left", guest->owner);
    }
    /* Memory that came back after the worker had looked may have found nobody here to wake. */
    if (next != 0 && park_epoch() != epoch) {
        answer(NULL, FR_RETRY);
    }
    return next;
}

void park_wake(void)
{
    atomic_fetch_add(&epoch_now, 1);
    for (unsigned i = 0; i < GUEST_MAX; i++) {
        if (atomic_exchange(&guests[i].waits, false) && guests[i].owner != 0) {
            log_line("guest of child %u goes on", guests[i].owner);
        }
    }
    answer(NULL, FR_RETRY);
}

void park_stop(struct guest *guest)
{
    answer(guest, FR_STOP);
}
