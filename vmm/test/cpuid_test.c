/* cpuid_test.c: the guest's CPUID on hosts that have everything, little, or are this machine. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/cpuid.c vmm/cpuid_feature.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <cpuid.h>

#include "vmm/cpuid.h"

#define ALL_ALLOWED 0x7fu
#define CR4_OSXSAVE (1u << 18)
#define CR4_PKE (1u << 22)

static struct cpuid_policy policy;

/* A host that says yes to everything. Its leaves end where `last_leaf` says; beyond, as Intel's
 * CPUs do, it repeats the last. XSAVE layout: that of a Skylake-X. */
struct host {
    const char *vendor;
    uint32_t last_leaf;
    uint32_t xcr0;
};

static const struct host skylake = { "GenuineIntel", 0x16, 0x2ff };
static const struct host lynnfield = { "GenuineIntel", 0xb, 0 };
static const struct host epyc = { "AuthenticAMD", 0xd, 0x207 };

static void leaf_d(const struct host *host, uint32_t subleaf, struct cpuid_regs *out)
{
    static const struct cpuid_regs components[10] = {
        [2] = { 256, 576, 0, 0 }, [3] = { 64, 960, 0, 0 },    [4] = { 64, 1024, 0, 0 },
        [5] = { 64, 1088, 0, 0 }, [6] = { 512, 1152, 2, 0 },  [7] = { 1024, 1664, 2, 0 },
        [8] = { 128, 0, 1, 0 },   [9] = { 8, 2688, 0, 0 },
    };
    if (subleaf == 0) {
        *out = (struct cpuid_regs){ host->xcr0, 0x1234, 2696, 0 };
    } else if (subleaf == 1) {
        *out = (struct cpuid_regs){ 0x1f, 0x1234, 0x100, 0 };
    } else {
        *out = subleaf < 10 ? components[subleaf] : (struct cpuid_regs){ 0 };
    }
}

