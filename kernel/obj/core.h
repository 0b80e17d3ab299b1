/* core.h: what kernel objects keep per CPU. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_CORE_H
#define KERNEL_OBJ_CORE_H

#include "kernel/abi/counter.h"
#include "kernel/abi/syscall.h"
#include "kernel/lib/lock.h"
#include "kernel/obj/thread.h"
#include "kernel/x86/cpu.h"

struct vcpu;

/*
 * Letters: c only this CPU writes it, inside the kernel lock; p published: other CPUs read it at any time; a any CPU,
 * by atomic operations; t timer_lock; w anyone who holds the kernel lock for writing may write it too.
 */
struct core {
    uint32_t inside;             /* a: the kernel lock's part of this CPU (klock.h) */
    int32_t bar;                 /* c, w: what a direct switch must reach: top, or more (sched_tick) */
    struct space *space;         /* p, c: whose tables CR3 holds; NULL: the kernel's own */
    struct space *nested;        /* p, c: whose tables a guest runs on at this moment; else NULL */
    bool fpu_blocked;            /* c: CR0.TS is set */
    bool reschedule;             /* c, w: somebody more urgent than the current thread became ready */
    struct thread *held;         /* c: current thread of an entry that waits for the kernel lock */
    bool leave;                  /* a: drop all that is cached of the current thread (klock.h) */
    struct thread *fpu_owner;    /* c, w: whose registers the FPU holds */
    struct vcpu *vcpu;           /* c, w: whose VMCS is loaded */
    struct thread *wake_list;    /* a: threads that other CPUs made ready; linked by wake_next */
    uint64_t slice_end;          /* c: TSC when the current turn ends */
    uint64_t armed;              /* c: TSC the timer is set to; UINT64_MAX: none */
    struct lock timer_lock;
    struct notification *timers; /* t: by time, the earliest first */
    struct sched *refills;       /* c, w: SchedContexts that ran out, by time of the refill */
    uint64_t ready_map[(PRIORITY_MAX + 1) / 64]; /* c, w */
    int32_t top;                 /* c, w: the highest priority that is ready and waits; -1: none */
    struct regs idle;            /* what entry.asm finds when nobody is current: REGS_IDLE */
    struct thread *ready[PRIORITY_MAX + 1];      /* c, w: circular; the head is the next to run */
    uint64_t counter[CT_COUNT];  /* c */
};

_Static_assert(sizeof(struct core) <= CPU_OBJECTS_SIZE, "fits the room in struct cpu");

/* The record of the calling CPU, and of any. */
static inline struct core *core_this(void) { return (struct core *)cpu_this()->objects; }
static inline struct core *core_of(unsigned cpu) { return (struct core *)cpus[cpu]->objects; }

static inline struct cpu *core_cpu(struct core *core)
{
    return (struct cpu *)((char *)core - offsetof(struct cpu, objects));
}

/* The thread that runs on the CPU, or NULL. */
static inline struct thread *core_current(struct core *core) { return core_cpu(core)->current; }

static inline void core_count(struct core *core, enum counter counter) { core->counter[counter]++; }

#endif
