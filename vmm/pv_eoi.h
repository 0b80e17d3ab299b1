/* pv_eoi.h: ends of interrupts that the guest leaves in its memory, without an exit. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PV_EOI_H
#define VMM_PV_EOI_H

#include "vmm/vcpu.h"

/*
 * KVM's interface (the Linux kernel's Documentation/virt/kvm/x86/msr.rst, MSR_KVM_PV_EOI_EN): a word
 * of the guest's memory, of which bit 0 says "a write of the EOI register is not needed": the guest
 * clears the bit instead. It is set only while that write would have no effect but on the local
 * APIC's ISR.
 *
 * Both are called by the vCPU's own thread, while the guest is out.
 */

/* The guest is about to be entered: lets it end the interrupt in service this way, if it can. */
void pv_eoi_offer(struct vcpu *vcpu);

/*
 * Before anything looks at, or changes, what the local APIC has in service: an end that the guest
 * left takes place; an offer that it did not use ends.
 */
void pv_eoi_collect(struct vcpu *vcpu);

#endif
