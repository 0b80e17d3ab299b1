/* exit_cpuid.c: CPUID, from answers that were made before. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/exit.h"
#include "vmm/machine.h"

/* CR4 bits that CPUID shows (SDM 3A, 2.5): OSXSAVE and PKE, in leaves 1 and 7. */
#define CR4_SHOWN (1u << 18 | 1u << 22)
#define LEAF_FEATURES 1u
#define LEAF_STRUCTURED 7u

static struct cpuid_entry *entry_for(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf)
{
    return &vcpu->cpuid_cache[(leaf + (leaf >> 26) + subleaf * 8) % CPUID_CACHE_SIZE];
}

static bool is_right(const struct vcpu *vcpu, const struct cpuid_entry *entry)
{
    return entry->use == CPUID_ALWAYS ||
           (entry->use == CPUID_WITH_CR4 &&
            ((entry->cr4 ^ (uint32_t)vcpu->state->cr4) & CR4_SHOWN) == 0);
}

/* Makes the answer; false: the exit lacks what it depends on. Apart: the usual way is short. */
static __attribute__((noinline)) bool fill(struct vcpu *vcpu, struct cpuid_entry *entry,
                                           uint32_t leaf, uint32_t subleaf)
{
    const struct machine_ops *ops = &vcpu->machine->ops;
    bool by_cr4 = leaf == LEAF_FEATURES || leaf == LEAF_STRUCTURED;
    struct cpuid_regs host;

    if (by_cr4 && !vcpu_has(vcpu, EXIT_CPUID, VS_CR)) {
        return false;
    }
    *entry = (struct cpuid_entry){
        .use = by_cr4 ? CPUID_WITH_CR4 : CPUID_ALWAYS,
        .leaf = leaf,
        .subleaf = subleaf,
        .cr4 = (uint32_t)vcpu->state->cr4,
    };
    vcpu->cpuid.cr4 = vcpu->state->cr4;
    ops->host_cpuid(ops->ctx, leaf, subleaf, &host);
    cpuid_guest(&vcpu->cpuid, leaf, subleaf, &host, &entry->regs);
    return true;
}

uint64_t exit_cpuid(struct vcpu *vcpu, const uint64_t *word)
{
    uint64_t *gpr = vcpu->state->gpr;
    uint32_t leaf = (uint32_t)gpr[VGPR_RAX], subleaf = (uint32_t)gpr[VGPR_RCX];
    struct cpuid_entry *entry = entry_for(vcpu, leaf, subleaf);
    bool found = entry->leaf == leaf && entry->subleaf == subleaf && is_right(vcpu, entry);

    (void)word;
    if (__builtin_expect(!found, 0) && !fill(vcpu, entry, leaf, subleaf)) {
        return 0;
    }
    gpr[VGPR_RAX] = entry->regs.eax;
    gpr[VGPR_RBX] = entry->regs.ebx;
    gpr[VGPR_RCX] = entry->regs.ecx;
    gpr[VGPR_RDX] = entry->regs.edx;
    return VS_ADVANCE;
}

void cpuid_forget(struct vcpu *vcpu)
{
    for (unsigned i = 0; i < CPUID_CACHE_SIZE; i++) {
        vcpu->cpuid_cache[i].use = CPUID_NEVER;
    }
}
