/* ptab_invariant_test.c: the numbered rules that maps, unmaps and revokes keep, one by one. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: kernel/mem/phys.c kernel/mem/format.c kernel/mem/format_x86.c kernel/mem/format_ept.c */
/* LINK: kernel/mem/reserve.c kernel/mem/rmap.c kernel/mem/map.c kernel/mem/narrow.c */
/* LINK: kernel/mem/ptab.c kernel/mem/check.c kernel/mem/test/machine.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

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

/* Whatever a test did, everything must be consistent after it. */
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

static void revoke(uint64_t physical, unsigned bits)
{
    uint64_t cursor = 0;

    while (page_unmap_step(physical, bits, &cursor, 1000, note)) {
        continue;
    }
}

static uint64_t *entry_at(struct ptab *pt, uint64_t address)
{
    struct machine_view view;

    return machine_walk(pt, address, &view) ? view.entry : NULL;
}

static void fresh_is_exclusive(void **unused)
{
    unsigned fresh = RW | MAP_FRESH;
    uint64_t *memory = page_address(FRAME);

    (void)unused;
    memory[0] = 7;
    assert_int_equal(ptab_map(&process, 0x1000, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0x1000, FRAME, fresh, 1, &lacking), E_BUSY);
    assert_int_equal(ptab_map(&process, 0x2000, FRAME, fresh, 1, &lacking), E_BUSY);
    assert_int_equal(ptab_map(&guest, 0x200000, FRAME, fresh | MAP_2M, 1, &lacking), E_BUSY);
    assert_int_equal(ptab_map(&guest, 0, FRAME - 0x5000, fresh, 10, &lacking), E_BUSY);
    assert_int_equal(memory[0], 7);
    revoke(FRAME, 12);
    assert_int_equal(ptab_map(&guest, 0x200000, FRAME, fresh | MAP_2M, 1, &lacking), OK);
    assert_int_equal(memory[0], 0);
    assert_int_equal(ptab_map(&process, 0x1000, FRAME + 0x3000, fresh, 1, &lacking), E_BUSY);
    revoke(FRAME + 0x3000, 12);
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW | MAP_1G, 1, &lacking), OK);
    assert_int_equal(ptab_map(&process, 0x1000, FRAME + 0x3000, fresh, 1, &lacking), E_BUSY);
    assert_int_equal(ptab_map(&process, 0, FRAME + 0x400000, fresh | MAP_2M, 1, &lacking), E_BUSY);
}

static void unmap_keeps_notes(void **unused)
{
    const struct page *page = page_of(FRAME);

    (void)unused;
    assert_int_equal(ptab_map(&guest, 0x1000, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0x2000, FRAME + 0x1000, RW, 1, &lacking), OK);
    *entry_at(&guest, 0x1000) |= 0x300; /* EPT A and D */
    *entry_at(&guest, 0x2000) |= 0x100;
    assert_int_equal(ptab_protect(&guest, 0x1000, 1, MAP_READ, ALL, &progress), OK);
    assert_int_equal(*entry_at(&guest, 0x1000) & 0x307, 0x301);
    assert_int_equal(ptab_unmap(&guest, 0x1000, 2, ALL, &progress), OK);
    assert_int_equal(page[0].touched, PAGE_ACCESSED | PAGE_DIRTY);
    assert_int_equal(page[1].touched, PAGE_ACCESSED);
    assert_int_equal(ptab_map(&guest, 0x1000, FRAME, RW | MAP_FRESH, 1, &lacking), OK);
    assert_int_equal(page[0].touched, 0);
    revoke(FRAME, 12);
    assert_int_equal(ptab_map(&process, 0, FRAME, RW | MAP_2M, 1, &lacking), OK);
    *entry_at(&process, 0) |= 0x20; /* x86 A; D is set from the start (I6) */
    revoke(FRAME, 21);
    assert_int_equal(page[0].touched, (PAGE_ACCESSED | PAGE_DIRTY) << 2);
}

/*
 * A CPU that writes to the page once a round: it sets D in one atomic step, if the entry allows it.
 * 'lead' is how long it waits more than the other side; whoever came first in a round is made to
 * wait longer in the next, so that the two meet at the very instruction again and again.
 */
#define WRITE_ROUNDS 60000u

static uint64_t *written_entry;
static unsigned round_begun;
static unsigned round_ended;
static bool write_done;
static int lead;

static void wait_a_while(int turns)
{
    for (volatile int i = 0; i < turns; i++) {
        continue;
    }
}

