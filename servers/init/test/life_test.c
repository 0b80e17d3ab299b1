/* life_test.c: what happens to a child that ends or dies. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/init/life.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "servers/init/life.h"

#define LONG_AFTER (10 * LIFE_QUICK_NS)

static struct life running(void)
{
    struct life life = { 0 };
    life_started(&life, 0);
    return life;
}

static void test_end(void **state)
{
    (void)state;
    const struct manifest_child guest = { .guest = 1, .runs = 1 };
    struct life life = running();
    assert_false(life_over(&life));
    assert_int_equal(life_ends(&life, &guest, END_POWER_OFF), LIFE_DESTROY);
    assert_int_equal(life_destroyed(&life, 0), LIFE_NOTHING);
    assert_true(life_over(&life));
    assert_int_equal(life_ends(&life, &guest, END_POWER_OFF), LIFE_NOTHING);
    assert_int_equal(life_dies(&life, &guest, LONG_AFTER), LIFE_NOTHING);
}

static void test_reset(void **state)
{
    (void)state;
    struct manifest_child guest = { .guest = 1, .runs = 1, .on_reset = RESET_RESTART };
    struct life life = running();
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(life_ends(&life, &guest, END_RESET), LIFE_DESTROY);
        assert_int_equal(life_destroyed(&life, 0), LIFE_START);
        life_started(&life, 0);
    }
    guest.on_reset = RESET_STOP;
    life_ends(&life, &guest, END_RESET);
    assert_int_equal(life_destroyed(&life, 0), LIFE_NOTHING);
    assert_true(life_over(&life));
}

static void test_runs(void **state)
{
    (void)state;
    const struct manifest_child guest = { .guest = 1, .runs = 50 };
    struct life life = running();
    unsigned runs = 1;
    while (life_ends(&life, &guest, END_DEBUG_EXIT) == LIFE_DESTROY &&
           life_destroyed(&life, 0) == LIFE_START) {
        life_started(&life, 0);
        runs++;
    }
    assert_int_equal(runs, 50);
    life = running();
    life_ends(&life, &guest, END_REFUSED);
    assert_int_equal(life_destroyed(&life, 0), LIFE_NOTHING);
}

static void test_watchers(void **state)
{
    (void)state;
    const struct manifest_child guest = { .guest = 1, .runs = 2 };
    struct life life = running();
    life_ends(&life, &guest, END_HALT);
    assert_int_equal(life_destroyed(&life, 1u << 3 | 1u << 5), LIFE_NOTHING);
    assert_false(life_over(&life));
    assert_int_equal(life_released(&life, 4), LIFE_NOTHING);
    assert_int_equal(life_released(&life, 3), LIFE_NOTHING);
    assert_int_equal(life_released(&life, 3), LIFE_NOTHING);
    assert_int_equal(life_released(&life, 1000), LIFE_NOTHING);
    assert_int_equal(life_released(&life, 5), LIFE_START);
    life_started(&life, 0);
    assert_int_equal(life_released(&life, 5), LIFE_NOTHING);
}

static void test_death(void **state)
{
    (void)state;
    struct manifest_child server = { .runs = 1 };
    struct life life = running();
    assert_int_equal(life_dies(&life, &server, LONG_AFTER), LIFE_LEAVE);
    assert_true(life_over(&life));
    assert_int_equal(life_dies(&life, &server, LONG_AFTER), LIFE_NOTHING);
    server.restart = 1;
    life = running();
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(life_dies(&life, &server, LONG_AFTER), LIFE_DESTROY);
        assert_int_equal(life_destroyed(&life, 0), LIFE_START);
        life_started(&life, 0);
    }
    const struct manifest_child guest = { .guest = 1, .runs = 1 };
    life = running();
    assert_int_equal(life_dies(&life, &guest, LONG_AFTER), LIFE_DESTROY);
    assert_int_equal(life_destroyed(&life, 0), LIFE_NOTHING);
}

static void test_quick_deaths(void **state)
{
    (void)state;
    const struct manifest_child server = { .restart = 1 };
    struct life life = { 0 };
    uint64_t now = 0;
    unsigned deaths = 0;
    enum life_action action;
    do {
        life_started(&life, now);
        now += LIFE_QUICK_NS / 2;
        action = life_dies(&life, &server, now);
        deaths++;
    } while (action == LIFE_DESTROY && life_destroyed(&life, 0) == LIFE_START);
    assert_int_equal(action, LIFE_LEAVE);
    assert_int_equal(deaths, LIFE_QUICK_DEATHS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "LIFE-01: a guest that ends is destroyed, once", test_end, NULL, NULL, NULL },
        { "LIFE-02: a reset starts it again only if the manifest says so", test_reset, NULL, NULL,
            NULL },
        { "LIFE-03: it runs as often as the manifest says", test_runs, NULL, NULL, NULL },
        { "LIFE-04: it waits for all its watchers", test_watchers, NULL, NULL, NULL },
        { "LIFE-05: a dead server stays or starts again, a dead VMM goes", test_death, NULL, NULL,
            NULL },
        { "LIFE-06: a server that dies at once is not started for ever", test_quick_deaths, NULL,
            NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
