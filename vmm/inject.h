/* inject.h: exceptions and interrupts on their way into the guest. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_INJECT_H
#define VMM_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/vcpu.h"

/*
 * The instruction at hand raises the exception `vector`, which has no error code, or #GP(0), or
 * #PF. The value is what the handler answers. The exit at hand is not one in the middle of an
 * event's delivery.
 */
uint64_t inject_exception(struct vcpu *vcpu, unsigned vector);
uint64_t inject_general_protection(struct vcpu *vcpu);

/* #PF at `linear`. The exit at hand came with VS_CR, where CR2 is. */
uint64_t inject_page_fault(struct vcpu *vcpu, uint64_t linear, uint32_t error_code);

/*
 * Adds to the groups `answer`, with which the guest is about to be entered, an interrupt if one is
 * pending and the guest takes it; if it does not, the guest is to exit as soon as it does.
 * `delivering`: the entry will deliver an event already, which the exit at hand interrupted.
 */
uint64_t inject_interrupts(struct vcpu *vcpu, uint64_t answer, bool delivering);

#endif
