/* guest_walk_fixture.h: a small guest memory with page tables that a test writes by hand. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_GUEST_WALK_FIXTURE_H
#define VMM_TEST_GUEST_WALK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/guest_walk.h"

#define MEMORY_BYTES 0x10000u
#define ROOT 0x1000u
#define LEVEL_2 0x2000u
#define LEVEL_3 0x3000u
#define LEVEL_4 0x4000u
#define NX (UINT64_C(1) << 63)

/* Entry bits, written out again: P, R/W, U/S, A, D, PS. */
enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80 };

/* #PF error code bits. */
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 0x10, PF_PK = 0x20 };

static uint8_t memory[MEMORY_BYTES];
static unsigned interferences; /* how many times another CPU changes an entry before ours does */
static struct guest_translation result;

static inline bool read_memory(void *ctx, uint64_t gpa, uint64_t *value)
{
    (void)ctx;
    assert_true(gpa % 8 == 0);
    if (gpa >= MEMORY_BYTES) {
        return false;
    }
    memcpy(value, memory + gpa, 8);
    return true;
}

static inline bool replace_memory(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    (void)ctx;
    if (interferences > 0) {
        interferences--;
        return false;
    }
    assert_memory_equal(memory + gpa, &expected, 8);
    memcpy(memory + gpa, &desired, 8);
    return true;
}

static const struct guest_walk_memory plain = { NULL, read_memory, NULL };
static const struct guest_walk_memory marking = { NULL, read_memory, replace_memory };

static const struct guest_access read_access = { .write = false };
static const struct guest_access write_access = { .write = true };
static const struct guest_access fetch_access = { .fetch = true };
static const struct guest_access user_read = { .user = true };
static const struct guest_access user_write = { .user = true, .write = true };

static inline void put_64(uint64_t gpa, uint64_t value)
{
    memcpy(memory + gpa, &value, 8);
}

static inline uint64_t get_64(uint64_t gpa)
{
    uint64_t value;
    memcpy(&value, memory + gpa, 8);
    return value;
}

static inline void put_32(uint64_t gpa, uint32_t value)
{
    memcpy(memory + gpa, &value, 4);
}

static inline struct guest_paging long_mode(void)
{
    return (struct guest_paging){
        .cr0 = GUEST_CR0_PE | GUEST_CR0_PG | GUEST_CR0_WP, .cr3 = ROOT | 0x18,
        .cr4 = GUEST_CR4_PAE, .efer = GUEST_EFER_LMA | GUEST_EFER_NXE, .phys_bits = 40,
        .gigabyte_pages = true,
    };
}

/* Its indexes are 0x102, 0x8d, 0x2b, 0x78. */
#define LINEAR UINT64_C(0xffff812345678abc)
#define ENTRY_1 (ROOT + 8 * 0x102)
#define ENTRY_2 (LEVEL_2 + 8 * 0x8d)
#define ENTRY_3 (LEVEL_3 + 8 * 0x2b)
#define ENTRY_4 (LEVEL_4 + 8 * 0x78)

static inline void map_4_levels(uint64_t rights_1, uint64_t rights_2, uint64_t rights_3,
                         uint64_t rights_4)
{
    memset(memory, 0, sizeof memory);
    put_64(ENTRY_1, LEVEL_2 | rights_1);
    put_64(ENTRY_2, LEVEL_3 | rights_2);
    put_64(ENTRY_3, LEVEL_4 | rights_3);
    put_64(ENTRY_4, UINT64_C(0x12fedcb000) | rights_4);
}

static inline enum guest_walk_status walk(const struct guest_paging *paging, uint64_t linear,
                                   struct guest_access access)
{
    return guest_walk(paging, &plain, linear, access, &result);
}

#endif
