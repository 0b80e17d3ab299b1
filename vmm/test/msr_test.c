/* msr_test.c: the guest's MSRs, as systems use them when they boot. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/msr.c vmm/cpuid.c vmm/cpuid_feature.c */
/* LINK: vmm/cpuid_hypervisor.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/msr.h"

static struct cpuid_policy policy;
static struct msr_state msrs;

static void start(enum cpuid_vendor vendor, uint32_t allow)
{
    memset(&policy, 0, sizeof policy);
    memset(&msrs, 0xa5, sizeof msrs);
    policy.vendor = vendor;
    policy.choice.allow = allow;
    policy.choice.arch_capabilities = 0x2b;
    msr_reset(&policy, &msrs);
}

static uint64_t get(uint32_t msr)
{
    uint64_t value = 0xdeadbeef;
    enum msr_result result = msr_read(&policy, &msrs, msr, &value);
    if (result != MSR_OK) {
        fail_msg("reading %#x gave %d", msr, result);
    }
    return value;
}

static enum msr_result reading(uint32_t msr)
{
    uint64_t value;
    return msr_read(&policy, &msrs, msr, &value);
}

static enum msr_result writing(uint32_t msr, uint64_t value)
{
    struct msr_state before = msrs;
    enum msr_result result = msr_write(&policy, &msrs, msr, value);
    if (result != MSR_OK) {
        assert_memory_equal(&before, &msrs, sizeof msrs);
    }
    return result;
}

static void intel_boot(void **state)
{
    (void)state;
    start(CPUID_VENDOR_INTEL, 0);
    assert_true(get(0x17) == 0);
    assert_true(get(0x3a) == 1);
    assert_int_equal(writing(0x8b, 0), MSR_OK);
    assert_true(get(0x8b) >> 32 != 0);
    assert_true(get(0xfe) == 0x400);
    assert_true(get(0x2ff) == 0x806);
    assert_true(get(0x179) == 0);
    assert_int_equal(writing(0x17a, 0), MSR_OK);
    assert_true(get(0x1a0) == 0x1801);
    assert_int_equal(writing(0x1a0, 0x1800), MSR_OK);
    assert_true(get(0x1a0) == 0x1800);
    assert_int_equal(writing(0x1a0, 0x1801 | 1ull << 34), MSR_GP);
    assert_true(get(0x1d9) == 0);
    assert_int_equal(writing(0x1d9, 1), MSR_GP);
    static const uint32_t amd_only[] = { 0xc0010010, 0xc0010015, 0xc0010140, 0xc0011029 };
    for (unsigned i = 0; i < sizeof amd_only / sizeof amd_only[0]; i++) {
        assert_int_equal(reading(amd_only[i]), MSR_GP);
        assert_int_equal(writing(amd_only[i], 0), MSR_GP);
    }
}

static void amd_boot(void **state)
{
    (void)state;
    start(CPUID_VENDOR_AMD, 0);
    assert_true(get(0xc0010015) >> 24 & 1);
    assert_int_equal(writing(0xc0010015, get(0xc0010015) | 1 << 4), MSR_OK);
    assert_true(get(0xc0010015) == (1 << 24 | 1 << 4));
    assert_int_equal(writing(0xc0010015, 0), MSR_GP);
    assert_true(get(0xc0011029) & 2);
    assert_int_equal(writing(0xc0011029, 1ull << 9 | 2), MSR_OK);
    assert_int_equal(writing(0xc0011029, 0), MSR_GP);
    assert_true(get(0xc0010010) == 0);
    assert_int_equal(writing(0xc0010010, 1 << 19), MSR_OK);
    assert_true(get(0xc0010010) == 1 << 19);
    assert_int_equal(writing(0xc0010015, 1 << 24 | 0x40158), MSR_OK);
    assert_int_equal(writing(0xc0010015, 1 << 24 | 1 << 30), MSR_GP);
    assert_int_equal(writing(0xc0010010, 0x1c0000), MSR_OK);
    assert_int_equal(writing(0xc0010010, 1 << 21), MSR_GP);
    static const uint32_t zero[] = { 0xc001001a, 0xc001001d, 0xc001001f, 0xc0010055, 0xc0010058,
                                     0xc0010061, 0xc0010062, 0xc0010063, 0xc0010064, 0xc001006b,
                                     0xc0010140, 0xc0010141, 0x179, 0x17a };
    for (unsigned i = 0; i < sizeof zero / sizeof zero[0]; i++) {
        assert_true(get(zero[i]) == 0);
    }
    assert_int_equal(writing(0xc001001f, 1ull << 46), MSR_OK);
    assert_true(get(0xc001001f) == 0);
    assert_true((uint32_t)get(0x8b) != 0);
    assert_int_equal(reading(0x17), MSR_GP);
    assert_int_equal(reading(0x1a0), MSR_GP);
    assert_int_equal(reading(0xc0010114), MSR_GP); /* VM_CR */
    assert_int_equal(reading(0xc0010117), MSR_GP); /* VM_HSAVE_PA */
}

