/* instruction.h: the instruction at hand: fetched from the guest's memory and decoded. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_INSTRUCTION_H
#define VMM_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/emulate.h"
#include "vmm/vcpu.h"

/* The instruction that exited. The exit came with LINEAR_GROUPS (linear.h). */
struct instruction {
    const struct decoded *decoded; /* lives in the vcpu, until the next one */
    struct emu_cpu cpu;            /* on the state page; RIP and RFLAGS are copies */
    const char *error;             /* NULL: it is right; else why it is not */
};

/*
 * Fetches and decodes, or finds what it did so last time, if nothing that this depended on has
 * changed since: neither the bytes, nor the page-table entries on the way to them. False: `error`
 * says why.
 */
bool instruction_read(struct vcpu *vcpu, struct instruction *instruction);

/* Puts back what emulation made of RIP and RFLAGS, past an interrupt shadow. The value is VS_IP. */
uint64_t instruction_retire(struct vcpu *vcpu, const struct instruction *instruction);

#endif
