/* slot_map_test.c: slots are given out once, in runs, the lowest first. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/slot_map.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "servers/lib/slot_map.h"

#define FIRST 20u
#define END   300u

static uint32_t lowest_run(const bool *taken, uint32_t count)
{
    for (uint32_t first = FIRST; first + count <= END; first++) {
        uint32_t run = 0;
        while (run < count && !taken[first + run]) {
            run++;
        }
        if (run == count) {
            return first;
        }
    }
    return 0;
}

static void test_random(void **state)
{
    (void)state;
    static struct slot_map map;
    bool taken[END] = { false };
    slot_map_init(&map, FIRST, END);
    srand(4);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t count = 1 + (uint32_t)rand() % 9;
        uint32_t expected = lowest_run(taken, count);
        assert_int_equal(slot_take(&map, count), expected);
        for (uint32_t s = 0; expected != 0 && s < count; s++) {
            taken[expected + s] = true;
        }
        uint32_t free = 0;
        for (uint32_t slot = FIRST; slot < END; slot++) {
            if (taken[slot] && rand() % 20 == 0) {
                slot_give(&map, slot, 1);
                taken[slot] = false;
            }
            free += !taken[slot];
        }
        assert_int_equal(slot_free(&map), free);
    }
}

static void test_limits(void **state)
{
    (void)state;
    static struct slot_map map;
    slot_map_init(&map, 1, 1000000);
    assert_int_equal(slot_free(&map), SLOT_MAP_MAX - 1);
    assert_int_equal(slot_take(&map, 0), 0);
    assert_int_equal(slot_take(&map, SLOT_MAP_MAX), 0);
    assert_int_equal(slot_take(&map, SLOT_MAP_MAX - 1), 1);
    assert_int_equal(slot_take(&map, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "SLOT-01: the lowest run that is free is taken", test_random, NULL, NULL, NULL },
        { "SLOT-02: a full map gives 0", test_limits, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
