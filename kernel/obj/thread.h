/* thread.h: threads: what runs, and what it waits for. A VCpu begins with one. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_THREAD_H
#define KERNEL_OBJ_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/syscall.h"
#include "kernel/obj/cnode.h"
#include "kernel/x86/regs.h"

struct core;
struct endpoint;
struct notification;
struct reply;
struct sched;
struct space;

enum thread_state {
    TS_STOPPED = 0, /* until resumed */
    TS_READY,       /* runs, or would as soon as it is its turn (and has a SchedContext) */
    TS_RECV,        /* in an endpoint's queue of receivers */
    TS_CALL,        /* in an endpoint's queue of callers */
    TS_REPLY,       /* held by a Reply object */
    TS_WAIT,        /* in a notification's queue */
};

enum thread_kind { THREAD_USER = 0, THREAD_VCPU };

/* regs.vector of a thread that entered by SYSCALL; it returns by SYSRET. */
#define REGS_SYSCALL 0x100
#define REGS_IDLE 0x101 /* of the record that stands for nobody */

/* What a caller waits for an answer to: decides what the answer does to it. */
enum call_kind { CALL_USER = 0, CALL_FAULT, CALL_EXIT, CALL_NESTED_FAULT };

/* The capabilities a thread lives on, in slots of its own. */
enum thread_slot {
    TSLOT_GRAVE = 0, /* see destroy.h */
    TSLOT_CSPACE,
    TSLOT_SPACE,
    TSLOT_FAULT,     /* endpoint for faults; of a VCpu: for nested page faults */
    TSLOT_BUFFER,    /* frame of the IPC buffer; of a VCpu: of the state page */
    TSLOT_EXIT,      /* VCpu only: endpoint for exits */
    TSLOT_COUNT
};

/* Longest line of SYS_LOG, with its end; a longer one is cut into several. */
#define THREAD_LOG_SIZE 256

struct message {
    uint64_t tag;
    uint64_t word[TAG_SIMPLE_MAX];
};

/* Letters: a atomic; c the thread's own CPU, or whoever took it out of the queue it waited in; e the lock of
 * the object it waits in; w the kernel lock held for writing. */
struct thread {
    struct regs regs;               /* c; at offset 0: TSS.RSP0 points to its end */
    uint8_t kind;                   /* fixed: enum thread_kind */
    uint8_t state;                  /* c, e: enum thread_state */
    uint8_t call;                   /* c: enum call_kind */
    uint8_t priority;               /* w */
    bool uses_fpu;                  /* w */
    bool queued;                    /* c: in its CPU's ready queue */
    bool may_grant;                 /* c: the call was made with EP_GRANT */
    bool waking;                    /* a: in a CPU's wake list, by wake_next */
    uint32_t cpu;                   /* w */
    uint32_t badge;                 /* c: badge of the capability that a waiting call was made with */
    struct cspace cspace;           /* w */
    struct space *space;            /* w */
    struct sched *sched;            /* c: time to run on; NULL: waits until it is lent some */
    struct ipc_buffer *buffer;      /* w: in the direct map; of a VCpu: its state page */
    struct thread *next, *prev;     /* e: the queue it is in: ready, endpoint or notification */
    struct thread *wake_next;       /* another CPU's list of threads to wake (core.h) */
    void *waits_in;                 /* e: endpoint (TS_RECV, TS_CALL), reply, notification */
    struct reply *reply;            /* c: of a receiver: where the next caller will be held */
    struct notification *bound;     /* w */
    uint64_t turn_left;             /* c: ticks of a turn that something more urgent cut short */
    struct message fault;           /* c: the message of a CALL_FAULT */
    struct slot slot[TSLOT_COUNT] __attribute__((aligned(1 << SLOT_BITS))); /* w */
    uint32_t log_length;            /* c: the line that SYS_LOG collects */
    char log[THREAD_LOG_SIZE];      /* c */
};

#define FPU_OFFSET 1024u
_Static_assert(offsetof(struct thread, regs) == 0, "entry.asm and TSS.RSP0");
_Static_assert(offsetof(struct thread, kind) == 176, "entry.asm");
_Static_assert(sizeof(struct thread) <= FPU_OFFSET, "the FPU area follows");

/* The XSAVE area of a thread, in the rest of its page. */
static inline void *thread_fpu(struct thread *thread) { return (char *)thread + FPU_OFFSET; }

/* Makes a stopped thread of zeroed memory. */
void thread_init(struct thread *thread, enum thread_kind kind);

/*
 * Fills one of the thread's own slots with a copy of 'source' (NULL: leaves it as it is), in place of what it holds,
 * which dies if that was its last capability; updates what the thread keeps unpacked of it. 'offset': where in the
 * frame, for TSLOT_BUFFER. Returns false if that takes longer: call again. Kernel lock: writing.
 */
bool thread_set_slot(struct core *core, struct thread *thread, enum thread_slot index,
                     struct slot *source, uint32_t offset);

/* A slot of the thread was emptied by revocation: forget what was unpacked of it. Kernel lock: writing. */
void thread_slot_lost(struct slot *slot);

/*
 * Ends whatever the thread waits for (it gets E_GONE) or takes it from the CPU it runs on, and stops it. If the
 * thread was stopped or waited, its registers can be read. Kernel lock: writing.
 */
void thread_stop(struct thread *thread);

/*
 * Makes every CPU give up what it keeps of a thread that does not run: FPU registers, a loaded VMCS.
 * Kernel lock: writing.
 */
void thread_forget_cached(struct thread *thread);

/* Stops the thread for ever and cuts its ties to other objects. Kernel lock: writing. */
void thread_kill(struct thread *thread);

/* Ends a wait with a status: the thread, which the caller has taken out of its queue, becomes ready. */
void thread_end_wait(struct core *core, struct thread *thread, enum status status);

#endif
