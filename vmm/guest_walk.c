/* guest_walk.c: the guest's own page tables: from a linear to a guest-physical address. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_walk.h"

/* Entry bits that all formats share (SDM vol. 3, 4.3 to 4.5). */
#define ENTRY_PRESENT (UINT64_C(1) << 0)
#define ENTRY_WRITE (UINT64_C(1) << 1)
#define ENTRY_USER (UINT64_C(1) << 2)
#define ENTRY_ACCESSED (UINT64_C(1) << 5)
#define ENTRY_DIRTY (UINT64_C(1) << 6)
#define ENTRY_LARGE (UINT64_C(1) << 7)
#define ENTRY_NO_EXECUTE (UINT64_C(1) << 63)
#define ENTRY_KEY_SHIFT 59

/* #PF error code (SDM vol. 3, 4.7). */
#define ERROR_PRESENT 0x01u
#define ERROR_WRITE 0x02u
#define ERROR_USER 0x04u
#define ERROR_RESERVED 0x08u
#define ERROR_FETCH 0x10u
#define ERROR_KEY 0x20u

#define MAX_LEVELS 4
#define MAX_ATTEMPTS 16

/* Bits from `low` up to but not including `high`. */
#define BITS(high, low) (((UINT64_C(1) << ((high) - (low))) - 1) << (low))

/*
 * One level of a format. `shift` is the lowest address bit that indexes it. `plain`: its entries
 * have no rights and no accessed bit (PAE PDPTEs). `reserved` must be zero in each entry,
 * `large_reserved` in one that maps a page; `can_be_large` unless the CPU's state forbids it.
 */
struct level {
    uint8_t shift;
    bool can_be_large;
    bool plain;
    uint64_t reserved;
    uint64_t large_reserved;
};

struct format {
    uint8_t levels;
    uint8_t index_bits;
    uint8_t entry_size;
    uint64_t root_mask; /* the part of CR3 that is the root table's address */
    struct level level[MAX_LEVELS];
};

static const struct format format_32 = {
    .levels = 2, .index_bits = 10, .entry_size = 4, .root_mask = BITS(32, 12),
    .level = { { .shift = 22, .can_be_large = true, .large_reserved = BITS(22, 21) },
               { .shift = 12 } },
};

static const struct format format_pae = {
    .levels = 3, .index_bits = 9, .entry_size = 8, .root_mask = BITS(32, 5),
    .level = { { .shift = 30, .plain = true,
                 .reserved = BITS(3, 1) | BITS(9, 5) | BITS(64, 52) },
               { .shift = 21, .can_be_large = true, .reserved = BITS(63, 52),
                 .large_reserved = BITS(21, 13) },
               { .shift = 12, .reserved = BITS(63, 52) } },
};

static const struct format format_64 = {
    .levels = 4, .index_bits = 9, .entry_size = 8, .root_mask = BITS(52, 12),
    .level = { { .shift = 39, .reserved = ENTRY_LARGE },
               { .shift = 30, .can_be_large = true, .large_reserved = BITS(30, 13) },
               { .shift = 21, .can_be_large = true, .large_reserved = BITS(21, 13) },
               { .shift = 12 } },
};

/* A walk under way. entry[i] was read at gpa[i]; rights are those of all levels together. */
struct walk {
    const struct guest_paging *paging;
    const struct format *format;
    uint64_t linear;
    struct guest_access access;
    unsigned depth; /* entries read */
    uint64_t gpa[MAX_LEVELS];
    uint64_t entry[MAX_LEVELS];
    uint64_t rights; /* ENTRY_WRITE and ENTRY_USER where all have it, ENTRY_NO_EXECUTE where any */
};

static const struct format *format_of(const struct guest_paging *paging)
{
    if (paging->efer & GUEST_EFER_LMA) {
        return &format_64;
    }
    return paging->cr4 & GUEST_CR4_PAE ? &format_pae : &format_32;
}

static bool is_large(const struct walk *w, const struct level *level, uint64_t entry)
{
    if (!level->can_be_large || !(entry & ENTRY_LARGE)) {
        return false;
    }
    if (w->format == &format_32) {
        return w->paging->cr4 & GUEST_CR4_PSE;
    }
    return level->shift != 30 || w->paging->gigabyte_pages;
}

static uint64_t reserved_bits(const struct walk *w, const struct level *level, bool large)
{
    unsigned phys_bits = w->paging->phys_bits;
    uint64_t reserved = level->reserved | (large ? level->large_reserved : 0);
    if (w->format == &format_32) {
        /* A 4 MiB page keeps address bits 39:32 in its bits 20:13 (SDM vol. 3, table 4-4). */
        unsigned high = phys_bits < 40 ? phys_bits - 32 : 8;
        return large ? reserved | BITS(21, 13 + high) : reserved;
    }
    reserved |= BITS(52, phys_bits);
    if (!(w->paging->efer & GUEST_EFER_NXE)) {
        reserved |= ENTRY_NO_EXECUTE;
    }
    if (level->shift == 30 && !level->plain && !w->paging->gigabyte_pages) {
        reserved |= ENTRY_LARGE;
    }
    return reserved;
}

