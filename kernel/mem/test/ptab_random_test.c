/* ptab_random_test.c: random operations on three Spaces, each compared with a flat map. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: kernel/mem/phys.c kernel/mem/format.c kernel/mem/format_x86.c kernel/mem/format_ept.c */
/* LINK: kernel/mem/reserve.c kernel/mem/rmap.c kernel/mem/map.c kernel/mem/narrow.c */
/* LINK: kernel/mem/ptab.c kernel/mem/check.c */
/* LINK: kernel/mem/test/machine.c kernel/mem/test/model.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mem/check.h"
#include "kernel/mem/rmap.h"
#include "kernel/mem/test/model.h"

#define POOL 0x40000000ull     /* frames are from here: small and large ones overlap */
#define OPERATIONS 1000000u
#define RESERVE_MAX 40u

static struct ptab spaces[MODEL_SPACES];
static struct pt_format format;
static struct model model;
static uint64_t state;
static uint64_t narrowed[MODEL_SPACES];

static uint64_t roll(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

/* One in so many. */
static bool rarely(uint64_t times)
{
    return roll(times) == 0;
}

static uint64_t random_address(unsigned level, uint64_t *room)
{
    unsigned w = level == 2 ? 3 : (unsigned)roll(MODEL_WINDOWS);
    const struct model_window *window = &model.window[w];
    uint64_t size = page_size(level) / PAGE_SIZE;
    uint64_t first = w == 3 && level < 2 ? 0x40000 : 0; /* the last 4 MiB of the large window */
    uint64_t page = first + roll(window->pages - first);
    uint64_t address = (window->base + page * PAGE_SIZE) & ~(page_size(level) - 1);

    if (address < window->base + first * PAGE_SIZE) {
        address += page_size(level);
    }
    uint64_t end = window->base + window->pages * PAGE_SIZE;

    *room = address < end ? (end - address) / PAGE_SIZE / size : 0;
    return address;
}

static uint64_t random_frame(unsigned level)
{
    if (level == 2) {
        return POOL + roll(2) * page_size(2);
    }
    uint64_t base = rarely(10) ? MACHINE_DEVICE : POOL;

    return base + roll((4u << 20) / page_size(level)) * page_size(level);
}

static unsigned random_rights(void)
{
    static const unsigned usual[] = { 1, 3, 5, 7, 3, 7 };

    return rarely(20) ? (unsigned)roll(8) : usual[roll(6)];
}

static void try_map(unsigned s)
{
    unsigned level = rarely(8) ? (rarely(200) ? 2 : 1) : 0;
    uint64_t room;
    uint64_t address = random_address(level, &room);
    uint64_t physical = random_frame(level);
    uint64_t count = rarely(6) ? 1 + roll(level == 0 ? 600 : 3) : 1;
    unsigned flags = random_rights() | level << MAP_SIZE_SHIFT;
    uint64_t lacking = 0;
    uint64_t predicted = 0;

    count = rarely(300) ? 0 : count < room ? count : room;
    flags |= rarely(8) ? MAP_UNCACHED : 0u;
    flags |= rarely(4) ? MAP_FRESH : 0u;
    flags |= rarely(300) ? MAP_SIZE_MASK : 0u;
    address += rarely(200) ? 0x800 : 0;
    physical += rarely(200) ? 0x10 : 0;
    physical += rarely(200) ? 1ull << 40 : 0;
    bool ram = physical + PAGE_SIZE <= MACHINE_RAM;

    if ((flags & MAP_FRESH) && ram && model.uses[physical >> 12] == 0) {
        memset(page_address(physical & ~0xfffull), 0xee, PAGE_SIZE);
    }
    enum status want = model_map(&model, s, address, physical, flags, count, &predicted);

    assert_int_equal(ptab_map(&spaces[s], address, physical, flags, count, &lacking), want);
    assert_int_equal(lacking, predicted);
    if (want == OK && (flags & MAP_FRESH)) {
        const uint64_t *word = page_address(physical);

        assert_int_equal(word[0] | word[roll(512)] | word[511], 0);
    }
}

static void random_range(uint64_t *address, uint64_t *pages)
{
    uint64_t room;

    *address = random_address(rarely(4) ? 1 : 0, &room);
    *pages = rarely(3) ? 1 + roll(1200) : rarely(8) ? 512 : rarely(300) ? 0 : 1;
    if (rarely(2000)) {
        *address = model.window[3].base;
        *pages = 0x40000;
    }
    *address += rarely(300) ? 1 : 0;
}

static void try_narrow(unsigned s, bool unmap)
{
    uint64_t address;
    uint64_t pages;
    uint64_t predicted;
    uint64_t changed = 0;
    uint64_t done = 0;
    unsigned rights = random_rights();
    enum status status;

    random_range(&address, &pages);
    enum status want = unmap ? model_unmap(&model, s, address, pages, &predicted)
                             : model_protect(&model, s, address, pages, rights, &predicted);

    do {
        struct ptab_progress progress;
        uint64_t from = address + done * PAGE_SIZE;
        uint64_t budget = 1 + roll(rarely(2) ? 3 : 1000);

        status = unmap ? ptab_unmap(&spaces[s], from, pages - done, budget, &progress)
                       : ptab_protect(&spaces[s], from, pages - done, rights, budget, &progress);
        changed += progress.changed;
        done += progress.pages;
        assert_int_equal(progress.narrowed, progress.changed != 0);
    } while (status == OK && done < pages);
    assert_int_equal(status, want);
    assert_int_equal(changed, predicted);
}

static void note(struct ptab *space)
{
    assert_true(space >= spaces && space < spaces + MODEL_SPACES);
    narrowed[space - spaces]++;
}

static void try_revoke(void)
{
    unsigned level = rarely(20) ? (rarely(20) ? 2 : 1) : 0;
    uint64_t physical = random_frame(level);
    uint64_t cursor = 0;

    memset(narrowed, 0, sizeof(narrowed));
    while (page_unmap_step(physical, 12 + 9 * level, &cursor, 1 + roll(10000), note)) {
        continue;
    }
    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        assert_int_equal(narrowed[s], model_revoke(&model, s, physical, page_size(level)));
    }
    if (page_is_ram(physical)) {
        assert_false(page_mapped(physical, level));
    }
}

