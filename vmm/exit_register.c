/* exit_register.c: accesses to control registers, debug registers and XCR0. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/exit.h"
#include "vmm/inject.h"
#include "vmm/machine.h"
#include "vmm/report.h"

/* SDM 3A, 2.5. */
#define CR0_PE (UINT64_C(1) << 0)
#define CR0_TS (UINT64_C(1) << 3)
#define CR0_NE (UINT64_C(1) << 5)
#define CR0_NW (UINT64_C(1) << 29)
#define CR0_CD (UINT64_C(1) << 30)
#define CR0_WATCHED (CR0_NE | CR0_NW | CR0_CD)
#define CR0_LMSW UINT64_C(0xF)
#define CR4_DE (UINT64_C(1) << 3)
#define CR4_VMXE (UINT64_C(1) << 13)
#define EFER_LMA (UINT64_C(1) << 10)

/*
 * The instruction at hand writes a general register, which may be RSP: the kernel loads that with
 * RIP.
 */
static uint64_t set_gpr(struct vcpu *vcpu, unsigned number, uint64_t value)
{
    struct vcpu_state *state = vcpu->state;

    state->gpr[number] = value;
    if (number != VGPR_RSP) {
        return VS_ADVANCE;
    }
    state->rip += state->instruction_length;
    state->interruptibility &= ~(uint32_t)(VINT_STI | VINT_MOV_SS);
    return VS_IP;
}

enum cr_access { CR_WRITE, CR_READ, CR_CLTS, CR_LMSW };

/*
 * The kernel watches NE, NW and CD alone. They are changed here, and the guest runs its
 * instruction again: this time it does not exit, and the CPU itself makes all the checks and the
 * changes of mode.
 */
static uint64_t write_cr0(struct vcpu *vcpu, uint64_t value)
{
    struct vcpu_state *state = vcpu->state;

    if ((value & CR0_NW) && !(value & CR0_CD)) {
        return inject_general_protection(vcpu);
    }
    if (((state->cr0 ^ value) & CR0_WATCHED) == 0) {
        return report_fatal(vcpu, "exit by a write of 0x%lx to CR0, whose watched bits stay",
                            value);
    }
    state->cr0 = (state->cr0 & ~CR0_WATCHED) | (value & CR0_WATCHED);
    return VS_CR;
}

static uint64_t write_cr(struct vcpu *vcpu, unsigned number, uint64_t value)
{
    switch (number) {
    case 0: return write_cr0(vcpu, value);
    case 4:
        if (value & CR4_VMXE) {
            return inject_general_protection(vcpu); /* CPUID hides VMX */
        }
        break;
    case 8:
        if (value > 0xF) {
            return inject_general_protection(vcpu);
        }
        pc_set_cr8(&vcpu->machine->pc, vcpu->index, (uint8_t)value);
        vcpu->attention = true; /* a lower priority may let something in */
        return VS_ADVANCE;
    default: break;
    }
    return report_fatal(vcpu, "exit by a write of 0x%lx to CR%u", value, number);
}

static uint64_t lmsw(struct vcpu *vcpu, unsigned source)
{
    uint64_t cr0 = vcpu->state->cr0;

    /* LMSW can set PE and not clear it (SDM 2A, LMSW). */
    vcpu->state->cr0 = (cr0 & ~(CR0_LMSW & ~CR0_PE)) | (source & CR0_LMSW);
    return VS_CR | VS_ADVANCE;
}

uint64_t exit_cr(struct vcpu *vcpu, const uint64_t *word)
{
    unsigned number = VCR_NUMBER(word[1]);

    switch (VCR_ACCESS(word[1])) {
    case CR_WRITE: return write_cr(vcpu, number, vcpu->state->gpr[VCR_GPR(word[1])]);
    case CR_CLTS: vcpu->state->cr0 &= ~CR0_TS; return VS_CR | VS_ADVANCE;
    case CR_LMSW: return lmsw(vcpu, VCR_SOURCE(word[1]));
    default: break;
    }
    if (number != 8) {
        return report_fatal(vcpu, "exit by a read of CR%u", number);
    }
    return set_gpr(vcpu, VCR_GPR(word[1]), pc_cr8(&vcpu->machine->pc, vcpu->index));
}

/* Qualification of MOV DR, SDM 3C table 28-4. */
#define DR_NUMBER(q) ((unsigned)(q) & 7)
#define DR_READ(q) ((q) & 1 << 4)
#define DR_GPR(q) ((unsigned)((q) >> 8) & 15)

/* SDM 3B, 18.2. */
#define DR6_ONES UINT64_C(0xFFFF0FF0)
#define DR6_WRITABLE UINT64_C(0xE00F)
#define DR6_BD (UINT64_C(1) << 13)
#define DR7_GD (UINT64_C(1) << 13)
#define DR7_ONES UINT64_C(0x400)
#define DR7_ZEROS UINT64_C(0xD000)

static uint64_t read_dr(const struct debug_registers *debug, unsigned number)
{
    return number < 4 ? debug->address[number] : number == 6 ? debug->dr6 : debug->dr7;
}

/* False: #GP. */
static bool write_dr(struct debug_registers *debug, unsigned number, uint64_t value)
{
    if (number < 4) {
        debug->address[number] = value;
        return true;
    }
    if (value >> 32) {
        return false;
    }
    if (number == 6) {
        debug->dr6 = DR6_ONES | (value & DR6_WRITABLE);
    } else {
        debug->dr7 = (value & ~DR7_ZEROS) | DR7_ONES;
    }
    return true;
}

static bool in_64_bit_mode(const struct vcpu_state *state)
{
    enum { CS_LONG = 1 << 13 };

    return (state->efer & EFER_LMA) && (state->segment[VSEG_CS].access & CS_LONG);
}

uint64_t exit_dr(struct vcpu *vcpu, const uint64_t *word)
{
    struct vcpu_state *state = vcpu->state;
    struct debug_registers *debug = &vcpu->debug;
    uint64_t value = state->gpr[DR_GPR(word[1])];
    unsigned number = DR_NUMBER(word[1]);

    if (number == 4 || number == 5) {
        if (state->cr4 & CR4_DE) {
            return inject_exception(vcpu, VECTOR_UD);
        }
        number += 2;
    }
    if (debug->dr7 & DR7_GD) {
        debug->dr7 &= ~DR7_GD;
        debug->dr6 |= DR6_BD;
        return inject_exception(vcpu, VECTOR_DB);
    }
    if (DR_READ(word[1])) {
        return set_gpr(vcpu, DR_GPR(word[1]), read_dr(debug, number));
    }
    if (!in_64_bit_mode(state)) {
        value = (uint32_t)value;
    }
    return write_dr(debug, number, value) ? VS_ADVANCE : inject_general_protection(vcpu);
}

uint64_t exit_xsetbv(struct vcpu *vcpu, const uint64_t *word)
{
    struct vcpu_state *state = vcpu->state;
    uint64_t value = state->gpr[VGPR_RDX] << 32 | (uint32_t)state->gpr[VGPR_RAX];

    (void)word;
    if ((uint32_t)state->gpr[VGPR_RCX] != 0 || !cpuid_xcr0_valid(&vcpu->cpuid, value)) {
        return inject_general_protection(vcpu);
    }
    state->xcr0 = value;
    vcpu->cpuid.xcr0 = value;
    cpuid_forget(vcpu);
    return VS_XCR0 | VS_ADVANCE;
}
