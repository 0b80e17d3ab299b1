/* exit_msr.c: RDMSR and WRMSR of registers that the guest does not own. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/exit.h"
#include "vmm/inject.h"
#include "vmm/machine.h"
#include "vmm/pv_eoi.h"
#include "vmm/report.h"

#define MSR_TSC 0x10u

static uint64_t refuse(struct vcpu *vcpu, const char *what, uint32_t msr)
{
    report_few(vcpu, "%s of unknown MSR 0x%x: #GP", what, msr);
    return inject_general_protection(vcpu);
}

/* What the board does not have: the table of msr.h; the TSC, which is the host's. */
static enum msr_result read_other(const struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
    enum msr_result result = msr_read(&vcpu->cpuid, &vcpu->msr, msr, value);

    if (result == MSR_DELEGATED && msr == MSR_TSC) {
        *value = vcpu->now;
        return MSR_OK;
    }
    return result;
}

uint64_t exit_msr_read(struct vcpu *vcpu, const uint64_t *word)
{
    uint64_t *gpr = vcpu->state->gpr, value = 0;
    uint32_t msr = (uint32_t)gpr[VGPR_RCX];

    (void)word;
    pv_eoi_collect(vcpu);
    enum pc_status status = pc_msr_read(&vcpu->machine->pc, vcpu->index, msr, vcpu->now, &value);

    if (status == PC_FAULT) {
        return inject_general_protection(vcpu);
    }
    if (status != PC_OK && read_other(vcpu, msr, &value) != MSR_OK) {
        return refuse(vcpu, "read", msr);
    }
    gpr[VGPR_RAX] = (uint32_t)value;
    gpr[VGPR_RDX] = value >> 32;
    return VS_ADVANCE;
}

/* A write of the TSC is dropped: all of the guest's clocks follow the one TSC that there is. */
static enum msr_result write_other(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
    enum msr_result result = msr_write(&vcpu->cpuid, &vcpu->msr, msr, value);

    return result == MSR_DELEGATED && msr == MSR_TSC ? MSR_OK : result;
}

uint64_t exit_msr_write(struct vcpu *vcpu, const uint64_t *word)
{
    struct machine *machine = vcpu->machine;
    const uint64_t *gpr = vcpu->state->gpr;
    uint32_t msr = (uint32_t)gpr[VGPR_RCX];
    uint64_t value = gpr[VGPR_RDX] << 32 | (uint32_t)gpr[VGPR_RAX];

    (void)word;
    /* By far the most frequent one has nothing to do with interrupts in service. */
    if (msr != LAPIC_MSR_TSC_DEADLINE) {
        pv_eoi_collect(vcpu);
    }
    enum pc_status status = pc_msr_write(&machine->pc, vcpu->index, msr, vcpu->now, value);

    if (status == PC_FAULT) {
        return inject_general_protection(vcpu);
    }
    if (status != PC_OK) {
        return write_other(vcpu, msr, value) == MSR_OK ? VS_ADVANCE : refuse(vcpu, "write", msr);
    }
    if (msr == LAPIC_MSR_BASE) {
        vcpu->cpuid.apic_off = !(value & LAPIC_BASE_ENABLE);
        cpuid_forget(vcpu);
    }
    machine_rearm(machine);
    return VS_ADVANCE;
}