static void wait_for(const unsigned *counter, unsigned number)
{
    for (unsigned turn = 1; __atomic_load_n(counter, __ATOMIC_ACQUIRE) != number; turn++) {
        if (turn % 4096 == 0) {
            sched_yield(); /* the other may be waiting for this very core */
        }
    }
}

static void *write_once_a_round(void *unused)
{
    for (unsigned number = 1; number <= WRITE_ROUNDS; number++) {
        bool done = false;

        wait_for(&round_begun, number);
        wait_a_while(lead);
        uint64_t old = __atomic_load_n(written_entry, __ATOMIC_ACQUIRE);

        while ((old & 2) != 0 && !done) {
            done = __atomic_compare_exchange_n(written_entry, &old, old | 0x300, false,
                                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        }
        write_done = done;
        __atomic_store_n(&round_ended, number, __ATOMIC_RELEASE);
    }
    return unused;
}

/* One round: the page is unmapped, or made read-only first, while the other CPU writes to it. */
static void race_once(unsigned number, bool protect)
{
    struct page *page = page_of(FRAME);

    assert_int_equal(ptab_map(&guest, 0x1000, FRAME, RW, 1, &lacking), OK);
    page->touched = 0;
    written_entry = entry_at(&guest, 0x1000);
    __atomic_store_n(&round_begun, number, __ATOMIC_RELEASE);
    wait_a_while(-lead);
    if (protect) {
        assert_int_equal(ptab_protect(&guest, 0x1000, 1, MAP_READ, ALL, &progress), OK);
        wait_for(&round_ended, number);
    }
    assert_int_equal(ptab_unmap(&guest, 0x1000, 1, ALL, &progress), OK);
    wait_for(&round_ended, number);
    lead += write_done ? 1 : -1;
    assert_int_equal((page->touched & PAGE_DIRTY) != 0, write_done);
}

static void no_write_is_lost(void **unused)
{
    pthread_t cpu;

    (void)unused;
    assert_int_equal(ptab_map(&guest, 0x2000, FRAME + 0x1000, RW, 1, &lacking), OK);
    pthread_create(&cpu, NULL, write_once_a_round, NULL);
    for (unsigned number = 1; number <= WRITE_ROUNDS; number++) {
        race_once(number, number > WRITE_ROUNDS / 2);
    }
    pthread_join(cpu, NULL);
}

static void no_write_without_read(void **unused)
{
    (void)unused;
    for (unsigned type = PT_X86; type <= PT_EPT; type++) {
        const struct pt_format *format = &pt_formats[type];

        for (unsigned flags = 0; flags < PT_LEAF_COUNT; flags++) {
            uint64_t leaf = format->leaf[flags];

            assert_false((leaf & format->write) != 0 && (leaf & format->read) == 0);
            assert_int_equal(leaf != 0 && (leaf & format->present) == 0, 0);
        }
    }
    assert_int_equal(ptab_map(&guest, 0, FRAME, MAP_WRITE, 1, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(&guest, 0, FRAME, MAP_WRITE | MAP_EXEC, 1, &lacking), E_ARGUMENT);
    assert_int_equal(ptab_map(&guest, 0, FRAME, MAP_EXEC, 1, &lacking), OK);
    assert_int_equal(ptab_map(&process, 0, FRAME, MAP_EXEC, 1, &lacking), E_UNSUPPORTED);
    *entry_at(&guest, 0) = FRAME | 6 << 3 | 6; /* W and X: the check must see it */
    assert_string_equal(ptab_check(&guest), "I11: a leaf has write without read");
    assert_int_equal(ptab_unmap(&guest, 0, 1, ALL, &progress), OK);
}

static void writable_superpage_is_dirty(void **unused)
{
    (void)unused;
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW | MAP_2M, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 0x200000, FRAME, MAP_READ | MAP_2M, 1, &lacking), OK);
    assert_int_equal(*entry_at(&guest, 0) & 0x287, 0x283);
    assert_int_equal(*entry_at(&guest, 0x200000) & 0x287, 0x81);
}

