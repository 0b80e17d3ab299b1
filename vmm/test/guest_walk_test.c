/* guest_walk_test.c: the guest page-table walk in each paging mode, and what ends it early. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/guest_walk.c */
#include "vmm/test/guest_walk_fixture.h"

static void no_paging(void **state)
{
    (void)state;
    struct guest_paging paging = { .cr0 = 0, .phys_bits = 40 };
    assert_int_equal(walk(&paging, 0xffff0, fetch_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0xffff0 && result.page_size == UINT64_C(1) << 32);
    paging.cr0 = GUEST_CR0_PE;
    assert_int_equal(walk(&paging, 0x100000010, write_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0x10);
}

static void four_levels(void **state)
{
    (void)state;
    struct guest_paging paging = long_mode();
    map_4_levels(P | W, P | W, P | W, P | W);
    assert_int_equal(walk(&paging, LINEAR, write_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0x12fedcbabc && result.page_size == 0x1000);
    put_64(ENTRY_3, UINT64_C(0x12fec00000) | P | PS);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0x12fec78abc && result.page_size == 0x200000);
    put_64(ENTRY_2, UINT64_C(0x1280000000) | P | PS | 0x1000); /* bit 12 is PAT there */
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0x1285678abc && result.page_size == 0x40000000);
    assert_int_equal(walk(&paging, LINEAR ^ 1ull << 63, read_access), GUEST_WALK_NON_CANONICAL);
    assert_int_equal(walk(&paging, 0x800000000000, read_access), GUEST_WALK_NON_CANONICAL);
    paging.cr4 |= GUEST_CR4_LA57;
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_UNSUPPORTED);
}

