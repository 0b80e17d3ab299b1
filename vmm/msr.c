/* msr.c: the model-specific registers that a guest sees. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/msr.h"

#include <stddef.h>

#define ALL_BITS UINT64_MAX
#define BIT(n) (UINT64_C(1) << (n))

/* The memory types of IA32_PAT and IA32_MTRR_DEF_TYPE (SDM vol. 3, 12.11.2 and 12.12.2). */
enum memory_type {
    TYPE_UC = 0,
    TYPE_WC = 1,
    TYPE_WT = 4,
    TYPE_WP = 5,
    TYPE_WB = 6,
    TYPE_UC_MINUS = 7
};

#define PAT_AT_RESET UINT64_C(0x0007040600070406)
#define MTRR_ENABLED BIT(11)
#define MTRR_FIXED_ENABLED BIT(10)

enum kind {
    DELEGATED, /* not kept here */
    FIXED,     /* reads `value`; a write may differ in the `writable` bits, and is dropped */
    STORED     /* in `slot`, at first `value`; a write may change the `writable` bits */
};

/* Whose CPUs have it. */
enum {
    INTEL = 1 << CPUID_VENDOR_INTEL,
    AMD = 1 << CPUID_VENDOR_AMD,
    ANY = INTEL | AMD | 1 << CPUID_VENDOR_OTHER
};

struct rule {
    uint32_t first;
    uint32_t last;
    uint8_t vendors;
    uint8_t kind;
    uint8_t slot;
    uint32_t allow; /* CPUID_ALLOW_ bits of which one must be set; 0: none needed */
    uint64_t value;
    uint64_t writable;
};

#define ONE(msr) .first = (msr), .last = (msr)
#define RANGE(from, to) .first = (from), .last = (to)

/*
 * Sorted by number. SDM vol. 4, chapter 2; APM vol. 2, appendix A. What is not here is #GP: systems
 * read registers that may be missing with a handler for that.
 */
