/* lapic_timer_test.c: the local APIC's timer in its three modes. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/lapic.c vmm/lapic_msr.c vmm/lapic_regs.c vmm/lapic_timer.c */
#include "vmm/test/lapic_fixture.h"

static void one_shot(void **state)
{
    (void)state;
    write_reg(LAPIC_TIMER_DIVIDE, 3); /* by 16 */
    write_reg(LAPIC_LVT_TIMER, 0x40);
    write_reg(LAPIC_TIMER_INITIAL, 100);
    assert_int_equal(lapic_deadline(&lapic), 1000 + 100 * 16 * TICKS);
    now = 1000 + 30 * 16 * TICKS;
    assert_int_equal(read_reg(LAPIC_TIMER_CURRENT), 70);
    tick(1000 + 100 * 16 * TICKS - 1);
    assert_int_equal(read_reg(LAPIC_TIMER_CURRENT), 1);
    assert_int_equal(heard.interrupts, 0);
    tick(now + 1);
    take(0x40);
    assert_int_equal(read_reg(LAPIC_TIMER_CURRENT), 0);
    assert_true(lapic_deadline(&lapic) == CLOCK_NEVER);
}

static void dividers(void **state)
{
    static const unsigned by[16] = {[0] = 2, [1] = 4, [2] = 8, [3] = 16, [8] = 32, [9] = 64,
                                    [10] = 128, [11] = 1};

    (void)state;
    write_reg(LAPIC_LVT_TIMER, 0x40);
    for (unsigned code = 0; code < 16; code++) {
        if (by[code] != 0) {
            write_reg(LAPIC_TIMER_INITIAL, 0);
            write_reg(LAPIC_TIMER_DIVIDE, code);
            write_reg(LAPIC_TIMER_INITIAL, 7);
            assert_int_equal(lapic_deadline(&lapic), now + 7 * by[code] * TICKS);
        }
    }
}

static void periodic(void **state)
{
    (void)state;
    write_reg(LAPIC_TIMER_DIVIDE, 11);
    write_reg(LAPIC_LVT_TIMER, 0x40 | LAPIC_LVT_PERIODIC);
    write_reg(LAPIC_TIMER_INITIAL, 50);
    for (unsigned i = 1; i <= 5; i++) {
        tick(1000 + i * 50 * TICKS);
        take(0x40);
        write_reg(LAPIC_EOI, 0);
    }
    tick(now + 3 * 50 * TICKS + 10 * TICKS); /* three missed: one interrupt */
    take(0x40);
    assert_int_equal(read_reg(LAPIC_TIMER_CURRENT), 40);
    assert_int_equal(lapic_deadline(&lapic), 1000 + 9 * 50 * TICKS);
    write_reg(LAPIC_TIMER_INITIAL, 0);
    assert_true(lapic_deadline(&lapic) == CLOCK_NEVER);
}

static void masked_timer_runs_silently(void **state)
{
    (void)state;
    write_reg(LAPIC_TIMER_DIVIDE, 11);
    write_reg(LAPIC_LVT_TIMER, 0x40 | LAPIC_LVT_PERIODIC | LAPIC_LVT_MASKED);
    write_reg(LAPIC_TIMER_INITIAL, 50);
    assert_true(lapic_deadline(&lapic) == CLOCK_NEVER);
    now = 1000 + 60 * TICKS;
    assert_int_equal(read_reg(LAPIC_TIMER_CURRENT), 40);
    write_reg(LAPIC_LVT_TIMER, 0x40 | LAPIC_LVT_PERIODIC);
    assert_int_equal(lapic_pending(&lapic), LAPIC_NO_VECTOR);
    assert_int_equal(lapic_deadline(&lapic), 1000 + 100 * TICKS);
}

static void tsc_deadline_fires_once(void **state)
{
    uint64_t value;

    (void)state;
    lapic_write_msr(&lapic, LAPIC_MSR_TSC_DEADLINE, now, 5000);
    assert_true(lapic_deadline(&lapic) == CLOCK_NEVER); /* not in that mode: ignored */
    write_reg(LAPIC_LVT_TIMER, 0x40 | LAPIC_LVT_TSC_DEADLINE);
    lapic_write_msr(&lapic, LAPIC_MSR_TSC_DEADLINE, now, 5000);
    assert_int_equal(lapic_deadline(&lapic), 5000);
    lapic_read_msr(&lapic, LAPIC_MSR_TSC_DEADLINE, now, &value);
    assert_int_equal(value, 5000);
    tick(4999);
    assert_int_equal(lapic_pending(&lapic), LAPIC_NO_VECTOR);
    tick(5000);
    take(0x40);
    lapic_read_msr(&lapic, LAPIC_MSR_TSC_DEADLINE, now, &value);
    assert_int_equal(value, 0);
    tick(100000);
    assert_int_equal(heard.interrupts, 1);
    write_reg(LAPIC_EOI, 0);
    lapic_write_msr(&lapic, LAPIC_MSR_TSC_DEADLINE, now, 7); /* past: at once */
    take(0x40);
    lapic_write_msr(&lapic, LAPIC_MSR_TSC_DEADLINE, now, now + 10);
    write_reg(LAPIC_LVT_TIMER, 0x40); /* another mode disarms */
    assert_true(lapic_deadline(&lapic) == CLOCK_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"LAPIC-20: the one-shot timer counts down and fires", one_shot, setup, 0, 0},
        {"LAPIC-21: all dividers", dividers, setup, 0, 0},
        {"LAPIC-22: the periodic timer keeps its phase", periodic, setup, 0, 0},
        {"LAPIC-23: a masked timer runs without deadlines", masked_timer_runs_silently, setup, 0,
         0},
        {"LAPIC-24: a TSC deadline fires once", tsc_deadline_fires_once, setup, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