static void memory_types(void **state)
{
    (void)state;
    start(CPUID_VENDOR_OTHER, 0);
    assert_true(get(0x2ff) == 0x806);
    start(CPUID_VENDOR_INTEL, 0);
    assert_true(get(0x277) == 0x0007040600070406);
    assert_int_equal(writing(0x277, 0x0407050600070106), MSR_OK);
    assert_true(get(0x277) == 0x0407050600070106);
    assert_true(msrs.stored[MSR_SLOT_PAT] == 0x0407050600070106);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(writing(0x277, 2ull << (8 * i)), MSR_GP);
        assert_int_equal(writing(0x277, 3ull << (8 * i)), MSR_GP);
        assert_int_equal(writing(0x277, 8ull << (8 * i)), MSR_GP);
    }
    assert_int_equal(writing(0x2ff, 0), MSR_OK);
    assert_true(get(0x2ff) == 0);
    assert_int_equal(writing(0x2ff, 0xc06), MSR_OK);
    assert_int_equal(writing(0x2ff, 0x807), MSR_GP);
    assert_int_equal(writing(0x2ff, 0x802), MSR_GP);
    assert_int_equal(writing(0x2ff, 0x1806), MSR_GP);
    assert_int_equal(reading(0x200), MSR_GP); /* no variable range */
    assert_int_equal(reading(0x250), MSR_GP); /* no fixed range */
    msr_reset(&policy, &msrs);
    assert_true(get(0x277) == 0x0007040600070406);
}

static void delegated(void **state)
{
    (void)state;
    static const uint32_t always[] = { 0x10, 0x1b, 0x174, 0x175, 0x176, 0x800, 0x80b, 0x830, 0x8ff,
                                       0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
                                       0xc0000100, 0xc0000101, 0xc0000102 };
    static const struct { uint32_t msr, allow; } if_shown[] = {
        { 0x48, CPUID_ALLOW_SPEC_CTRL }, { 0x49, CPUID_ALLOW_SPEC_CTRL },
        { 0x10b, CPUID_ALLOW_SPEC_CTRL }, { 0x6e0, CPUID_ALLOW_TSC_DEADLINE },
        { 0xc0000103, CPUID_ALLOW_RDTSCP },
    };
    start(CPUID_VENDOR_INTEL, 0);
    for (unsigned i = 0; i < sizeof always / sizeof always[0]; i++) {
        assert_int_equal(reading(always[i]), MSR_DELEGATED);
        assert_int_equal(writing(always[i], 0), MSR_DELEGATED);
    }
    for (unsigned i = 0; i < sizeof if_shown / sizeof if_shown[0]; i++) {
        start(CPUID_VENDOR_INTEL, ~if_shown[i].allow);
        assert_int_equal(reading(if_shown[i].msr), MSR_GP);
        assert_int_equal(writing(if_shown[i].msr, 0), MSR_GP);
        start(CPUID_VENDOR_INTEL, if_shown[i].allow);
        assert_int_equal(reading(0x4a), MSR_GP);
        assert_int_equal(reading(if_shown[i].msr), MSR_DELEGATED);
        assert_int_equal(writing(if_shown[i].msr, 0), MSR_DELEGATED);
    }
}

static void unknown(void **state)
{
    (void)state;
    static const uint32_t missing[] = { 0, 0x79, 0xce, 0xe7, 0x10a, 0x140, 0x17b, 0x186,
                                        0x198, 0x19c, 0x1a2, 0x345, 0x38f, 0x400, 0x480, 0x570,
                                        0x606, 0xda0, 0x7ff, 0x900, 0x47, 0x48, 0x4a, 0x173,
                                        0x177, 0x278, 0xc0010142, 0xc0000085, 0xc0010000,
                                        0xffffffff };
    for (int vendor = CPUID_VENDOR_INTEL; vendor <= CPUID_VENDOR_OTHER; vendor++) {
        start((enum cpuid_vendor)vendor, 0);
        for (unsigned i = 0; i < sizeof missing / sizeof missing[0]; i++) {
            assert_int_equal(reading(missing[i]), MSR_GP);
            assert_int_equal(writing(missing[i], 0), MSR_GP);
        }
    }
}

static void arch_capabilities(void **state)
{
    (void)state;
    start(CPUID_VENDOR_INTEL, CPUID_ALLOW_ARCH_CAPS);
    assert_true(get(0x10a) == 0x2b);
    assert_int_equal(writing(0x10a, 0), MSR_GP);
    start(CPUID_VENDOR_AMD, CPUID_ALLOW_ARCH_CAPS);
    assert_int_equal(reading(0x10a), MSR_GP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "MSR-01: what an Intel system reads and writes at boot", intel_boot, NULL, NULL, NULL },
        { "MSR-02: what an AMD system reads and writes at boot", amd_boot, NULL, NULL, NULL },
        { "MSR-03: PAT and MTRR types are checked and kept", memory_types, NULL, NULL, NULL },
        { "MSR-04: state kept elsewhere is delegated, if it is shown", delegated, NULL, NULL,
          NULL },
        { "MSR-05: unknown registers are #GP", unknown, NULL, NULL, NULL },
        { "MSR-06: IA32_ARCH_CAPABILITIES is the policy's", arch_capabilities, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