static uint64_t page_address(const struct walk *w, const struct level *level)
{
    uint64_t entry = w->entry[w->depth - 1];
    uint64_t offset = BITS(level->shift, 0);
    uint64_t frame = entry & BITS(52, 12) & ~offset;
    if (w->format == &format_32 && level->shift == 22) {
        frame |= (entry & BITS(21, 13)) << (32 - 13);
    }
    return frame | (w->linear & offset);
}

/* Reads one entry; a format with four-byte entries has two of them in each eight bytes. */
static bool read_entry(struct walk *w, const struct guest_walk_memory *memory, uint64_t gpa)
{
    uint64_t value;
    if (!memory->read(memory->ctx, gpa & ~UINT64_C(7), &value)) {
        return false;
    }
    if (w->format->entry_size == 4) {
        value = value >> (8 * (gpa & 4)) & BITS(32, 0);
    }
    w->gpa[w->depth] = gpa;
    w->entry[w->depth] = value;
    w->depth++;
    return true;
}

static void add_rights(struct walk *w, const struct level *level, uint64_t entry)
{
    if (level->plain) {
        return;
    }
    w->rights &= entry | ENTRY_NO_EXECUTE;
    w->rights |= entry & ENTRY_NO_EXECUTE;
}

/* Goes down to the entry that maps the page. */
static enum guest_walk_status descend(struct walk *w, const struct guest_walk_memory *memory,
                                      const struct level **leaf)
{
    const struct format *format = w->format;
    uint64_t table = w->paging->cr3 & format->root_mask;
    w->depth = 0;
    w->rights = ENTRY_WRITE | ENTRY_USER;
    for (unsigned i = 0; i < format->levels; i++) {
        const struct level *level = &format->level[i];
        uint64_t index = w->linear >> level->shift & BITS(format->index_bits, 0);
        if (!read_entry(w, memory, table + index * format->entry_size)) {
            return GUEST_WALK_NO_MEMORY;
        }
        uint64_t entry = w->entry[i];
        bool large = is_large(w, level, entry);
        if (!(entry & ENTRY_PRESENT)) {
            return GUEST_WALK_NOT_PRESENT;
        }
        if (entry & reserved_bits(w, level, large)) {
            return GUEST_WALK_RESERVED_BIT;
        }
        add_rights(w, level, entry);
        *leaf = level;
        if (large) {
            break;
        }
        table = entry & BITS(52, 12);
    }
    return GUEST_WALK_OK;
}

/* Protection keys: user pages, data only (SDM vol. 3, 4.6.2). */
static bool key_denies(const struct walk *w)
{
    const struct guest_paging *p = w->paging;
    if (w->format != &format_64 || !(p->cr4 & GUEST_CR4_PKE) || w->access.fetch ||
        !(w->rights & ENTRY_USER)) {
        return false;
    }
    unsigned key = w->entry[w->depth - 1] >> ENTRY_KEY_SHIFT & 15;
    bool access_disable = p->pkru >> (2 * key) & 1;
    bool write_disable = p->pkru >> (2 * key + 1) & 1;
    bool obeys_write = w->access.user || p->cr0 & GUEST_CR0_WP;
    return access_disable || (write_disable && w->access.write && obeys_write);
}

/* SDM vol. 3, 4.6.1. */
static bool rights_deny(const struct walk *w)
{
    const struct guest_paging *p = w->paging;
    const struct guest_access *a = &w->access;
    bool user_page = w->rights & ENTRY_USER;
    if (a->user && !user_page) {
        return true;
    }
    if (a->write && !(w->rights & ENTRY_WRITE) && (a->user || p->cr0 & GUEST_CR0_WP)) {
        return true;
    }
    if (a->fetch && w->rights & ENTRY_NO_EXECUTE) {
        return true;
    }
    if (a->user || !user_page) {
        return false;
    }
    return a->fetch ? p->cr4 & GUEST_CR4_SMEP : p->cr4 & GUEST_CR4_SMAP && !a->smap_off;
}

static uint32_t error_code(const struct walk *w, enum guest_walk_status status)
{
    const struct guest_paging *p = w->paging;
    bool tells_fetch = p->cr4 & GUEST_CR4_SMEP ||
                       (w->format != &format_32 && p->efer & GUEST_EFER_NXE);
    uint32_t code = status == GUEST_WALK_NOT_PRESENT ? 0 : ERROR_PRESENT;
    code |= status == GUEST_WALK_RESERVED_BIT ? ERROR_PRESENT | ERROR_RESERVED : 0;
    code |= w->access.write ? ERROR_WRITE : 0;
    code |= w->access.user ? ERROR_USER : 0;
    code |= w->access.fetch && tells_fetch ? ERROR_FETCH : 0;
    code |= status == GUEST_WALK_DENIED && key_denies(w) ? ERROR_KEY : 0;
    return code;
}

