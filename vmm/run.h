/* run.h: what a virtual CPU does next: decided from its exits and its signals. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RUN_H
#define VMM_RUN_H

#include <stdint.h>

#include "vmm/machine.h"

/* Bits of the notification that is bound to a virtual CPU's thread. */
enum notice {
    NOTICE_TIMER = 1 << 0, /* what machine_ops.set_timer asked for */
    NOTICE_INPUT = 1 << 1, /* the console has input */
};

/*
 * An exit, by the words of its message, received at the guest TSC `now`. The value is the answer:
 * VS_ groups to load; or RUN_HOLD: it is answered later, after a signal; or RUN_END:
 * machine->reason.
 */
uint64_t run_exit(struct vcpu *vcpu, const uint64_t word[4], uint64_t now);

/*
 * A signal, of NOTICE_ bits, while no exit is at hand but perhaps a held one. The value is the
 * answer to that one, or RUN_HOLD; or RUN_NONE if there is none: the guest runs.
 */
uint64_t run_notice(struct vcpu *vcpu, uint64_t bits, uint64_t now);

#endif
