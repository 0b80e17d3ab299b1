/* space.c: tests of Spaces: map, unmap, protect, query, fund, and what revoking does to mappings. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "run/programs/ktest/faulter.h"

#define RW (MAP_READ | MAP_WRITE)
#define HERE 0x400000000000ull /* in this program's Space, away from what the rig maps */
#define LARGE (2ull << 20)

static uint32_t make_space(uint32_t fund_bits)
{
    uint32_t space = rig_object(OBJ_SPACE, PT_X86);

    if (fund_bits) {
        CHECK_STATUS(sys_space_fund(space, rig_untyped(fund_bits), NULL), OK);
    }
    return space;
}

static uint64_t query(uint32_t space, uint64_t address)
{
    struct space_query q;
    enum status status = sys_space_query(space, address, &q);

    CHECK(status == OK || status == E_UNMAPPED);
    return status == OK ? q.mapping : 0;
}

static uint64_t mapped_pages(uint32_t space)
{
    struct space_query q;

    sys_space_query(space, 0, &q);
    return q.mapped;
}

static uint64_t physical(uint32_t frame)
{
    struct cap_identity id;

    CHECK_STATUS(sys_cap_identify(frame, &id), OK);
    return id.physical;
}

static void small(void)
{
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    volatile uint64_t *a = (volatile uint64_t *)HERE, *b = (volatile uint64_t *)(HERE + 0x7000);
    uint64_t before = mapped_pages(BOOT_SPACE), count;

    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, HERE | RW, 1, NULL), OK);
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, (uint64_t)b | RW, 1, NULL), OK);
    CHECK(mapped_pages(BOOT_SPACE) == before + 2);
    CHECK(query(BOOT_SPACE, HERE) == (physical(frame) | RW));
    *a = 0x1234567;
    CHECK(*b == 0x1234567);
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, HERE | RW, 1, NULL), E_MAPPED);
    CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE, 8, &count), OK);
    CHECK(count == 2 && query(BOOT_SPACE, HERE) == 0 && mapped_pages(BOOT_SPACE) == before);
    CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE, 8, &count), OK);
    CHECK(count == 0);
}

static void large(void)
{
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_2M_BITS), space = make_space(16);
    uint64_t base = physical(frame), count;
    volatile uint8_t *bytes = (volatile uint8_t *)HERE;

    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, HERE | RW | MAP_2M, 1, NULL), OK);
    CHECK(query(BOOT_SPACE, HERE + 0x5000) == ((base + 0x5000) | RW | MAP_2M));
    bytes[0x5123] = 0x77;
    /* Parts of it, at any page: first three, then one in the other Space. */
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0x4000, (HERE + LARGE) | MAP_READ, 3, NULL), OK);
    CHECK(bytes[LARGE + 0x1123] == 0x77);
    CHECK_STATUS(sys_map(space, frame, 0x1ff000, 0x1000 | RW, 1, NULL), OK);
    CHECK(query(space, 0x1000) == ((base + 0x1ff000) | RW));
    CHECK_STATUS(sys_map(space, frame, 0x1ff000, 0x2000 | RW, 2, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_map(space, frame, 0x200000, 0x2000 | RW, 1, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_map(space, frame, 0x1000, LARGE | RW | MAP_2M, 1, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_map(space, frame, 0, 0x1000 | RW | MAP_2M, 1, NULL), E_ALIGN);
    CHECK_STATUS(sys_map(space, frame, 0, HERE | RW | MAP_1G, 1, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_map(space, frame, 0, HERE | RW | MAP_SIZE_MASK, 1, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE + 0x1000, 1, NULL), E_ALIGN);
    CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE, 513, &count), OK);
    CHECK(count == 513);
    CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE + LARGE, 3, &count), OK);
    CHECK(count == 2);
}

static void reserve(void)
{
    uint32_t space = make_space(0), frame = rig_object(OBJ_FRAME, FRAME_2M_BITS);
    uint64_t lacking = 0, pages = 0, left;

    /* Two pages on both sides of a 2 MiB boundary: they share no lowest table. */
    CHECK_STATUS(sys_map(space, frame, 0, (LARGE - 4096) | RW, 2, &lacking), E_RESERVE);
    CHECK(lacking == 6 && mapped_pages(space) == 0);
    for (left = lacking; left > 1; left--) {
        CHECK_STATUS(sys_space_fund(space, rig_untyped(12), &pages), OK);
        CHECK(pages == 7 - left);
        CHECK_STATUS(sys_map(space, frame, 0, (LARGE - 4096) | RW, 2, &lacking), E_RESERVE);
        CHECK(lacking == left - 1 && mapped_pages(space) == 0);
    }
    CHECK_STATUS(sys_space_fund(space, rig_untyped(12), &pages), OK);
    CHECK_STATUS(sys_map(space, frame, 0, (LARGE - 4096) | RW, 2, &lacking), OK);
    CHECK(mapped_pages(space) == 2);
    /* And they come back. */
    CHECK_STATUS(sys_unmap(space, LARGE - 4096, 2, NULL), OK);
    CHECK_STATUS(sys_space_fund(space, rig_untyped(12), &pages), OK);
    CHECK(pages == 7);
}

