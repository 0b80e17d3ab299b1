/* klock.c: waiting for the kernel lock, and what CPUs ask of each other meanwhile. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/klock.h"

#include "kernel/obj/fpu.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"
#include "kernel/obj/vcpu.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/lapic.h"

/* Who holds it may set the flags of other CPUs. */
static uint32_t writer;

/* As entry.asm: gives up this kernel entry and runs what is current, or waits. */
noreturn void return_to_current(void);

void kernel_leave(struct core *core)
{
    struct thread *current = core_current(core);

    if (__builtin_expect(current && current->kind == THREAD_VCPU, 0)) {
        vcpu_enter(core, vcpu_of(current));
    }
    klock_leave(core);
}

void core_drop(struct core *core)
{
    fpu_drop(core);
    vcpu_unload(core);
    if (core->space) {
        __asm__ volatile("mov %0, %%cr3" : : "r"(IMAGE_TO_PHYS(kernel_pml4)) : "memory");
        __atomic_store_n(&core->space, NULL, __ATOMIC_RELEASE);
    }
}

void core_serve(struct core *core)
{
    space_catch_up(core);
    if (__atomic_load_n(&core->leave, __ATOMIC_ACQUIRE)) {
        core_drop(core);
        __atomic_store_n(&core->leave, false, __ATOMIC_RELEASE);
    }
}

/* What core_drop() dropped of the current thread is its again. */
static void take_up_again(struct core *core)
{
    struct thread *thread = core_current(core);

    if (thread) {
        sched_switch(core, thread);
    }
}

/* The current thread may have been stopped, or taken apart, while this CPU waited. */
static void go_on_as(struct core *core, bool same)
{
    if (same) {
        take_up_again(core);
        return;
    }
    sched_choose(core);
    kernel_leave(core);
    return_to_current();
}

static void wait_to_read(struct core *core)
{
    while (__atomic_exchange_n(&core->inside, 1, __ATOMIC_ACQUIRE)) {
        core_serve(core);
        cpu_relax();
    }
}

void klock_read_slow(struct core *core)
{
    struct thread *before = core_current(core);

    core->held = before;
    wait_to_read(core);
    core->held = NULL;
    go_on_as(core, before == NULL || core_current(core) == before);
}

void klock_read_interrupt(struct core *core)
{
    if (__atomic_exchange_n(&core->inside, 1, __ATOMIC_ACQUIRE)) {
        wait_to_read(core);
        take_up_again(core);
    }
}

static void become_writer(struct core *core)
{
    while (__atomic_exchange_n(&writer, 1, __ATOMIC_ACQUIRE)) {
        core_serve(core);
        cpu_relax();
    }
}

void klock_write(struct core *core)
{
    struct thread *before = core_current(core);

    core->held = before;
    become_writer(core);
    core->held = NULL;
    for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
        struct core *other = core_of(cpu);

        while (__atomic_exchange_n(&other->inside, 1, __ATOMIC_ACQUIRE)) {
            core_serve(core);
            cpu_relax();
        }
    }
    if (core_current(core) != before) {
        klock_write_end(core);
    }
    go_on_as(core, core_current(core) == before);
}

void klock_write_end(struct core *core)
{
    take_up_again(core);
    for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
        if (core_of(cpu) != core) {
            __atomic_store_n(&core_of(cpu)->inside, 0, __ATOMIC_RELEASE);
        }
    }
    __atomic_store_n(&writer, 0, __ATOMIC_RELEASE);
}

void core_leave(struct core *core, struct core *other)
{
    __atomic_store_n(&other->leave, true, __ATOMIC_RELEASE);
    core_count(core, CT_IPI);
    lapic_send_ipi(core_cpu(other)->id, VECTOR_IPI_SHOOTDOWN);
    while (__atomic_load_n(&other->leave, __ATOMIC_ACQUIRE)) {
        core_serve(core);
        cpu_relax();
    }
}
