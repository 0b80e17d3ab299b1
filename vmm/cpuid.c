/* cpuid.c: the CPU that a guest sees: a coherent subset of the host's, as CPUID shows it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/cpuid.h"

#include <string.h>

#include "vmm/cpuid_feature.h"
#include "vmm/cpuid_hypervisor.h"

/* SDM vol. 3, 2.5. */
#define CR4_OSXSAVE (UINT64_C(1) << 18)
#define CR4_PKE (UINT64_C(1) << 22)

#define LEAF1_ECX_X2APIC (UINT32_C(1) << 21)
#define LEAF1_ECX_TSC_DEADLINE (UINT32_C(1) << 24)
#define LEAF1_ECX_XSAVE (UINT32_C(1) << 26)
#define LEAF1_ECX_OSXSAVE (UINT32_C(1) << 27)
#define LEAF1_ECX_HYPERVISOR (UINT32_C(1) << 31)
#define LEAF1_EDX_APIC (UINT32_C(1) << 9)
#define LEAF1_EDX_HTT (UINT32_C(1) << 28)
#define LEAF6_EAX_ARAT (UINT32_C(1) << 2)
#define LEAF7_ECX_PKU (UINT32_C(1) << 3)
#define LEAF7_ECX_OSPKE (UINT32_C(1) << 4)
#define EXT1_ECX_CMP_LEGACY (UINT32_C(1) << 1)
#define EXT1_EDX_APIC (UINT32_C(1) << 9)
#define EXT1_EDX_PAGE_1GB (UINT32_C(1) << 26)
#define EXT7_EDX_INVARIANT_TSC (UINT32_C(1) << 8)

/* XSAVEOPT, XSAVEC, XGETBV with ECX = 1. */
#define LEAFD1_EAX_KEPT 0x7u
/* The legacy region and the header (SDM vol. 1, 13.4). */
#define XSAVE_FIXED_BYTES 576u

#define LINEAR_BITS 48u

/* How many bits an APIC id takes when there are this many CPUs. */
static unsigned id_bits(uint32_t ncpus)
{
    unsigned bits = 0;
    while (UINT32_C(1) << bits < ncpus) {
        bits++;
    }
    return bits;
}

/*
 * The fraction nearest to tsc / timer for leaf 0x15, by continued fractions. Linux multiplies the
 * timer's rate in kHz by the numerator in 32 bits, so that product must fit.
 */
static void set_tsc_ratio(struct cpuid_policy *policy)
{
    uint64_t a = policy->choice.tsc_khz;
    uint64_t b = policy->choice.apic_timer_khz;
    uint64_t limit = b ? UINT32_MAX / b : 0;
    uint64_t numerator[2] = { 0, 1 };
    uint64_t denominator[2] = { 1, 0 };
    while (b != 0) {
        uint64_t next_numerator = a / b * numerator[1] + numerator[0];
        uint64_t next_denominator = a / b * denominator[1] + denominator[0];
        if (next_numerator > limit) {
            break;
        }
        numerator[0] = numerator[1];
        numerator[1] = next_numerator;
        denominator[0] = denominator[1];
        denominator[1] = next_denominator;
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    policy->tsc_numerator = (uint32_t)numerator[1];
    policy->tsc_denominator = (uint32_t)denominator[1];
}

static enum cpuid_vendor vendor_of(const struct cpuid_regs *leaf0)
{
    const uint32_t name[3] = { leaf0->ebx, leaf0->edx, leaf0->ecx };
    if (memcmp(name, "GenuineIntel", sizeof name) == 0) {
        return CPUID_VENDOR_INTEL;
    }
    if (memcmp(name, "AuthenticAMD", sizeof name) == 0) {
        return CPUID_VENDOR_AMD;
    }
    return CPUID_VENDOR_OTHER;
}

/* What of `wanted` forms a valid XCR0 together, and the host has. */
static uint64_t usable_xcr0(uint64_t wanted)
{
    uint64_t xcr0 = wanted & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU);
    if ((xcr0 & (XCR0_X87 | XCR0_SSE)) != (XCR0_X87 | XCR0_SSE)) {
        return 0;
    }
    if (!(xcr0 & XCR0_AVX) || (xcr0 & XCR0_AVX512) != XCR0_AVX512) {
        xcr0 &= ~XCR0_AVX512;
    }
    return xcr0;
}

