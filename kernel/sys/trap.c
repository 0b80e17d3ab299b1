/* trap.c: interrupts, and faults of user level, which become messages. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sys/trap.h"

#include "kernel/lib/log.h"
#include "kernel/obj/endpoint.h"
#include "kernel/obj/irq.h"
#include "kernel/obj/klock.h"
#include "kernel/obj/sched.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/traps.h"

/* Page-fault error code, SDM 3A 4.7. */
#define PF_PRESENT (1u << 0)
#define PF_WRITE   (1u << 1)
#define PF_FETCH   (1u << 4)

static uint64_t fault_access(uint64_t error)
{
    uint64_t access = error & PF_FETCH ? FAULT_EXEC : error & PF_WRITE ? FAULT_WRITE : FAULT_READ;

    return access | (error & PF_PRESENT ? FAULT_PRESENT : 0);
}

static void log_death(const struct thread *thread, const struct message *message)
{
    bool page_fault = tag_label(message->tag) == KL_PAGE_FAULT;

    klog("kernel: a thread without fault handler stopped: %s 0x%lx, code 0x%lx, rip 0x%lx\n",
         page_fault ? "page fault at" : "exception", message->word[0], message->word[1],
         thread->regs.rip);
}

/* The current thread faulted: its fault endpoint hears of it, or it stops. */
static void thread_fault(struct core *core, struct thread *thread, uint64_t cr2)
{
    const struct regs *regs = &thread->regs;
    bool page_fault = regs->vector == VECTOR_PAGE_FAULT;
    struct slot *slot = &thread->slot[TSLOT_FAULT];

    thread->fault = (struct message){
        .tag = TAG_KERNEL | TAG(page_fault ? KL_PAGE_FAULT : KL_EXCEPTION, 4),
        .word = {page_fault ? cr2 : regs->vector,
                 page_fault ? fault_access(regs->error) : regs->error, regs->rip, regs->rsp},
    };
    if (slot->cap.type != OBJ_ENDPOINT) {
        log_death(thread, &thread->fault);
        thread->state = TS_STOPPED;
        sched_block(core);
        return;
    }
    endpoint_call(core, thread, cap_object(&slot->cap), &slot->cap, CALL_FAULT);
}

static void interrupt(struct core *core, unsigned vector)
{
    core_count(core, CT_INTERRUPT);
    switch (vector) {
    case VECTOR_TIMER:
        lapic_eoi();
        sched_tick(core);
        break;
    case VECTOR_IPI_WAKE:
        lapic_eoi();
        sched_take_wake_list(core);
        break;
    case VECTOR_IPI_SHOOTDOWN:
        lapic_eoi();
        core_serve(core);
        break;
    case VECTOR_SPURIOUS:
        break;
    default:
        irq_deliver(core, vector);
        break;
    }
    if (core->reschedule) {
        sched_choose(core);
    }
}

void interrupt_handle(unsigned vector)
{
    struct core *core = core_this();

    klock_read_interrupt(core);
    interrupt(core, vector);
    kernel_leave(core);
}

void trap_user(struct regs *regs)
{
    struct core *core = core_this();

    if (regs->vector >= VECTOR_DEVICE_FIRST) {
        interrupt_handle((unsigned)regs->vector);
        return;
    }
    struct thread *thread = core_current(core);
    uint64_t cr2 = regs->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;

    klock_read(core);
    thread_fault(core, thread, cr2);
    kernel_leave(core);
}

void trap_guest(struct core *core, unsigned vector)
{
    interrupt(core, vector);
}

/* An NMI asks for nothing but that the CPU leaves the guest it is in, which it has. */
void nmi_handle(struct regs *regs) { (void)regs; }
