/* lapic_test.c: the local APIC's priorities, pins, IPIs and MSRs, by the SDM's rules. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/lapic.c vmm/lapic_msr.c vmm/lapic_regs.c vmm/lapic_timer.c */
#include "vmm/test/lapic_fixture.h"

static void highest_first(void **state)
{
    (void)state;
    lapic_raise(&lapic, 0x31, false);
    lapic_raise(&lapic, 0xEF, false);
    lapic_raise(&lapic, 0x35, false);
    take(0xEF);
    assert_int_equal(lapic_pending(&lapic), LAPIC_NO_VECTOR);
    write_reg(LAPIC_EOI, 0);
    take(0x35);
    /* 0x31 is in the same class: it waits. A higher class nests. */
    assert_int_equal(lapic_pending(&lapic), LAPIC_NO_VECTOR);
    lapic_raise(&lapic, 0x41, false);
    take(0x41);
    assert_int_equal(read_reg(LAPIC_PPR), 0x40);
    write_reg(LAPIC_EOI, 0);
    assert_int_equal(read_reg(LAPIC_PPR), 0x30);
    write_reg(LAPIC_EOI, 0);
    take(0x31);
    assert_int_equal(heard.eois, 0);
}

static void tpr_holds_back(void **state)
{
    (void)state;
    lapic_raise(&lapic, 0x51, false);
    lapic_set_cr8(&lapic, 5);
    assert_int_equal(read_reg(LAPIC_TPR), 0x50);
    assert_int_equal(lapic_pending(&lapic), LAPIC_NO_VECTOR);
    write_reg(LAPIC_TPR, 0x4F);
    assert_int_equal(lapic_cr8(&lapic), 4);
    assert_int_equal(read_reg(LAPIC_PPR), 0x4F);
    take(0x51);
    assert_int_equal(read_reg(LAPIC_ISR + 0x20), 1U << 0x11);
    assert_int_equal(read_reg(LAPIC_IRR + 0x20), 0);
}

static void level_eoi_is_broadcast(void **state)
{
    (void)state;
    lapic_raise(&lapic, 0x61, true);
    take(0x61);
    assert_int_equal(read_reg(LAPIC_TMR + 0x30), 2);
    write_reg(LAPIC_EOI, 0);
    assert_int_equal(heard.eois, 1);
    assert_int_equal(heard.eoi, 0x61);
    lapic_raise(&lapic, 0x61, false);
    take(0x61);
    write_reg(LAPIC_EOI, 0);
    write_reg(LAPIC_EOI, 0); /* nothing in service: no effect */
    assert_int_equal(heard.eois, 1);
}

static void illegal_vector_is_an_error(void **state)
{
    (void)state;
    write_reg(LAPIC_LVT_ERROR, 0xFE);
    lapic_raise(&lapic, 15, false);
    assert_int_equal(read_reg(LAPIC_ESR), 0);
    write_reg(LAPIC_ESR, 0);
    assert_int_equal(read_reg(LAPIC_ESR), LAPIC_ERROR_RECEIVE_VECTOR);
    take(0xFE);
    write_reg(LAPIC_EOI, 0);
    write_reg(LAPIC_ICR_LOW, 3);
    write_reg(0x3F0, 0x40); /* no such register in xAPIC mode */
    write_reg(LAPIC_ESR, 0);
    assert_int_equal(read_reg(LAPIC_ESR), LAPIC_ERROR_SEND_VECTOR | LAPIC_ERROR_REGISTER);
    assert_int_equal(heard.ipis, 0);
}

static void error_vector_may_be_illegal(void **state)
{
    (void)state;
    write_reg(LAPIC_LVT_ERROR, 5);
    write_reg(LAPIC_ICR_LOW, 3);
    write_reg(LAPIC_ESR, 0);
    assert_int_equal(read_reg(LAPIC_ESR), LAPIC_ERROR_SEND_VECTOR | LAPIC_ERROR_RECEIVE_VECTOR);
}

