/* exit.h: the handlers of exits, by family. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EXIT_H
#define VMM_EXIT_H

#include <stdint.h>

#include "vmm/vcpu.h"

/*
 * Each gets the words of the KL_EXIT message (kernel/abi/vcpu.h) and returns the answer: VS_
 * groups, or RUN_HOLD, RUN_END (vcpu.h).
 */

/* exit_io.c: IN and OUT. */
uint64_t exit_io(struct vcpu *vcpu, const uint64_t *word);

/* exit_string.c: INS and OUTS. `what` is word 1 of the message. */
uint64_t exit_string(struct vcpu *vcpu, uint64_t what);

/* exit_memory.c: an access to guest-physical memory that is not there: a device. */
uint64_t exit_memory(struct vcpu *vcpu, const uint64_t *word);

/* exit_msr.c: RDMSR and WRMSR of what the guest does not own. */
uint64_t exit_msr_read(struct vcpu *vcpu, const uint64_t *word);
uint64_t exit_msr_write(struct vcpu *vcpu, const uint64_t *word);

/* exit_register.c: control registers, debug registers, XCR0. */
uint64_t exit_cr(struct vcpu *vcpu, const uint64_t *word);
uint64_t exit_dr(struct vcpu *vcpu, const uint64_t *word);
uint64_t exit_xsetbv(struct vcpu *vcpu, const uint64_t *word);

/* exit_cpuid.c */
uint64_t exit_cpuid(struct vcpu *vcpu, const uint64_t *word);

/* Forgets answers to CPUID, after a change of what they depend on (XCR0, the APIC being on). */
void cpuid_forget(struct vcpu *vcpu);

/* exit_other.c: exceptions, instructions that no guest has, and the ends of guests. */
uint64_t exit_skip(struct vcpu *vcpu, const uint64_t *word);
uint64_t exit_undefined(struct vcpu *vcpu, const uint64_t *word);
uint64_t exit_exception(struct vcpu *vcpu, const uint64_t *word);
uint64_t exit_triple_fault(struct vcpu *vcpu, const uint64_t *word);
uint64_t exit_fatal(struct vcpu *vcpu, const uint64_t *word);

#endif
