/* cpuid_test.c: what the VMM adds to the guest's CPUID: topology, rates, XSAVE sizes, itself. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/cpuid.c vmm/cpuid_feature.c */
/* LINK: vmm/cpuid_hypervisor.c */
#include "vmm/test/cpuid_fixture.h"

#include <cpuid.h>

#define CR4_OSXSAVE (1u << 18)
#define CR4_PKE (1u << 22)

static void ask_natively(void *ctx, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    (void)ctx;
    __cpuid_count(leaf, subleaf, out->eax, out->ebx, out->ecx, out->edx);
}

static void shown(void **state)
{
    (void)state;
    init(&skylake, usual(1));
    struct cpuid_regs r = guest(&skylake, 1, 0);
    HAS(r.ecx, 21); /* x2APIC */
    HAS(r.ecx, 24); /* TSC deadline */
    HAS(r.ecx, 26); /* XSAVE */
    HAS(r.ecx, 28); /* AVX */
    HAS(r.ecx, 31); /* hypervisor */
    HAS(r.edx, 9);  /* APIC */
    HAS(r.edx, 12); /* MTRR */
    assert_int_equal(guest(&skylake, 0, 0).eax, 0x16);
    assert_int_equal(guest(&skylake, 0x80000000, 0).eax, 0x80000008);
    assert_int_equal(guest(&skylake, 0x80000008, 0).eax, 48 << 8 | 48);
    assert_int_equal(guest(&skylake, 0x80000007, 0).edx, 1 << 8);
    assert_int_equal(policy.phys_bits, 48);
    assert_true(policy.has_1gb_pages);
    assert_int_equal(guest(&skylake, 1, 0).ebx, 0x0001ff00);
    r = guest(&skylake, 0x40000000, 0);
    assert_int_equal(r.eax, 0x40000010);
    assert_memory_equal(&r.ebx, "QuireQuire  ", 12);
    r = guest(&skylake, 0x40000010, 0);
    assert_true(r.eax == 3500000 && r.ebx == 100000);
    r = guest(&skylake, 0x40000100, 0);
    assert_int_equal(r.eax, 0x40000101);
    assert_memory_equal(&r.ebx, "KVMKVMKVM\0\0", 12);
    r = guest(&skylake, 0x40000101, 0);
    assert_true(r.eax == (1 << 1 | 1 << 6) && r.ebx == 0 && r.ecx == 0 && r.edx == 0);
}

static void follows_cr4(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(1);
    choice.xcr0_allowed = 0x207;
    init(&skylake, choice);
    LACKS(guest(&skylake, 1, 0).ecx, 27);
    HAS(guest(&skylake, 7, 0).ecx, 3);
    LACKS(guest(&skylake, 7, 0).ecx, 4);
    policy.cr4 = CR4_OSXSAVE | CR4_PKE;
    HAS(guest(&skylake, 1, 0).ecx, 27);
    HAS(guest(&skylake, 7, 0).ecx, 4);
    choice.xcr0_allowed = 0;
    init(&skylake, choice);
    policy.cr4 = CR4_OSXSAVE | CR4_PKE;
    struct cpuid_regs r = guest(&skylake, 1, 0);
    LACKS(r.ecx, 12); /* FMA */
    LACKS(r.ecx, 26);
    LACKS(r.ecx, 27);
    LACKS(r.ecx, 28);
    r = guest(&skylake, 7, 0);
    LACKS(r.ebx, 5); /* AVX2 */
    LACKS(r.ecx, 4);
    assert_true(is_zero(guest(&skylake, 0xd, 0)));
}

static void xsave(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(1);
    init(&skylake, choice);
    struct cpuid_regs r = guest(&skylake, 0xd, 0);
    assert_true(r.eax == 7 && r.ebx == 576 && r.ecx == 832 && r.edx == 0);
    policy.xcr0 = 7;
    assert_int_equal(guest(&skylake, 0xd, 0).ebx, 832);
    r = guest(&skylake, 0xd, 1);
    assert_true(r.eax == 7 && r.ebx == 832 && r.ecx == 0 && r.edx == 0);
    r = guest(&skylake, 0xd, 2);
    assert_true(r.eax == 256 && r.ebx == 576 && r.ecx == 0 && r.edx == 0);
    for (uint32_t i = 3; i < 70; i++) {
        assert_true(is_zero(guest(&skylake, 0xd, i)));
    }
    choice.xcr0_allowed = UINT64_MAX;
    init(&skylake, choice);
    policy.xcr0 = 0x2e7;
    r = guest(&skylake, 0xd, 0);
    assert_true(r.eax == 0x2e7 && r.ebx == 2696 && r.ecx == 2696);
    /* 576 + 256 + 64 opmask, 896: aligned already, 512 + 1024, and 8 of PKRU. */
    assert_int_equal(guest(&skylake, 0xd, 1).ebx, 896 + 512 + 1024 + 8);
    HAS(guest(&skylake, 7, 0).ebx, 16);
    choice.xcr0_allowed = 0x67; /* AVX-512 in part is none */
    init(&skylake, choice);
    assert_int_equal(guest(&skylake, 0xd, 0).eax, 7);
    LACKS(guest(&skylake, 7, 0).ebx, 16);
}

