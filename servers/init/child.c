/* child.c: one process that init starts: how its memory is reserved, and how it is built. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/child.h"

#include <string.h>

#include "kernel/abi/object.h"
#include "servers/init/file.h"
#include "servers/init/grant.h"
#include "servers/init/root.h"
#include "servers/lib/bootfs.h"
#include "servers/lib/layout.h"
#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/lib/start_info.h"
#include "servers/lib/syscall.h"

/*
 * The memory that a process begins with is one row of pages in Frames of 2 MiB: first its segments,
 * then these. Parts of the row are mapped, each with its own rights; the process has no capability
 * to the Frames.
 */
enum row_page {
    ROW_START_INFO, /* counted from the end of the segments */
    ROW_IPC_BUFFER,
    ROW_STACK,
    ROW_HEAP = ROW_STACK + LAYOUT_STACK_SIZE / PAGE_SIZE
};

#define FRAME_PAGES       (LARGE_PAGE_SIZE / PAGE_SIZE)
#define FUND_PAGES        40u /* for tables of any process, and for each Frame: */
#define FUND_FRAME_PAGES  3u  /* a table and its mapping entries */
#define DEFAULT_PERIOD_US 10000u

static uint64_t heap_pages(const struct child *child)
{
    return (child->wish->heap_kib * 1024ull + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* The smallest n with 2^n >= value. */
static unsigned log2_up(uint64_t value)
{
    return value <= 1 ? 0 : 64u - (unsigned)__builtin_clzll(value - 1);
}

static unsigned fund_bits(const struct child *child)
{
    return log2_up((FUND_PAGES + child->frames * FUND_FRAME_PAGES) * PAGE_SIZE);
}

bool child_step(const struct child *child, const char *what, enum status status)
{
    if (status != OK) {
        log_line("can't start %s: %s: %s", child->wish->name, what, status_words(status));
    }
    return status == OK;
}

/* --- reserving --- */

static bool reserve_services(struct root *root, struct child *child)
{
    for (uint32_t i = 0; i < child->wish->provides.count; i++) {
        if (root->service_count == SERVICE_MAX) {
            return child_step(child, "number of services", E_LIMIT);
        }
        uint32_t endpoint = memory_object(OBJ_ENDPOINT);
        if (endpoint == 0) {
            return child_step(child, "endpoint of its service", E_MEMORY);
        }
        root->service[root->service_count++] = (struct service){ child->wish->provides.item[i],
            endpoint, child->number };
    }
    if (child->wish->watch_clients != 0) {
        child->events = memory_object(OBJ_NOTIFICATION);
        return child_step(child, "notification", child->events != 0 ? OK : E_MEMORY);
    }
    return true;
}

static bool reserve_grants(struct child *child)
{
    for (unsigned bit = 31; bit < 32; bit--) {
        if ((child->wish->untyped_mib & 1u << bit) == 0) {
            continue;
        }
        if (!memory_take(20 + bit, &child->grant[child->grants])) {
            log_line("can't start %s: there is no untyped memory of %u MiB for it",
                child->wish->name, child->wish->untyped_mib);
            return false;
        }
        child->grants++;
    }
    return true;
}

static bool reserve_memory(struct child *child)
{
    uint64_t pages = child->plan.pages + ROW_HEAP + heap_pages(child);
    child->frames = (uint32_t)((pages + FRAME_PAGES - 1) / FRAME_PAGES);
    if (child->frames > CHILD_FRAME_MAX) {
        return child_step(child, "size of program and heap", E_LIMIT);
    }
    uint64_t objects = (1ull << (child->wish->cnode_bits + SLOT_BITS)) + (1ull << SPACE_BITS) +
                       (1ull << THREAD_BITS) + (1ull << SCHED_BITS) + (1ull << fund_bits(child));
    child->slots = memory_slots(CHILD_FRAMES + child->frames);
    return child_step(child, "memory",
        child->slots != 0 && memory_take(log2_up(objects), &child->objects) &&
                memory_take(FRAME_2M_BITS + log2_up(child->frames), &child->memory)
            ? OK
            : E_MEMORY);
}

static bool reserve_files(const struct root *root, const struct child *child)
{
    const struct manifest_child *wish = child->wish;
    bool done = (wish->kernel == NULL || file_store(root->boot, wish->kernel) != NULL) &&
                (wish->initrd == NULL || file_store(root->boot, wish->initrd) != NULL);
    for (uint32_t i = 0; done && i < wish->files.count; i++) {
        done = file_store(root->boot, wish->files.item[i]) != NULL;
    }
    return child_step(child, "memory for its files", done ? OK : E_MEMORY);
}

bool child_reserve(struct root *root, uint32_t number)
{
    struct child *child = &root->child[number - 1];
    struct bootfs_file file;
    *child = (struct child){ .wish = &root->manifest.child[number - 1], .number = number };
    bootfs_find((const void *)root->boot->module[0].address, root->boot->module[0].size,
        child->wish->program, &file);
    child->program = file.data;
    enum elf_error error = elf_plan(file.data, file.size, &child->plan);
    if (error != ELF_OK) {
        log_line("can't start %s: %s: %s", child->wish->name, file.name, elf_words(error));
        return false;
    }
    if (child->wish->cpu >= root->boot->cpu_count) {
        log_line("can't start %s: cpu %u: this machine has %u", child->wish->name, child->wish->cpu,
            root->boot->cpu_count);
        return false;
    }
    return reserve_services(root, child) && reserve_memory(child) && reserve_files(root, child) &&
           reserve_grants(child);
}

void child_take_rest(struct child *child)
{
    while (child->wish->untyped_rest != 0 && child->grants < CHILD_GRANT_MAX &&
           memory_take_largest(&child->grant[child->grants])) {
        child->grants++;
    }
}

/* --- building --- */

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
    return make(child, CHILD_FUND, OBJ_UNTYPED, fund_bits(child)) &&
           make(child, CHILD_CNODE, OBJ_CNODE, child->wish->cnode_bits) &&
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
           map_row(child, row + ROW_HEAP, LAYOUT_HEAP, heap_pages(child), MAP_READ | MAP_WRITE);
}

/* Fills the row: the program's bytes, and what grant_all tells and gives it. The rest is zero
 * already. */
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

/* A VMM's window on guest memory is filled by vmspace, which so gets its faults; it passes others
 * on. */
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
