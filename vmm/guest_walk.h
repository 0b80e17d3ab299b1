/* guest_walk.h: the guest's own page tables: from a linear to a guest-physical address. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_GUEST_WALK_H
#define VMM_GUEST_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum guest_walk_status {
    GUEST_WALK_OK,
    GUEST_WALK_NON_CANONICAL, /* #GP: the address is not sign-extended from bit 47 */
    GUEST_WALK_NOT_PRESENT,   /* #PF: an entry on the way is not present */
    GUEST_WALK_RESERVED_BIT,  /* #PF: an entry has a reserved bit set */
    GUEST_WALK_DENIED,        /* #PF: the page's rights do not allow the access */
    GUEST_WALK_NO_MEMORY,     /* a table or page lies where there is no guest memory */
    GUEST_WALK_UNSUPPORTED,   /* 5-level paging (CR4.LA57), which the guest's CPUID hides */
    GUEST_WALK_CHANGING,      /* other CPUs changed the entries each time they were read */
    GUEST_WALK_STATUS_COUNT
};

/* CR0, CR4 and EFER bits that decide how a walk goes (SDM vol. 3, 2.5, 2.2.1). */
#define GUEST_CR0_PE (UINT64_C(1) << 0)
#define GUEST_CR0_WP (UINT64_C(1) << 16)
#define GUEST_CR0_PG (UINT64_C(1) << 31)
#define GUEST_CR4_PSE (UINT64_C(1) << 4)
#define GUEST_CR4_PAE (UINT64_C(1) << 5)
#define GUEST_CR4_LA57 (UINT64_C(1) << 12)
#define GUEST_CR4_SMEP (UINT64_C(1) << 20)
#define GUEST_CR4_SMAP (UINT64_C(1) << 21)
#define GUEST_CR4_PKE (UINT64_C(1) << 22)
#define GUEST_EFER_LMA (UINT64_C(1) << 10)
#define GUEST_EFER_NXE (UINT64_C(1) << 11)

/* The paging state of a virtual CPU. */
struct guest_paging {
    uint64_t cr0;
    uint64_t cr3;
    uint64_t cr4;
    uint64_t efer;
    uint32_t pkru;      /* looked at only with CR4.PKE */
    uint8_t phys_bits;  /* MAXPHYADDR as the guest's CPUID says it: 32 to 52 */
    bool gigabyte_pages;
};

/* One access. `user`: CPL is 3. `smap_off`: EFLAGS.AC is set. */
struct guest_access {
    bool write;
    bool fetch;
    bool user;
    bool smap_off;
};

/* How guest-physical memory is reached; `ctx` is handed back. The address is a multiple of 8. */
struct guest_walk_memory {
    void *ctx;
    /* Reads eight bytes. False: there is no memory. */
    bool (*read)(void *ctx, uint64_t gpa, uint64_t *value);
    /* Stores `desired` if `expected` is there still, in one atomic step; false otherwise. May be
     * NULL: then accessed and dirty bits are left alone. */
    bool (*replace)(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired);
};

struct guest_translation {
    uint64_t gpa;
    uint64_t page_size;  /* bytes of the guest's page; 2^32 without paging */
    uint32_t error_code; /* of the #PF that the guest is owed (SDM vol. 3, 4.7) */
};

/*
 * Translates `linear` for one access (SDM vol. 3, chapter 4): no paging, 32-bit, PAE or 4-level.
 * Outside 64-bit mode only its low 32 bits count. On GUEST_WALK_OK sets gpa and page_size, and the
 * accessed and dirty bits in the tables as the CPU would; on a status marked #PF sets error_code.
 * The PDPTEs of PAE are read from memory, not from the CPU's copy of them.
 */
enum guest_walk_status guest_walk(const struct guest_paging *paging,
                                  const struct guest_walk_memory *memory, uint64_t linear,
                                  struct guest_access access, struct guest_translation *result);

/*
 * Copies up to `wanted` (at least 1) instruction bytes at the linear address `rip`, the base of CS
 * included, to `bytes`; *got is their number. Stops early where a later page cannot be fetched from, and then
 * returns GUEST_WALK_OK all the same: the decoder finds out whether those at hand are enough. With
 * *got = 0 the status, and result->error_code, say why; else *result is that of the first byte.
 */
enum guest_walk_status guest_fetch(const struct guest_paging *paging,
                                   const struct guest_walk_memory *memory, uint64_t rip, bool user,
                                   uint8_t *bytes, size_t wanted, size_t *got,
                                   struct guest_translation *result);

/* One line for a person, without a newline. */
const char *guest_walk_status_text(enum guest_walk_status status);

#endif