static void pae(void **state)
{
    (void)state;
    struct guest_paging paging = { .cr0 = GUEST_CR0_PE | GUEST_CR0_PG, .cr3 = ROOT + 0x60,
                                   .cr4 = GUEST_CR4_PAE, .phys_bits = 36 };
    memset(memory, 0, sizeof memory);
    /* Linear 0xc0605123: indexes 3, 3, 5. */
    put_64(ROOT + 0x60 + 8 * 3, LEVEL_2 | P);
    put_64(LEVEL_2 + 8 * 3, LEVEL_3 | P | W | U);
    put_64(LEVEL_3 + 8 * 5, UINT64_C(0xf23456000) | P | W | U);
    assert_int_equal(walk(&paging, 0xc0605123, user_write), GUEST_WALK_OK);
    assert_true(result.gpa == 0xf23456123 && result.page_size == 0x1000);
    assert_int_equal(walk(&paging, 0x5c0605123, user_write), GUEST_WALK_OK);
    put_64(LEVEL_2 + 8 * 3, UINT64_C(0xf23400000) | P | PS);
    assert_int_equal(walk(&paging, 0xc0605123, read_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0xf23405123 && result.page_size == 0x200000);
    assert_int_equal(guest_walk(&paging, &marking, 0xc0605123, write_access, &result),
                     GUEST_WALK_OK);
    assert_true(get_64(ROOT + 0x60 + 8 * 3) == (LEVEL_2 | P)); /* no accessed bit there */
    assert_true(get_64(LEVEL_2 + 8 * 3) == (UINT64_C(0xf23400000) | P | PS | A | D));
    put_64(ROOT + 0x60 + 8 * 3, LEVEL_2 | P | W); /* reserved in a PDPTE */
    assert_int_equal(walk(&paging, 0xc0605123, read_access), GUEST_WALK_RESERVED_BIT);
}

static void two_levels(void **state)
{
    (void)state;
    struct guest_paging paging = { .cr0 = GUEST_CR0_PE | GUEST_CR0_PG, .cr3 = ROOT,
                                   .cr4 = GUEST_CR4_PSE, .phys_bits = 36 };
    memset(memory, 0, sizeof memory);
    /* Linear 0x00c03abc: indexes 3 and 3: the upper half of eight bytes. */
    put_32(ROOT + 4 * 3, LEVEL_2 | P | W);
    put_32(LEVEL_2 + 4 * 3, 0xfedcb000 | P | W);
    put_32(LEVEL_2 + 4 * 2, 0x11111000);
    assert_int_equal(guest_walk(&paging, &marking, 0x00c03abc, write_access, &result),
                     GUEST_WALK_OK);
    assert_true(result.gpa == 0xfedcbabc && result.page_size == 0x1000);
    assert_true(get_64(LEVEL_2 + 4 * 2) == UINT64_C(0xfedcb06311111000));
    put_32(ROOT + 4 * 3, 0xffc00000 | 0xd << 13 | P | PS); /* address bits 35:32 are 13 */
    assert_int_equal(walk(&paging, 0x00c03abc, read_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0xdffc03abc && result.page_size == 0x400000);
    put_32(ROOT + 4 * 3, 0xffc00000 | 1 << 17 | P | PS); /* address bit 36 */
    assert_int_equal(walk(&paging, 0x00c03abc, read_access), GUEST_WALK_RESERVED_BIT);
    put_32(ROOT + 4 * 3, 0xffc00000 | 1 << 21 | P | PS);
    assert_int_equal(walk(&paging, 0x00c03abc, read_access), GUEST_WALK_RESERVED_BIT);
    assert_int_equal(result.error_code, PF_P | PF_RSVD);
    paging.phys_bits = 40;
    put_32(ROOT + 4 * 3, 0xffc00000 | 0xff << 13 | P | PS);
    assert_int_equal(walk(&paging, 0x00c03abc, read_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0xffffc03abc);
    paging.cr4 = 0; /* without PSE bit 7 means nothing */
    put_32(ROOT + 4 * 3, LEVEL_2 | P | PS);
    assert_int_equal(walk(&paging, 0x00c03abc, read_access), GUEST_WALK_OK);
    assert_true(result.gpa == 0xfedcbabc);
}

static void not_present(void **state)
{
    (void)state;
    struct guest_paging paging = long_mode();
    static const uint64_t entries[4] = { ENTRY_1, ENTRY_2, ENTRY_3, ENTRY_4 };
    for (int i = 0; i < 4; i++) {
        map_4_levels(P | W | U, P | W | U, P | W | U, P | W | U);
        put_64(entries[i], UINT64_MAX - P); /* whatever else it says */
        assert_int_equal(walk(&paging, LINEAR, user_write), GUEST_WALK_NOT_PRESENT);
        assert_int_equal(result.error_code, PF_W | PF_U);
        assert_int_equal(walk(&paging, LINEAR, fetch_access), GUEST_WALK_NOT_PRESENT);
        assert_int_equal(result.error_code, PF_I);
    }
    paging.efer &= ~GUEST_EFER_NXE;
    assert_int_equal(walk(&paging, LINEAR, fetch_access), GUEST_WALK_NOT_PRESENT);
    assert_int_equal(result.error_code, 0);
}

static void reserved(void **state)
{
    (void)state;
    struct guest_paging paging = long_mode();
    map_4_levels(P | 1ull << 40, P, P, P);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_RESERVED_BIT);
    assert_int_equal(result.error_code, PF_P | PF_RSVD);
    map_4_levels(P | PS, P, P, P);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_RESERVED_BIT);
    map_4_levels(P, P, P, P | 1ull << 51);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_RESERVED_BIT);
    map_4_levels(P | 1ull << 52, P | 1ull << 62, P, P | 1ull << 59);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_OK);
    map_4_levels(P, P, P, P);
    put_64(ENTRY_3, 0x200000 | 0x2000 | P | PS);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_RESERVED_BIT);
    put_64(ENTRY_2, 0x40000000 | P | PS);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_OK);
    paging.gigabyte_pages = false;
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_RESERVED_BIT);
    map_4_levels(P, P, P, P | NX);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_OK);
    paging.efer &= ~GUEST_EFER_NXE;
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_RESERVED_BIT);
}