static void check_sees_lost_entries(void **unused)
{
    struct mapping *mapping;
    uint64_t mappings;
    uint64_t *entry;
    uint64_t value;

    (void)unused;
    assert_int_equal(ptab_map(&guest, 0x1000, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(ptab_map(&process, 0x1000, FRAME, RW, 1, &lacking), OK);
    assert_null(page_check_all(&mappings));
    assert_int_equal(mappings, 2);
    entry = entry_at(&process, 0x1000);
    value = *entry;
    mapping = page_of(FRAME)->frame.chain; /* the one made last, of the process */
    page_of(FRAME)->frame.chain = mapping->next;
    assert_non_null(ptab_check(&process));
    page_of(FRAME)->frame.chain = mapping;
    *entry += 0x1000; /* another frame than the chain's */
    assert_string_equal(page_check_all(&mappings),
                        "I19: a mapping entry is on another frame's chain");
    *entry = 0;
    assert_string_equal(ptab_check(&process), "I19: a mapping entry without a leaf");
    *entry = value;
    process.mapped[0]++;
    assert_string_equal(ptab_check(&process), "I19: the count of mapped pages is wrong");
    process.mapped[0]--;
}

static void absent_is_zero(void **unused)
{
    uint64_t *entry;

    (void)unused;
    assert_int_equal(ptab_map(&process, 0x1000, FRAME, 7, 2, &lacking), OK);
    entry = entry_at(&process, 0x1000);
    assert_int_equal(ptab_unmap(&process, 0x1000, 1, ALL, &progress), OK);
    assert_int_equal(*entry, 0);
    *entry = FRAME; /* an address behind a clear present bit, as L1TF wants it */
    assert_string_equal(ptab_check(&process), "I28: an entry that is not present is not zero");
    *entry = 0;
}

static void tables_wait_for_shootdown(void **unused)
{
    uint64_t before = guest.reserve.count;
    uint64_t first;
    uint64_t second;

    (void)unused;
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(ptab_map(&guest, 1ull << 40, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(guest.reserve.count, before - 8); /* twice three tables, one of entries */
    assert_int_equal(ptab_unmap(&guest, 0, 1, ALL, &progress), OK);
    assert_true(progress.narrowed);
    assert_int_equal(guest.reserve.count, before - 7); /* tables are not there yet */
    first = ptab_close(&guest);
    assert_int_equal(ptab_unmap(&guest, 1ull << 40, 1, ALL, &progress), OK);
    second = ptab_close(&guest);
    assert_false(ptab_reclaim(&guest, first - 1, ALL));
    assert_int_equal(guest.reserve.count, before - 6);
    assert_true(ptab_reclaim(&guest, first, 1));
    assert_false(ptab_reclaim(&guest, first, ALL));
    assert_int_equal(guest.reserve.count, before - 3);
    assert_false(ptab_reclaim(&guest, second, ALL));
    assert_int_equal(guest.reserve.count, before);
}

static void fresh_is_zero(void **unused)
{
    uint64_t *memory = page_address(FRAME);

    (void)unused;
    memset(memory, 0x5a, 0x200000);
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW, 1, &lacking), OK);
    assert_int_equal(memory[0], 0x5a5a5a5a5a5a5a5a); /* cleared only if asked for */
    assert_int_equal(ptab_unmap(&guest, 0, 1, ALL, &progress), OK);
    assert_int_equal(ptab_map(&guest, 0, FRAME, RW | MAP_FRESH, 1, &lacking), OK);
    assert_int_equal(memory[0] | memory[511], 0);
    assert_int_equal(memory[512], 0x5a5a5a5a5a5a5a5a);
    memory[5] = 1; /* another guest had it */
    revoke(FRAME, 12);
    assert_int_equal(ptab_map(&process, 0, FRAME, RW | MAP_FRESH | MAP_2M, 1, &lacking), OK);
    for (unsigned i = 0; i < 0x200000 / 8; i++) {
        assert_int_equal(memory[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "PTAB-10: I4: fresh memory must not be mapped anywhere, in part or as part",
          fresh_is_exclusive, set_up, check_all, NULL },
        { "PTAB-11: I5: what the CPU noted goes to the frame when its entry is cleared",
          unmap_keeps_notes, set_up, check_all, NULL },
        { "PTAB-12: I5: no dirty bit is lost to a CPU that writes at that moment",
          no_write_is_lost, set_up, check_all, NULL },
        { "PTAB-13: I11: no leaf has write without read", no_write_without_read,
          set_up, check_all, NULL },
        { "PTAB-14: I6: a writable superpage is dirty from the start",
          writable_superpage_is_dirty, set_up, check_all, NULL },
        { "PTAB-15: I19: the check sees a leaf and a mapping entry that differ",
          check_sees_lost_entries, set_up, check_all, NULL },
        { "PTAB-16: I28: what is not present is zero", absent_is_zero, set_up, check_all, NULL },
        { "PTAB-17: I29: emptied tables come back only after their shootdown",
          tables_wait_for_shootdown, set_up, check_all, NULL },
        { "PTAB-18: I31: fresh memory is zero, other memory is left alone", fresh_is_zero,
          set_up, check_all, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
