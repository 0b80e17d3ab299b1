/* cpuid_fixture.h: hosts that have everything or little, for tests of the guest's CPUID. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_CPUID_FIXTURE_H
#define VMM_TEST_CPUID_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/cpuid.h"

#define ALL_ALLOWED 0x7fu

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

static inline void leaf_d(const struct host *host, uint32_t subleaf, struct cpuid_regs *out)
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

static inline void ask(void *ctx, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
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

static inline struct cpuid_choice usual(uint32_t ncpus)
{
    return (struct cpuid_choice){ .xcr0_allowed = 0x7, .allow = ALL_ALLOWED, .tsc_khz = 3500000,
                                  .apic_timer_khz = 100000, .ncpus = ncpus };
}

static inline void init(const struct host *host, struct cpuid_choice choice)
{
    cpuid_policy_init(&policy, &choice, ask, (void *)(uintptr_t)host);
}

static inline struct cpuid_regs guest(const struct host *host, uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs from, to;
    ask((void *)(uintptr_t)host, leaf, subleaf, &from);
    cpuid_guest(&policy, leaf, subleaf, &from, &to);
    return to;
}

static inline bool is_zero(struct cpuid_regs regs)
{
    return (regs.eax | regs.ebx | regs.ecx | regs.edx) == 0;
}

#define HAS(value, bit) assert_true((value) >> (bit) & 1)
#define LACKS(value, bit) assert_false((value) >> (bit) & 1)

#endif