/* Which single bits are reserved in the entry at `gpa`; tables elsewhere are empty. */
static uint64_t reserved_of(const struct guest_paging *paging, uint64_t linear, uint64_t gpa)
{
    uint64_t found = 0;
    uint64_t before = get_64(gpa);
    for (unsigned bit = 1; bit < 64; bit++) {
        put_64(gpa, before | 1ull << bit);
        if (walk(paging, linear, read_access) == GUEST_WALK_RESERVED_BIT) {
            found |= 1ull << bit;
        }
    }
    put_64(gpa, before);
    return found;
}

/* SDM vol. 3, tables 4-15 to 4-20 with MAXPHYADDR 40, then 4-8 to 4-11 with 36. */
static void each_reserved_bit(void **state)
{
    (void)state;
    struct guest_paging paging = long_mode();
    const uint64_t above = 0xfffull << 40;
    map_4_levels(P, P, P, P);
    assert_true(reserved_of(&paging, LINEAR, ENTRY_1) == (above | PS));
    assert_true(reserved_of(&paging, LINEAR, ENTRY_4) == above);
    put_64(ENTRY_3, P | PS);
    assert_true(reserved_of(&paging, LINEAR, ENTRY_3) == (above | 0x1fe000));
    put_64(ENTRY_2, P | PS);
    assert_true(reserved_of(&paging, LINEAR, ENTRY_2) == (above | 0x3fffe000));
    paging.efer = GUEST_EFER_LMA;
    assert_true(reserved_of(&paging, LINEAR, ENTRY_2) == (above | 0x3fffe000 | 1ull << 63));

    paging = (struct guest_paging){ .cr0 = GUEST_CR0_PE | GUEST_CR0_PG, .cr3 = ROOT,
                                    .cr4 = GUEST_CR4_PAE, .efer = GUEST_EFER_NXE,
                                    .phys_bits = 36 };
    const uint64_t beyond = 0x7ffffffull << 36;
    memset(memory, 0, sizeof memory);
    put_64(ROOT, LEVEL_2 | P);
    put_64(LEVEL_2, LEVEL_3 | P);
    put_64(LEVEL_3, P);
    assert_true(reserved_of(&paging, 0, ROOT) == (beyond | 1ull << 63 | 0x1e6));
    assert_true(reserved_of(&paging, 0, LEVEL_3) == beyond);
    put_64(LEVEL_2, P | PS);
    assert_true(reserved_of(&paging, 0, LEVEL_2) == (beyond | 0x1fe000));
}

static void no_memory(void **state)
{
    (void)state;
    struct guest_paging paging = long_mode();
    map_4_levels(P, P, P, P);
    paging.cr3 = MEMORY_BYTES;
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_NO_MEMORY);
    paging = long_mode();
    put_64(ENTRY_3, 0x10000000 | P);
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_NO_MEMORY);
}

static void accessed_and_dirty(void **state)
{
    (void)state;
    struct guest_paging paging = long_mode();
    map_4_levels(P | W, P | W, P | W, P | W);
    assert_int_equal(walk(&paging, LINEAR, write_access), GUEST_WALK_OK);
    assert_true(get_64(ENTRY_4) == (UINT64_C(0x12fedcb000) | P | W)); /* nothing to mark with */
    assert_int_equal(guest_walk(&paging, &marking, LINEAR, read_access, &result), GUEST_WALK_OK);
    assert_true(get_64(ENTRY_1) == (LEVEL_2 | P | W | A));
    assert_true(get_64(ENTRY_4) == (UINT64_C(0x12fedcb000) | P | W | A));
    interferences = 3;
    assert_int_equal(guest_walk(&paging, &marking, LINEAR, write_access, &result), GUEST_WALK_OK);
    assert_int_equal(interferences, 0);
    assert_true(get_64(ENTRY_3) == (LEVEL_4 | P | W | A));
    assert_true(get_64(ENTRY_4) == (UINT64_C(0x12fedcb000) | P | W | A | D));
    assert_int_equal(guest_walk(&paging, &marking, LINEAR, user_write, &result),
                     GUEST_WALK_DENIED);
    map_4_levels(P | W, P | W, P | W, P | W);
    interferences = 1000;
    assert_int_equal(guest_walk(&paging, &marking, LINEAR, write_access, &result),
                     GUEST_WALK_CHANGING);
    interferences = 0;
    map_4_levels(P, P, P, 0); /* a refused access leaves no trace */
    assert_int_equal(guest_walk(&paging, &marking, LINEAR, read_access, &result),
                     GUEST_WALK_NOT_PRESENT);
    assert_true(get_64(ENTRY_1) == (LEVEL_2 | P));
}