static void init_xsave(struct cpuid_policy *policy, cpuid_query *host, void *ctx)
{
    struct cpuid_regs regs = { 0 };
    host(ctx, 1, 0, &regs);
    bool has_xsave = policy->host_max_basic >= 0xd && regs.ecx & LEAF1_ECX_XSAVE;
    if (has_xsave) {
        host(ctx, 0xd, 0, &regs);
    }
    uint64_t host_xcr0 = has_xsave ? (uint64_t)regs.edx << 32 | regs.eax : 0;
    policy->choice.xcr0_allowed = usable_xcr0(policy->choice.xcr0_allowed & host_xcr0);
    for (uint32_t i = 2; i < XCR0_COMPONENTS; i++) {
        if (policy->choice.xcr0_allowed >> i & 1) {
            host(ctx, 0xd, i, &regs);
            policy->component[i] = (struct cpuid_xsave_component){
                .size = regs.eax, .offset = regs.ebx, .aligned = regs.ecx & 2 };
        }
    }
}

void cpuid_policy_init(struct cpuid_policy *policy, const struct cpuid_choice *choice,
                       cpuid_query *host, void *ctx)
{
    struct cpuid_regs regs;
    memset(policy, 0, sizeof *policy);
    policy->choice = *choice;
    policy->xcr0 = XCR0_X87;
    host(ctx, 0, 0, &regs);
    policy->host_max_basic = regs.eax;
    policy->vendor = vendor_of(&regs);
    /* 0x16 is ours even where the host ends earlier; between 0x17 and 0x1E there is nothing. */
    policy->max_basic = regs.eax >= 0x1f ? 0x1f : 0x16;

    host(ctx, 0x80000000, 0, &regs);
    uint32_t last = policy->vendor == CPUID_VENDOR_AMD ? 0x8000001a : 0x80000008;
    policy->max_extended = regs.eax < last ? regs.eax : last;
    host(ctx, 0x80000001, 0, &regs);
    policy->has_1gb_pages = regs.edx & EXT1_EDX_PAGE_1GB;
    policy->phys_bits = 36;
    if (policy->max_extended >= 0x80000008) {
        host(ctx, 0x80000008, 0, &regs);
        policy->phys_bits = (uint8_t)regs.eax;
    }
    init_xsave(policy, host, ctx);
    cpuid_feature_masks(policy);
    set_tsc_ratio(policy);
}

static void mask_features(const struct cpuid_policy *policy, enum cpuid_feature_leaf leaf,
                          struct cpuid_regs *guest)
{
    const struct cpuid_regs *keep = &policy->keep[leaf];
    guest->eax &= keep->eax;
    guest->ebx &= keep->ebx;
    guest->ecx &= keep->ecx;
    guest->edx &= keep->edx;
}

static void leaf_1(const struct cpuid_policy *policy, struct cpuid_regs *guest)
{
    uint32_t signature = guest->eax;
    uint32_t flush_line = guest->ebx & 0xff00;
    uint32_t ids = UINT32_C(1) << id_bits(policy->choice.ncpus);
    mask_features(policy, CPUID_FEATURES_1, guest);
    guest->eax = signature;
    guest->ebx = flush_line | (ids > 255 ? 255 : ids) << 16 | policy->apic_id << 24;
    guest->ecx |= LEAF1_ECX_X2APIC | LEAF1_ECX_HYPERVISOR;
    if (policy->choice.allow & CPUID_ALLOW_TSC_DEADLINE) {
        guest->ecx |= LEAF1_ECX_TSC_DEADLINE;
    }
    if (guest->ecx & LEAF1_ECX_XSAVE && policy->cr4 & CR4_OSXSAVE) {
        guest->ecx |= LEAF1_ECX_OSXSAVE;
    }
    if (!policy->apic_off) {
        guest->edx |= LEAF1_EDX_APIC;
    }
    if (policy->choice.ncpus > 1) {
        guest->edx |= LEAF1_EDX_HTT;
    }
}