static void disabled_takes_nothing(void **state)
{
    (void)state;
    write_reg(LAPIC_LVT_TIMER, 0x40);
    write_reg(LAPIC_SVR, 0xFF);
    assert_false(lapic_raise(&lapic, 0x40, false));
    assert_int_equal(read_reg(LAPIC_LVT_TIMER), 0x40 | LAPIC_LVT_MASKED);
    write_reg(LAPIC_LVT_TIMER, 0x40);
    assert_int_equal(read_reg(LAPIC_LVT_TIMER), 0x40 | LAPIC_LVT_MASKED);
}

static void icr_becomes_a_message(void **state)
{
    (void)state;
    write_reg(LAPIC_ICR_HIGH, 3U << 24);
    write_reg(LAPIC_ICR_LOW, 0x4000 | 0x55);
    assert_int_equal(heard.ipi.dest, 3);
    assert_int_equal(heard.ipi.vector, 0x55);
    assert_int_equal(heard.ipi.mode, IRQ_FIXED);
    assert_int_equal(heard.to, LAPIC_TO_DEST);
    write_reg(LAPIC_ICR_HIGH, 0xFFU << 24);
    write_reg(LAPIC_ICR_LOW, 0x4500);
    assert_true(heard.ipi.dest == IRQ_BROADCAST);
    assert_int_equal(heard.ipi.mode, IRQ_INIT);
    write_reg(LAPIC_ICR_LOW, 0x8500); /* INIT level de-assert */
    assert_int_equal(heard.ipis, 2);
    write_reg(LAPIC_ICR_LOW, 0xC4608);
    assert_int_equal(heard.to, LAPIC_TO_OTHERS);
    assert_int_equal(heard.ipi.mode, IRQ_STARTUP);
    assert_int_equal(heard.ipi.vector, 8);
    write_reg(LAPIC_ICR_LOW, 0x0800 | 0x44);
    assert_true(heard.ipi.logical);
    assert_int_equal(read_reg(LAPIC_ICR_LOW), 0x0844);
}

static void destinations(void **state)
{
    (void)state;
    assert_true(lapic_matches(&lapic, 2, false));
    assert_false(lapic_matches(&lapic, 3, false));
    assert_true(lapic_matches(&lapic, IRQ_BROADCAST, false));
    write_reg(LAPIC_LDR, 0x04FFFFFF);
    assert_int_equal(read_reg(LAPIC_LDR), 0x04000000);
    assert_true(lapic_matches(&lapic, 0x0C, true));
    assert_false(lapic_matches(&lapic, 0x03, true));
    write_reg(LAPIC_DFR, 0); /* cluster model: 0x24 is APIC 4 of cluster 2 */
    write_reg(LAPIC_LDR, 0x24000000);
    assert_true(lapic_matches(&lapic, 0x26, true));
    assert_false(lapic_matches(&lapic, 0x34, true));
    assert_false(lapic_matches(&lapic, 0x21, true));
}

static void lint_pins(void **state)
{
    (void)state;
    write_reg(LAPIC_LVT_LINT0, 0x700);
    write_reg(LAPIC_LVT_LINT1, 0x400);
    assert_false(lapic_extint(&lapic));
    lapic_set_lint(&lapic, 0, true);
    assert_true(lapic_extint(&lapic));
    assert_int_equal(heard.interrupts, 1);
    lapic_set_lint(&lapic, 1, true);
    lapic_set_lint(&lapic, 1, true);
    assert_int_equal(heard.nmis, 1);
    lapic_set_lint(&lapic, 0, false);
    write_reg(LAPIC_LVT_LINT0, 0x44);
    lapic_set_lint(&lapic, 0, true);
    assert_false(lapic_extint(&lapic));
    take(0x44);
}

static enum lapic_status wrmsr(uint32_t msr, uint64_t value)
{
    return lapic_write_msr(&lapic, msr, now, value);
}

static void mode_changes(void **state)
{
    uint64_t base = PLAT_LAPIC_BASE;

    (void)state;
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, base | 0x400), LAPIC_FAULT);
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, (base + 0x1000) | 0x800), LAPIC_FAULT);
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, base | 0x801), LAPIC_FAULT);
    assert_int_equal(wrmsr(0x802, 0), LAPIC_FAULT);
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, base | 0xC00), LAPIC_OK);
    assert_false(lapic_in_xapic_mode(&lapic));
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, base | 0x800), LAPIC_FAULT);
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, base), LAPIC_OK);
    assert_false(lapic_matches(&lapic, 2, false));
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, base | 0xC00), LAPIC_FAULT);
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, base | 0x800), LAPIC_OK);
    assert_int_equal(read_reg(LAPIC_SVR), 0xFF);
    assert_int_equal(wrmsr(0x10, 0), LAPIC_NO_REGISTER);
}

