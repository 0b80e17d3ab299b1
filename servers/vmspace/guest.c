/* guest.c: the guests: how one begins and ends. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/guest.h"

#include "servers/vmspace/check.h"
#include "servers/vmspace/kernel.h"
#include "servers/vmspace/park.h"
#include "servers/vmspace/worker.h"

struct guest guests[GUEST_MAX];

struct guest *guest_of_owner(uint32_t owner)
{
    for (unsigned i = 0; i < GUEST_MAX && owner != 0; i++) {
        if (guests[i].owner == owner) {
            return &guests[i];
        }
    }
    return NULL;
}

static struct guest *find_free(void)
{
    for (unsigned i = 0; i < GUEST_MAX; i++) {
        if (guests[i].owner == 0) {
            return &guests[i];
        }
    }
    return NULL;
}

/* Its count table, the nested Space, and a first reserve for that. */
static enum status make_space(struct guest *guest, enum space_type type)
{
    unsigned index = guest_index(guest);
    uint32_t space = guest_cap(index, GUEST_SPACE);
    uint32_t table = table_take();
    if (table == FRAME_NONE) {
        return E_MEMORY;
    }
    guest->counts = table_at(table);
    uint32_t block = blocks_take(&guest->space_blocks, BLOCK_SMALL);
    if (block == 0) {
        return E_MEMORY;
    }
    enum status status = kernel_retype(block_cap(block), space, OBJ_SPACE, type, 0, 1);
    if (status == OK) {
        status = kernel_copy(space, guest_cap(index, GUEST_SPACE_ASSIGN), SP_ASSIGN);
    }
    if (status == OK) {
        status = blocks_fund(&guest->space_blocks, space, BLOCK_PAGES);
    }
    return status;
}

/* Deletes a capability, all that was derived from it, and with the last the object. It may be
 * empty. */
static void remove_cap(uint32_t slot)
{
    kernel_revoke(slot);
    kernel_delete(slot);
}

/* What make_space() made, as far as it came. */
static void remove_space(struct guest *guest)
{
    remove_cap(guest_cap(guest_index(guest), GUEST_SPACE));
    blocks_give(&guest->space_blocks);
    if (guest->counts != NULL) {
        table_give(table_of(guest->counts));
        guest->counts = NULL;
    }
}

enum status guest_create(uint32_t owner, uint32_t vmm_space, enum space_type type, uint64_t limit,
                         struct guest **made)
{
    struct guest *guest = find_free();
    if (guest_of_owner(owner) != NULL) {
        return E_STATE;
    }
    if (guest == NULL) {
        return E_LIMIT;
    }
    blocks_reap();
    enum status status = make_space(guest, type);
    if (status == OK) {
        status = kernel_move(vmm_space, guest_cap(guest_index(guest), GUEST_VMM_SPACE));
    }
    if (status != OK) {
        remove_space(guest);
        return status;
    }
    guest->segments.count = guest->segments.window_count = 0;
    guest->limit = limit;
    guest->size = guest->held = 0;
    guest->owner = owner;
    guest->generation = (guest->generation + 1) % KEY_GENERATIONS;
    atomic_store(&guest->waits, false);
    atomic_store(&guest->key, guest->generation << KEY_INDEX_BITS | (guest_index(guest) + 1));
    *made = guest;
    return OK;
}

enum status guest_make_endpoints(struct guest *guest, unsigned worker)
{
    uint32_t nested = guest_cap(guest_index(guest), GUEST_ENDPOINTS + 2 * worker);
    struct cap_identity id;
    if (kernel_identify(nested + 1, &id) == OK) {
        return OK;
    }
    uint32_t key = atomic_load(&guest->key);
    enum status status = kernel_mint(workers[worker].endpoint, nested, EP_CALL, key);
    if (status == OK) {
        status = kernel_mint(workers[worker].endpoint, nested + 1, EP_CALL, key | BADGE_WINDOW);
    }
    return status;
}

enum status guest_add_segment(struct guest *guest, uint64_t gpa, uint64_t size, unsigned rights)
{
    struct object object;
    enum status status = segments_check(&guest->segments, gpa, size, rights);
    if (status == OK && size > guest->limit - guest->size) {
        status = E_LIMIT;
    }
    if (status == OK) {
        status = object_create(&object);
    }
    if (status == OK) {
        segments_add(&guest->segments, gpa, size, rights, object);
        guest->size += size;
    }
    return status;
}

struct window_part {
    uint32_t space;
    uint64_t base; /* guest-physical address of the object's page 0 */
};

static void unmap_region(struct region *region, uint64_t page, void *context)
{
    const struct window_part *part = context;
    if (atomic_load(&region->in_window) != 0) {
        /* The VMM's Space may be gone already, and with it the mappings. */
        kernel_unmap(part->space, VMS_WINDOW + part->base + page * PAGE_SIZE, CHUNK_PAGES);
    }
}

static void remove_mappings(struct guest *guest)
{
    unsigned index = guest_index(guest);
    struct window_part part = { .space = guest_cap(index, GUEST_VMM_SPACE) };
    for (uint32_t i = 0; i < guest->segments.count; i++) {
        part.base = guest->segments.segment[i].base;
        object_visit(&guest->segments.segment[i].object, unmap_region, &part);
    }
    kernel_delete(part.space);
    for (unsigned worker = 1; worker < worker_count; worker++) {
        remove_cap(guest_cap(index, GUEST_ENDPOINTS + 2 * worker));
        remove_cap(guest_cap(index, GUEST_ENDPOINTS + 2 * worker + 1));
    }
}

void guest_destroy(struct guest *guest)
{
    /* No worker begins to work for it from here on, and after the barrier none does any more. */
    atomic_store(&guest->key, 0);
    workers_barrier();
    park_stop(guest);
    remove_mappings(guest);
    remove_space(guest);
    for (uint32_t i = 0; i < guest->segments.count; i++) {
        object_destroy(&guest->segments.segment[i].object);
    }
    guest->segments.count = 0;
    blocks_abandon(&guest->window_blocks);
    guest->owner = 0;
    park_wake();
}
