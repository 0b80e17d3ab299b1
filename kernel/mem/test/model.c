/* model.c: the flat-map oracle for the page-table walker. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/test/model.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t size_of[4] = { 0x1000, 0x200000, 0x40000000, 0x8000000000 };

void model_reset(struct model *model, const struct model_rules *rules)
{
    const struct model_window window[MODEL_WINDOWS] = {
        { 0, 1024 },                                 /* the lowest 4 MiB */
        { 0x8000000000 - 0x400000, 2048 },           /* across a border between top-level entries */
        { rules->limit - 0x401000, 0x401 },          /* up to the limit */
        { 0x3fc0000000, 0x40000 + 1024 },            /* for 1 GiB, and a little more */
    };

    model->rules = *rules;
    memcpy(model->window, window, sizeof(window));
    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        struct model_space *space = &model->space[s];

        for (unsigned w = 0; w < MODEL_WINDOWS; w++) {
            free(space->window[w]);
        }
        memset(space, 0, sizeof(*space));
        for (unsigned w = 0; w < MODEL_WINDOWS; w++) {
            space->window[w] = calloc(window[w].pages, sizeof(struct model_page));
        }
    }
    free(model->uses);
    model->uses = calloc(MACHINE_RAM >> 12, sizeof(*model->uses));
}

struct model_page *model_page(const struct model *model, unsigned space, uint64_t address)
{
    for (unsigned w = 0; w < MODEL_WINDOWS; w++) {
        uint64_t page = (address - model->window[w].base) >> 12;

        if (address >= model->window[w].base && page < model->window[w].pages) {
            return &model->space[space].window[w][page];
        }
    }
    return NULL;
}

uint64_t model_free(const struct model_space *space)
{
    uint64_t used = space->retired;

    for (unsigned i = 0; i < space->tables; i++) {
        used += 1u + space->table[i].half[0] + space->table[i].half[1];
    }
    return space->funded - used;
}

static struct model_table *table_for(struct model_space *space, uint64_t address, unsigned level)
{
    uint64_t base = address & ~(size_of[level + 1] - 1);

    for (unsigned i = 0; i < space->tables; i++) {
        if (space->table[i].level == level && space->table[i].base == base) {
            return &space->table[i];
        }
    }
    if (space->tables == MODEL_TABLES) {
        panic("the model has too few tables");
    }
    struct model_table *table = &space->table[space->tables++];

    *table = (struct model_table){ .base = base, .level = level };
    return table;
}

/* Notes that one leaf came (+1) or went (-1); tables that become empty are retired. */
static void count_leaf(struct model_space *space, uint64_t address, unsigned leaf_level, int change)
{
    for (unsigned level = leaf_level; level < PAGE_LEVELS; level++) {
        struct model_table *table = table_for(space, address, level);

        table->leaves += (uint64_t)(int64_t)change;
        if (level == leaf_level) {
            table->half[(address - table->base) / size_of[level] / 256] = true;
        }
        if (table->leaves == 0) {
            *table = space->table[--space->tables];
            space->retired++;
        }
    }
    space->mapped[leaf_level] += (uint64_t)(int64_t)change;
}

static void count_uses(struct model *model, uint64_t physical, uint64_t size, int change)
{
    for (uint64_t at = physical; at < physical + size && at < MACHINE_RAM; at += 4096) {
        model->uses[at >> 12] += (uint32_t)change;
    }
}

static bool rights_exist(const struct model *model, unsigned rights)
{
    return (rights & MAP_READ) != 0 || (rights == MAP_EXEC && model->rules.exec_only);
}

static enum status check_map(const struct model *model, uint64_t address, uint64_t physical,
                             unsigned flags, uint64_t count)
{
    unsigned level = flags >> 3 & 3;
    unsigned rights = flags & MAP_RIGHTS;
    bool ram = physical + count * size_of[level] <= MACHINE_RAM;

    if (level == 3 || rights == 0 || rights == MAP_WRITE || rights == (MAP_WRITE | MAP_EXEC)) {
        return E_ARGUMENT;
    }
    if (!rights_exist(model, rights) || !model->rules.level[level]) {
        return E_UNSUPPORTED;
    }
    if (count == 0) {
        return E_ARGUMENT;
    }
    if (count > 512 || ((flags & MAP_FRESH) && count * size_of[level] > 0x200000)) {
        return E_LIMIT;
    }
    if (address % size_of[level] != 0 || physical % size_of[level] != 0) {
        return E_ALIGN;
    }
    if (address >= model->rules.limit || address + count * size_of[level] > model->rules.limit ||
        physical + count * size_of[level] > 1ull << 40 || ((flags & MAP_FRESH) && !ram)) {
        return E_ARGUMENT;
    }
    return OK;
}