static void ask(void *ctx, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    const struct host *host = ctx;
    *out = (struct cpuid_regs){ UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
    if (leaf == 0) {
        out->eax = host->last_leaf;
        memcpy(&out->ebx, host->vendor, 4);
        memcpy(&out->edx, host->vendor + 4, 4);
        memcpy(&out->ecx, host->vendor + 8, 4);
    } else if (leaf == 0xd && host->last_leaf >= 0xd) {
        leaf_d(host, subleaf, out);
    } else if (leaf == 4) {
        /* L1D, L1I, L2, L3, end; shared by many on the host. */
        static const uint32_t types[5] = { 0x21, 0x22, 0x43, 0x63, 0 };
        *out = (struct cpuid_regs){ types[subleaf < 4 ? subleaf : 4] | 0xffffc100, 7, 63, 1 };
        out->eax = subleaf < 4 ? out->eax : 0xffffc100;
    } else if (leaf == 0x80000000) {
        out->eax = 0x80000021;
    } else if (leaf == 0x80000008) {
        out->eax = 0x00003930; /* 48 physical, 57 linear bits */
    } else if (leaf == 1 && host->xcr0 == 0) {
        out->ecx &= ~(1u << 26);
    }
}

static void ask_natively(void *ctx, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    (void)ctx;
    __cpuid_count(leaf, subleaf, out->eax, out->ebx, out->ecx, out->edx);
}

static struct cpuid_choice usual(uint32_t ncpus)
{
    return (struct cpuid_choice){ .xcr0_allowed = 0x7, .allow = ALL_ALLOWED, .tsc_khz = 3500000,
                                  .apic_timer_khz = 100000, .ncpus = ncpus };
}

static void init(const struct host *host, struct cpuid_choice choice)
{
    cpuid_policy_init(&policy, &choice, ask, (void *)(uintptr_t)host);
}

static struct cpuid_regs guest(const struct host *host, uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs from;
    struct cpuid_regs to;
    ask((void *)(uintptr_t)host, leaf, subleaf, &from);
    cpuid_guest(&policy, leaf, subleaf, &from, &to);
    return to;
}

static bool is_zero(struct cpuid_regs regs)
{
    return (regs.eax | regs.ebx | regs.ecx | regs.edx) == 0;
}

#define HAS(value, bit) assert_true((value) >> (bit) & 1)
#define LACKS(value, bit) assert_false((value) >> (bit) & 1)

static void hidden(void **state)
{
    (void)state;
    init(&skylake, usual(1));
    struct cpuid_regs r = guest(&skylake, 1, 0);
    static const int ecx_1[] = { 2, 3, 4, 5, 6, 7, 8, 10, 11, 15, 16, 18, 27 };
    static const int edx_1[] = { 18, 21, 22, 28, 29, 30, 31 };
    for (unsigned i = 0; i < sizeof ecx_1 / sizeof ecx_1[0]; i++) {
        LACKS(r.ecx, ecx_1[i]);
    }
    for (unsigned i = 0; i < sizeof edx_1 / sizeof edx_1[0]; i++) {
        LACKS(r.edx, edx_1[i]);
    }
    r = guest(&skylake, 7, 0);
    assert_int_equal(r.eax, 0);
    static const int ebx_7[] = { 1, 2, 4, 11, 12, 14, 15, 16, 17, 21, 22, 25, 26, 27, 28, 30, 31 };
    for (unsigned i = 0; i < sizeof ebx_7 / sizeof ebx_7[0]; i++) {
        LACKS(r.ebx, ebx_7[i]);
    }
    assert_int_equal(r.ecx & ~(1u << 2 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 22), 0);
    assert_int_equal(r.edx & ~(1u << 4 | 1u << 10 | 0xbcu << 24), 0);
    r = guest(&skylake, 6, 0);
    assert_true(r.eax == 4 && r.ebx == 0 && r.ecx == 0 && r.edx == 0);
    assert_true(is_zero(guest(&skylake, 7, 1)));
    static const uint32_t empty[] = { 3, 5, 8, 9, 0xa, 0xc, 0xe, 0xf, 0x10, 0x12, 0x14, 0x17,
                                      0x1f, 0x40000001, 0x40000100, 0x80000009, 0x8000000a,
                                      0x8000001f, 0xc0000000 };
    for (unsigned i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        assert_true(is_zero(guest(&skylake, empty[i], 0)));
    }
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
    r = guest(&skylake, 0x40000000, 0);
    assert_int_equal(r.eax, 0x40000010);
    assert_memory_equal(&r.ebx, "QuireQuire  ", 12);
    r = guest(&skylake, 0x40000010, 0);
    assert_true(r.eax == 3500000 && r.ebx == 100000);
}

static void switches(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(1);
    choice.allow = 0;
    init(&skylake, choice);
    struct cpuid_regs r = guest(&skylake, 1, 0);
    LACKS(r.ecx, 30); /* RDRAND */
    LACKS(r.ecx, 24);
    r = guest(&skylake, 7, 0);
    LACKS(r.ebx, 18); /* RDSEED */
    LACKS(r.ebx, 10); /* INVPCID */
    LACKS(r.ecx, 22); /* RDPID */
    assert_int_equal(r.edx >> 24, 0);
    LACKS(guest(&skylake, 0x80000001, 0).edx, 27); /* RDTSCP */
    assert_int_equal(guest(&skylake, 0x80000007, 0).edx, 0);
    policy.apic_off = true;
    LACKS(guest(&skylake, 1, 0).edx, 9);
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

static void amd(void **state)
{
    (void)state;
    init(&epyc, usual(3));
    assert_int_equal(guest(&epyc, 0x80000000, 0).eax, 0x8000001a);
    struct cpuid_regs r = guest(&epyc, 0x80000001, 0);
    static const int ecx[] = { 2, 3, 9, 10, 12, 13, 15, 19, 22, 23, 24, 26, 27, 28, 29 };
    for (unsigned i = 0; i < sizeof ecx / sizeof ecx[0]; i++) {
        LACKS(r.ecx, ecx[i]);
    }
    HAS(r.ecx, 1); /* the legacy count of cores is the one to use */
    HAS(r.edx, 9);
    HAS(r.edx, 11);
    HAS(r.edx, 23);
    HAS(r.edx, 29);
    r = guest(&epyc, 0x80000008, 0);
    assert_int_equal(r.ecx, 2 << 12 | 2);
    assert_int_equal(guest(&epyc, 0xd, 0).eax, 7);
    assert_true(is_zero(guest(&epyc, 2, 0)));
    assert_true(is_zero(guest(&epyc, 0x8000000a, 0)));
    assert_true(is_zero(guest(&epyc, 0x8000001e, 0)));
    assert_int_equal(guest(&skylake, 0x80000001, 0).eax, UINT32_MAX);
}

/* On the machine that runs the test: no feature appears from nowhere, and the CPU itself agrees
 * with the size of the XSAVE area. */
static void this_machine(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(2);
    choice.xcr0_allowed = UINT64_MAX;
    cpuid_policy_init(&policy, &choice, ask_natively, NULL);
    struct cpuid_regs host;
    struct cpuid_regs to;
    ask_natively(NULL, 1, 0, &host);
    cpuid_guest(&policy, 1, 0, &host, &to);
    assert_int_equal(to.eax, host.eax);
    assert_int_equal(to.ecx & ~host.ecx & ~(1u << 21 | 1u << 24 | 1u << 31), 0);
    assert_int_equal(to.edx & ~host.edx & ~(1u << 9 | 1u << 28), 0);
    if (!(host.ecx & 1u << 27)) {
        return; /* no XSAVE here */
    }
    uint32_t low;
    uint32_t high;
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
        { "CPUID-01: what the guest must not see is hidden", hidden, NULL, NULL, NULL },
        { "CPUID-02: what the VMM provides is shown", shown, NULL, NULL, NULL },
        { "CPUID-03: what was not allowed is not shown", switches, NULL, NULL, NULL },
        { "CPUID-04: OSXSAVE and OSPKE follow CR4", follows_cr4, NULL, NULL, NULL },
        { "CPUID-05: leaf 0xD agrees with itself", xsave, NULL, NULL, NULL },
        { "CPUID-06: values of XCR0", xcr0_values, NULL, NULL, NULL },
        { "CPUID-07: topology in all leaves", topology, NULL, NULL, NULL },
        { "CPUID-08: the TSC rate comes out as Linux computes it", timing, NULL, NULL, NULL },
        { "CPUID-09: a host with few leaves", old_host, NULL, NULL, NULL },
        { "CPUID-10: an AMD host", amd, NULL, NULL, NULL },
        { "CPUID-11: this machine", this_machine, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
