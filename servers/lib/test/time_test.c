/* time_test.c: ticks and nanoseconds turn into each other exactly enough. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/start_info.c */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "servers/lib/start_info.h"
#include "servers/lib/time.h"

static void near(uint64_t got, long double exact)
{
    long double error = (long double)got - exact;
    error = error < 0 ? -error : error;
    assert_true(error <= 1.0L + exact / (1ull << 27));
}

static void test_ratio(void **state)
{
    (void)state;
    static const uint64_t rates[] = { 45000000, 100000001, 1000000000, 2999999999, 3500000000,
        8000000000 };
    for (unsigned r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
        struct tsc_clock clock = tsc_clock(rates[r]);
        for (uint64_t value = 1; value < 1ull << 53; value = value * 3 + 1) {
            near(tsc_to_ns(&clock, value), (long double)value * 1e9L / rates[r]);
        }
        /* The other way while the result fits 64 bits. */
        for (uint64_t value = 1; value < 1ull << 53; value = value * 3 + 1) {
            near(ns_to_tsc(&clock, value), (long double)value * rates[r] / 1e9L);
        }
    }
}

static void test_unknown(void **state)
{
    (void)state;
    struct tsc_clock clock = tsc_clock(0);
    assert_int_equal(tsc_to_ns(&clock, 12345), 12345);
}

static void test_table(void **state)
{
    (void)state;
    struct start_info info = { .entry_count = 3 };
    info.entry[0] = (struct start_entry){ .name = "a", .kind = START_USE, .cap = 9 };
    info.entry[1] = (struct start_entry){ .name = "mem", .kind = START_VALUE, .size = 7 };
    info.entry[2] = (struct start_entry){ .name = "b", .kind = START_USE, .cap = 10 };
    info.entry[3] = (struct start_entry){ .name = "c", .kind = START_USE, .cap = 11 };
    assert_int_equal(start_cap(&info, START_USE, "b"), 10);
    assert_int_equal(start_cap(&info, START_SERVE, "b"), 0);
    assert_int_equal(start_cap(&info, START_USE, "c"), 0);
    assert_ptr_equal(start_find(&info, START_USE, NULL, 1), &info.entry[2]);
    assert_null(start_find(&info, START_USE, NULL, 2));
    assert_int_equal(start_value(&info, "mem", 1), 7);
    assert_int_equal(start_value(&info, "vcpus", 1), 1);
    info.entry_count = UINT32_MAX;
    assert_null(start_find(&info, START_USE, "none", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "TIME-01: both ways are right to one part in 2^27", test_ratio, NULL, NULL, NULL },
        { "TIME-02: an unknown frequency counts as 1 GHz", test_unknown, NULL, NULL, NULL },
        { "START-01: entries are found by kind, name and number", test_table, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
