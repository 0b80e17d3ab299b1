/* guest.h: a guest of one page for tests and benches: a VCpu in real mode, its code given as bytes. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_KTEST_GUEST_H
#define RUN_KTEST_GUEST_H

#include "kernel/abi/vcpu.h"
#include "run/programs/ktest/rig.h"

#define GUEST_CODE 0x1000u /* guest-physical address of the code, and its first instruction */

struct guest {
    uint32_t vcpu, sched, space, memory, exits, faults, exit_reply, fault_reply;
    uint8_t *code;             /* the code page, seen from here */
    struct vcpu_state *state;
};

/*
 * A stopped guest whose code page is mapped at GUEST_CODE with all rights. Exits go to 'exits' (if 'faults' is 0: nested faults too).
 */
void guest_make(struct guest *guest, const uint8_t *code, unsigned size, uint32_t priority);

/* Starts it, and waits for its first message. */
void guest_start(struct guest *guest, struct message *m);

#endif
