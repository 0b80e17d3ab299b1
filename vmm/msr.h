/* msr.h: the model-specific registers that a guest sees. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MSR_H
#define VMM_MSR_H

#include <stdint.h>

#include "vmm/cpuid.h"

enum msr_result {
    MSR_OK,
    MSR_GP,       /* the guest gets #GP(0) */
    MSR_DELEGATED /* allowed, but its state is elsewhere: in the virtual CPU or its LAPIC */
};

/* The registers whose values live here. */
enum msr_slot {
    MSR_SLOT_PAT,
    MSR_SLOT_MTRR_DEF_TYPE,
    MSR_SLOT_MISC_ENABLE,
    MSR_SLOT_HWCR,
    MSR_SLOT_SYSCFG,
    MSR_SLOT_DE_CFG,
    MSR_SLOT_PV_EOI,
    MSR_SLOT_COUNT
};

/* One virtual CPU's. After a write of IA32_PAT the caller copies stored[MSR_SLOT_PAT] to the
 * virtual CPU, whose loads and stores obey it. */
struct msr_state {
    uint64_t stored[MSR_SLOT_COUNT];
};

/* The values at power-up. */
void msr_reset(const struct cpuid_policy *policy, struct msr_state *state);

/* RDMSR. *value is set for MSR_OK only. What exists depends on the vendor and the features shown.
 * Where speed matters the caller tries the registers that it owns first. */
enum msr_result msr_read(const struct cpuid_policy *policy, const struct msr_state *state,
                         uint32_t msr, uint64_t *value);

/* WRMSR. *state changes for MSR_OK only. A delegated register's value is for its owner to check. */
enum msr_result msr_write(const struct cpuid_policy *policy, struct msr_state *state, uint32_t msr,
                          uint64_t value);

#endif
