/* vmx_state.c: copying groups of guest state between the state page and the VMCS. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/fpu.h"
#include "kernel/virt/vmx.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/msr.h"
#include "kernel/x86/regs.h"

#define CR0_NE (1ull << 5)
#define CR0_CACHE ((1ull << 29) | (1ull << 30))

static void put_cr(struct vcpu *vcpu, const struct vcpu_state *state)
{
    uint64_t entry = vmx_caps.entry & ~ENTRY_IA32E;

    /* A guest's caching switches are shown to it, but must not reach the real cache. */
    vmcs_write(CR0_SHADOW, state->cr0);
    vmcs_write(GUEST_CR0, (state->cr0 & ~CR0_CACHE) | CR0_NE);
    vmcs_write(CR4_SHADOW, state->cr4);
    vmcs_write(GUEST_CR4, state->cr4 | vmx_caps.cr4_fixed0);
    vmcs_write(GUEST_CR3, state->cr3);
    vmcs_write(GUEST_EFER, state->efer);
    vmcs_write(ENTRY_CONTROLS, entry | (state->efer & EFER_LMA ? ENTRY_IA32E : 0u));
    vcpu->guest_cr2 = state->cr2;
}

static void get_cr(struct vcpu *vcpu, struct vcpu_state *state)
{
    state->cr0 = (vmcs_read(GUEST_CR0) & ~CR0_OWNED) | (vmcs_read(CR0_SHADOW) & CR0_OWNED);
    state->cr4 = (vmcs_read(GUEST_CR4) & ~CR4_OWNED) | (vmcs_read(CR4_SHADOW) & CR4_OWNED);
    state->cr3 = vmcs_read(GUEST_CR3);
    state->efer = vmcs_read(GUEST_EFER);
    state->cr2 = vcpu->guest_cr2;
}

/* Fields of the eight segment registers are two apart, in the order of enum VSEG_. */
static void put_segments(const struct vcpu_state *state)
{
    for (unsigned i = 0; i < VSEG_COUNT; i++) {
        const struct vcpu_segment *segment = &state->segment[i];

        vmcs_write(GUEST_ES_SELECTOR + 2 * i, segment->selector);
        vmcs_write(GUEST_ES_LIMIT + 2 * i, segment->limit);
        vmcs_write(GUEST_ES_ACCESS + 2 * i, segment->access);
        vmcs_write(GUEST_ES_BASE + 2 * i, segment->base);
    }
}

static void get_segments(struct vcpu_state *state)
{
    for (unsigned i = 0; i < VSEG_COUNT; i++) {
        struct vcpu_segment *segment = &state->segment[i];

        segment->selector = (uint16_t)vmcs_read(GUEST_ES_SELECTOR + 2 * i);
        segment->limit = (uint32_t)vmcs_read(GUEST_ES_LIMIT + 2 * i);
        segment->access = (uint32_t)vmcs_read(GUEST_ES_ACCESS + 2 * i);
        segment->base = vmcs_read(GUEST_ES_BASE + 2 * i);
    }
}

static void put_tables(const struct vcpu_state *state)
{
    vmcs_write(GUEST_GDTR_BASE, state->gdtr_base);
    vmcs_write(GUEST_GDTR_LIMIT, state->gdtr_limit);
    vmcs_write(GUEST_IDTR_BASE, state->idtr_base);
    vmcs_write(GUEST_IDTR_LIMIT, state->idtr_limit);
}

static void get_tables(struct vcpu_state *state)
{
    state->gdtr_base = vmcs_read(GUEST_GDTR_BASE);
    state->gdtr_limit = (uint32_t)vmcs_read(GUEST_GDTR_LIMIT);
    state->idtr_base = vmcs_read(GUEST_IDTR_BASE);
    state->idtr_limit = (uint32_t)vmcs_read(GUEST_IDTR_LIMIT);
}

static bool is_canonical(uint64_t address) { return (uint64_t)((int64_t)(address << 16) >> 16) == address; }

/* The CPU loads these without a check that fails the entry gently: so they are checked here. */
static void put_msrs(struct vcpu *vcpu, const struct vcpu_state *state)
{
    struct vmx_msr *guest = vmx_of(vcpu)->guest;

    vmcs_write(GUEST_SYSENTER_CS, state->sysenter_cs);
    vmcs_write(GUEST_SYSENTER_ESP, state->sysenter_esp);
    vmcs_write(GUEST_SYSENTER_EIP, state->sysenter_eip);
    vmcs_write(GUEST_PAT, state->pat);
    vmcs_write(GUEST_DR7, state->dr7);
    guest[SWITCHED_STAR].value = state->star;
    guest[SWITCHED_LSTAR].value = is_canonical(state->lstar) ? state->lstar : 0;
    guest[SWITCHED_CSTAR].value = is_canonical(state->cstar) ? state->cstar : 0;
    guest[SWITCHED_SFMASK].value = state->sfmask & UINT32_MAX;
    guest[SWITCHED_KERNEL_GS].value = is_canonical(state->kernel_gs_base) ? state->kernel_gs_base : 0;
    guest[SWITCHED_TSC_AUX].value = state->tsc_aux & UINT32_MAX;
}

static void get_msrs(struct vcpu *vcpu, struct vcpu_state *state)
{
    const struct vmx_msr *guest = vmx_of(vcpu)->guest;

    state->sysenter_cs = vmcs_read(GUEST_SYSENTER_CS);
    state->sysenter_esp = vmcs_read(GUEST_SYSENTER_ESP);
    state->sysenter_eip = vmcs_read(GUEST_SYSENTER_EIP);
    state->pat = vmcs_read(GUEST_PAT);
    state->dr7 = vmcs_read(GUEST_DR7);
    state->star = guest[SWITCHED_STAR].value;
    state->lstar = guest[SWITCHED_LSTAR].value;
    state->cstar = guest[SWITCHED_CSTAR].value;
    state->sfmask = guest[SWITCHED_SFMASK].value;
    state->kernel_gs_base = guest[SWITCHED_KERNEL_GS].value;
    state->tsc_aux = guest[SWITCHED_TSC_AUX].value;
}

