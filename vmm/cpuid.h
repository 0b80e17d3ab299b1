/* cpuid.h: the CPU that a guest sees: a coherent subset of the host's, as CPUID shows it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include <stdbool.h>
#include <stdint.h>

/* What CPUID returns in EAX, EBX, ECX, EDX. */
struct cpuid_regs {
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
};

enum cpuid_vendor { CPUID_VENDOR_INTEL, CPUID_VENDOR_AMD, CPUID_VENDOR_OTHER };

/*
 * Features that the guest gets only if they are allowed here: they need work of the kernel (a VMX
 * control, an MSR that is switched or passed through), or somebody wants them hidden.
 */
enum cpuid_allow {
    CPUID_ALLOW_RDRAND = 1 << 0,       /* RDRAND and RDSEED */
    CPUID_ALLOW_RDTSCP = 1 << 1,       /* RDTSCP, RDPID and IA32_TSC_AUX */
    CPUID_ALLOW_INVPCID = 1 << 2,      /* INVPCID */
    CPUID_ALLOW_SPEC_CTRL = 1 << 3,    /* IA32_SPEC_CTRL, IA32_PRED_CMD, IA32_FLUSH_CMD */
    CPUID_ALLOW_ARCH_CAPS = 1 << 4,    /* IA32_ARCH_CAPABILITIES, read from the policy */
    CPUID_ALLOW_TSC_DEADLINE = 1 << 5, /* shown whatever the host has: the VMM's LAPIC does it */
    CPUID_ALLOW_INVARIANT_TSC = 1 << 6 /* shown whatever the host has: the VMM vouches for it */
};

/* XCR0 bits (SDM vol. 1, 13.3). AVX-512 is shown when all its three bits are in xcr0_allowed. */
#define XCR0_X87 (UINT64_C(1) << 0)
#define XCR0_SSE (UINT64_C(1) << 1)
#define XCR0_AVX (UINT64_C(1) << 2)
#define XCR0_AVX512 (UINT64_C(7) << 5)
#define XCR0_PKRU (UINT64_C(1) << 9)
#define XCR0_COMPONENTS 10

/* The hypervisor's own leaves (cpuid_hypervisor.h). */
#define CPUID_HYPERVISOR_LEAF 0x40000000u
#define CPUID_HYPERVISOR_TIMING 0x40000010u
#define CPUID_KVM_LEAF 0x40000100u
#define CPUID_KVM_FEATURES 0x40000101u

/* A component of the XSAVE area: sub-leaf 2 and up of leaf 0xD. */
struct cpuid_xsave_component {
    uint32_t size;
    uint32_t offset;
    bool aligned; /* to 64 bytes in the compacted format */
};

/* The leaves that are sets of features: 1, 7, 0x80000001, 0x80000008 (EBX). */
enum cpuid_feature_leaf {
    CPUID_FEATURES_1,
    CPUID_FEATURES_7,
    CPUID_FEATURES_80000001,
    CPUID_FEATURES_80000008,
    CPUID_FEATURE_LEAVES
};

/* What the VMM decides for the whole guest. Rates are at most 4,000,000 kHz for the LAPIC timer. */
struct cpuid_choice {
    uint64_t xcr0_allowed; /* what the kernel lets guests have; 0: no XSAVE */
    uint32_t allow;        /* enum cpuid_allow */
    uint32_t tsc_khz;
    uint32_t apic_timer_khz; /* what the LAPIC timer counts at with divider 1 */
    uint32_t ncpus;          /* 1 to 256 */
    uint64_t arch_capabilities;
};

/*
 * What the answers depend on. cpuid_policy_init() fills it; the owner sets the fields of the second
 * group. One per virtual CPU: it is only read, so it can be copied from a common one.
 */
struct cpuid_policy {
    enum cpuid_vendor vendor;
    uint32_t host_max_basic;
    uint32_t max_basic;
    uint32_t max_extended;
    uint8_t phys_bits;
    bool has_1gb_pages;
    struct cpuid_choice choice; /* with xcr0_allowed cut to what can be shown */
    uint32_t tsc_numerator;     /* TSC rate / LAPIC timer rate, as leaf 0x15 has it */
    uint32_t tsc_denominator;
    struct cpuid_regs keep[CPUID_FEATURE_LEAVES]; /* the host's feature bits that pass */
    struct cpuid_xsave_component component[XCR0_COMPONENTS];

    uint32_t apic_id;
    uint64_t cr4;  /* the guest's, now: OSXSAVE and OSPKE follow it */
    uint64_t xcr0; /* the guest's, now: the size of the XSAVE area follows it */
    bool apic_off; /* IA32_APIC_BASE.EN is 0: the APIC bit is clear */
};

/* Asks the host's CPUID. */
typedef void cpuid_query(void *ctx, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out);

/* Makes the policy for this host: its vendor, how far its leaves go, its XSAVE layout. The second
 * group becomes that of vCPU 0 at reset: APIC id 0, CR4 0, XCR0 1, APIC on. */
void cpuid_policy_init(struct cpuid_policy *policy, const struct cpuid_choice *choice,
                       cpuid_query *host, void *ctx);

/*
 * What the guest gets for CPUID with EAX = leaf, ECX = subleaf, where the host's answer for the
 * same is *host. Leaves that are not known, or above the maximum, are all zero.
 */
void cpuid_guest(const struct cpuid_policy *policy, uint32_t leaf, uint32_t subleaf,
                 const struct cpuid_regs *host, struct cpuid_regs *guest);

/* May XSETBV set this (SDM vol. 1, 13.3)? x87 always, AVX with SSE, AVX-512 whole and with AVX, and
 * nothing beyond what is allowed. */
bool cpuid_xcr0_valid(const struct cpuid_policy *policy, uint64_t xcr0);

#endif
