/* ptab_edge_test.c: limits, empty reserves, odd arguments, budgets and device memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: kernel/mem/phys.c kernel/mem/format.c kernel/mem/format_x86.c kernel/mem/format_ept.c */
/* LINK: kernel/mem/reserve.c kernel/mem/rmap.c kernel/mem/map.c kernel/mem/narrow.c */
/* LINK: kernel/mem/ptab.c kernel/mem/check.c kernel/mem/test/machine.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mem/check.h"
#include "kernel/mem/rmap.h"
#include "kernel/mem/test/machine.h"

#define FRAME 0x40000000ull
#define RW (MAP_READ | MAP_WRITE)
#define ALL UINT64_MAX

static struct ptab guest;
static struct ptab process;
static uint64_t lacking;
static struct ptab_progress progress;
static struct ptab_leaf leaf;

static int set_up(void **unused)
{
    (void)unused;
    machine_reset();
    pt_formats_init(&machine_caps);
    machine_space(&guest, &pt_formats[PT_EPT], 40);
    machine_space(&process, &pt_formats[PT_X86], 40);
    lacking = 0;
    return 0;
}

static int check_all(void **unused)
{
    uint64_t mappings;
    const char *wrong = ptab_check(&guest);

    (void)unused;
    wrong = wrong ? wrong : ptab_check(&process);
    wrong = wrong ? wrong : page_check_all(&mappings);
    if (wrong != NULL) {
        print_error("%s\n", wrong);
    }
    return wrong != NULL;
}

static void note(struct ptab *space)
{
    space->owner = space;
}

static void check_limit(struct ptab *pt, uint64_t limit)
{
    uint64_t top = limit & ~0x1fffffull;

    assert_int_equal(ptab_map(pt, limit - 0x1000, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(ptab_map(pt, limit, FRAME, RW, 1, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(pt, limit - 0x2000, FRAME, RW, 3, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(pt, top - 0x200000, FRAME, RW | MAP_2M, 3, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(pt, 0xfffffffffffff000, FRAME, RW, 1, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(pt, 0xfffffffffffff000, FRAME, RW, 2, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_query(pt, limit, &leaf), E_ARGUMENT);
    assert_int_equal(ptab_query(pt, limit - 1, &leaf), OK);
    assert_int_equal(ptab_unmap(pt, limit - 0x1000, 2, ALL, &progress), E_ARGUMENT);
    assert_int_equal(ptab_unmap(pt, limit, 1, ALL, &progress), E_ARGUMENT);
    assert_int_equal(ptab_unmap(pt, 0x1000, ALL >> 12, ALL, &progress), E_ARGUMENT);
    assert_int_equal(ptab_unmap(pt, 0x1000, ALL, ALL, &progress), E_ARGUMENT);
    assert_int_equal(ptab_unmap(pt, 0, limit >> 12, ALL, &progress), OK);
    assert_int_equal(progress.changed, 1);
    assert_int_equal(progress.pages, limit >> 12);
}

static void addresses_end(void **unused)
{
    uint64_t *root = page_address(process.root);

    (void)unused;
    memset(&root[256], 0xff, 2048); /* the kernel's half is never looked at */
    check_limit(&process, 0x7ffffffff000);
    check_limit(&guest, 1ull << 48);
    assert_int_equal(root[256], ALL);
    assert_int_equal(root[511], ALL);
}

