/* child.c: one process that init starts: how it is built, and taken apart. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/child.h"

#include <string.h>

#include "kernel/abi/object.h"
#include "servers/init/grant.h"
#include "servers/init/root.h"
#include "servers/lib/log.h"
#include "servers/lib/start_info.h"
#include "servers/lib/syscall.h"

#define FRAME_PAGES       (LARGE_PAGE_SIZE / PAGE_SIZE)
#define DEFAULT_PERIOD_US 10000u

bool child_step(const struct child *child, const char *what, enum status status)
{
    if (status != OK) {
        log_line("can't start %s: %s: %s", child->wish->name, what, status_words(status));
    }
    return status == OK;
}

static bool make(const struct child *child, enum child_slot slot, uint32_t type, unsigned bits)
{
    static const char *const what[] = { "CNode", "Space", "Thread", "SchedContext", "reserve" };
    return child_step(
        child, what[slot], sys_retype(child->objects.slot, child->slots + slot, type, bits, 0, 1));
}

/* Larger objects first: nothing is lost to alignment. */
static bool make_objects(const struct child *child)
{
    uint32_t space = child->slots + CHILD_SPACE;
    uint32_t cnode_bits = child->wish->cnode_bits;
    bool cnode_first = cnode_bits + SLOT_BITS > child->fund_bits;
    return (!cnode_first || make(child, CHILD_CNODE, OBJ_CNODE, cnode_bits)) &&
           make(child, CHILD_FUND, OBJ_UNTYPED, child->fund_bits) &&
           (cnode_first || make(child, CHILD_CNODE, OBJ_CNODE, cnode_bits)) &&
           make(child, CHILD_SPACE, OBJ_SPACE, PT_X86) &&
           make(child, CHILD_THREAD, OBJ_THREAD, 0) && make(child, CHILD_SCHED, OBJ_SCHED, 0) &&
           child_step(child, "frames",
               memory_frames(&child->memory, child->slots + CHILD_FRAMES, child->frames)) &&
           child_step(child, "reserve", sys_space_fund(space, child->slots + CHILD_FUND, NULL));
}

/* Maps `pages` pages of the row, from page `row` on, at `address`. */
static bool map_row(
    const struct child *child, uint64_t row, uint64_t address, uint64_t pages, uint32_t rights)
{
    while (pages > 0) {
        uint64_t inside = row % FRAME_PAGES;
        uint64_t count = pages < FRAME_PAGES - inside ? pages : FRAME_PAGES - inside;
        uint32_t frame = child->slots + CHILD_FRAMES + (uint32_t)(row / FRAME_PAGES);
        enum status status = sys_map(child->slots + CHILD_SPACE, frame, inside * PAGE_SIZE,
            address | rights | MAP_4K, count, NULL);
        if (!child_step(child, "mapping", status)) {
            return false;
        }
        row += count;
        address += count * PAGE_SIZE;
        pages -= count;
    }
    return true;
}

static bool map_all(const struct child *child)
{
    uint64_t row = 0;
    for (unsigned i = 0; i < child->plan.count; i++) {
        const struct elf_segment *s = &child->plan.segment[i];
        if (!map_row(child, row, s->address, s->pages, s->rights)) {
            return false;
        }
        row += s->pages;
    }
    return map_row(child, row + ROW_START_INFO, LAYOUT_START_INFO, 1, MAP_READ) &&
           map_row(child, row + ROW_IPC_BUFFER, LAYOUT_IPC_BUFFER, 1, MAP_READ | MAP_WRITE) &&
           map_row(child, row + ROW_STACK, LAYOUT_STACK_TOP - LAYOUT_STACK_SIZE,
               LAYOUT_STACK_SIZE / PAGE_SIZE, MAP_READ | MAP_WRITE) &&
           map_row(child, row + ROW_HEAP, LAYOUT_HEAP, child->heap_pages, MAP_READ | MAP_WRITE);
}

/* Fills the row: the program's bytes, and what grant_all tells it. The rest is zero already. */
static bool fill(const struct root *root, const struct child *child)
{
    char *row = memory_show(child->slots + CHILD_FRAMES, child->frames);
    if (row == NULL) {
        return child_step(child, "window", E_RESERVE);
    }
    char *to = row;
    for (unsigned i = 0; i < child->plan.count; i++) {
        const struct elf_segment *s = &child->plan.segment[i];
        memcpy(to, child->program + s->offset, s->file_size);
        to += s->pages * PAGE_SIZE;
    }
    bool done = grant_all(root, child, (struct start_info *)(to + ROW_START_INFO * PAGE_SIZE));
    memory_hide(child->frames);
    return done;
}

/* vmspace fills a VMM's window on guest memory, so it gets the faults; it passes others on. */
static uint32_t fault_endpoint(const struct root *root, const struct child *child)
{
    if (child->wish->guest == 0) {
        return child->slots + CHILD_CONTROL;
    }
    uint32_t slot = child->slots + CHILD_FAULT;
    const struct service *vmspace = root_service(root, MANIFEST_VMSPACE);
    return sys_cap_mint(vmspace->endpoint, slot, EP_CALL, child->number) == OK ? slot : CPTR_NONE;
}

static uint64_t ticks(const struct root *root, uint32_t microseconds)
{
    return microseconds * root->boot->tsc_hz / 1000000;
}

static bool run(const struct root *root, const struct child *child)
{
    uint32_t thread = child->slots + CHILD_THREAD;
    uint32_t sched = child->slots + CHILD_SCHED;
    uint64_t buffer = child->plan.pages + ROW_IPC_BUFFER;
    uint32_t buffer_frame = child->slots + CHILD_FRAMES + (uint32_t)(buffer / FRAME_PAGES);
    uint32_t budget = child->wish->budget_us != 0 ? child->wish->budget_us : DEFAULT_PERIOD_US;
    uint32_t period = child->wish->period_us != 0 ? child->wish->period_us : DEFAULT_PERIOD_US;
    return child_step(child, "thread",
               sys_thread_configure(thread, child->slots + CHILD_CNODE, child->slots + CHILD_SPACE,
                   fault_endpoint(root, child), buffer_frame, buffer % FRAME_PAGES * PAGE_SIZE)) &&
           child_step(child, "registers",
               sys_thread_regs(
                   thread, child->plan.entry, LAYOUT_STACK_TOP, LAYOUT_START_INFO, 0, 0)) &&
           child_step(child, "budget",
               sys_sc_configure(sched, ticks(root, budget), ticks(root, period))) &&
           child_step(child, "scheduling",
               sys_sched(thread, sched, child->wish->priority, child->wish->cpu)) &&
           child_step(child, "resume", sys_resume(thread));
}

bool child_start(struct root *root, struct child *child)
{
    if (make_objects(child) &&
        child_step(child, "control endpoint",
            sys_cap_mint(root->control, child->slots + CHILD_CONTROL, EP_CALL, child->number)) &&
        fill(root, child) && map_all(child) && run(root, child)) {
        return true;
    }
    child_destroy(child);
    return false;
}

void child_destroy(struct child *child)
{
    memory_revoke(&child->objects);
    memory_revoke(&child->memory);
    for (uint32_t i = 0; i < child->grants; i++) {
        memory_revoke(&child->grant[i]);
    }
    sys_cap_delete(child->slots + CHILD_CONTROL);
    sys_cap_delete(child->slots + CHILD_FAULT);
}
