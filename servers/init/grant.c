/* grant.c: puts exactly the capabilities that the manifest lists into a child's CNode. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/grant.h"

#include <string.h>

#include "kernel/abi/object.h"
#include "servers/init/child.h"
#include "servers/init/file.h"
#include "servers/init/root.h"
#include "servers/lib/layout.h"
#include "servers/lib/slots.h"
#include "servers/lib/syscall.h"

#define MIB 20u

/* The work on one child. It goes on after a failure, which is reported at the end. */
struct grant {
    const struct root *root;
    const struct child *child;
    struct start_info *info;
    uint64_t file_address; /* where the next file goes */
    const char *failed;    /* what went wrong first, or NULL */
    enum status status;
};

static void check(struct grant *g, const char *what, enum status status)
{
    if (status != OK && g->failed == NULL) {
        g->failed = what;
        g->status = status;
    }
}

/* Adds an entry to the table. If there is no room, what is written to the value gets lost. */
static struct start_entry *add(struct grant *g, enum start_kind kind, const char *name)
{
    static struct start_entry lost;
    if (g->info->entry_count == START_ENTRY_MAX) {
        check(g, "table of its capabilities", E_LIMIT);
        return &lost;
    }
    struct start_entry *entry = &g->info->entry[g->info->entry_count++];
    entry->kind = kind;
    strncpy(entry->name, name, START_NAME_SIZE - 1);
    return entry;
}

/* Where a capability for slot `slot` of the child goes, as an address in init's CSpace. */
static uint32_t to(const struct grant *g, uint32_t slot)
{
    return CPTR(g->child->slots + CHILD_CNODE, slot);
}

/* Takes the next slot for the capability of an entry; the value is its address for init. */
static uint32_t next_slot(struct grant *g, struct start_entry *entry)
{
    if (g->info->free_slot >= 1u << g->child->wish->cnode_bits) {
        check(g, "number of slots (cnode-bits)", E_LIMIT);
        return CPTR_NONE;
    }
    entry->cap = g->info->free_slot++;
    return to(g, entry->cap);
}

static void give_well_known(struct grant *g)
{
    const struct child *child = g->child;
    uint32_t has = child->wish->capabilities;
    uint32_t platform = PL_LOG | ((has & CAPABILITY_COUNTERS) != 0 ? PL_COUNTERS : 0u) |
                        ((has & CAPABILITY_RESET) != 0 ? PL_RESET : 0u);
    check(g, "CNode",
        sys_cap_copy(child->slots + CHILD_CNODE, to(g, SLOT_CNODE), CN_READ | CN_WRITE));
    check(g, "log", sys_cap_copy(BOOT_PLATFORM, to(g, SLOT_LOG), platform));
    check(g, "control", sys_cap_copy(child->slots + CHILD_CONTROL, to(g, SLOT_CONTROL), EP_CALL));
    if ((has & CAPABILITY_SPACE) != 0) {
        check(g, "space", sys_cap_copy(child->slots + CHILD_SPACE, to(g, SLOT_SPACE), RIGHTS_ALL));
    }
    if ((has & CAPABILITY_THREAD) != 0) {
        check(
            g, "thread", sys_cap_copy(child->slots + CHILD_THREAD, to(g, SLOT_THREAD), RIGHTS_ALL));
        check(g, "sched", sys_cap_copy(child->slots + CHILD_SCHED, to(g, SLOT_SCHED), SC_BIND));
    }
}

static void give_services(struct grant *g)
{
    const struct manifest_child *wish = g->child->wish;
    for (uint32_t i = 0; i < wish->provides.count; i++) {
        const struct service *service = root_service(g->root, wish->provides.item[i]);
        struct start_entry *entry = add(g, START_SERVE, service->name);
        check(g, "service", sys_cap_copy(service->endpoint, next_slot(g, entry), EP_RECV));
    }
    for (uint32_t i = 0; i < wish->uses.count; i++) {
        const struct service *service = root_service(g->root, wish->uses.item[i]);
        bool console = wish->console != NULL && strcmp(service->name, wish->console) == 0;
        struct start_entry *entry = add(g, START_USE, console ? "console" : service->name);
        check(g, "use of a service",
            sys_cap_mint(
                service->endpoint, next_slot(g, entry), EP_CALL | EP_GRANT, g->child->number));
    }
    if (g->child->events != 0) {
        struct start_entry *entry = add(g, START_EVENTS, "events");
        check(
            g, "events", sys_cap_copy(g->child->events, next_slot(g, entry), NT_SIGNAL | NT_WAIT));
    }
}

