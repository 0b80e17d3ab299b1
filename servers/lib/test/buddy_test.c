/* buddy_test.c: pieces of untyped memory are disjoint, of the right size, and join again. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/buddy.c servers/lib/slot_map.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/lib/buddy.h"
#include "servers/lib/slot_map.h"

#define SLOTS 512u

/* The world: which range of memory the Untyped in each slot is, and whether it has been cut. */
struct range {
    uint64_t start, size;
    unsigned cut;
};
static struct range world[SLOTS];
static struct slot_map slots;
static int cuts_allowed;

static uint32_t cut(void *context, uint32_t slot, unsigned bits)
{
    (void)context;
    uint32_t first = cuts_allowed-- > 0 ? slot_take(&slots, 2) : 0;
    if (first == 0) {
        return 0;
    }
    assert_int_equal(world[slot].size, 2ull << bits);
    assert_int_equal(world[slot].cut, 0);
    world[slot].cut = 1;
    world[first] = (struct range){ world[slot].start, 1ull << bits, 0 };
    world[first + 1] = (struct range){ world[slot].start + (1ull << bits), 1ull << bits, 0 };
    return first;
}

static void join(void *context, uint32_t first)
{
    (void)context;
    uint64_t start = world[first].start, size = world[first].size;
    assert_true(world[first].cut == 0 && world[first + 1].cut == 0);
    assert_int_equal(world[first + 1].start, start + size);
    memset(&world[first], 0, 2 * sizeof(world[0]));
    slot_give(&slots, first, 2);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (world[slot].cut == 1 && world[slot].start == start && world[slot].size == 2 * size) {
            world[slot].cut = 0;
            return;
        }
    }
    fail_msg("joined halves of nothing");
}

static void setup(struct buddy *buddy)
{
    memset(world, 0, sizeof(world));
    cuts_allowed = INT32_MAX;
    slot_map_init(&slots, 16, SLOTS);
    buddy_init(buddy, (struct buddy_operations){ cut, join, NULL });
    world[1] = (struct range){ 0x1000000, 1 << 24, 0 };
    world[2] = (struct range){ 0x4000000, 1 << 20, 0 };
    assert_true(buddy_add(buddy, 1, 24));
    assert_true(buddy_add(buddy, 2, 20));
    assert_false(buddy_add(buddy, 3, 11));
}

static struct buddy buddy;

static void test_random(void **state)
{
    (void)state;
    uint32_t taken[64];
    unsigned count = 0;
    setup(&buddy);
    uint32_t free_slots = slot_free(&slots);
    srand(3);
    for (unsigned i = 0; i < 100000; i++) {
        if (count > 0 && rand() % 2 != 0) {
            unsigned which = (unsigned)rand() % count;
            buddy_give(&buddy, taken[which]);
            taken[which] = taken[--count];
            continue;
        }
        unsigned bits = 12 + (unsigned)rand() % 10;
        uint64_t before = buddy_free(&buddy);
        uint32_t node = count < 64 ? buddy_take(&buddy, bits) : BUDDY_NONE;
        if (node == BUDDY_NONE) {
            assert_int_equal(buddy_free(&buddy), before);
            continue;
        }
        const struct range *mine = &world[buddy.node[node].slot];
        assert_int_equal(mine->size, 1ull << bits);
        assert_int_equal(mine->cut, 0);
        assert_int_equal(buddy_free(&buddy), before - mine->size);
        for (unsigned t = 0; t < count; t++) {
            const struct range *other = &world[buddy.node[taken[t]].slot];
            assert_true(mine->start + mine->size <= other->start ||
                        other->start + other->size <= mine->start);
        }
        taken[count++] = node;
    }
    while (count > 0) {
        buddy_give(&buddy, taken[--count]);
    }
    assert_int_equal(buddy_free(&buddy), (1 << 24) + (1 << 20));
    assert_int_equal(slot_free(&slots), free_slots);
    assert_int_equal(world[buddy.node[buddy_take_largest(&buddy)].slot].size, 1 << 24);
    assert_int_equal(world[buddy.node[buddy_take_largest(&buddy)].slot].size, 1 << 20);
    assert_int_equal(buddy_take_largest(&buddy), BUDDY_NONE);
}

/* However many cuts succeed before the slots run out, nothing is lost. */
static void test_no_slots(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 14; allowed++) {
        setup(&buddy);
        cuts_allowed = allowed;
        uint32_t node = buddy_take(&buddy, 12);
        assert_true((node != BUDDY_NONE) == (allowed >= 8));
        uint64_t taken = node != BUDDY_NONE ? 4096 : 0;
        assert_int_equal(buddy_free(&buddy), (1 << 24) + (1 << 20) - taken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "BUDDY-01: pieces are disjoint and exact, and all joins again", test_random, NULL, NULL,
            NULL },
        { "BUDDY-02: out of slots, nothing changes", test_no_slots, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
