/* model_map.c: the kernel's model: Spaces as one flat table of what is mapped where. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "servers/vmspace/test/model_state.h"

#define ENTRIES   (1u << 17)
#define RAM_PAGES (1u << 15)

struct entry {
    int space; /* + 1; 0: never used, -1: emptied */
    unsigned rights;
    uint64_t page;
    uint64_t physical;
};

unsigned char *model_ram;
int model_ram_file;

static struct entry *table;
static uint32_t map_count[RAM_PAGES];

void model_map_reset(void)
{
    free(table);
    table = calloc(ENTRIES, sizeof *table);
    memset(map_count, 0, sizeof map_count);
}

static uint32_t hash(int space, uint64_t page)
{
    return (uint32_t)((page * 0x9e3779b97f4a7c15ull + (uint64_t)space * 0xff51afd7ed558ccdull) >>
                      40) %
           ENTRIES;
}

static struct entry *find(int space, uint64_t page)
{
    for (uint32_t i = hash(space, page);; i = (i + 1) % ENTRIES) {
        if (table[i].space == 0) {
            return NULL;
        }
        if (table[i].space == space + 1 && table[i].page == page) {
            return &table[i];
        }
    }
}

static void insert(int space, uint64_t page, uint64_t physical, unsigned rights)
{
    uint32_t i = hash(space, page);
    while (table[i].space > 0) {
        i = (i + 1) % ENTRIES;
    }
    table[i] = (struct entry){ space + 1, rights, page, physical };
}

uint64_t model_lookup(int space, uint64_t address, unsigned *rights)
{
    struct entry *entry = find(space, address >> 12);
    if (entry == NULL) {
        return 0;
    }
    if (rights != NULL) {
        *rights = entry->rights;
    }
    return entry->physical;
}

enum status model_map_page(int space, uint64_t page, uint64_t physical, uint64_t flags,
                           uint64_t *lacking)
{
    struct model_object *object = &model_objects[space];
    if (find(space, page) != NULL) {
        return E_MAPPED;
    }
    if ((flags & MAP_FRESH) != 0 && map_count[physical] > 0) {
        model_numbers.busy++;
        return E_BUSY;
    }
    if (object->pages >= object->reserve * RESERVE_MAPS) {
        *lacking = 1;
        model_numbers.lacking += !object->own;
        return E_RESERVE;
    }
    if ((flags & MAP_FRESH) != 0) {
        memset(model_ram + physical * 4096, 0, 4096);
    } else if (map_count[physical] == 0) {
        model_numbers.unsafe++;
    }
    insert(space, page, physical, (unsigned)(flags & MAP_RIGHTS));
    map_count[physical]++;
    object->pages++;
    if (object->own) {
        void *at = (void *)(page << 12);
        if (mmap(at, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, model_ram_file,
                 (off_t)(physical << 12)) != at) {
            abort();
        }
        return OK;
    }
    model_numbers.mapped++;
    model_numbers.maps++;
    return OK;
}

static void remove_entry(struct entry *entry)
{
    struct model_object *object = &model_objects[entry->space - 1];
    map_count[entry->physical]--;
    object->pages--;
    if (object->own) {
        munmap((void *)(entry->page << 12), 4096);
    } else {
        model_numbers.mapped--;
    }
    entry->space = -1;
}

void model_kill_space(int space)
{
    struct model_object *object = &model_objects[space];
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (table[i].space == space + 1) {
            remove_entry(&table[i]);
        }
    }
    for (unsigned i = 0; i < object->fund_count; i++) {
        model_objects[object->funds[i]].children--;
    }
}

/* The object that a capability in a slot is to, if it is of that type and has the rights; -1 with
 * the status. */
static int object_at(uint32_t slot, enum object_type type, unsigned rights, enum status *status)
{
    int cap = model_cap_at(slot);
    *status = E_CAP;
    if (cap < 0) {
        return -1;
    }
    int object = model_caps[cap].object;
    *status = model_objects[object].type != type ? E_TYPE : OK;
    if (*status == OK && (model_caps[cap].rights & rights) != rights) {
        *status = E_RIGHT;
    }
    return *status == OK ? object : -1;
}

enum status kernel_map(uint32_t space, uint32_t frame, uint64_t offset, uint64_t address_flags,
                       uint64_t count, uint64_t *lacking)
{
    enum status status, frame_status;
    uint64_t unused;
    pthread_mutex_lock(&model_lock);
    int to = object_at(space, OBJ_SPACE, SP_MAP, &status);
    int from = object_at(frame, OBJ_FRAME, 0, &frame_status);
    status = status != OK ? status : frame_status;
    if (status == OK && offset + count * 4096 > 1ull << model_objects[from].bits) {
        status = E_ARGUMENT;
    }
    for (uint64_t i = 0; i < count && status == OK; i++) {
        status = model_map_page(to, (address_flags >> 12) + i,
                                model_objects[from].base + offset / 4096 + i,
                                address_flags & MAP_FLAGS, lacking != NULL ? lacking : &unused);
    }
    pthread_mutex_unlock(&model_lock);
    return status;
}

enum status kernel_unmap(uint32_t space, uint64_t address, uint64_t pages)
{
    enum status status;
    pthread_mutex_lock(&model_lock);
    int from = object_at(space, OBJ_SPACE, SP_MAP, &status);
    for (uint64_t i = 0; i < pages && status == OK; i++) {
        struct entry *entry = find(from, (address >> 12) + i);
        if (entry != NULL) {
            remove_entry(entry);
        }
    }
    pthread_mutex_unlock(&model_lock);
    return status;
}

enum status kernel_fund(uint32_t space, uint32_t untyped)
{
    enum status status, other;
    pthread_mutex_lock(&model_lock);
    int to = object_at(space, OBJ_SPACE, SP_FUND, &status);
    int from = object_at(untyped, OBJ_UNTYPED, 0, &other);
    status = status != OK ? status : other;
    if (status == OK && model_objects[from].children > 0) {
        status = E_BUSY;
    }
    if (status == OK && model_objects[to].fund_count == MODEL_FUNDS) {
        status = E_LIMIT;
    }
    if (status == OK) {
        struct model_object *object = &model_objects[to];
        object->funds[object->fund_count++] = from;
        object->reserve += 1ull << (model_objects[from].bits - 12);
        model_objects[from].children++;
        model_objects[from].used = 1ull << model_objects[from].bits;
    }
    pthread_mutex_unlock(&model_lock);
    return status;
}

enum status kernel_window(uint32_t space, uint64_t first, uint64_t last)
{
    enum status status;
    pthread_mutex_lock(&model_lock);
    object_at(space, OBJ_SPACE, SP_MAP, &status);
    pthread_mutex_unlock(&model_lock);
    return first < last ? status : E_ARGUMENT;
}

enum status kernel_query(uint32_t space, uint64_t address, struct space_query *query)
{
    enum status status;
    (void)address;
    pthread_mutex_lock(&model_lock);
    int from = object_at(space, OBJ_SPACE, 0, &status);
    if (status == OK) {
        query->mapped = model_objects[from].pages;
    }
    pthread_mutex_unlock(&model_lock);
    return status;
}
