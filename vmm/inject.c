/* inject.c: exceptions and interrupts on their way into the guest. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/inject.h"

#include "vmm/machine.h"
#include "vmm/pv_eoi.h"

#define VECTOR_NMI 2u

static uint64_t raise(struct vcpu *vcpu, uint32_t event, uint32_t error_code)
{
    vcpu->state->event = VEVENT_VALID | event;
    vcpu->state->event_error = error_code;
    return VS_EVENT;
}

uint64_t inject_exception(struct vcpu *vcpu, unsigned vector)
{
    return raise(vcpu, VEVENT_EXCEPTION | vector, 0);
}

uint64_t inject_general_protection(struct vcpu *vcpu)
{
    return raise(vcpu, VEVENT_EXCEPTION | VEVENT_ERROR | VECTOR_GP, 0);
}

uint64_t inject_page_fault(struct vcpu *vcpu, uint64_t linear, uint32_t error_code)
{
    vcpu->state->cr2 = linear;
    return VS_CR | raise(vcpu, VEVENT_EXCEPTION | VEVENT_ERROR | VECTOR_PF, error_code);
}

/* Asks for an exit at the next interrupt window, or no longer. */
static uint64_t ask_window(struct vcpu *vcpu, bool wanted)
{
    if (vcpu->window == wanted) {
        return 0;
    }
    vcpu->window = wanted;
    vcpu->state->interrupt_window = wanted;
    return VS_WINDOW;
}

/* The interrupt shadows that the guest will be entered with: none behind an instruction. */
static uint32_t shadows(const struct vcpu *vcpu, uint64_t answer)
{
    uint32_t all = vcpu->state->interruptibility;

    return answer & VS_ADVANCE ? all & ~(uint32_t)(VINT_STI | VINT_MOV_SS) : all;
}

uint64_t inject_interrupts(struct vcpu *vcpu, uint64_t answer, bool delivering)
{
    struct pc *pc = &vcpu->machine->pc;
    uint32_t blocked = shadows(vcpu, answer);
    bool room = !delivering && !(answer & VS_EVENT);
    bool open = (vcpu->state->rflags & RFLAGS_IF) && !(blocked & (VINT_STI | VINT_MOV_SS));

    pv_eoi_collect(vcpu);
    if (vcpu->nmi && room && !(blocked & (VINT_NMI | VINT_MOV_SS))) {
        vcpu->nmi = false;
        answer |= raise(vcpu, VEVENT_NMI | VECTOR_NMI, 0);
        room = false;
    }
    int vector = room && open ? pc_accept(pc, vcpu->index) : PC_NO_VECTOR;

    if (vector != PC_NO_VECTOR) {
        answer |= raise(vcpu, VEVENT_INTERRUPT | (uint32_t)vector, 0);
    }
    bool waiting = pc_pending(pc, vcpu->index) != PC_NO_VECTOR;

    pv_eoi_offer(vcpu);
    /* There is no exit at the end of an NMI's blocking: the next of any kind is looked at. */
    vcpu->attention = vcpu->nmi;
    return answer | ask_window(vcpu, waiting);
}
