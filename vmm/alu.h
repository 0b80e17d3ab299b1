/* alu.h: the arithmetic of x86 integer instructions, with their flags. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_ALU_H
#define VMM_ALU_H

#include <stdint.h>

#include "vmm/decode.h"

/* RFLAGS (SDM vol. 1, 3.4.3). */
#define RFLAGS_CF (UINT64_C(1) << 0)
#define RFLAGS_PF (UINT64_C(1) << 2)
#define RFLAGS_AF (UINT64_C(1) << 4)
#define RFLAGS_ZF (UINT64_C(1) << 6)
#define RFLAGS_SF (UINT64_C(1) << 7)
#define RFLAGS_DF (UINT64_C(1) << 10)
#define RFLAGS_OF (UINT64_C(1) << 11)
#define RFLAGS_RF (UINT64_C(1) << 16)
#define RFLAGS_AC (UINT64_C(1) << 18)

/* All bits of an operand of `size` bytes: 1, 2, 4 or 8. */
static inline uint64_t alu_mask(unsigned size)
{
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

/* `value` of `size` bytes, extended by its sign to 64 bits. */
static inline uint64_t alu_sign_extend(uint64_t value, unsigned size)
{
    unsigned unused = 64 - 8 * size;
    return (uint64_t)((int64_t)(value << unused) >> unused);
}

/*
 * What `op` makes of the operands a (the destination) and b, of `size` bytes, and of *rflags.
 * Ops: ADD, OR, ADC, SBB, AND, SUB, XOR, CMP (as SUB), TEST (as AND), INC, DEC, NOT, NEG (b is not
 * used), BT (a as it is), BTS, BTR, BTC (b modulo the width). Flags that the manual leaves
 * undefined: AF is cleared by AND, OR, XOR and TEST; all but CF are kept by the BT family. Any
 * other op: a, and no flag changes.
 */
uint64_t alu_run(enum insn_op op, unsigned size, uint64_t a, uint64_t b, uint64_t *rflags);

#endif