static void put_ip(const struct vcpu_state *state)
{
    vmcs_write(GUEST_RIP, state->rip);
    vmcs_write(GUEST_RFLAGS, state->rflags);
    vmcs_write(GUEST_RSP, state->gpr[VGPR_RSP]);
    vmcs_write(GUEST_INTERRUPTIBILITY, state->interruptibility);
}

static void get_ip(struct vcpu_state *state)
{
    state->rip = vmcs_read(GUEST_RIP);
    state->rflags = vmcs_read(GUEST_RFLAGS);
    state->gpr[VGPR_RSP] = vmcs_read(GUEST_RSP);
    state->instruction_length = (uint32_t)vmcs_read(EXIT_INSTRUCTION_LENGTH);
    state->interruptibility = (uint32_t)vmcs_read(GUEST_INTERRUPTIBILITY);
}

static void put_event(const struct vcpu_state *state)
{
    vmcs_write(ENTRY_EVENT_ERROR, state->event_error);
    vmcs_write(ENTRY_INSTRUCTION_LENGTH, state->instruction_length);
    vmcs_write(ENTRY_EVENT, state->event);
}

/* The event that the next entry will deliver: one that an exit interrupted, if any. */
static void get_event(struct vcpu_state *state)
{
    state->event = (uint32_t)vmcs_read(ENTRY_EVENT);
    state->event_error = (uint32_t)vmcs_read(ENTRY_EVENT_ERROR);
}

static void put_window(const struct vcpu_state *state)
{
    vmcs_write(PRIMARY_CONTROLS,
               vmx_caps.primary | (state->interrupt_window ? PRIMARY_INTERRUPT_WINDOW : 0u));
}

/* A value that the CPU would refuse is not loaded (SDM 1 13.3). */
static void put_xcr0(struct vcpu *vcpu, const struct vcpu_state *state)
{
    uint64_t xcr0 = state->xcr0;
    bool avx_without_sse = (xcr0 & 4) && !(xcr0 & 2);
    bool avx512_in_part = (xcr0 & 0xe0) && ((xcr0 & 0xe0) != 0xe0 || !(xcr0 & 4));

    if (!(xcr0 & 1) || (xcr0 & ~fpu_features()) || avx_without_sse || avx512_in_part) {
        return;
    }
    vcpu->xcr0 = xcr0;
    if (core_this()->fpu_owner == &vcpu->thread) {
        xsetbv(0, xcr0);
    }
}

/* The instruction has been emulated: goes on behind it, out of its interrupt shadow. */
static void advance(void)
{
    vmcs_write(GUEST_RIP, vmcs_read(GUEST_RIP) + vmcs_read(EXIT_INSTRUCTION_LENGTH));
    if (vmcs_read(GUEST_INTERRUPTIBILITY) & (VINT_STI | VINT_MOV_SS)) {
        vmcs_write(GUEST_INTERRUPTIBILITY,
                   vmcs_read(GUEST_INTERRUPTIBILITY) & ~(uint64_t)(VINT_STI | VINT_MOV_SS));
    }
}

static void put_rare(struct vcpu *vcpu, uint64_t groups, const struct vcpu_state *state)
{
    if (groups & VS_CR) {
        put_cr(vcpu, state);
    }
    if (groups & VS_SEGMENT) {
        put_segments(state);
    }
    if (groups & VS_TABLE) {
        put_tables(state);
    }
    if (groups & VS_MSR) {
        put_msrs(vcpu, state);
    }
    if (groups & VS_TSC) {
        vmcs_write(TSC_OFFSET, state->tsc_offset);
    }
    if (groups & VS_XCR0) {
        put_xcr0(vcpu, state);
    }
}

#define VS_RARE (VS_CR | VS_SEGMENT | VS_TABLE | VS_MSR | VS_TSC | VS_XCR0)

void vmx_put(struct vcpu *vcpu, uint64_t groups)
{
    const struct vcpu_state *state = vcpu_state(vcpu);

    if (__builtin_expect(groups & VS_ADVANCE, 1)) {
        advance();
    }
    if (groups & VS_IP) {
        put_ip(state);
    }
    if (groups & VS_EVENT) {
        put_event(state);
    }
    if (groups & VS_WINDOW) {
        put_window(state);
    }
    if (__builtin_expect(groups & VS_RARE, 0)) {
        put_rare(vcpu, groups, state);
    }
}

static void get_rare(struct vcpu *vcpu, uint64_t groups, struct vcpu_state *state)
{
    if (groups & VS_CR) {
        get_cr(vcpu, state);
    }
    if (groups & VS_SEGMENT) {
        get_segments(state);
    }
    if (groups & VS_TABLE) {
        get_tables(state);
    }
    if (groups & VS_MSR) {
        get_msrs(vcpu, state);
    }
    if (groups & VS_TSC) {
        state->tsc_offset = vmcs_read(TSC_OFFSET);
    }
    if (groups & VS_XCR0) {
        state->xcr0 = vcpu->xcr0;
    }
}

void vmx_get(struct vcpu *vcpu, uint64_t groups)
{
    struct vcpu_state *state = vcpu_state(vcpu);

    if (groups & VS_IP) {
        get_ip(state);
    }
    if (groups & VS_EVENT) {
        get_event(state);
    }
    if (__builtin_expect(groups & VS_RARE, 0)) {
        get_rare(vcpu, groups, state);
    }
}