static void x2apic_registers(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(wrmsr(LAPIC_MSR_BASE, PLAT_LAPIC_BASE | 0xC00), LAPIC_OK);
    assert_int_equal(lapic_read_msr(&lapic, 0x802, now, &value), LAPIC_OK);
    assert_int_equal(value, 2);
    assert_int_equal(lapic_read_msr(&lapic, 0x80D, now, &value), LAPIC_OK);
    assert_int_equal(value, 4);
    assert_true(lapic_matches(&lapic, 0x0000000C, true));
    assert_false(lapic_matches(&lapic, 0x00010004, true));
    assert_int_equal(wrmsr(0x830, 0x300004055), LAPIC_OK);
    assert_int_equal(heard.ipi.dest, 3);
    assert_int_equal(lapic_read_msr(&lapic, 0x830, now, &value), LAPIC_OK);
    assert_true(value == 0x300004055);
    assert_int_equal(wrmsr(0x83F, 0x77), LAPIC_OK);
    assert_int_equal(heard.to, LAPIC_TO_SELF);
    assert_int_equal(heard.ipi.vector, 0x77);
    assert_int_equal(wrmsr(0x80B, 0), LAPIC_OK);
    for (unsigned msr = 0x800; msr <= 0x8FF; msr++) {
        /* SDM 3A, table "Local APIC Register Address Map Supported by x2APIC", less CMCI */
        bool has = msr == 0x802 || msr == 0x803 || msr == 0x808 || msr == 0x80A || msr == 0x80D ||
                   msr == 0x80F || (msr >= 0x810 && msr <= 0x828) || msr == 0x830 ||
                   (msr >= 0x832 && msr <= 0x839) || msr == 0x83E;
        bool writable = msr == 0x808 || msr == 0x80B || msr == 0x80F || msr == 0x828 ||
                        msr == 0x830 || (msr >= 0x832 && msr <= 0x838) || msr == 0x83E;

        assert_int_equal(lapic_read_msr(&lapic, msr, now, &value), has ? LAPIC_OK : LAPIC_FAULT);
        assert_int_equal(wrmsr(msr, 0), writable || msr == 0x83F ? LAPIC_OK : LAPIC_FAULT);
        assert_int_equal(wrmsr(msr, 1ULL << (msr == 0x830 ? 31 : 40)), LAPIC_FAULT);
    }
    assert_int_equal(wrmsr(0x80B, 1), LAPIC_FAULT);
    assert_int_equal(wrmsr(0x832, LAPIC_LVT_TIMER_MODE), LAPIC_FAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"LAPIC-01: the highest class is taken first, and nests", highest_first, setup, 0, 0},
        {"LAPIC-02: TPR and CR8 hold back their class", tpr_holds_back, setup, 0, 0},
        {"LAPIC-03: only a level-triggered EOI is broadcast", level_eoi_is_broadcast, setup, 0, 0},
        {"LAPIC-04: vectors below 16 are errors", illegal_vector_is_an_error, setup, 0, 0},
        {"LAPIC-05: an illegal error vector ends", error_vector_may_be_illegal, setup, 0, 0},
        {"LAPIC-06: software-disabled, it takes and unmasks nothing", disabled_takes_nothing,
         setup, 0, 0},
        {"LAPIC-07: the ICR becomes a message", icr_becomes_a_message, setup, 0, 0},
        {"LAPIC-08: physical, flat and cluster destinations", destinations, setup, 0, 0},
        {"LAPIC-09: LINT0 and LINT1 by their modes", lint_pins, setup, 0, 0},
        {"LAPIC-10: legal and illegal mode changes", mode_changes, setup, 0, 0},
        {"LAPIC-11: the x2APIC MSRs of the SDM and no others", x2apic_registers, setup, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