static void try_reserve(unsigned s)
{
    struct model_space *space = &model.space[s];

    if (rarely(2) && space->funded < RESERVE_MAX) {
        ptab_fund(&spaces[s], machine_page());
        space->funded++;
        return;
    }
    uint64_t generation = ptab_close(&spaces[s]);

    while (ptab_reclaim(&spaces[s], generation, 1 + roll(3))) {
        continue;
    }
    space->retired = 0;
}

/* The CPU notes an access, as it may at any moment. */
static void touch(unsigned s)
{
    uint64_t room;
    struct machine_view view;

    if (machine_walk(&spaces[s], random_address(0, &room), &view)) {
        *view.entry |= roll(2) ? format.accessed : format.noted;
    }
}

/* Unmaps all in steps, and starts with a new Space in its place. */
static void start_over(unsigned s)
{
    while (ptab_clear_step(&spaces[s], 1 + roll(100))) {
        continue;
    }
    assert_null(ptab_check(&spaces[s]));
    while (ptab_reclaim(&spaces[s], ptab_close(&spaces[s]), 5)) {
        continue;
    }
    assert_int_equal(spaces[s].reserve.count, model.space[s].funded);
    while (ptab_finish_step(&spaces[s], 7)) {
        continue;
    }
    model_revoke(&model, s, 0, UINT64_MAX / 2);
    model.space[s].funded = 0;
    model.space[s].retired = 0;
    machine_space(&spaces[s], &format, 0);
}

static void compare(unsigned s, uint64_t address)
{
    const struct model_page *page = model_page(&model, s, address);
    bool mapped = page != NULL && page->mapped;
    struct ptab_leaf leaf;
    struct machine_view view;
    enum status status = ptab_query(&spaces[s], address, &leaf);

    assert_int_equal(machine_walk(&spaces[s], address, &view), mapped);
    assert_int_equal(status, mapped ? OK : E_UNMAPPED);
    if (mapped) {
        assert_int_equal(leaf.physical, page->physical);
        assert_int_equal(leaf.flags, page->flags | page->level << MAP_SIZE_SHIFT);
        assert_int_equal(view.physical, page->physical);
        assert_int_equal(view.level, page->level);
        assert_int_equal(view.rights, page->flags & MAP_RIGHTS);
        assert_int_equal(view.uncached, (page->flags & MAP_UNCACHED) != 0);
    }
}