static const struct rule rules[] = {
    /* IA32_TIME_STAMP_COUNTER */
    { ONE(0x10), .vendors = ANY, .kind = DELEGATED },
    /* IA32_PLATFORM_ID */
    { ONE(0x17), .vendors = INTEL, .kind = FIXED },
    /* IA32_APIC_BASE */
    { ONE(0x1b), .vendors = ANY, .kind = DELEGATED },
    /* IA32_FEATURE_CONTROL: locked, with VMX and SGX off */
    { ONE(0x3a), .vendors = INTEL, .kind = FIXED, .value = BIT(0) },
    /* IA32_TSC_ADJUST: the TSC is the host's, and stays it. Linux trusts a TSC that has it */
    { ONE(0x3b), .vendors = ANY, .kind = FIXED, .writable = ALL_BITS },
    /* IA32_SPEC_CTRL, IA32_PRED_CMD */
    { RANGE(0x48, 0x49), .vendors = ANY, .kind = DELEGATED, .allow = CPUID_ALLOW_SPEC_CTRL },
    /* IA32_BIOS_SIGN_ID, on AMD PATCH_LEVEL: newer than any that a guest would want to replace */
    { ONE(0x8b), .vendors = INTEL, .kind = FIXED, .value = BIT(32), .writable = ALL_BITS },
    { ONE(0x8b), .vendors = AMD, .kind = FIXED, .value = 0x7fffffff },
    /* IA32_MTRRCAP: no ranges, write combining is there */
    { ONE(0xfe), .vendors = ANY, .kind = FIXED, .value = BIT(10) },
    /* IA32_ARCH_CAPABILITIES: see present_value() */
    { ONE(0x10a), .vendors = INTEL, .kind = FIXED, .allow = CPUID_ALLOW_ARCH_CAPS },
    /* IA32_FLUSH_CMD */
    { ONE(0x10b), .vendors = INTEL, .kind = DELEGATED, .allow = CPUID_ALLOW_SPEC_CTRL },
    /* IA32_SYSENTER_CS, _ESP, _EIP */
    { RANGE(0x174, 0x176), .vendors = ANY, .kind = DELEGATED },
    /* IA32_MCG_CAP: no banks; IA32_MCG_STATUS: nothing happened */
    { ONE(0x179), .vendors = ANY, .kind = FIXED },
    { ONE(0x17a), .vendors = ANY, .kind = FIXED },
    /* IA32_MISC_ENABLE: fast strings, which the guest may turn off; neither BTS nor PEBS */
    { ONE(0x1a0), .vendors = INTEL, .kind = STORED, .slot = MSR_SLOT_MISC_ENABLE,
      .value = BIT(0) | BIT(11) | BIT(12), .writable = BIT(0) },
    /* IA32_DEBUGCTL: no branch records, no single step on branches */
    { ONE(0x1d9), .vendors = ANY, .kind = FIXED },
    /* IA32_PAT */
    { ONE(0x277), .vendors = ANY, .kind = STORED, .slot = MSR_SLOT_PAT, .value = PAT_AT_RESET,
      .writable = ALL_BITS },
    /* IA32_MTRR_DEF_TYPE: MTRRs on, all memory write-back, as firmware leaves it */
    { ONE(0x2ff), .vendors = ANY, .kind = STORED, .slot = MSR_SLOT_MTRR_DEF_TYPE,
      .value = MTRR_ENABLED | TYPE_WB, .writable = MTRR_ENABLED | MTRR_FIXED_ENABLED | 0xff },
    /* IA32_TSC_DEADLINE */
    { ONE(0x6e0), .vendors = ANY, .kind = DELEGATED, .allow = CPUID_ALLOW_TSC_DEADLINE },
    /* x2APIC registers */
    { RANGE(0x800, 0x8ff), .vendors = ANY, .kind = DELEGATED },
    /* KVM's MSR_KVM_PV_EOI_EN (pv_eoi.h): bit 0 on, bit 1 reserved, the rest an address */
    { ONE(0x4b564d04), .vendors = ANY, .kind = STORED, .slot = MSR_SLOT_PV_EOI,
      .writable = ALL_BITS & ~BIT(1) },
    /* EFER, STAR, LSTAR, CSTAR, SFMASK */
    { RANGE(0xc0000080, 0xc0000084), .vendors = ANY, .kind = DELEGATED },
    /* FS_BASE, GS_BASE, KERNEL_GS_BASE */
    { RANGE(0xc0000100, 0xc0000102), .vendors = ANY, .kind = DELEGATED },
    /* TSC_AUX */
    { ONE(0xc0000103), .vendors = ANY, .kind = DELEGATED, .allow = CPUID_ALLOW_RDTSCP },
    /* SYSCFG; no second top of memory */
    { ONE(0xc0010010), .vendors = AMD, .kind = STORED, .slot = MSR_SLOT_SYSCFG,
      .writable = BIT(18) | BIT(19) | BIT(20) },
    /* HWCR: the TSC runs at a fixed rate (bit 24) */
    { ONE(0xc0010015), .vendors = AMD, .kind = STORED, .slot = MSR_SLOT_HWCR, .value = BIT(24),
      .writable = BIT(3) | BIT(4) | BIT(6) | BIT(8) | BIT(18) },
    /* TOP_MEM, TOP_MEM2 */
    { ONE(0xc001001a), .vendors = AMD, .kind = FIXED },
    { ONE(0xc001001d), .vendors = AMD, .kind = FIXED },
    /* NB_CFG */
    { ONE(0xc001001f), .vendors = AMD, .kind = FIXED, .writable = ALL_BITS },
    /* Interrupt pending message: no C1E by it */
    { ONE(0xc0010055), .vendors = AMD, .kind = FIXED },
    /* MMIO configuration base: off */
    { ONE(0xc0010058), .vendors = AMD, .kind = FIXED },
    /* P-state limit, control, status, and the eight P-states: none is there */
    { ONE(0xc0010061), .vendors = AMD, .kind = FIXED },
    { ONE(0xc0010062), .vendors = AMD, .kind = FIXED, .writable = ALL_BITS },
    { RANGE(0xc0010063, 0xc001006b), .vendors = AMD, .kind = FIXED },
    /* OSVW: no erratum is listed */
    { RANGE(0xc0010140, 0xc0010141), .vendors = AMD, .kind = FIXED },
    /* DE_CFG: LFENCE serializes (bit 1), and cannot be made not to */
    { ONE(0xc0011029), .vendors = AMD, .kind = STORED, .slot = MSR_SLOT_DE_CFG, .value = BIT(1),
      .writable = ALL_BITS & ~BIT(1) },
};