static void physical_addresses_end(void **unused)
{
    uint64_t top = 1ull << 40;

    (void)unused;
    assert_int_equal(ptab_map(&guest, 0, top - 0x1000, RW, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0x1000, top, RW, 1, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(&guest, 0x1000, top - 0x1000, RW, 2, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(&guest, 0x1000, 0 - 0x1000ull, RW, 1, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(&guest, 0x1000, 0 - 0x1000ull, RW, 2, &lacking), E_ARGUMENT);
}

static void reserve_is_counted(void **unused)
{
    static const uint64_t border = 512ull << 30;
    struct ptab poor;

    (void)unused;
    machine_space(&poor, &pt_formats[PT_EPT], 0);
    assert_int_equal(ptab_map(&poor, 0, FRAME, RW, 1, &lacking), E_RESERVE);
    assert_int_equal(lacking, 4);
    assert_int_equal(ptab_map(&poor, 0xff000, FRAME, RW, 2, &lacking), E_RESERVE);
    assert_int_equal(lacking, 5); /* both halves of one table */
    assert_int_equal(ptab_map(&poor, border - 0x1000, FRAME, RW, 2, &lacking), E_RESERVE);
    assert_int_equal(lacking, 8); /* nothing in common but the root */
    assert_int_equal(ptab_map(&poor, 0x1ff000, FRAME, RW, 2, &lacking), E_RESERVE);
    assert_int_equal(lacking, 6); /* two lowest tables under the same two */
    assert_int_equal(ptab_map(&poor, 0, FRAME, RW | MAP_2M, 2, &lacking), E_RESERVE);
    assert_int_equal(lacking, 3);
    assert_int_equal(ptab_map(&poor, 0, FRAME, RW | MAP_1G, 1, &lacking), E_RESERVE);
    assert_int_equal(lacking, 2);
    assert_int_equal(poor.tables + poor.links + poor.reserve.total, 0);
    ptab_fund(&poor, machine_page());
    ptab_fund(&poor, machine_page());
    ptab_fund(&poor, machine_page());
    assert_int_equal(ptab_map(&poor, 0, FRAME, RW, 1, &lacking), E_RESERVE);
    assert_int_equal(lacking, 1);
    assert_int_equal(poor.tables, 0);
    ptab_fund(&poor, machine_page());
    assert_int_equal(ptab_map(&poor, 0, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(poor.reserve.count, 0);
    assert_int_equal(ptab_map(&poor, 0x1000, FRAME, RW, 255, &lacking), OK);
    assert_int_equal(ptab_map(&poor, 0x100000, FRAME, RW, 1, &lacking), E_RESERVE);
    assert_null(ptab_check(&poor));
    while (ptab_clear_step(&poor, 10)) {
        continue;
    }
}

static void sizes_may_be_absent(void **unused)
{
    struct pt_caps caps = machine_caps;

    (void)unused;
    caps.page_1g = false;
    caps.ept_1g = false;
    caps.ept_2m = false;
    caps.ept_ad = false;
    pt_formats_init(&caps);
    assert_int_equal(pt_formats[PT_EPT].accessed | pt_formats[PT_EPT].dirty, 0);
    assert_int_equal(ptab_map(&process, 0, FRAME, RW | MAP_1G, 1, &lacking), E_UNSUPPORTED);
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW | MAP_1G, 1, &lacking), E_UNSUPPORTED);
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW | MAP_2M, 1, &lacking), E_UNSUPPORTED);
    assert_int_equal(ptab_map(&process, 0, FRAME, RW | MAP_2M, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW | MAP_SIZE_MASK, 1, &lacking), E_ARGUMENT);
}

static void superpages_are_not_cut(void **unused)
{
    (void)unused;
    assert_int_equal(ptab_map(&guest, 0x200000, FRAME, RW | MAP_2M, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0x1ff000, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0x400000, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(ptab_unmap(&guest, 0x1ff000, 2, ALL, &progress), E_ALIGN);
    assert_int_equal(ptab_unmap(&guest, 0x201000, 513, ALL, &progress), E_ALIGN);
    assert_int_equal(ptab_unmap(&guest, 0x200000, 1, ALL, &progress), E_ALIGN);
    assert_int_equal(ptab_protect(&guest, 0x1ff000, 2, MAP_READ, ALL, &progress), E_ALIGN);
    assert_int_equal(progress.pages, 0);
    assert_int_equal(guest.mapped[0] + guest.mapped[1], 3);
    assert_int_equal(ptab_query(&guest, 0x1ff000, &leaf), OK);
    assert_int_equal(leaf.flags, RW);
    assert_int_equal(ptab_unmap(&guest, 0x1ff000, 514, ALL, &progress), OK);
    assert_int_equal(progress.changed, 514);
}

static void protect_only_narrows(void **unused)
{
    (void)unused;
    assert_int_equal(ptab_map(&guest, 0, FRAME, MAP_READ, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0x1000, FRAME, 7, 1, &lacking), OK);
    assert_int_equal(ptab_protect(&guest, 0, 2, RW, ALL, &progress), OK);
    assert_int_equal(progress.changed, 1);
    assert_int_equal(ptab_query(&guest, 0, &leaf), OK);
    assert_int_equal(leaf.flags, MAP_READ);
    assert_int_equal(ptab_query(&guest, 0x1000, &leaf), OK);
    assert_int_equal(leaf.flags, RW);
    assert_int_equal(ptab_protect(&guest, 0, 2, RW, ALL, &progress), OK);
    assert_false(progress.narrowed);
    assert_int_equal(ptab_protect(&guest, 0, 2, 0, ALL, &progress), E_ARGUMENT);
}

static void budget_is_kept(void **unused)
{
    uint64_t cursor = 0;
    unsigned steps = 0;

    (void)unused;
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW, 512, &lacking), OK);
    assert_int_equal(ptab_unmap(&guest, 0, 512, 100, &progress), OK);
    assert_int_equal(progress.pages, 100);
    assert_int_equal(guest.mapped[0], 412);
    while (page_unmap_step(FRAME, 21, &cursor, 100, note)) {
        steps++;
    }
    assert_in_range(steps, 9, 10); /* 512 frames looked at and 412 mappings removed */
    assert_int_equal(guest.mapped[0], 0);
    assert_ptr_equal(guest.owner, &guest);
}

static void revoke_gives_way(void **unused)
{
    uint64_t cursor = 0;

    (void)unused;
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW, 1, &lacking), OK);
    lock_take(&guest.lock); /* as another CPU would */
    assert_true(page_unmap_step(FRAME, 12, &cursor, 10, note));
    lock_release(&guest.lock);
    assert_int_equal(guest.mapped[0], 1);
    assert_false(page_unmap_step(FRAME, 12, &cursor, 10, note));
    assert_int_equal(guest.mapped[0], 0);
}