/* Deterministic caches: levels 1 and 2 are each CPU's own, level 3 is shared by all. */
static void leaf_4(const struct cpuid_policy *policy, struct cpuid_regs *guest)
{
    uint32_t last_id = (UINT32_C(1) << id_bits(policy->choice.ncpus)) - 1;
    uint32_t level = guest->eax >> 5 & 7;
    if ((guest->eax & 0x1f) == 0) {
        *guest = (struct cpuid_regs){ 0 };
        return;
    }
    guest->eax &= 0x3fff;
    guest->eax |= (level >= 3 ? last_id : 0) << 14 | (last_id > 63 ? 63 : last_id) << 26;
}

static void leaf_7(const struct cpuid_policy *policy, uint32_t subleaf, struct cpuid_regs *guest)
{
    if (subleaf != 0) {
        *guest = (struct cpuid_regs){ 0 };
        return;
    }
    mask_features(policy, CPUID_FEATURES_7, guest);
    if (guest->ecx & LEAF7_ECX_PKU && policy->cr4 & CR4_PKE) {
        guest->ecx |= LEAF7_ECX_OSPKE;
    }
}

/* Extended topology, leaves 0xB and 0x1F: one package of cores with one thread each. */
static void leaf_topology(const struct cpuid_policy *policy, uint32_t subleaf,
                          struct cpuid_regs *guest)
{
    *guest = (struct cpuid_regs){ .ecx = subleaf & 0xff, .edx = policy->apic_id };
    if (subleaf == 0) {
        guest->ebx = 1;
        guest->ecx |= 1 << 8; /* SMT */
    } else if (subleaf == 1) {
        guest->eax = id_bits(policy->choice.ncpus);
        guest->ebx = policy->choice.ncpus;
        guest->ecx |= 2 << 8; /* core */
    }
}

/* Bytes of an XSAVE area for these components, in the standard or the compacted format (SDM vol.
 * 1, 13.4). */
static uint32_t xsave_size(const struct cpuid_policy *policy, uint64_t components, bool compacted)
{
    uint32_t end = XSAVE_FIXED_BYTES;
    for (unsigned i = 2; i < XCR0_COMPONENTS; i++) {
        const struct cpuid_xsave_component *component = &policy->component[i];
        if (!(components >> i & 1)) {
            continue;
        }
        if (compacted) {
            end = (component->aligned ? (end + 63) & ~63u : end) + component->size;
        } else if (component->offset + component->size > end) {
            end = component->offset + component->size;
        }
    }
    return end;
}

static void leaf_d(const struct cpuid_policy *policy, uint32_t subleaf, struct cpuid_regs *guest)
{
    uint64_t allowed = policy->choice.xcr0_allowed;
    uint32_t instructions = guest->eax & LEAFD1_EAX_KEPT;
    *guest = (struct cpuid_regs){ 0 };
    if (allowed == 0) {
        return;
    }
    if (subleaf == 0) {
        guest->eax = (uint32_t)allowed;
        guest->ebx = xsave_size(policy, policy->xcr0, false);
        guest->ecx = xsave_size(policy, allowed, false);
        guest->edx = (uint32_t)(allowed >> 32);
    } else if (subleaf == 1) {
        guest->eax = instructions;
        guest->ebx = xsave_size(policy, policy->xcr0, true);
    } else if (subleaf < XCR0_COMPONENTS && allowed >> subleaf & 1) {
        const struct cpuid_xsave_component *component = &policy->component[subleaf];
        guest->eax = component->size;
        guest->ebx = component->offset;
        guest->ecx = component->aligned ? 2 : 0;
    }
}

static void leaf_timing(const struct cpuid_policy *policy, uint32_t leaf, struct cpuid_regs *guest)
{
    const struct cpuid_choice *choice = &policy->choice;
    if (leaf == 0x15) {
        *guest = (struct cpuid_regs){ .eax = policy->tsc_denominator, .ebx = policy->tsc_numerator,
                                      .ecx = choice->apic_timer_khz * 1000 };
        return;
    }
    *guest = (struct cpuid_regs){ .eax = choice->tsc_khz / 1000, .ebx = choice->tsc_khz / 1000,
                                  .ecx = choice->apic_timer_khz / 1000 };
}