static void xcr0_values(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(1);
    choice.xcr0_allowed = 0x2e7;
    init(&skylake, choice);
    static const uint64_t good[] = { 1, 3, 7, 0xe7, 0x207, 0x2e7, 0x201 };
    static const uint64_t bad[] = { 0, 2, 6, 5, 0x27, 0xe3, 0x1f, 0x20007, 1ull << 63 | 3 };
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(cpuid_xcr0_valid(&policy, good[i]));
    }
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(cpuid_xcr0_valid(&policy, bad[i]));
    }
    init(&skylake, usual(1));
    assert_false(cpuid_xcr0_valid(&policy, 0xe7));
}

/* What an operating system works out: x2APIC ids and how many bits of them name the core. */
static void topology(void **state)
{
    (void)state;
    static const struct { uint32_t ncpus, bits; } cases[] = { { 1, 0 }, { 2, 1 }, { 3, 2 },
                                                              { 4, 2 }, { 5, 3 }, { 8, 3 } };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t ids = 1u << cases[i].bits;
        init(&skylake, usual(cases[i].ncpus));
        policy.apic_id = cases[i].ncpus - 1;
        struct cpuid_regs r = guest(&skylake, 1, 0);
        assert_int_equal(r.ebx >> 24, policy.apic_id);
        assert_int_equal(r.ebx >> 16 & 0xff, ids);
        assert_int_equal(r.edx >> 28 & 1, cases[i].ncpus > 1);
        r = guest(&skylake, 0xb, 0);
        assert_true(r.eax == 0 && r.ebx == 1 && r.ecx == 0x100 && r.edx == policy.apic_id);
        r = guest(&skylake, 0xb, 1);
        assert_true(r.eax == cases[i].bits && r.ebx == cases[i].ncpus && r.ecx == 0x201);
        r = guest(&skylake, 0xb, 2);
        assert_true(r.eax == 0 && r.ebx == 0 && r.ecx == 2 && r.edx == policy.apic_id);
        r = guest(&skylake, 4, 0);
        assert_int_equal(r.eax, 0x121 | (ids - 1) << 26);
        r = guest(&skylake, 4, 3);
        assert_int_equal(r.eax, 0x163 | (ids - 1) << 14 | (ids - 1) << 26);
        assert_true(is_zero(guest(&skylake, 4, 4)));
    }
}

/* Linux: crystal in kHz, times the numerator in 32 bits, over the denominator. */
static void timing(void **state)
{
    (void)state;
    static const uint32_t rates[] = { 45000, 1000000, 2893201, 3500000, 3499999, 4200000, 99999,
                                      100000, 100001, 2112003 };
    static const uint32_t timers[] = { 25000, 100000, 1000000, 19200 };
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        for (unsigned j = 0; j < sizeof timers / sizeof timers[0]; j++) {
            struct cpuid_choice choice = usual(1);
            choice.tsc_khz = rates[i];
            choice.apic_timer_khz = timers[j];
            init(&skylake, choice);
            struct cpuid_regs r = guest(&skylake, 0x15, 0);
            uint32_t crystal_khz = r.ecx / 1000;
            assert_int_equal(crystal_khz, timers[j]);
            uint32_t khz = crystal_khz * r.ebx / r.eax;
            uint32_t error = khz > rates[i] ? khz - rates[i] : rates[i] - khz;
            assert_true(error <= 1 + rates[i] / 500000); /* two parts in a million */
        }
    }
    init(&skylake, usual(1));
    struct cpuid_regs r = guest(&skylake, 0x15, 0);
    assert_true(r.eax == 1 && r.ebx == 35 && r.ecx == 100000000);
    r = guest(&skylake, 0x16, 0);
    assert_true(r.eax == 3500 && r.ebx == 3500 && r.ecx == 100);
}