static void fund_errors(void)
{
    uint32_t space = make_space(0), used = rig_untyped(14), big = rig_untyped(22);
    uint32_t object = rig_slot(), funds = 0;
    struct cap_identity id;
    enum status status;

    CHECK_STATUS(sys_retype(used, object, OBJ_ENDPOINT, 0, 0, 1), OK);
    CHECK_STATUS(sys_space_fund(space, used, NULL), E_BUSY);
    CHECK_STATUS(sys_space_fund(space, big, NULL), E_LIMIT);
    CHECK_STATUS(sys_space_fund(space, object, NULL), E_TYPE);
    CHECK_STATUS(sys_space_fund(object, used, NULL), E_TYPE);
    CHECK_STATUS(sys_cap_delete(object), OK);
    CHECK_STATUS(sys_space_fund(space, used, NULL), OK);
    CHECK_STATUS(sys_space_fund(space, used, NULL), E_BUSY);
    CHECK_STATUS(sys_retype(used, object, OBJ_ENDPOINT, 0, 0, 1), E_MEMORY);
    CHECK_STATUS(sys_cap_identify(used, &id), OK);
    CHECK(id.free == 0);
    do {
        status = sys_space_fund(space, rig_untyped(12), NULL);
        funds++;
    } while (status == OK && funds < 1000);
    CHECK(status == E_LIMIT);
    CHECK_STATUS(sys_cap_delete(space), OK);
    CHECK_STATUS(sys_cap_identify(used, &id), OK);
    CHECK(id.free == 1 << 14);
}

static void fresh(void)
{
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_2M_BITS), space = make_space(16);
    volatile uint8_t *bytes = (volatile uint8_t *)HERE;

    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0x3000, HERE | RW, 1, NULL), OK);
    bytes[5] = 0xaa;
    CHECK_STATUS(sys_map(space, frame, 0x3000, 0x1000 | RW | MAP_FRESH, 1, NULL), E_BUSY);
    CHECK_STATUS(sys_map(space, frame, 0, LARGE | RW | MAP_2M | MAP_FRESH, 1, NULL), E_BUSY);
    CHECK(bytes[5] == 0xaa && mapped_pages(space) == 0);
    CHECK_STATUS(sys_map(space, frame, 0x4000, 0x1000 | RW | MAP_FRESH, 1, NULL), OK);
    CHECK_STATUS(sys_map(space, frame, 0x5000, 0x1000 | RW | MAP_FRESH, 1, NULL), E_MAPPED);
    CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE, 1, NULL), OK);
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0x3000, HERE | RW | MAP_FRESH, 1, NULL), OK);
    CHECK(bytes[5] == 0);
    CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE, 1, NULL), OK);
    CHECK_STATUS(sys_unmap(space, 0x1000, 1, NULL), OK);
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, HERE | RW | MAP_2M, 1, NULL), OK);
    memset((void *)HERE, 0xcc, LARGE);
    CHECK_STATUS(sys_map(space, frame, 0x3000, 0x1000 | RW | MAP_FRESH, 1, NULL), E_BUSY);
    CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE, 512, NULL), OK);
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, HERE | RW | MAP_2M | MAP_FRESH, 1, NULL), OK);
    for (uint64_t i = 0; i < LARGE; i += 509) {
        CHECK(bytes[i] == 0);
    }
}

