/* object.c: a memory object: which frame backs each of its pages; demand-zero. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/object.h"

#define GIVE_BATCH 64u

enum status object_create(struct object *object)
{
    object->root = table_take();
    return object->root != FRAME_NONE ? OK : E_MEMORY;
}

/* The table that an entry leads to; made if there is none. NULL: no memory. */
static void *follow(_Atomic uint32_t *entry)
{
    uint32_t table = atomic_load_explicit(entry, memory_order_acquire);
    if (table != FRAME_NONE) {
        return table_at(table);
    }
    uint32_t made = table_take();
    if (made == FRAME_NONE) {
        return NULL;
    }
    if (!atomic_compare_exchange_strong(entry, &table, made)) {
        table_give(made);
        return table_at(table);
    }
    return table_at(made);
}

struct region *object_grow(const struct object *object, uint64_t page)
{
    struct directory *root = table_at(object->root);
    struct directory *directory = follow(&root->entry[page / CHUNK_PAGES / OBJECT_FANOUT]);
    if (directory == NULL) {
        return NULL;
    }
    return follow(&directory->entry[page / CHUNK_PAGES % OBJECT_FANOUT]);
}

void object_visit(const struct object *object,
                  void (*visit)(struct region *region, uint64_t page, void *context), void *context)
{
    struct directory *root = table_at(object->root);
    for (uint64_t i = 0; i < OBJECT_FANOUT; i++) {
        if (root->entry[i] == FRAME_NONE) {
            continue;
        }
        struct directory *directory = table_at(root->entry[i]);
        for (uint64_t j = 0; j < OBJECT_FANOUT; j++) {
            if (directory->entry[j] != FRAME_NONE) {
                visit(table_at(directory->entry[j]), (i * OBJECT_FANOUT + j) * CHUNK_PAGES,
                      context);
            }
        }
    }
}

static void count_region(struct region *region, uint64_t page, void *context)
{
    uint64_t *resident = context;
    (void)page;
    for (unsigned i = 0; i < CHUNK_PAGES; i++) {
        *resident += region->page[i] != FRAME_NONE;
    }
}

uint64_t object_resident(const struct object *object)
{
    uint64_t resident = 0;
    object_visit(object, count_region, &resident);
    return resident;
}

static void empty_region(struct region *region, uint64_t page, void *context)
{
    uint32_t frames[GIVE_BATCH];
    unsigned count = 0;
    (void)page;
    (void)context;
    for (unsigned i = 0; i < CHUNK_PAGES; i++) {
        if (region->page[i] != FRAME_NONE) {
            frames[count++] = PAGE_FRAME(region->page[i]);
        }
        if (count == GIVE_BATCH || i == CHUNK_PAGES - 1) {
            frames_give(frames, count);
            count = 0;
        }
    }
}

static void give_directory(uint32_t table)
{
    struct directory *directory = table_at(table);
    for (unsigned i = 0; i < OBJECT_FANOUT; i++) {
        if (directory->entry[i] != FRAME_NONE) {
            table_give(directory->entry[i]);
        }
    }
    table_give(table);
}

void object_destroy(struct object *object)
{
    struct directory *root = table_at(object->root);
    object_visit(object, empty_region, NULL);
    for (unsigned i = 0; i < OBJECT_FANOUT; i++) {
        if (root->entry[i] != FRAME_NONE) {
            give_directory(root->entry[i]);
        }
    }
    table_give(object->root);
    object->root = FRAME_NONE;
}
