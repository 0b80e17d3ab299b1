/* main.c: for tests: logs how much memory vmspace and init have free, after each change. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "kernel/abi/object.h"
#include "servers/lib/control.h"
#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/lib/start_info.h"
#include "servers/lib/syscall.h"
#include "servers/lib/time.h"
#include "servers/lib/vmspace.h"

#define PERIOD_NS 20000000ull

int main(const struct start_info *info);

struct sample {
    uint64_t pool[4]; /* as VMS_POOL says */
    uint64_t untyped; /* bytes that init has */
};

static bool take(uint32_t vmspace, struct sample *sample)
{
    struct message pool = { .tag = TAG(VMS_STATS, 1), .word = { VMS_POOL } };
    struct message left = { .tag = TAG(CTL_FREE, 0) };
    if (sys_call(vmspace, &pool) != OK || tag_label(pool.tag) != OK ||
        sys_call(SLOT_CONTROL, &left) != OK || tag_label(left.tag) != OK) {
        return false;
    }
    memcpy(sample->pool, pool.word, sizeof(sample->pool));
    sample->untyped = left.word[0];
    return true;
}

static bool equal(const struct sample *a, const struct sample *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static void show(const struct sample *s)
{
    log_line("%" PRIu64 " guests, %" PRIu64 " of %" PRIu64 " pages free, %" PRIu64
             " waiting, init has %" PRIu64 " bytes", s->pool[3], s->pool[0], s->pool[1], s->pool[2],
        s->untyped);
}

static enum status sleep(uint32_t timer, const struct tsc_clock *clock)
{
    uint64_t bits;
    enum status status = sys_timer(timer, tsc_read() + ns_to_tsc(clock, PERIOD_NS));
    return status == OK ? sys_wait(timer, &bits) : status;
}

/* Shows the first sample, and then each time two in a row are equal that were not before. */
int main(const struct start_info *info)
{
    uint32_t timer = info->free_slot, source = info->free_slot + 1;
    uint32_t vmspace = start_cap(info, START_USE, "vmspace");
    struct tsc_clock clock = tsc_clock(info->tsc_hz);
    struct sample before, now;
    log_init(info->name, SLOT_LOG);
    if (sys_retype(start_cap(info, START_UNTYPED, NULL), source, OBJ_NOTIFICATION, 0, 0, 1) != OK ||
        sys_cap_mint(source, timer, NT_SIGNAL | NT_WAIT, 1) != OK || !take(vmspace, &before)) {
        return 1;
    }
    show(&before);
    for (bool shown = true; sleep(timer, &clock) == OK && take(vmspace, &now); before = now) {
        bool stable = equal(&now, &before);
        if (stable && !shown) {
            show(&now);
        }
        shown = stable;
    }
    return 1;
}