/* Sets the accessed and dirty bits (SDM vol. 3, 4.8); false when an entry has changed meanwhile. */
static bool mark(const struct walk *w, const struct guest_walk_memory *memory)
{
    for (unsigned i = 0; i < w->depth; i++) {
        uint64_t bits = w->format->level[i].plain ? 0 : ENTRY_ACCESSED;
        if (i == w->depth - 1 && w->access.write) {
            bits |= ENTRY_DIRTY;
        }
        if ((w->entry[i] & bits) == bits) {
            continue;
        }
        unsigned shift = (unsigned)(8 * (w->gpa[i] & 7));
        uint64_t aligned = w->gpa[i] & ~UINT64_C(7);
        uint64_t mask = BITS(8 * w->format->entry_size - 1, 0) << 1 | 1;
        uint64_t now;
        if (!memory->read(memory->ctx, aligned, &now) ||
            (now >> shift & mask) != w->entry[i] ||
            !memory->replace(memory->ctx, aligned, now, now | bits << shift)) {
            return false;
        }
    }
    return true;
}

static bool canonical(uint64_t linear)
{
    uint64_t high = linear >> 47;
    return high == 0 || high == BITS(17, 0);
}

enum guest_walk_status guest_walk(const struct guest_paging *paging,
                                  const struct guest_walk_memory *memory, uint64_t linear,
                                  struct guest_access access, struct guest_translation *result)
{
    *result = (struct guest_translation){ .gpa = 0 };
    if (!(paging->efer & GUEST_EFER_LMA)) {
        linear &= BITS(32, 0);
    }
    if (!(paging->cr0 & GUEST_CR0_PG)) {
        *result = (struct guest_translation){ .gpa = linear, .page_size = UINT64_C(1) << 32 };
        return GUEST_WALK_OK;
    }
    struct walk w = { .paging = paging, .format = format_of(paging), .linear = linear,
                      .access = access };
    if (w.format == &format_64 && paging->cr4 & GUEST_CR4_LA57) {
        return GUEST_WALK_UNSUPPORTED;
    }
    if (w.format == &format_64 && !canonical(linear)) {
        return GUEST_WALK_NON_CANONICAL;
    }
    for (unsigned attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const struct level *leaf = NULL;
        enum guest_walk_status status = descend(&w, memory, &leaf);
        if (status == GUEST_WALK_OK && (rights_deny(&w) || key_denies(&w))) {
            status = GUEST_WALK_DENIED;
        }
        if (status != GUEST_WALK_OK) {
            result->error_code = error_code(&w, status);
            return status;
        }
        if (memory->replace == NULL || mark(&w, memory)) {
            result->gpa = page_address(&w, leaf);
            result->page_size = UINT64_C(1) << leaf->shift;
            return GUEST_WALK_OK;
        }
    }
    return GUEST_WALK_CHANGING;
}

/* Copies what of `wanted` bytes lies in the page of *result; returns how many. */
static size_t copy_bytes(const struct guest_walk_memory *memory, uint64_t gpa, uint8_t *bytes,
                         size_t wanted)
{
    size_t done = 0;
    do {
        uint64_t value;
        if (!memory->read(memory->ctx, gpa & ~UINT64_C(7), &value)) {
            break;
        }
        do {
            bytes[done++] = (uint8_t)(value >> (8 * (gpa & 7)));
            gpa++;
        } while (done < wanted && gpa & 7);
    } while (done < wanted && gpa & BITS(12, 0));
    return done;
}

enum guest_walk_status guest_fetch(const struct guest_paging *paging,
                                   const struct guest_walk_memory *memory, uint64_t rip, bool user,
                                   uint8_t *bytes, size_t wanted, size_t *got,
                                   struct guest_translation *result)
{
    struct guest_access access = { .fetch = true, .user = user };
    *got = 0;
    while (*got < wanted) {
        struct guest_translation page;
        enum guest_walk_status status = guest_walk(paging, memory, rip + *got, access, &page);
        size_t copied = 0;
        if (status == GUEST_WALK_OK) {
            copied = copy_bytes(memory, page.gpa, bytes + *got, wanted - *got);
            status = copied ? GUEST_WALK_OK : GUEST_WALK_NO_MEMORY;
        }
        if (*got == 0) {
            *result = page;
        }
        if (status != GUEST_WALK_OK) {
            return *got ? GUEST_WALK_OK : status;
        }
        *got += copied;
    }
    return GUEST_WALK_OK;
}

const char *guest_walk_status_text(enum guest_walk_status status)
{
    static const char *const texts[GUEST_WALK_STATUS_COUNT] = {
        [GUEST_WALK_OK] = "the address was translated",
        [GUEST_WALK_NON_CANONICAL] = "the address is not canonical",
        [GUEST_WALK_NOT_PRESENT] = "the guest's page tables do not map the address",
        [GUEST_WALK_RESERVED_BIT] = "an entry of the guest's page tables has a reserved bit set",
        [GUEST_WALK_DENIED] = "the guest's page tables do not allow this access",
        [GUEST_WALK_NO_MEMORY] = "the guest's page tables lead to where there is no memory",
        [GUEST_WALK_UNSUPPORTED] = "the guest uses 5-level paging, which it was not offered",
        [GUEST_WALK_CHANGING] = "the guest's page tables change without end",
    };
    return status < GUEST_WALK_STATUS_COUNT ? texts[status] : "not a status of the walk";
}
