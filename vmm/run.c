/* run.c: what a virtual CPU does next: decided from its exits and its signals. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/run.h"

#include "vmm/clock.h"
#include "vmm/exit.h"
#include "vmm/inject.h"

static uint64_t exit_kick(struct vcpu *vcpu, const uint64_t *word)
{
    (void)word;
    vcpu->kicked = false;
    vcpu->attention = true;
    return 0;
}

/* The kernel has turned the window off again. */
static uint64_t exit_window(struct vcpu *vcpu, const uint64_t *word)
{
    (void)word;
    vcpu->window = false;
    vcpu->attention = true;
    return 0;
}

static uint64_t exit_hlt(struct vcpu *vcpu, const uint64_t *word)
{
    struct machine *machine = vcpu->machine;

    (void)word;
    terminal_flush(&machine->terminal);
    machine_tick(machine, vcpu->now);
    vcpu->attention = true;
    return RUN_HOLD;
}

static uint64_t (*const handlers[EXIT_COUNT])(struct vcpu *vcpu, const uint64_t *word) = {
    [EXIT_KICK] = exit_kick,
    [EXIT_WINDOW] = exit_window,
    [EXIT_CPUID] = exit_cpuid,
    [EXIT_HLT] = exit_hlt,
    [EXIT_IO] = exit_io,
    [EXIT_MSR_READ] = exit_msr_read,
    [EXIT_MSR_WRITE] = exit_msr_write,
    [EXIT_CR] = exit_cr,
    [EXIT_DR] = exit_dr,
    [EXIT_MEMORY] = exit_memory,
    [EXIT_XSETBV] = exit_xsetbv,
    [EXIT_INVD] = exit_skip,
    [EXIT_HYPERCALL] = exit_undefined,
    [EXIT_EXCEPTION] = exit_exception,
    [EXIT_TRIPLE_FAULT] = exit_triple_fault,
    [EXIT_TASK_SWITCH] = exit_fatal,
    [EXIT_INIT] = exit_fatal,
    [EXIT_SIPI] = exit_fatal,
    [EXIT_PRIVILEGED] = exit_undefined,
    [EXIT_ENTRY_FAILED] = exit_fatal,
    [EXIT_MISCONFIGURED] = exit_fatal,
    [EXIT_OTHER] = exit_fatal,
};

/*
 * A virtual CPU in HLT goes on when it takes an interrupt. With its interrupts off only an NMI can
 * wake it, and on a board with one CPU nobody is left to send one.
 */
static uint64_t halt(struct vcpu *vcpu)
{
    uint64_t answer = inject_interrupts(vcpu, VS_ADVANCE, false);

    vcpu->halted = !(answer & VS_EVENT);
    if (!vcpu->halted) {
        return answer;
    }
    if (!(vcpu->state->rflags & RFLAGS_IF)) {
        return machine_end(vcpu->machine, END_HALT, 0);
    }
    return RUN_HOLD;
}

/* The end of an exit after which something may have to be done before the guest goes on. */
static uint64_t settle(struct vcpu *vcpu, enum vcpu_exit reason, uint64_t answer)
{
    answer = machine_check_end(vcpu->machine, answer);
    if (answer & RUN_END) {
        return answer;
    }
    if (answer & RUN_HOLD) {
        return halt(vcpu);
    }
    /* Only what came with the exit is looked at; an exit without VS_EVENT never interrupts one. */
    bool delivering =
        (vcpu->groups[reason] & VS_EVENT) && (vcpu->state->event & VEVENT_VALID);

    return inject_interrupts(vcpu, answer, delivering);
}

uint64_t run_exit(struct vcpu *vcpu, const uint64_t word[4], uint64_t now)
{
    uint64_t reason = word[0];

    if (__builtin_expect(reason >= EXIT_COUNT, 0)) {
        reason = EXIT_OTHER;
    }
    vcpu->now = now;
    uint64_t answer = handlers[reason](vcpu, word);

    if (__builtin_expect(vcpu->attention || vcpu->machine->pc.outcome != PC_RUNNING, 0)) {
        return settle(vcpu, reason, answer);
    }
    return answer;
}

uint64_t run_notice(struct vcpu *vcpu, uint64_t bits, uint64_t now)
{
    struct machine *machine = vcpu->machine;

    vcpu->now = now;
    if (bits & NOTICE_TIMER) {
        machine->armed = CLOCK_NEVER;
    }
    if (bits & NOTICE_INPUT) {
        terminal_input(&machine->terminal, &machine->pc, now);
    }
    machine_tick(machine, now);
    if (vcpu->halted) {
        return vcpu->attention ? halt(vcpu) : RUN_HOLD;
    }
    /* An interrupt window that was asked for will come by itself. */
    if (vcpu->attention && !vcpu->window && !vcpu->kicked) {
        vcpu->kicked = true;
        machine->ops.kick(machine->ops.ctx, vcpu->index);
    }
    return RUN_NONE;
}
