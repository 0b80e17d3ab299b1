/* linear.h: the guest's linear memory, and the instruction at hand, as a virtual CPU sees them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LINEAR_H
#define VMM_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/decode.h"
#include "vmm/emulate.h"
#include "vmm/guest_walk.h"
#include "vmm/vcpu.h"

/* The groups that an exit must have come with for all that follows. */
#define LINEAR_GROUPS (VS_IP | VS_CR | VS_SEGMENT)

/* The instruction that exited. */
struct instruction {
    const struct insn *insn; /* lives in the vcpu, until the next one */
    struct emu_cpu cpu;      /* on the registers in the state page; RIP and RFLAGS are copies */
    uint8_t bytes[INSN_MAX_LENGTH + 1];
    size_t count;      /* of bytes that could be fetched */
    const char *error; /* NULL: `insn` is right; else why it is not */
};

/* Fetches and decodes. False: `error` says why. */
bool linear_instruction(struct vcpu *vcpu, struct instruction *instruction);

/* Puts back what emulation made of RIP and RFLAGS, past an interrupt shadow. The value is VS_IP. */
uint64_t linear_retire(struct vcpu *vcpu, const struct instruction *instruction);

/* Translates a data address, with the rights that the guest's code has now. */
enum guest_walk_status linear_translate(struct vcpu *vcpu, uint64_t linear, bool write,
                                        struct guest_translation *result);

#endif
