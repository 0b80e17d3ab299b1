/* cpuid_hypervisor.h: CPUID leaves from 0x40000000 up: the hypervisor and what it offers. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPUID_HYPERVISOR_H
#define VMM_CPUID_HYPERVISOR_H

#include "vmm/cpuid.h"

/*
 * The answer for `leaf`. Two interfaces are shown, 0x100 apart, as guests look for them: Quire's
 * own, with the rates of TSC and LAPIC timer; and KVM's paravirtual one, of which there is the end
 * of interrupts in memory (pv_eoi.h), and the word that ports need no delays. Systems that know KVM
 * then use x2APIC mode, too. All other leaves are zero.
 */
void cpuid_hypervisor(const struct cpuid_policy *policy, uint32_t leaf, struct cpuid_regs *guest);

#endif