enum status model_map(struct model *model, unsigned which, uint64_t address, uint64_t physical,
                      unsigned flags, uint64_t count, uint64_t *lacking)
{
    static struct model_space trial;
    struct model_space *space = &model->space[which];
    enum status status = check_map(model, address, physical, flags, count);
    unsigned level = flags >> 3 & 3;

    if (status != OK) {
        return status;
    }
    uint64_t size = size_of[level];
    bool busy = false;

    for (uint64_t at = 0; at < count * size; at += 4096) {
        if (model_page(model, which, address + at)->mapped) {
            return E_MAPPED;
        }
        busy = busy || ((flags & MAP_FRESH) && model->uses[(physical + at) >> 12] != 0);
    }
    trial = *space;
    for (uint64_t at = 0; at < count * size; at += size) {
        count_leaf(&trial, address + at, level, 1);
    }
    if ((int64_t)model_free(&trial) < 0) {
        *lacking = -model_free(&trial);
        return E_RESERVE;
    }
    if (busy) {
        return E_BUSY;
    }
    *space = trial;
    for (uint64_t at = 0; at < count * size; at += 4096) {
        *model_page(model, which, address + at) = (struct model_page){
            .physical = physical + at,
            .level = (uint8_t)level,
            .flags = (uint8_t)(flags & (MAP_RIGHTS | MAP_UNCACHED)),
            .mapped = true,
        };
    }
    count_uses(model, physical, count * size, 1);
    return OK;
}

static void remove_leaf(struct model *model, unsigned which, uint64_t address)
{
    struct model_page *page = model_page(model, which, address);
    uint64_t size = size_of[page->level];

    count_uses(model, page->physical, size, -1);
    count_leaf(&model->space[which], address, page->level, -1);
    memset(page, 0, size / 4096 * sizeof(*page));
}

/* The arguments of unmap and protect, and that no superpage is cut at an end of the range. */
static enum status check_range(const struct model *model, unsigned which, uint64_t address,
                               uint64_t pages)
{
    uint64_t end = address + pages * 4096;

    if (address % 4096 != 0) {
        return E_ALIGN;
    }
    if (pages == 0 || address >= model->rules.limit || pages > model->rules.limit / 4096 ||
        end > model->rules.limit) {
        return E_ARGUMENT;
    }
    const struct model_page *first = model_page(model, which, address);
    const struct model_page *last = model_page(model, which, end - 4096);
    bool cut = (first != NULL && first->mapped && address % size_of[first->level] != 0) ||
               (last != NULL && last->mapped && end % size_of[last->level] != 0);

    return cut ? E_ALIGN : OK;
}

enum status model_unmap(struct model *model, unsigned which, uint64_t address, uint64_t pages,
                        uint64_t *changed)
{
    enum status status = check_range(model, which, address, pages);
    uint64_t end = address + pages * 4096;

    *changed = 0;
    for (uint64_t at = address; status == OK && at < end; at += 4096) {
        const struct model_page *page = model_page(model, which, at);

        if (page != NULL && page->mapped) {
            *changed += size_of[page->level] / 4096;
            remove_leaf(model, which, at);
        }
    }
    return status;
}

enum status model_protect(struct model *model, unsigned which, uint64_t address, uint64_t pages,
                          unsigned rights, uint64_t *changed)
{
    enum status status = check_range(model, which, address, pages);
    uint64_t end = address + pages * 4096;
    bool range_fits = status == OK || (address % 4096 == 0 && pages != 0 && end > address &&
                                       end <= model->rules.limit);

    *changed = 0;
    if (range_fits && !rights_exist(model, rights)) {
        return rights == MAP_EXEC ? E_UNSUPPORTED : E_ARGUMENT;
    }
    for (uint64_t at = address; status == OK && at < end; at += 4096) {
        struct model_page *page = model_page(model, which, at);

        if (page == NULL || !page->mapped) {
            continue;
        }
        if (!rights_exist(model, page->flags & rights)) {
            return E_ARGUMENT;
        }
        *changed += (page->flags & MAP_RIGHTS & ~rights) != 0;
        page->flags &= (uint8_t)(rights | MAP_UNCACHED);
    }
    return status;
}

/* Whether entry 'index' of this table is a leaf that overlaps the memory. */
static bool overlaps(const struct model *model, unsigned which, const struct model_table *table,
                     unsigned index, uint64_t physical, uint64_t size)
{
    uint64_t span = size_of[table->level];
    const struct model_page *page = model_page(model, which, table->base + index * span);

    return page != NULL && page->mapped && page->level == table->level &&
           page->physical < physical + size && page->physical + span > physical;
}

uint64_t model_revoke(struct model *model, unsigned which, uint64_t physical, uint64_t size)
{
    static struct model_space before;
    uint64_t leaves = 0;

    if (size == 4096 && physical < MACHINE_RAM && model->uses[physical >> 12] == 0) {
        return 0;
    }
    before = model->space[which]; /* the list of tables changes on the way */
    for (unsigned t = 0; t < before.tables; t++) {
        const struct model_table *table = &before.table[t];

        for (unsigned i = 0; i < 512; i++) {
            if (overlaps(model, which, table, i, physical, size)) {
                remove_leaf(model, which, table->base + i * size_of[table->level]);
                leaves++;
            }
        }
    }
    return leaves;
}
