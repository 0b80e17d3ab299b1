/* machine.c: one guest: its board, its memory, its virtual CPUs, its terminal. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/machine.h"

#include <string.h>

#include "vmm/clock.h"
#include "vmm/msr.h"

/* Values after reset, SDM 3A table 10-1 and 18.2. */
#define DR6_RESET 0xFFFF0FF0u
#define DR7_RESET 0x400u

static void on_serial(void *ctx, uint8_t byte)
{
    struct machine *machine = ctx;

    terminal_put(&machine->terminal, byte, machine->pc.latest);
}

/* Interrupts are looked at when the exit at hand is answered, or the signal at hand was handled. */
static void on_cpu_event(void *ctx, unsigned cpu, enum pc_event event, uint8_t vector)
{
    struct machine *machine = ctx;

    (void)vector;
    machine->vcpu[cpu].attention = true;
    if (event == PC_EVENT_NMI) {
        machine->vcpu[cpu].nmi = true;
    }
}

/* The groups that a handler always needs; others come when they are asked for (vcpu_has). */
static uint64_t first_groups(enum vcpu_exit reason)
{
    switch (reason) {
    case EXIT_KICK:
    case EXIT_WINDOW: return VS_IP | VS_EVENT;
    case EXIT_CR: return VS_IP | VS_CR;
    case EXIT_DR: return VS_IP | VS_CR | VS_SEGMENT;
    case EXIT_MEMORY: return VS_IP | VS_CR | VS_SEGMENT | VS_EVENT;
    case EXIT_TRIPLE_FAULT:
    case EXIT_TASK_SWITCH:
    case EXIT_EXCEPTION:
    case EXIT_ENTRY_FAILED:
    case EXIT_MISCONFIGURED:
    case EXIT_OTHER: return VS_IP | VS_CR | VS_SEGMENT | VS_EVENT;
    default: return VS_IP;
    }
}

static void set_first_groups(struct vcpu *vcpu)
{
    const struct machine_ops *ops = &vcpu->machine->ops;

    for (unsigned reason = 0; reason < EXIT_COUNT; reason++) {
        uint64_t groups = first_groups(reason);

        vcpu->groups[reason] = (uint16_t)groups;
        if (groups != VS_IP) {
            ops->set_groups(ops->ctx, vcpu->index, reason, groups);
        }
    }
}

bool vcpu_has(struct vcpu *vcpu, enum vcpu_exit reason, uint64_t groups)
{
    const struct machine_ops *ops = &vcpu->machine->ops;

    if ((groups & ~(uint64_t)vcpu->groups[reason]) == 0) {
        return true;
    }
    vcpu->groups[reason] |= (uint16_t)groups;
    ops->set_groups(ops->ctx, vcpu->index, reason, vcpu->groups[reason]);
    return false;
}

static void init_vcpu(struct machine *machine, unsigned index, const struct cpuid_choice *choice)
{
    struct vcpu *vcpu = &machine->vcpu[index];
    struct vcpu_state *state = vcpu->state;

    *vcpu = (struct vcpu){
        .state = state,
        .machine = machine,
        .index = index,
        .debug = {.dr6 = DR6_RESET, .dr7 = DR7_RESET},
    };
    cpuid_policy_init(&vcpu->cpuid, choice, machine->ops.host_cpuid, machine->ops.ctx);
    vcpu->cpuid.apic_id = index;
    msr_reset(&vcpu->cpuid, &vcpu->msr);
    set_first_groups(vcpu);
}

enum pc_status machine_init(struct machine *machine, const struct machine_config *config)
{
    const struct pc_config board = {
        .ncpus = config->ncpus,
        .tsc_hz = config->tsc_hz,
        .now = config->now,
        .wall_clock = config->wall_clock,
        .serial_put = on_serial,
        .cpu_event = on_cpu_event,
        .ctx = machine,
    };
    const struct cpuid_choice choice = {
        .xcr0_allowed = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512,
        .allow = CPUID_ALLOW_RDRAND | CPUID_ALLOW_RDTSCP | CPUID_ALLOW_INVPCID |
                 CPUID_ALLOW_TSC_DEADLINE | CPUID_ALLOW_INVARIANT_TSC,
        .tsc_khz = (uint32_t)(config->tsc_hz / 1000),
        .apic_timer_khz = PLAT_LAPIC_TIMER_HZ / 1000,
        .ncpus = config->ncpus,
    };

    machine->ops = config->ops;
    machine->memory = config->memory;
    machine->armed = CLOCK_NEVER;
    machine->ncpus = config->ncpus;
    terminal_init(&machine->terminal, &config->terminal, config->tsc_hz);
    enum pc_status status = pc_init(&machine->pc, &board);

    for (unsigned i = 0; status == PC_OK && i < config->ncpus; i++) {
        init_vcpu(machine, i, &choice);
    }
    return status;
}

static struct vcpu_segment segment_of(const struct guest_segment *segment)
{
    return (struct vcpu_segment){
        .selector = segment->selector,
        .access = segment->attributes,
        .limit = segment->limit,
        .base = segment->base,
    };
}

void machine_enter_at(struct machine *machine, const struct guest_entry *entry)
{
    const struct vcpu *vcpu = &machine->vcpu[0];
    struct vcpu_state *state = vcpu->state;

    *state = (struct vcpu_state){
        .rip = entry->rip,
        .rflags = entry->rflags,
        .cr0 = entry->cr0,
        .cr3 = entry->cr3,
        .cr4 = entry->cr4,
        .efer = entry->efer,
        .dr7 = DR7_RESET,
        .pat = vcpu->msr.stored[MSR_SLOT_PAT],
        .xcr0 = vcpu->cpuid.xcr0,
        .gdtr_base = entry->gdt_base,
        .gdtr_limit = entry->gdt_limit,
        .idtr_base = entry->idt_base,
        .idtr_limit = entry->idt_limit,
    };
    state->gpr[VGPR_RAX] = entry->rax;
    state->gpr[VGPR_RBX] = entry->rbx;
    state->gpr[VGPR_RSI] = entry->rsi;
    state->gpr[VGPR_RSP] = entry->rsp;
    for (unsigned i = VSEG_ES; i <= VSEG_GS; i++) {
        state->segment[i] = segment_of(i == VSEG_CS ? &entry->code : &entry->data);
    }
    state->segment[VSEG_TR] = segment_of(&entry->task);
    state->segment[VSEG_LDTR] = segment_of(&entry->local);
}

void machine_arm(struct machine *machine, uint64_t deadline)
{
    machine->armed = deadline;
    machine->ops.set_timer(machine->ops.ctx, deadline);
}

void machine_tick(struct machine *machine, uint64_t now)
{
    pc_tick(&machine->pc, now);
    if (now >= machine->terminal.deadline) {
        terminal_flush(&machine->terminal);
    }
    machine_rearm(machine);
}

uint64_t machine_end(struct machine *machine, enum end_reason reason, uint64_t value)
{
    machine->reason = reason;
    machine->value = value;
    return RUN_END;
}

uint64_t machine_check_end(struct machine *machine, uint64_t answer)
{
    switch (machine->pc.outcome) {
    case PC_RESET: return machine_end(machine, END_RESET, 0);
    case PC_POWER_OFF: return machine_end(machine, END_POWER_OFF, 0);
    case PC_DEBUG_EXIT: return machine_end(machine, END_DEBUG_EXIT, machine->pc.exit_value);
    default: return answer;
    }
}
