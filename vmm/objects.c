/* objects.c: the kernel objects that a VMM makes. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/objects.h"

#include "kernel/abi/boot.h"
#include "kernel/abi/object.h"
#include "servers/lib/layout.h"
#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/lib/syscall.h"
#include "vmm/run.h"

#define FUND_BITS 16u /* 64 KiB: more tables than one mapping can need */

_Static_assert(OBJECTS_STATE_PAGE >= LAYOUT_PRIVATE && OBJECTS_STATE_PAGE < LAYOUT_GUEST_WINDOW,
               "the state page is in the process's own part");

/* Work that goes on only as long as all went well. */
struct work {
    const struct start_info *info;
    uint32_t untyped;
    bool done;
};

static void step(struct work *work, const char *what, enum status status)
{
    if (status != OK) {
        log_line("can't start: %s: %s", what, status_words(status));
        work->done = false;
    }
}

static void make(struct work *work, enum own_slot slot, uint32_t type, unsigned bits,
                 const char *what)
{
    if (work->done) {
        step(work, what, sys_retype(work->untyped, own(work->info, slot), type, bits, 0, 1));
    }
}

static void mint(struct work *work, enum own_slot slot, uint64_t badge)
{
    if (work->done) {
        step(work, "notification", sys_cap_mint(own(work->info, OWN_SIGNALS),
                                                own(work->info, slot), NT_SIGNAL | NT_WAIT, badge));
    }
}

static enum status map_state(const struct start_info *info)
{
    return sys_map(SLOT_SPACE, own(info, OWN_STATE), 0,
                   OBJECTS_STATE_PAGE | MAP_READ | MAP_WRITE | MAP_4K, 1, NULL);
}

/* The Space may need more pages for tables than it was started with. */
static void map(struct work *work)
{
    if (!work->done) {
        return;
    }
    enum status status = map_state(work->info);

    if (status == E_RESERVE) {
        make(work, OWN_FUND, OBJ_UNTYPED, FUND_BITS, "memory for page tables");
        if (!work->done) {
            return;
        }
        step(work, "page tables", sys_space_fund(SLOT_SPACE, own(work->info, OWN_FUND), NULL));
        status = map_state(work->info);
    }
    step(work, "state page", status);
}

bool objects_make(const struct start_info *info)
{
    struct work work = {
        .info = info,
        .untyped = start_cap(info, START_UNTYPED, NULL),
        .done = true,
    };

    if ((info->features & (BOOT_HAS_VMX | BOOT_HAS_SVM)) == 0) {
        log_line("can't start: this CPU has no virtualization that Quire knows: no guests");
        return false;
    }
    make(&work, OWN_VCPU, OBJ_VCPU, 0, "virtual CPU");
    make(&work, OWN_STATE, OBJ_FRAME, FRAME_4K_BITS, "state page");
    make(&work, OWN_EXITS, OBJ_ENDPOINT, 0, "endpoint");
    make(&work, OWN_ANSWER, OBJ_REPLY, 0, "reply object");
    make(&work, OWN_SLEEP, OBJ_REPLY, 0, "reply object");
    make(&work, OWN_SIGNALS, OBJ_NOTIFICATION, 0, "notification");
    make(&work, OWN_SCHED, OBJ_SCHED, 0, "scheduling context");
    mint(&work, OWN_TIMER, NOTICE_TIMER);
    mint(&work, OWN_INPUT, NOTICE_INPUT);
    map(&work);
    if (work.done) {
        step(&work, "binding", sys_thread_bind(SLOT_THREAD, own(info, OWN_SIGNALS)));
    }
    return work.done;
}

bool objects_configure(const struct start_info *info)
{
    struct work work = {.info = info, .done = true};
    uint32_t vcpu = own(info, OWN_VCPU);

    step(&work, "virtual CPU",
         sys_vcpu_configure(vcpu, own(info, OWN_GUEST_SPACE), own(info, OWN_STATE), 0,
                            own(info, OWN_EXITS), own(info, OWN_ENDPOINTS)));
    if (work.done) {
        step(&work, "scheduling",
             sys_sched(vcpu, own(info, OWN_SCHED), info->priority - 1, info->cpu));
    }
    return work.done;
}
