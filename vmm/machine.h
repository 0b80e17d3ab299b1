/* machine.h: one guest: its board, its memory, its virtual CPUs, its terminal. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/lib/control.h"
#include "vmm/guest_entry.h"
#include "vmm/guest_memory.h"
#include "vmm/pc.h"
#include "vmm/terminal.h"
#include "vmm/vcpu.h"

/* What a machine needs of the world: system calls in the VMM, a model in the host test. */
struct machine_ops {
    /*
     * Has virtual CPU 0's thread signalled when the guest's TSC is `deadline`. Replaces the last.
     */
    void (*set_timer)(void *ctx, uint64_t deadline);
    /* Makes a virtual CPU that runs exit with EXIT_KICK. */
    void (*kick)(void *ctx, unsigned cpu);
    /* Sets the groups that come with exits of that reason. */
    void (*set_groups)(void *ctx, unsigned cpu, enum vcpu_exit reason, uint64_t groups);
    cpuid_query *host_cpuid;
    void *ctx;
};

/* What the manifest says about the guest, and the platform about its clock. */
struct machine_config {
    struct machine_ops ops;
    struct terminal_ops terminal;
    struct guest_memory memory;
    unsigned ncpus;
    uint64_t tsc_hz;
    uint64_t now;       /* guest TSC at power-up */
    int64_t wall_clock; /* seconds since 1970 at that time */
};

/* Holds pointers into itself: it stays where machine_init() found it. */
struct machine {
    struct machine_ops ops;
    struct pc pc;
    struct terminal terminal;
    struct guest_memory memory;
    uint64_t armed;         /* guest TSC that the timer is set to, or CLOCK_NEVER */
    enum end_reason reason; /* how the guest ended, when a handler has answered RUN_END */
    uint64_t value;
    unsigned reports;       /* how many lines about odd accesses the log has */
    unsigned ncpus;
    struct vcpu vcpu[PLAT_MAX_CPUS];
};

/*
 * Powers a machine up. The guest's TSC is the host's: there is no offset, so that `now` and all
 * deadlines are times of both. Each vcpu[].state must have been set. PC_OK, or what is wrong with
 * the configuration.
 */
enum pc_status machine_init(struct machine *machine, const struct machine_config *config);

/* Fills the whole state page of virtual CPU 0, for a guest that starts as `entry` says. */
void machine_enter_at(struct machine *machine, const struct guest_entry *entry);

/* Lets happen what is due at `now`, on the board and on the terminal. */
void machine_tick(struct machine *machine, uint64_t now);

/* Sets the timer to `deadline`, which is before it goes off. */
void machine_arm(struct machine *machine, uint64_t deadline);

/*
 * Sets the timer if something is due before it goes off. To be called after whatever may have
 * brought a deadline forward. One that moved back is left: the timer goes off once too early.
 */
static inline void machine_rearm(struct machine *machine)
{
    uint64_t deadline = pc_deadline(&machine->pc);

    if (machine->terminal.deadline < deadline) {
        deadline = machine->terminal.deadline;
    }
    if (__builtin_expect(deadline < machine->armed, 0)) {
        machine_arm(machine, deadline);
    }
}

/* The guest has ended. The value is RUN_END. */
uint64_t machine_end(struct machine *machine, enum end_reason reason, uint64_t value);

/* The same if the board says that it has; `answer` otherwise. */
uint64_t machine_check_end(struct machine *machine, uint64_t answer);

#endif
