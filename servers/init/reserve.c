/* reserve.c: sets aside what a child needs for all its starts: memory, slots, services, files. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/abi/object.h"
#include "servers/init/file.h"
#include "servers/init/root.h"
#include "servers/lib/bootfs.h"
#include "servers/lib/log.h"

#define FUND_PAGES       40u /* for the tables of any process, and for each Frame: */
#define FUND_FRAME_PAGES 3u  /* a table and its mapping entries */
#define MIB_BITS         20u

/* The smallest n with 2^n >= value. */
static unsigned log2_up(uint64_t value)
{
    return value <= 1 ? 0 : 64u - (unsigned)__builtin_clzll(value - 1);
}

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
        if (!memory_take(MIB_BITS + bit, &child->grant[child->grants])) {
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
    child->heap_pages = (child->wish->heap_kib * 1024ull + PAGE_SIZE - 1) / PAGE_SIZE;
    uint64_t size = (child->plan.pages + ROW_HEAP + child->heap_pages) * PAGE_SIZE;
    child->frames = (uint32_t)((size + LARGE_PAGE_SIZE - 1) / LARGE_PAGE_SIZE);
    if (child->frames > CHILD_FRAME_MAX) {
        return child_step(child, "size of program and heap", E_LIMIT);
    }
    child->fund_bits = log2_up((FUND_PAGES + child->frames * FUND_FRAME_PAGES) * PAGE_SIZE);
    uint64_t objects = (1ull << (child->wish->cnode_bits + SLOT_BITS)) + (1ull << SPACE_BITS) +
                       (1ull << THREAD_BITS) + (1ull << SCHED_BITS) + (1ull << child->fund_bits);
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

static bool find_program(const struct root *root, struct child *child)
{
    const struct boot_module *archive = &root->boot->module[0];
    struct bootfs_file file = { 0 };
    bootfs_find((const void *)archive->address, archive->size, child->wish->program, &file);
    enum elf_error error = elf_plan(file.data, file.size, &child->plan);
    child->program = file.data;
    if (error != ELF_OK) {
        log_line(
            "can't start %s: %s: %s", child->wish->name, child->wish->program, elf_words(error));
    }
    return error == ELF_OK;
}

/* The manifest is right about what this machine has, and those before it could be reserved. */
static bool check_world(const struct root *root, const struct child *child)
{
    const struct manifest_child *wish = child->wish;
    for (uint32_t i = 0; i < wish->uses.count; i++) {
        if (root_service(root, wish->uses.item[i]) == NULL) {
            log_line("can't start %s: nobody provides \"%s\"", wish->name, wish->uses.item[i]);
            return false;
        }
    }
    if (wish->cpu >= root->boot->cpu_count) {
        log_line("can't start %s: cpu %u: this machine has %u", wish->name, wish->cpu,
            root->boot->cpu_count);
        return false;
    }
    return true;
}

bool child_reserve(struct root *root, uint32_t number)
{
    struct child *child = &root->child[number - 1];
    *child = (struct child){ .wish = &root->manifest.child[number - 1], .number = number };
    return find_program(root, child) && check_world(root, child) && reserve_services(root, child) &&
           reserve_memory(child) && reserve_files(root, child) && reserve_grants(child);
}

void child_take_rest(struct child *child)
{
    while (child->wish->untyped_rest != 0 && child->grants < CHILD_GRANT_MAX &&
           memory_take_largest(&child->grant[child->grants])) {
        child->grants++;
    }
}