/* Maps the page of LINEAR at 0x8000, and the next one at 0xa000 with `rights`. */
static void map_two_pages(uint64_t rights)
{
    map_4_levels(P, P, P, P);
    put_64(ENTRY_4, 0x8000 | P);
    put_64(ENTRY_4 + 8, 0xa000 | rights);
    for (unsigned i = 0; i < 0x1000; i++) {
        memory[0x8000 + i] = (uint8_t)i;
        memory[0xa000 + i] = (uint8_t)(0x80 + i);
    }
}

static void fetches(void **state)
{
    (void)state;
    struct guest_paging paging = long_mode();
    uint8_t bytes[15];
    size_t got;
    uint64_t page = LINEAR & ~UINT64_C(0xfff);
    map_two_pages(P);
    for (unsigned offset = 0xfe0; offset < 0x1000; offset++) {
        assert_int_equal(guest_fetch(&paging, &plain, page + offset, false, bytes, 15, &got,
                                     &result), GUEST_WALK_OK);
        assert_int_equal(got, 15);
        for (unsigned i = 0; i < 15; i++) {
            unsigned at = offset + i;
            assert_int_equal(bytes[i], (uint8_t)(at < 0x1000 ? at : 0x80 + at));
        }
    }
    map_two_pages(P | NX);
    assert_int_equal(guest_fetch(&paging, &plain, page + 0xffa, false, bytes, 15, &got, &result),
                     GUEST_WALK_OK);
    assert_int_equal(got, 6);
    assert_true(result.gpa == 0x8ffa);
    assert_int_equal(guest_fetch(&paging, &plain, page + 0x1000, false, bytes, 15, &got, &result),
                     GUEST_WALK_DENIED);
    assert_int_equal(got, 0);
    assert_int_equal(result.error_code, PF_P | PF_I);
    put_64(ENTRY_4, MEMORY_BYTES | P);
    assert_int_equal(guest_fetch(&paging, &plain, page, false, bytes, 15, &got, &result),
                     GUEST_WALK_NO_MEMORY);
    assert_int_equal(guest_fetch(&paging, &plain, page, true, bytes, 15, &got, &result),
                     GUEST_WALK_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "WALK-01: without paging the address is the address", no_paging, NULL, NULL, NULL },
        { "WALK-02: four levels with pages of 4 KiB, 2 MiB and 1 GiB", four_levels, NULL, NULL,
          NULL },
        { "WALK-03: PAE", pae, NULL, NULL, NULL },
        { "WALK-04: two levels with 4 MiB pages beyond 4 GiB", two_levels, NULL, NULL, NULL },
        { "WALK-05: an entry that is not present, at each level", not_present, NULL, NULL, NULL },
        { "WALK-06: reserved bits", reserved, NULL, NULL, NULL },
        { "WALK-09: tables outside memory", no_memory, NULL, NULL, NULL },
        { "WALK-10: accessed and dirty bits, also when others write", accessed_and_dirty, NULL,
          NULL, NULL },
        { "WALK-11: instruction bytes across pages", fetches, NULL, NULL, NULL },
        { "WALK-12: each reserved bit of each kind of entry", each_reserved_bit, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
