/* cpuid_feature_test.c: which of the host's features reach the guest. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/cpuid.c vmm/cpuid_feature.c */
/* LINK: vmm/cpuid_hypervisor.c */
#include "vmm/test/cpuid_fixture.h"

#include <cpuid.h>

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
    static const int ebx_7[] = { 2, 4, 11, 12, 14, 15, 16, 17, 21, 22, 25, 26, 27, 28, 30, 31 };
    for (unsigned i = 0; i < sizeof ebx_7 / sizeof ebx_7[0]; i++) {
        LACKS(r.ebx, ebx_7[i]);
    }
    assert_int_equal(r.ecx & ~(1u << 2 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 22), 0);
    assert_int_equal(r.edx & ~(1u << 4 | 1u << 10 | 0xbcu << 24), 0);
    r = guest(&skylake, 6, 0);
    assert_true(r.eax == 4 && r.ebx == 0 && r.ecx == 0 && r.edx == 0);
    assert_true(is_zero(guest(&skylake, 7, 1)));
    static const uint32_t empty[] = { 3, 5, 8, 9, 0xa, 0xc, 0xe, 0xf, 0x10, 0x12, 0x14, 0x17,
                                      0x1f, 0x40000001, 0x40000102, 0x80000009, 0x8000000a,
                                      0x8000001f, 0xc0000000 };
    for (unsigned i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        assert_true(is_zero(guest(&skylake, empty[i], 0)));
    }
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
    assert_int_equal(guest(&epyc, 0x8000001a, 0).eax, UINT32_MAX);
    assert_true(is_zero(guest(&epyc, 2, 0)));
    assert_true(is_zero(guest(&epyc, 0x8000000a, 0)));
    assert_true(is_zero(guest(&epyc, 0x8000001e, 0)));
    assert_int_equal(guest(&epyc, 0x80000001, 0).eax, UINT32_MAX);
    init(&epyc, usual(1));
    LACKS(guest(&epyc, 0x80000001, 0).ecx, 1);
}

/* What a host that has everything passes on, in the names of the compiler's own header; bits that
 * it does not name are written as numbers. */
#define BIT(n) (1u << (n))

static void exact_leaf_1(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(1);
    choice.xcr0_allowed = UINT64_MAX;
    init(&skylake, choice);
    struct cpuid_regs r = guest(&skylake, 1, 0);
    assert_int_equal(r.ecx, bit_SSE3 | bit_PCLMUL | bit_SSSE3 | bit_FMA | bit_CMPXCHG16B |
                     BIT(17) | bit_SSE4_1 | bit_SSE4_2 | BIT(21) | bit_MOVBE | bit_POPCNT |
                     BIT(24) | bit_AES | bit_XSAVE | bit_AVX | bit_F16C | bit_RDRND | BIT(31));
    /* FPU to CX8, APIC, SEP to PSE-36, CLFSH, MMX to SS. */
    assert_int_equal(r.edx, 0x1ff | BIT(9) | 0x3f800 | BIT(19) | bit_MMX | bit_FXSAVE | bit_SSE |
                     bit_SSE2 | BIT(27));
}

static void exact_leaf_7(void **state)
{
    (void)state;
    struct cpuid_choice choice = usual(1);
    choice.xcr0_allowed = UINT64_MAX;
    init(&skylake, choice);
    struct cpuid_regs r = guest(&skylake, 7, 0);
    assert_int_equal(r.ebx, bit_FSGSBASE | BIT(1) | bit_BMI | bit_AVX2 | BIT(6) | BIT(7) | bit_BMI2 |
                     BIT(9) | BIT(10) | BIT(13) | bit_AVX512F | bit_AVX512DQ | bit_RDSEED |
                     bit_ADX | BIT(20) | bit_AVX512IFMA | bit_CLFLUSHOPT | bit_CLWB |
                     bit_AVX512CD | bit_SHA | bit_AVX512BW | bit_AVX512VL);
    assert_int_equal(r.ecx, bit_AVX512VBMI | BIT(2) | bit_PKU | bit_AVX512VBMI2 | bit_GFNI |
                     bit_VAES | bit_VPCLMULQDQ | bit_AVX512VNNI | bit_AVX512BITALG |
                     bit_AVX512VPOPCNTDQ | bit_RDPID);
    assert_int_equal(r.edx, bit_AVX5124VNNIW | bit_AVX5124FMAPS | BIT(4) |
                     bit_AVX512VP2INTERSECT | BIT(10) | BIT(26) | BIT(27) | BIT(28) | BIT(29) |
                     BIT(31));
}

static void exact_extended(void **state)
{
    (void)state;
    init(&epyc, usual(1));
    struct cpuid_regs r = guest(&epyc, 0x80000001, 0);
    assert_int_equal(r.ecx, bit_LAHF_LM | BIT(4) | bit_ABM | bit_SSE4a | BIT(7) | bit_PRFCHW |
                     bit_XOP | bit_FMA4 | bit_TBM);
    uint32_t long_mode = BIT(11) | BIT(20) | bit_MMXEXT | BIT(25) | BIT(26) | BIT(27) | bit_LM |
                         bit_3DNOWP | bit_3DNOW;
    /* And those of leaf 1 that AMD repeats: 0 to 9, 12 to 17, 23, 24. */
    assert_int_equal(r.edx, long_mode | 0x3ff | 0x3f000 | BIT(23) | BIT(24));
    r = guest(&epyc, 0x80000008, 0);
    assert_int_equal(r.ebx, bit_CLZERO | BIT(2) | BIT(12) | BIT(14) | BIT(15) | BIT(24));
    init(&skylake, usual(1));
    r = guest(&skylake, 0x80000001, 0);
    assert_int_equal(r.edx, long_mode);
    assert_int_equal(r.eax, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "CPUID-01: what the guest must not see is hidden", hidden, NULL, NULL, NULL },
        { "CPUID-03: what was not allowed is not shown", switches, NULL, NULL, NULL },
        { "CPUID-10: an AMD host", amd, NULL, NULL, NULL },
        { "CPUID-14: leaf 1, bit by bit", exact_leaf_1, NULL, NULL, NULL },
        { "CPUID-15: leaf 7, bit by bit", exact_leaf_7, NULL, NULL, NULL },
        { "CPUID-16: the extended features, bit by bit", exact_extended, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
