/* pv_eoi.c: ends of interrupts that the guest leaves in its memory, without an exit. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/pv_eoi.h"

#include "vmm/machine.h"

/* Bits of the MSR, and of the word that it points to. */
#define ENABLED UINT64_C(1)
#define ADDRESS (~UINT64_C(3))
#define NOT_NEEDED UINT32_C(1)

/* The guest's word; NULL: it has none, or not in RAM. */
static uint32_t *word_of(const struct vcpu *vcpu)
{
    const struct guest_memory *memory = &vcpu->machine->memory;
    uint64_t msr = vcpu->msr.stored[MSR_SLOT_PV_EOI];

    return msr & ENABLED ? memory->at(memory->ctx, msr & ADDRESS, sizeof(uint32_t)) : NULL;
}

void pv_eoi_offer(struct vcpu *vcpu)
{
    uint32_t *word = word_of(vcpu);

    if (word != NULL && pc_eoi_is_simple(&vcpu->machine->pc, vcpu->index)) {
        __atomic_fetch_or(word, NOT_NEEDED, __ATOMIC_RELAXED);
        vcpu->eoi_offered = true;
    }
}

void pv_eoi_collect(struct vcpu *vcpu)
{
    uint32_t *word;

    if (!vcpu->eoi_offered) {
        return;
    }
    vcpu->eoi_offered = false;
    word = word_of(vcpu);
    if (word != NULL && !(__atomic_fetch_and(word, ~NOT_NEEDED, __ATOMIC_RELAXED) & NOT_NEEDED)) {
        pc_end_of_interrupt(&vcpu->machine->pc, vcpu->index);
    }
}