static void basic(const struct cpuid_policy *policy, uint32_t leaf, uint32_t subleaf,
                  struct cpuid_regs *guest)
{
    bool intel = policy->vendor == CPUID_VENDOR_INTEL;
    switch (leaf) {
    case 0: guest->eax = policy->max_basic; return;
    case 1: leaf_1(policy, guest); return;
    case 4: leaf_4(policy, guest); return;
    case 6: *guest = (struct cpuid_regs){ .eax = LEAF6_EAX_ARAT }; return;
    case 7: leaf_7(policy, subleaf, guest); return;
    case 0xb:
    case 0x1f: leaf_topology(policy, subleaf, guest); return;
    case 0xd: leaf_d(policy, subleaf, guest); return;
    case 0x15:
    case 0x16: leaf_timing(policy, leaf, guest); return;
    case 2: /* cache descriptors */
        if (intel) {
            return;
        }
        break;
    default: break;
    }
    *guest = (struct cpuid_regs){ 0 };
}

static void leaf_80000001(const struct cpuid_policy *policy, struct cpuid_regs *guest)
{
    bool amd = policy->vendor == CPUID_VENDOR_AMD;
    uint32_t signature = guest->eax;
    mask_features(policy, CPUID_FEATURES_80000001, guest);
    guest->eax = amd ? signature : 0;
    if (amd && policy->choice.ncpus > 1) {
        guest->ecx |= EXT1_ECX_CMP_LEGACY;
    }
    if (amd && !policy->apic_off) {
        guest->edx |= EXT1_EDX_APIC;
    }
}

/* Address widths, and on AMD the number of cores (APM vol. 3, E.4.7). */
static void leaf_80000008(const struct cpuid_policy *policy, struct cpuid_regs *guest)
{
    uint32_t ncpus = policy->choice.ncpus;
    mask_features(policy, CPUID_FEATURES_80000008, guest);
    *guest = (struct cpuid_regs){ .eax = LINEAR_BITS << 8 | policy->phys_bits,
                                  .ebx = guest->ebx };
    if (policy->vendor == CPUID_VENDOR_AMD) {
        guest->ecx = id_bits(ncpus) << 12 | (ncpus - 1);
    }
}

static void extended(const struct cpuid_policy *policy, uint32_t leaf, struct cpuid_regs *guest)
{
    switch (leaf) {
    case 0x80000000: guest->eax = policy->max_extended; return;
    case 0x80000001: leaf_80000001(policy, guest); return;
    case 0x80000002: /* the brand's name */
    case 0x80000003:
    case 0x80000004:
    case 0x80000005: /* caches and TLBs */
    case 0x80000006:
    case 0x80000019:
    case 0x8000001a: return; /* hints on what is fast */
    case 0x80000007:
        *guest = (struct cpuid_regs){ 0 };
        if (policy->choice.allow & CPUID_ALLOW_INVARIANT_TSC) {
            guest->edx = EXT7_EDX_INVARIANT_TSC;
        }
        return;
    case 0x80000008: leaf_80000008(policy, guest); return;
    default: *guest = (struct cpuid_regs){ 0 };
    }
}

void cpuid_guest(const struct cpuid_policy *policy, uint32_t leaf, uint32_t subleaf,
                 const struct cpuid_regs *host, struct cpuid_regs *guest)
{
    *guest = *host;
    if (leaf <= policy->max_basic) {
        if (leaf > policy->host_max_basic) {
            *guest = (struct cpuid_regs){ 0 }; /* Intel repeats another leaf here */
        }
        basic(policy, leaf, subleaf, guest);
    } else if (leaf >= 0x80000000 && leaf <= policy->max_extended) {
        extended(policy, leaf, guest);
    } else {
        cpuid_hypervisor(policy, leaf, guest);
    }
}

bool cpuid_xcr0_valid(const struct cpuid_policy *policy, uint64_t xcr0)
{
    if (xcr0 & ~policy->choice.xcr0_allowed || !(xcr0 & XCR0_X87)) {
        return false;
    }
    if (xcr0 & XCR0_AVX && !(xcr0 & XCR0_SSE)) {
        return false;
    }
    uint64_t wide = xcr0 & XCR0_AVX512;
    return wide == 0 || (wide == XCR0_AVX512 && xcr0 & XCR0_AVX);
}