static void compare_all(void)
{
    uint64_t mappings;
    uint64_t sum = 0;

    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        const char *wrong = ptab_check(&spaces[s]);

        assert_string_equal(wrong ? wrong : "", "");
        sum += spaces[s].mapped[0] + spaces[s].mapped[1] + spaces[s].mapped[2];
        for (unsigned w = 0; w < MODEL_WINDOWS; w++) {
            for (uint64_t i = 0; i < model.window[w].pages; i++) {
                compare(s, model.window[w].base + i * PAGE_SIZE);
            }
        }
    }
    const char *wrong = page_check_all(&mappings);

    assert_string_equal(wrong ? wrong : "", "");
    assert_int_equal(mappings, sum);
}

static void operate(void)
{
    unsigned s = (unsigned)roll(MODEL_SPACES);
    uint64_t kind = roll(1000);
    uint64_t room;

    if (kind < 450) {
        try_map(s);
    } else if (kind < 750) {
        try_narrow(s, true);
    } else if (kind < 850) {
        try_narrow(s, false);
    } else if (kind < 900) {
        try_revoke();
    } else if (kind < 950) {
        try_reserve(s);
    } else {
        touch(s);
    }
    if (rarely(100000)) {
        start_over(s);
    }
    for (unsigned i = 0; i < 3; i++) {
        compare(s, random_address(0, &room));
    }
    assert_memory_equal(spaces[s].mapped, model.space[s].mapped, sizeof(spaces[s].mapped));
    assert_int_equal(spaces[s].reserve.count, model_free(&model.space[s]));
}

static void run(const struct model_rules *rules, unsigned operations, uint64_t seed)
{
    machine_reset();
    model_reset(&model, rules);
    state = seed;
    for (unsigned s = 0; s < MODEL_SPACES; s++) {
        machine_space(&spaces[s], &format, 0);
    }
    for (unsigned i = 0; i < operations; i++) {
        operate();
        if (i % 100000 == 0) {
            compare_all();
        }
        if (i % 1000 == 0) {
            const char *wrong = ptab_check(&spaces[roll(MODEL_SPACES)]);

            assert_string_equal(wrong ? wrong : "", "");
        }
    }
    compare_all();
}

static const struct model_rules rules_x86 = { 0x7ffffffff000, false, { true, true, true } };
static const struct model_rules rules_ept = { 1ull << 48, true, { true, true, true } };

static void random_x86(void **unused)
{
    (void)unused;
    pt_format_x86(&format, &machine_caps);
    run(&rules_x86, OPERATIONS, 1);
}

static void random_ept(void **unused)
{
    (void)unused;
    pt_format_ept(&format, &machine_caps);
    run(&rules_ept, OPERATIONS, 2);
}

static void random_old_ept(void **unused)
{
    struct model_rules rules = { 1ull << 48, false, { true, true, false } };
    struct pt_caps caps = machine_caps;

    (void)unused;
    caps.ept_1g = false;
    caps.ept_ad = false;
    caps.ept_exec_only = false;
    pt_format_ept(&format, &caps);
    run(&rules, OPERATIONS / 4, 3);
}

static void random_old_x86(void **unused)
{
    struct model_rules rules = { 0x7ffffffff000, false, { true, true, false } };
    struct pt_caps caps = machine_caps;

    (void)unused;
    caps.page_1g = false;
    pt_format_x86(&format, &caps);
    run(&rules, OPERATIONS / 4, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "PTAB-01: a million random operations on x86 tables match the flat map", random_x86,
          NULL, NULL, NULL },
        { "PTAB-02: a million random operations on EPT match the flat map", random_ept,
          NULL, NULL, NULL },
        { "PTAB-03: EPT without 1 GiB pages, A/D, execute-only matches the flat map",
          random_old_ept, NULL, NULL, NULL },
        { "PTAB-04: x86 tables without 1 GiB pages match the flat map", random_old_x86,
          NULL, NULL, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