static void device_memory_is_revoked(void **unused)
{
    unsigned flags = RW | MAP_UNCACHED;
    uint64_t cursor = 0;

    (void)unused;
    /* Far more frames than there are shared descriptors. */
    for (unsigned i = 0; i < 1024; i++) {
        uint64_t physical = MACHINE_DEVICE + i * PAGE_SIZE;

        assert_int_equal(ptab_map(&guest, i * PAGE_SIZE, physical, flags, 1, &lacking), OK);
        assert_int_equal(ptab_map(&process, i * PAGE_SIZE, physical, flags, 1, &lacking), OK);
    }
    assert_int_equal(ptab_map(&guest, 0x800000, MACHINE_DEVICE, flags | MAP_2M, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0x400000, MACHINE_DEVICE, flags | MAP_FRESH, 1, &lacking),
                     E_ARGUMENT);
    while (page_unmap_step(MACHINE_DEVICE + 0x5000, 12, &cursor, 1, note)) {
        continue;
    }
    assert_int_equal(guest.mapped[0] + process.mapped[0], 2 * 1023);
    assert_int_equal(guest.mapped[1], 0); /* the superpage contained it */
    assert_int_equal(ptab_query(&process, 0x5000, &leaf), E_UNMAPPED);
    cursor = 0;
    while (page_unmap_step(MACHINE_DEVICE, 21, &cursor, 100, note)) {
        continue;
    }
    assert_int_equal(guest.mapped[0] + process.mapped[0], 2 * 512);
}

static void reserve_comes_back(void **unused)
{
    uint64_t root = guest.root;
    uint64_t page = root + PAGE_SIZE; /* the first that it was funded with */

    (void)unused;
    assert_int_equal(ptab_map(&guest, 0x1ff000, FRAME, RW, 300, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 1ull << 40, FRAME, RW | MAP_2M, 2, &lacking), OK);
    while (ptab_clear_step(&guest, 7)) {
        continue;
    }
    while (ptab_reclaim(&guest, ptab_close(&guest), 2)) {
        continue;
    }
    assert_null(ptab_check(&guest));
    assert_int_equal(guest.reserve.count, 40);
    while (ptab_finish_step(&guest, 3)) {
        continue;
    }
    assert_int_equal(page_of(root)->kind, PAGE_FRAME);
    assert_int_equal(page_of(page)->kind, PAGE_FRAME);
    assert_int_equal(ptab_map(&process, 0, page, RW | MAP_FRESH, 1, &lacking), OK);
    machine_space(&guest, &pt_formats[PT_EPT], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "PTAB-20: nothing is mapped beyond a format's last address", addresses_end,
          set_up, check_all, NULL },
        { "PTAB-21: nothing is mapped beyond the CPU's last physical address",
          physical_addresses_end, set_up, check_all, NULL },
        { "PTAB-22: a map that lacks pages changes nothing and says how many", reserve_is_counted,
          set_up, check_all, NULL },
        { "PTAB-23: sizes that the CPU lacks are refused", sizes_may_be_absent,
          set_up, check_all, NULL },
        { "PTAB-24: a range that cuts a superpage is refused whole", superpages_are_not_cut,
          set_up, check_all, NULL },
        { "PTAB-25: protect never adds a right", protect_only_narrows, set_up, check_all, NULL },
        { "PTAB-26: long operations stop at their budget and go on", budget_is_kept,
          set_up, check_all, NULL },
        { "PTAB-27: a revoke does not wait for a Space that another CPU holds", revoke_gives_way,
          set_up, check_all, NULL },
        { "PTAB-28: device frames are revoked, and only they", device_memory_is_revoked,
          set_up, check_all, NULL },
        { "PTAB-29: the end of a Space gives every page back", reserve_comes_back,
          set_up, check_all, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