static void map_errors(void)
{
    uint32_t space = make_space(16), frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    const struct {
        uint64_t offset, where, count;
        enum status status;
    } bad[] = {
        {0, 0x1000 | RW, 0, E_ARGUMENT},
        {0, 0x1000 | RW, ~0ull, E_ARGUMENT},
        {4096, 0x1000 | RW, 1, E_ARGUMENT},
        {~0ull, 0x1000 | RW, 1, E_ARGUMENT},
        {1, 0x1000 | RW, 1, E_ARGUMENT},
        {0, 0x1000, 1, E_ARGUMENT},
        {0, 0x1000 | MAP_WRITE, 1, E_ARGUMENT},
        {0, 0x1000 | MAP_EXEC, 1, E_UNSUPPORTED},
        {0, 0x7ffffffff000 | RW, 1, E_ARGUMENT},
        {0, 0x800000000000 | RW, 1, E_ARGUMENT},
        {0, 0xffff800000000000 | RW, 1, E_ARGUMENT},
        {0, 0xfffffffffffff000 | RW, 1, E_ARGUMENT},
    };

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum status status = sys_map(space, frame, bad[i].offset, bad[i].where, bad[i].count, NULL);

        CHECK_STATUS(status, bad[i].status);
        CHECK(mapped_pages(space) == 0);
        if (status != bad[i].status) {
            log_bare("    row %u", i);
        }
    }
    CHECK_STATUS(sys_unmap(space, 0x1000, 0, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_unmap(space, 0x1001, 1, NULL), E_ALIGN);
    CHECK_STATUS(sys_unmap(space, 0, ~0ull, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_unmap(space, 0xffff800000000000, 1, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_unmap(space, 0, 0x7ffffffff, NULL), OK);
    CHECK_STATUS(sys_protect(space, 0x1000 | MAP_WRITE, 1), E_ARGUMENT);
    CHECK_STATUS(sys_protect(space, 0x1000, 1), E_ARGUMENT);
    CHECK_STATUS(sys_space_window(space, 0, 1), E_TYPE);
}

static void protect(void)
{
    uint32_t space = make_space(16), frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    uint64_t at = physical(frame);

    CHECK_STATUS(sys_map(space, frame, 0, 0x1000 | RW | MAP_EXEC, 1, NULL), OK);
    CHECK_STATUS(sys_protect(space, 0x1000 | RW, 1), OK);
    CHECK(query(space, 0x1000) == (at | RW));
    CHECK_STATUS(sys_protect(space, 0 | MAP_READ, 100), OK);
    CHECK(query(space, 0x1000) == (at | MAP_READ));
    /* A right that is gone does not come back. */
    CHECK_STATUS(sys_protect(space, 0x1000 | RW | MAP_EXEC, 1), OK);
    CHECK(query(space, 0x1000) == (at | MAP_READ));
}

static void revoked(void)
{
    uint32_t one = make_space(16), two = make_space(16), copy = rig_slot();
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_2M_BITS);

    CHECK_STATUS(sys_cap_copy(frame, copy, RIGHTS_ALL), OK);
    CHECK_STATUS(sys_map(one, frame, 0x1000, 0x5000 | RW, 4, NULL), OK);
    CHECK_STATUS(sys_map(two, copy, 0, LARGE | MAP_READ | MAP_2M, 1, NULL), OK);
    CHECK_STATUS(sys_map(BOOT_SPACE, copy, 0x2000, HERE | RW, 1, NULL), OK);
    /* A copy's holder has no say over mappings that others made. */
    CHECK_STATUS(sys_cap_revoke(copy), OK);
    CHECK_STATUS(sys_cap_delete(copy), OK);
    CHECK(mapped_pages(one) == 4 && mapped_pages(two) == 512 && query(BOOT_SPACE, HERE) != 0);
    CHECK_STATUS(sys_cap_revoke(frame), OK);
    CHECK(mapped_pages(one) == 0 && mapped_pages(two) == 0 && query(BOOT_SPACE, HERE) == 0);
    CHECK_STATUS(sys_map(one, frame, 0, 0x5000 | RW, 4, NULL), OK);
    CHECK_STATUS(sys_cap_delete(frame), OK);
    CHECK(mapped_pages(one) == 0);
}

void test_space(void)
{
    static const struct rig_test tests[] = {
        {"SPC-01: a frame is mapped twice, seen twice, and unmapped", small},
        {"SPC-02: 2 MiB are mapped at once and in parts", large},
        {"SPC-03: a map says exactly what the reserve lacks, and changes nothing", reserve},
        {"SPC-04: a Space takes unused memory only, and gives it back when it dies", fund_errors},
        {"SPC-05: fresh memory is mapped nowhere else and is zero", fresh},
        {"SPC-06: each error of map and unmap has its status and changes nothing", map_errors},
        {"SPC-07: protect only takes rights away", protect},
        {"SPC-08: revoking or deleting a Frame removes its mappings in all Spaces", revoked},
    };

    RIG_RUN(tests);
}