#define RULE_COUNT (sizeof rules / sizeof rules[0])
#define MSR_ARCH_CAPABILITIES 0x10au

static const struct rule *find(const struct cpuid_policy *policy, uint32_t msr)
{
    unsigned vendor = 1u << policy->vendor;
    for (size_t i = 0; i < RULE_COUNT && rules[i].first <= msr; i++) {
        const struct rule *rule = &rules[i];
        if (msr > rule->last || !(rule->vendors & vendor)) {
            continue;
        }
        if (rule->allow == 0 || rule->allow & policy->choice.allow) {
            return rule;
        }
    }
    return NULL;
}

static bool memory_type_valid(uint8_t type, bool for_pat)
{
    switch (type) {
    case TYPE_UC:
    case TYPE_WC:
    case TYPE_WT:
    case TYPE_WP:
    case TYPE_WB: return true;
    default: return for_pat && type == TYPE_UC_MINUS;
    }
}

/* Checks that a mask of bits cannot make. */
static bool value_valid(enum msr_slot slot, uint64_t value)
{
    if (slot == MSR_SLOT_MTRR_DEF_TYPE) {
        return memory_type_valid((uint8_t)value, false);
    }
    if (slot == MSR_SLOT_PAT) {
        for (unsigned i = 0; i < 8; i++) {
            if (!memory_type_valid((uint8_t)(value >> (8 * i)), true)) {
                return false;
            }
        }
    }
    return true;
}

static uint64_t present_value(const struct cpuid_policy *policy, const struct msr_state *state,
                              const struct rule *rule)
{
    if (rule->first == MSR_ARCH_CAPABILITIES) {
        return policy->choice.arch_capabilities;
    }
    return rule->kind == STORED ? state->stored[rule->slot] : rule->value;
}

void msr_reset(const struct cpuid_policy *policy, struct msr_state *state)
{
    *state = (struct msr_state){ .stored = { 0 } };
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (rules[i].kind == STORED && rules[i].vendors & 1u << policy->vendor) {
            state->stored[rules[i].slot] = rules[i].value;
        }
    }
}

enum msr_result msr_read(const struct cpuid_policy *policy, const struct msr_state *state,
                         uint32_t msr, uint64_t *value)
{
    const struct rule *rule = find(policy, msr);
    if (rule == NULL) {
        return MSR_GP;
    }
    if (rule->kind == DELEGATED) {
        return MSR_DELEGATED;
    }
    *value = present_value(policy, state, rule);
    return MSR_OK;
}

enum msr_result msr_write(const struct cpuid_policy *policy, struct msr_state *state, uint32_t msr,
                          uint64_t value)
{
    const struct rule *rule = find(policy, msr);
    if (rule == NULL) {
        return MSR_GP;
    }
    if (rule->kind == DELEGATED) {
        return MSR_DELEGATED;
    }
    if ((value ^ present_value(policy, state, rule)) & ~rule->writable) {
        return MSR_GP;
    }
    if (rule->kind == STORED) {
        if (!value_valid((enum msr_slot)rule->slot, value)) {
            return MSR_GP;
        }
        state->stored[rule->slot] = value;
    }
    return MSR_OK;
}
