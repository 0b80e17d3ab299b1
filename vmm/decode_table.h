/* decode_table.h: the opcodes that the decoder knows, as data. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DECODE_TABLE_H
#define VMM_DECODE_TABLE_H

#include <stdint.h>

#define OPC_MODRM 0x00001u       /* a ModRM byte follows the opcode */
#define OPC_BYTE 0x00002u        /* the operand is one byte */
#define OPC_IMM8 0x00004u        /* one byte of immediate */
#define OPC_IMMZ 0x00008u        /* an immediate of the operand's size, at most four bytes */
#define OPC_MOFFS 0x00010u       /* an address of the address size, and no ModRM */
#define OPC_FROM_8 0x00020u      /* the memory operand is one byte */
#define OPC_FROM_16 0x00040u     /* the memory operand is two bytes */
#define OPC_FROM_32 0x00080u     /* the memory operand is four bytes */
#define OPC_LOCK 0x00100u        /* LOCK is allowed when the destination is memory */
#define OPC_MEMORY 0x00200u      /* the register form is #UD */
#define OPC_REGISTER 0x00400u    /* ModRM.mod is ignored: always a register */
#define OPC_NOT_66 0x00800u      /* 66 makes it another instruction */
#define OPC_NOT_REP 0x01000u     /* F2 or F3 makes it another instruction */
#define OPC_NEED_66 0x02000u     /* it is this instruction only with 66 */
#define OPC_NEED_F3 0x04000u     /* it is this instruction only with F3 and without REX.B */
#define OPC_ONLY_64 0x08000u     /* 64-bit mode only */
#define OPC_NOT_64 0x10000u      /* not in 64-bit mode */
#define OPC_MAX_4 0x20000u       /* REX.W does not make the operand 8 bytes */
#define OPC_CONTROL 0x40000u     /* the operand is 8 bytes in 64-bit mode, else 4 */
#define OPC_BIT_STRING 0x80000u  /* a register operand counts bits from the address */
#define OPC_GROUP 0x100000u      /* op is an opcode_group: ModRM says which instruction */

/* Instructions that share an opcode and are told apart by ModRM.reg (SDM vol. 2, table A-6). */
enum opcode_group {
    GROUP_1,
    GROUP_3_BYTE,
    GROUP_3,
    GROUP_4_5,
    GROUP_6,
    GROUP_7,
    GROUP_8,
    GROUP_11,
    GROUP_COUNT
};

struct opcode {
    uint8_t op;   /* enum insn_op, or enum opcode_group with OPC_GROUP; 0: not known */
    uint8_t form; /* enum insn_form */
    uint32_t flags;
};

enum opcode_map { MAP_ONE_BYTE, MAP_0F, MAP_0F38 };

/* The entry of an opcode byte; its op is INSN_NONE and its flags are 0 when it is not known. */
struct opcode opcode_find(enum opcode_map map, uint8_t byte);

/* The member of a group that this ModRM byte selects, completed with the flags and the form of
 * the group's own entry. */
struct opcode opcode_group_member(const struct opcode *entry, uint8_t modrm);

#endif
