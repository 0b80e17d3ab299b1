/* alu.c: the arithmetic of x86 integer instructions, with their flags. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/alu.h"

#include <stdbool.h>

#define ARITHMETIC_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

static bool top_bit(uint64_t value, unsigned size)
{
    return value >> (8 * size - 1) & 1;
}

/* PF counts the low byte only (SDM vol. 1, 3.4.3.1). */
static uint64_t result_flags(uint64_t result, unsigned size)
{
    uint64_t flags = 0;
    if ((result & alu_mask(size)) == 0) {
        flags |= RFLAGS_ZF;
    }
    if (top_bit(result, size)) {
        flags |= RFLAGS_SF;
    }
    uint8_t parity = (uint8_t)result;
    parity ^= parity >> 4;
    parity ^= parity >> 2;
    parity ^= parity >> 1;
    return parity & 1 ? flags : flags | RFLAGS_PF;
}

static void set_flags(uint64_t *rflags, uint64_t affected, uint64_t flags)
{
    *rflags = (*rflags & ~affected) | (flags & affected);
}

static uint64_t add(unsigned size, uint64_t a, uint64_t b, bool carry, uint64_t affected,
                    uint64_t *rflags)
{
    uint64_t sum = a + b + carry;
    uint64_t flags = result_flags(sum, size) | ((a ^ b ^ sum) & RFLAGS_AF);
    if (top_bit((a & b) | ((a | b) & ~sum), size)) {
        flags |= RFLAGS_CF;
    }
    if (top_bit((a ^ sum) & (b ^ sum), size)) {
        flags |= RFLAGS_OF;
    }
    set_flags(rflags, affected, flags);
    return sum & alu_mask(size);
}

static uint64_t subtract(unsigned size, uint64_t a, uint64_t b, bool borrow, uint64_t affected,
                         uint64_t *rflags)
{
    uint64_t rest = a - b - borrow;
    uint64_t flags = result_flags(rest, size) | ((a ^ b ^ rest) & RFLAGS_AF);
    if (top_bit((~a & b) | ((~a | b) & rest), size)) {
        flags |= RFLAGS_CF;
    }
    if (top_bit((a ^ b) & (a ^ rest), size)) {
        flags |= RFLAGS_OF;
    }
    set_flags(rflags, affected, flags);
    return rest & alu_mask(size);
}

static uint64_t logic(unsigned size, uint64_t result, uint64_t *rflags)
{
    set_flags(rflags, ARITHMETIC_FLAGS, result_flags(result, size));
    return result & alu_mask(size);
}

static uint64_t bit_test(enum insn_op op, unsigned size, uint64_t a, uint64_t b, uint64_t *rflags)
{
    uint64_t bit = UINT64_C(1) << (b & (8 * size - 1));
    set_flags(rflags, RFLAGS_CF, a & bit ? RFLAGS_CF : 0);
    switch (op) {
    case INSN_BTS: return a | bit;
    case INSN_BTR: return a & ~bit;
    case INSN_BTC: return a ^ bit;
    default: return a;
    }
}

uint64_t alu_run(enum insn_op op, unsigned size, uint64_t a, uint64_t b, uint64_t *rflags)
{
    const uint64_t all = ARITHMETIC_FLAGS;
    bool carry = *rflags & RFLAGS_CF;
    switch (op) {
    case INSN_ADD: return add(size, a, b, false, all, rflags);
    case INSN_ADC: return add(size, a, b, carry, all, rflags);
    case INSN_INC: return add(size, a, 1, false, all & ~RFLAGS_CF, rflags);
    case INSN_SUB:
    case INSN_CMP: return subtract(size, a, b, false, all, rflags);
    case INSN_SBB: return subtract(size, a, b, carry, all, rflags);
    case INSN_DEC: return subtract(size, a, 1, false, all & ~RFLAGS_CF, rflags);
    case INSN_NEG: return subtract(size, 0, a, false, all, rflags);
    case INSN_NOT: return ~a & alu_mask(size);
    case INSN_OR: return logic(size, a | b, rflags);
    case INSN_XOR: return logic(size, a ^ b, rflags);
    case INSN_AND:
    case INSN_TEST: return logic(size, a & b, rflags);
    case INSN_BT:
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC: return bit_test(op, size, a, b, rflags);
    default: return a;
    }
}
