/* exit_other.c: exceptions, instructions that no guest has, and the ends of guests. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/exit.h"
#include "vmm/inject.h"
#include "vmm/machine.h"
#include "vmm/report.h"

#define VECTOR(event) ((event) & 0xFF)

/* DR6 bits that a debug exception brings (SDM 3C, table 28-1): B0 to B3, BD, BS. */
#define DR6_CAUSES UINT64_C(0x600F)
#define DR7_GD (UINT64_C(1) << 13)

/* INVD and WBINVD: the caches are the host's, and coherent. */
uint64_t exit_skip(struct vcpu *vcpu, const uint64_t *word)
{
    (void)vcpu;
    (void)word;
    return VS_ADVANCE;
}

uint64_t exit_undefined(struct vcpu *vcpu, const uint64_t *word)
{
    (void)word;
    return inject_exception(vcpu, VECTOR_UD);
}

/* One that the kernel stops: it is the guest's, which gets it as the CPU would have given it. */
uint64_t exit_exception(struct vcpu *vcpu, const uint64_t *word)
{
    struct vcpu_state *state = vcpu->state;

    if (VECTOR(word[1]) == VECTOR_DB) {
        vcpu->debug.dr6 |= word[3] & DR6_CAUSES;
        vcpu->debug.dr7 &= ~DR7_GD;
    }
    state->event = (uint32_t)(word[1] & (VEVENT_VALID | VEVENT_TYPE | VEVENT_ERROR | 0xFF));
    state->event_error = (uint32_t)word[2];
    return VS_EVENT;
}

uint64_t exit_triple_fault(struct vcpu *vcpu, const uint64_t *word)
{
    (void)word;
    report_fatal(vcpu, "triple fault");
    return machine_end(vcpu->machine, END_CRASH, 0);
}

static const char *words_for(uint64_t reason)
{
    switch (reason) {
    case EXIT_TASK_SWITCH: return "task switch, which is not emulated";
    case EXIT_INIT: return "unexpected INIT";
    case EXIT_SIPI: return "unexpected start-up IPI";
    case EXIT_ENTRY_FAILED: return "the CPU refuses this state";
    case EXIT_MISCONFIGURED: return "misconfigured nested page table";
    default: return "unexpected exit";
    }
}

uint64_t exit_fatal(struct vcpu *vcpu, const uint64_t *word)
{
    return report_fatal(vcpu, "%s: exit %lu, 0x%lx, 0x%lx", words_for(word[0]), word[0], word[1],
                        word[2]);
}
