/* fpu.h: whose registers the FPU holds (SDM 1 chapter 13). */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_FPU_H
#define KERNEL_OBJ_FPU_H

#include "kernel/obj/core.h"

/*
 * The registers stay in the FPU until another thread that uses it runs. A thread that does not use it runs with CR0.TS set: any
 * FPU instruction of it is a fault. So a guest's exit to its VMM, which uses none, moves no FPU state.
 */

/* What this CPU can save. Boot CPU, once; panics if a thread's page has no room for it. */
void fpu_probe(void);

/* XCR0 as the host uses it, CR0.TS set. Each CPU, once. */
void fpu_start(struct core *core);

/* The start state in a zeroed XSAVE area. */
void fpu_init(void *area);

/* A guest's entry unblocks the FPU by itself. */
static inline bool fpu_is_right(const struct core *core, const struct thread *thread)
{
    if (!thread->uses_fpu) {
        return core->fpu_blocked;
    }
    return core->fpu_owner == thread && (!core->fpu_blocked || thread->kind == THREAD_VCPU);
}

/* Makes the FPU right for 'thread', which becomes current: its registers, or blocked. */
void fpu_switch(struct core *core, struct thread *thread);

/* Saves the registers of whoever owns the FPU; nobody does afterwards. */
void fpu_drop(struct core *core);

/* Extended state that a guest may be shown: XCR0 bits. */
uint64_t fpu_features(void);

#endif