/* A host whose leaves end early repeats the last one: nothing of that may reach the guest. */
static void old_host(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(2);
    init(&lynnfield, choice);
    assert_int_equal(guest(&lynnfield, 0, 0).eax, 0x16);
    for (uint32_t leaf = 0xc; leaf <= 0x14; leaf++) {
        assert_true(is_zero(guest(&lynnfield, leaf, 0)));
    }
    struct cpuid_regs r = guest(&lynnfield, 1, 0);
    LACKS(r.ecx, 26);
    LACKS(r.ecx, 28);
    assert_int_equal(guest(&lynnfield, 0xb, 1).ebx, 2);
    assert_int_equal(guest(&lynnfield, 0x15, 0).ebx, 35);
    assert_false(cpuid_xcr0_valid(&policy, 1));
    const struct host oldest = { "GenuineIntel", 6, 0 };
    init(&oldest, choice);
    assert_true(is_zero(guest(&oldest, 7, 0)));
}

/* XSAVE needs both: the feature, and a leaf that describes it. */
static void no_xsave_leaf(void **state)
{
    (void)state;
    const struct host no_leaf = { "GenuineIntel", 0xc, 7 };
    init(&no_leaf, usual(1));
    assert_int_equal(policy.choice.xcr0_allowed, 0);
    const struct host no_feature = { "GenuineIntel", 0x16, 0 };
    init(&no_feature, usual(1));
    assert_int_equal(policy.choice.xcr0_allowed, 0);
    LACKS(guest(&no_feature, 1, 0).ecx, 26);
    init(&lynnfield, usual(1));
    assert_int_equal(policy.choice.xcr0_allowed, 0);
}

static void long_host(void **state)
{
    (void)state;
    const struct host host = { "GenuineIntel", 0x20, 7 };
    init(&host, usual(4));
    policy.apic_id = 2;
    assert_int_equal(guest(&host, 0, 0).eax, 0x1f);
    struct cpuid_regs b = guest(&host, 0xb, 1);
    struct cpuid_regs v2 = guest(&host, 0x1f, 1);
    assert_memory_equal(&b, &v2, sizeof b);
    assert_int_equal(v2.edx, 2);
    for (uint32_t leaf = 0x17; leaf <= 0x1e; leaf++) {
        assert_true(is_zero(guest(&host, leaf, 0)));
    }
    assert_true(is_zero(guest(&host, 0x20, 0)));
}

/* On the machine that runs the test: no feature appears from nowhere, and the CPU itself agrees
 * with the size of the XSAVE area. */
static void this_machine(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(2);
    choice.xcr0_allowed = UINT64_MAX;
    cpuid_policy_init(&policy, &choice, ask_natively, NULL);
    struct cpuid_regs host, to;
    ask_natively(NULL, 1, 0, &host);
    cpuid_guest(&policy, 1, 0, &host, &to);
    assert_int_equal(to.eax, host.eax);
    assert_int_equal(to.ecx & ~host.ecx & ~(1u << 21 | 1u << 24 | 1u << 31), 0);
    assert_int_equal(to.edx & ~host.edx & ~(1u << 9 | 1u << 28), 0);
    if (!(host.ecx & 1u << 27)) {
        return; /* no XSAVE here */
    }
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    policy.xcr0 = (uint64_t)high << 32 | low;
    ask_natively(NULL, 0xd, 0, &host);
    cpuid_guest(&policy, 0xd, 0, &host, &to);
    if (cpuid_xcr0_valid(&policy, policy.xcr0)) {
        assert_int_equal(to.ebx, host.ebx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "CPUID-02: what the VMM provides is shown", shown, NULL, NULL, NULL },
        { "CPUID-04: OSXSAVE and OSPKE follow CR4", follows_cr4, NULL, NULL, NULL },
        { "CPUID-05: leaf 0xD agrees with itself", xsave, NULL, NULL, NULL },
        { "CPUID-06: values of XCR0", xcr0_values, NULL, NULL, NULL },
        { "CPUID-07: topology in all leaves", topology, NULL, NULL, NULL },
        { "CPUID-08: the TSC rate comes out as Linux computes it", timing, NULL, NULL, NULL },
        { "CPUID-09: a host with few leaves", old_host, NULL, NULL, NULL },
        { "CPUID-11: this machine", this_machine, NULL, NULL, NULL },
        { "CPUID-12: no XSAVE without its leaf or its feature", no_xsave_leaf, NULL, NULL, NULL },
        { "CPUID-13: a host with many leaves", long_host, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
