/* check.c: the invariants of page tables and reverse map, checked by walking all of it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/bits.h"
#include "kernel/mem/check.h"
#include "kernel/mem/walk.h"

/* What a walk has found so far. */
struct audit {
    const struct ptab *pt;
    uint64_t tables;
    uint64_t links;
    uint64_t mapped[PAGE_LEVELS];
};

static const char *check_mapping(const struct audit *audit, const uint64_t *entry,
                                 uint64_t address, unsigned level)
{
    const struct page *table = slot_table(entry);

    if (half_of(table, entry) == NULL) {
        return "I19: a leaf has no page of mapping entries";
    }
    const struct mapping *mapping = mapping_of(table, entry);

    if (mapping->link == NULL || *mapping->link != mapping ||
        (mapping->next != NULL && mapping->next->link != &mapping->next)) {
        return "I19: a leaf's mapping entry is not on a chain";
    }
    struct mapping_place place = mapping_place(mapping);

    if (place.space != audit->pt || place.entry != entry || place.address != address ||
        place.level != level) {
        return "I19: a mapping entry is for another leaf";
    }
    return NULL;
}

static const char *check_leaf(struct audit *audit, const uint64_t *entry, uint64_t address,
                              unsigned level)
{
    const struct pt_format *format = audit->pt->format;
    unsigned flags = pt_flags(format, *entry, level);
    uint64_t bits = format->leaf[pt_leaf_index(flags)];
    uint64_t noted = format->noted;

    if ((flags & MAP_WRITE) != 0 && (flags & MAP_READ) == 0) {
        return "I11: a leaf has write without read";
    }
    if (bits == 0 || (*entry & ~(format->address | noted)) != (bits & ~noted)) {
        return "I11: a leaf has bits that the CPU does not accept";
    }
    if (!is_aligned(*entry & format->address, page_size(level))) {
        return "I11: a superpage is not aligned";
    }
    if (level > 0 && (flags & MAP_WRITE) != 0 && (*entry & format->dirty) != format->dirty) {
        return "I6: a writable superpage is not dirty";
    }
    audit->mapped[level]++;
    return check_mapping(audit, entry, address, level);
}

static const char *check_table(struct audit *audit, uint64_t *table, unsigned level,
                               uint64_t base);

/* An entry that is not zero. */
static const char *check_entry(struct audit *audit, uint64_t *entry, unsigned level,
                               uint64_t address)
{
    const struct pt_format *format = audit->pt->format;

    if ((*entry & format->present) == 0) {
        return "I28: an entry that is not present is not zero";
    }
    if (level == 0 || (*entry & format->size) != 0) {
        return check_leaf(audit, entry, address, level);
    }
    if ((*entry & ~(format->address | format->accessed)) != (format->table & ~format->accessed)) {
        return "I11: an entry that leads to a table has other bits";
    }
    audit->tables++;
    return check_table(audit, page_address(*entry & format->address), level - 1, address);
}

static const char *check_counts(struct audit *audit, const struct page *table, uint32_t live,
                                bool root)
{
    audit->links += (table->table.half[0] != NULL) + (table->table.half[1] != NULL);
    if (table->kind != PAGE_TABLE || table->table.live != live) {
        return "I19: a table's count of live entries is wrong";
    }
    return live == 0 && !root ? "an empty table was not retired" : NULL;
}

static const char *check_table(struct audit *audit, uint64_t *table, unsigned level, uint64_t base)
{
    const struct page *page = page_of_ram(page_physical(table));
    bool root = page_physical(table) == audit->pt->root;
    uint32_t live = 0;
    const char *wrong = NULL;

    for (unsigned i = 0; i < PAGE_ENTRIES && wrong == NULL; i++) {
        uint64_t address = base + i * page_size(level);

        if (address >= audit->pt->format->limit) {
            break;
        }
        if (table[i] != 0) {
            live++;
            wrong = check_entry(audit, &table[i], level, address);
        } else if (half_of(page, &table[i]) != NULL && mapping_of(page, &table[i])->link != NULL) {
            wrong = "I19: a mapping entry without a leaf";
        }
    }
    return wrong != NULL ? wrong : check_counts(audit, page, live, root);
}

/* Pages on a list of descriptors of this kind, or an impossible number if one is of another. */
static uint64_t count_list(const struct page *page, enum page_kind kind)
{
    uint64_t count = 0;

    for (; page != NULL; page = page->list.next, count++) {
        if (page->kind != kind) {
            return UINT64_MAX;
        }
        const uint64_t *word = page_address(page_to_physical(page));

        for (unsigned i = 0; i < PAGE_ENTRIES; i++) {
            if (word[i] != 0) {
                return UINT64_MAX;
            }
        }
    }
    return count;
}

static const char *check_all(const struct ptab *pt)
{
    struct audit audit = { .pt = pt };
    const char *wrong = check_table(&audit, page_address(pt->root), pt->format->levels - 1, 0);

    if (wrong != NULL) {
        return wrong;
    }
    for (unsigned level = 0; level < PAGE_LEVELS; level++) {
        if (audit.mapped[level] != pt->mapped[level]) {
            return "I19: the count of mapped pages is wrong";
        }
    }
    if (audit.tables != pt->tables || audit.links != pt->links) {
        return "the count of tables is wrong";
    }
    uint64_t retired = count_list(pt->retired, PAGE_RETIRED);
    uint64_t free = count_list(pt->reserve.free, PAGE_FREE);

    if (retired == UINT64_MAX || free == UINT64_MAX) {
        return "a page of the reserve, or a retired one, is not zero or of another kind";
    }
    if (free != pt->reserve.count ||
        free + retired + pt->tables + pt->links != pt->reserve.total) {
        return "pages of the reserve are lost";
    }
    return NULL;
}

const char *ptab_check(struct ptab *pt)
{
    lock_take(&pt->lock);
    const char *wrong = check_all(pt);

    lock_release(&pt->lock);
    return wrong;
}

static const char *check_chain(const struct page *page, uint64_t *mappings)
{
    uint32_t super[PAGE_LEVELS] = { 0 };
    struct mapping *const *link = &page->frame.chain;

    for (; *link != NULL; link = &(*link)->next) {
        struct mapping_place place = mapping_place(*link);

        if ((*link)->link != link) {
            return "I19: a chain's links do not match";
        }
        if (page_of(*place.entry & place.space->format->address) != page) {
            return "I19: a mapping entry is on another frame's chain";
        }
        super[place.level]++;
        ++*mappings;
    }
    if (super[1] != page->frame.super[0] || super[2] != page->frame.super[1]) {
        return "I19: a frame's count of superpages is wrong";
    }
    return page->lock != 0 || page->claim != 0 ? "a lock or claim of a frame was left" : NULL;
}

const char *page_check_all(uint64_t *mappings)
{
    *mappings = 0;
    const char *wrong = NULL;

    for (uint64_t i = 0; i < page_count && wrong == NULL; i++) {
        if (page_array[i].kind == PAGE_FRAME) {
            wrong = check_chain(&page_array[i], mappings);
        }
    }
    for (unsigned i = 0; i < 1u << PAGE_DEVICE_BITS && wrong == NULL; i++) {
        wrong = check_chain(&page_device[i], mappings);
    }
    return wrong;
}