static void tell_clients(struct grant *g)
{
    for (uint32_t n = 1; n <= g->root->manifest.count; n++) {
        const struct child *client = &g->root->child[n - 1];
        if (client->wish != NULL && root_uses(g->root, client, g->child->number)) {
            struct start_entry *entry = add(g, START_CLIENT, client->wish->name);
            entry->address = n;
            entry->size = (uint64_t)client->wish->mem_mib << MIB;
        }
    }
}

/* An Untyped can't be copied: the child's is made from init's, and takes all of it. */
static void give_memory(struct grant *g)
{
    uint32_t flags = (g->child->wish->capabilities & CAPABILITY_RAW) != 0 ? RETYPE_RAW : 0u;
    /* The pieces of "rest" are in order of size: those for which there is no room are small. */
    bool all = g->child->wish->untyped_rest == 0;
    for (uint32_t i = 0; i < g->child->grants; i++) {
        if (!all && g->info->entry_count == START_ENTRY_MAX) {
            return;
        }
        const struct block *block = &g->child->grant[i];
        struct start_entry *entry = add(g, START_UNTYPED, "untyped");
        struct cap_identity identity;
        check(g, "untyped memory", sys_cap_identify(block->slot, &identity));
        check(g, "untyped memory",
            sys_retype(block->slot, next_slot(g, entry), OBJ_UNTYPED, block->bits, flags, 1));
        entry->address = identity.physical;
        entry->size = 1ull << block->bits;
    }
}

static void give_devices(struct grant *g)
{
    const struct manifest_child *wish = g->child->wish;
    for (uint32_t i = 0; i < wish->irq.count; i++) {
        struct start_entry *entry = add(g, START_IRQ, "irq");
        entry->address = wish->irq.item[i];
        check(g, "irq", sys_irq_get(BOOT_PLATFORM, next_slot(g, entry), wish->irq.item[i], 0));
    }
    for (uint32_t i = 0; i < wish->ports.count; i += 2) {
        uint32_t first = wish->ports.item[i], count = wish->ports.item[i + 1];
        struct start_entry *entry = add(g, START_PORTS, "ports");
        entry->address = first;
        entry->size = count;
        check(g, "ports",
            sys_cap_mint(BOOT_PORTS, next_slot(g, entry), PO_IN | PO_OUT,
                sys_pair(first, first + count - 1)));
    }
}

static void give_file(struct grant *g, const char *name, const char *path)
{
    const struct stored_file *file = path != NULL ? file_store(g->root->boot, path) : NULL;
    if (file == NULL) {
        check(g, "file", path != NULL ? E_MEMORY : OK);
        return;
    }
    struct start_entry *entry = add(g, START_FILE, name);
    entry->address = g->file_address;
    entry->size = file->size;
    check(g, "mapping of a file", file_map(file, g->child->slots + CHILD_SPACE, g->file_address));
    g->file_address += file->frames * LARGE_PAGE_SIZE;
}

static void give_files(struct grant *g)
{
    const struct manifest_child *wish = g->child->wish;
    give_file(g, "kernel", wish->kernel);
    give_file(g, "initrd", wish->initrd);
    for (uint32_t i = 0; i < wish->files.count; i++) {
        give_file(g, wish->files.item[i], wish->files.item[i]);
    }
}

static void tell_guest(struct grant *g)
{
    if (g->child->wish->guest != 0) {
        add(g, START_VALUE, "mem")->size = (uint64_t)g->child->wish->mem_mib << MIB;
        add(g, START_VALUE, "vcpus")->size = g->child->wish->vcpus;
    }
}

static void tell_facts(struct grant *g)
{
    const struct root *root = g->root;
    const struct manifest_child *wish = g->child->wish;
    struct start_info *info = g->info;
    info->magic = START_INFO_MAGIC;
    info->number = g->child->number;
    info->free_slot = SLOT_NAMED;
    info->cnode_bits = wish->cnode_bits;
    info->priority = wish->priority;
    info->cpu = wish->cpu;
    info->cpus = wish->cpus & ((1ull << root->boot->cpu_count) - 1);
    info->tsc_hz = root->boot->tsc_hz;
    info->epoch = root->epoch;
    info->epoch_tsc = root->epoch_tsc;
    info->heap_size = wish->heap_kib * 1024ull;
    info->features = root->boot->features;
    strncpy(info->name, wish->name, START_NAME_SIZE - 1);
    strncpy(info->args, wish->args != NULL ? wish->args : "", START_ARGS_SIZE - 1);
}

bool grant_all(const struct root *root, const struct child *child, struct start_info *info)
{
    struct grant g = { .root = root, .child = child, .info = info, .file_address = LAYOUT_FILES };
    tell_facts(&g);
    give_well_known(&g);
    give_services(&g);
    give_devices(&g);
    give_files(&g);
    tell_guest(&g);
    tell_clients(&g);
    give_memory(&g);
    return g.failed == NULL || child_step(child, g.failed, g.status);
}
