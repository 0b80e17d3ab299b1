/* decode_table.c: the opcodes that the decoder knows, as data. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/decode_table.h"

#include "vmm/decode.h"

#define RM_REG INSN_FORM_RM_REG, OPC_MODRM
#define REG_RM INSN_FORM_REG_RM, OPC_MODRM
#define RM_IMM INSN_FORM_RM_IMM, OPC_MODRM
#define STRING INSN_FORM_STRING, 0
#define PORT INSN_FORM_PORT, OPC_MAX_4
#define ALONE INSN_FORM_IMPLIED, 0

/* The four encodings "op rm, reg" and "op reg, rm", one byte and wider, from `first` on. */
#define ARITHMETIC(first, name, lock)                                \
    [(first)] = { name, RM_REG | OPC_BYTE | (lock) },                \
    [(first) + 1] = { name, RM_REG | (lock) },                       \
    [(first) + 2] = { name, REG_RM | OPC_BYTE },                     \
    [(first) + 3] = { name, REG_RM }

static const struct opcode one_byte[256] = {
    ARITHMETIC(0x00, INSN_ADD, OPC_LOCK),
    ARITHMETIC(0x08, INSN_OR, OPC_LOCK),
    ARITHMETIC(0x10, INSN_ADC, OPC_LOCK),
    ARITHMETIC(0x18, INSN_SBB, OPC_LOCK),
    ARITHMETIC(0x20, INSN_AND, OPC_LOCK),
    ARITHMETIC(0x28, INSN_SUB, OPC_LOCK),
    ARITHMETIC(0x30, INSN_XOR, OPC_LOCK),
    ARITHMETIC(0x38, INSN_CMP, 0),
    /* MOVSXD. With 66 the vendors' manuals differ on the source's size. */
    [0x63] = { INSN_MOVSX, REG_RM | OPC_FROM_32 | OPC_ONLY_64 | OPC_NOT_66 },
    [0x6c] = { INSN_INS, STRING | OPC_BYTE },
    [0x6d] = { INSN_INS, STRING | OPC_MAX_4 },
    [0x6e] = { INSN_OUTS, STRING | OPC_BYTE },
    [0x6f] = { INSN_OUTS, STRING | OPC_MAX_4 },
    [0x80] = { GROUP_1, RM_IMM | OPC_GROUP | OPC_BYTE | OPC_IMM8 },
    [0x81] = { GROUP_1, RM_IMM | OPC_GROUP | OPC_IMMZ },
    [0x83] = { GROUP_1, RM_IMM | OPC_GROUP | OPC_IMM8 },
    [0x84] = { INSN_TEST, RM_REG | OPC_BYTE },
    [0x85] = { INSN_TEST, RM_REG },
    [0x86] = { INSN_XCHG, RM_REG | OPC_BYTE | OPC_LOCK },
    [0x87] = { INSN_XCHG, RM_REG | OPC_LOCK },
    [0x88] = { INSN_MOV, RM_REG | OPC_BYTE },
    [0x89] = { INSN_MOV, RM_REG },
    [0x8a] = { INSN_MOV, REG_RM | OPC_BYTE },
    [0x8b] = { INSN_MOV, REG_RM },
    [0x90] = { INSN_PAUSE, ALONE | OPC_NEED_F3 },
    [0x9c] = { INSN_PUSHF, ALONE },
    [0x9d] = { INSN_POPF, ALONE },
    [0xa0] = { INSN_MOV, INSN_FORM_REG_RM, OPC_MOFFS | OPC_BYTE },
    [0xa1] = { INSN_MOV, INSN_FORM_REG_RM, OPC_MOFFS },
    [0xa2] = { INSN_MOV, INSN_FORM_RM_REG, OPC_MOFFS | OPC_BYTE },
    [0xa3] = { INSN_MOV, INSN_FORM_RM_REG, OPC_MOFFS },
    [0xa4] = { INSN_MOVS, STRING | OPC_BYTE },
    [0xa5] = { INSN_MOVS, STRING },
    [0xaa] = { INSN_STOS, STRING | OPC_BYTE },
    [0xab] = { INSN_STOS, STRING },
    [0xac] = { INSN_LODS, STRING | OPC_BYTE },
    [0xad] = { INSN_LODS, STRING },
    [0xc6] = { GROUP_11, RM_IMM | OPC_GROUP | OPC_BYTE | OPC_IMM8 },
    [0xc7] = { GROUP_11, RM_IMM | OPC_GROUP | OPC_IMMZ },
    [0xcc] = { INSN_INT3, ALONE },
    [0xcd] = { INSN_INT, ALONE | OPC_IMM8 },
    [0xce] = { INSN_INTO, ALONE | OPC_NOT_64 },
    [0xcf] = { INSN_IRET, ALONE },
    [0xe4] = { INSN_IN, PORT | OPC_BYTE | OPC_IMM8 },
    [0xe5] = { INSN_IN, PORT | OPC_IMM8 },
    [0xe6] = { INSN_OUT, PORT | OPC_BYTE | OPC_IMM8 },
    [0xe7] = { INSN_OUT, PORT | OPC_IMM8 },
    [0xec] = { INSN_IN, PORT | OPC_BYTE },
    [0xed] = { INSN_IN, PORT },
    [0xee] = { INSN_OUT, PORT | OPC_BYTE },
    [0xef] = { INSN_OUT, PORT },
    [0xf1] = { INSN_INT1, ALONE },
    [0xf4] = { INSN_HLT, ALONE },
    [0xf6] = { GROUP_3_BYTE, INSN_FORM_RM, OPC_MODRM | OPC_GROUP | OPC_BYTE },
    [0xf7] = { GROUP_3, INSN_FORM_RM, OPC_MODRM | OPC_GROUP },
    [0xfe] = { GROUP_4_5, INSN_FORM_RM, OPC_MODRM | OPC_GROUP | OPC_BYTE },
    [0xff] = { GROUP_4_5, INSN_FORM_RM, OPC_MODRM | OPC_GROUP },
};

#define CONTROL INSN_FORM_REG_RM, OPC_MODRM | OPC_REGISTER | OPC_CONTROL

static const struct opcode two_byte[256] = {
    [0x00] = { GROUP_6, INSN_FORM_RM, OPC_MODRM | OPC_GROUP },
    [0x01] = { GROUP_7, INSN_FORM_RM, OPC_MODRM | OPC_GROUP },
    [0x06] = { INSN_CLTS, ALONE },
    [0x08] = { INSN_INVD, ALONE },
    [0x09] = { INSN_WBINVD, ALONE | OPC_NOT_66 | OPC_NOT_REP },
    [0x0b] = { INSN_UD2, ALONE },
    [0x20] = { INSN_MOV_FROM_CR, CONTROL },
    [0x21] = { INSN_MOV_FROM_DR, CONTROL },
    [0x22] = { INSN_MOV_TO_CR, CONTROL },
    [0x23] = { INSN_MOV_TO_DR, CONTROL },
    [0x30] = { INSN_WRMSR, ALONE },
    [0x31] = { INSN_RDTSC, ALONE },
    [0x32] = { INSN_RDMSR, ALONE },
    [0x33] = { INSN_RDPMC, ALONE },
    [0xa2] = { INSN_CPUID, ALONE },
    [0xa3] = { INSN_BT, RM_REG | OPC_BIT_STRING },
    [0xaa] = { INSN_RSM, ALONE },
    [0xab] = { INSN_BTS, RM_REG | OPC_BIT_STRING | OPC_LOCK },
    [0xb0] = { INSN_CMPXCHG, RM_REG | OPC_BYTE | OPC_LOCK },
    [0xb1] = { INSN_CMPXCHG, RM_REG | OPC_LOCK },
    [0xb3] = { INSN_BTR, RM_REG | OPC_BIT_STRING | OPC_LOCK },
    [0xb6] = { INSN_MOVZX, REG_RM | OPC_FROM_8 },
    [0xb7] = { INSN_MOVZX, REG_RM | OPC_FROM_16 },
    [0xba] = { GROUP_8, RM_IMM | OPC_GROUP | OPC_IMM8 },
    [0xbb] = { INSN_BTC, RM_REG | OPC_BIT_STRING | OPC_LOCK },
    [0xbe] = { INSN_MOVSX, REG_RM | OPC_FROM_8 },
    [0xbf] = { INSN_MOVSX, REG_RM | OPC_FROM_16 },
    [0xc0] = { INSN_XADD, RM_REG | OPC_BYTE | OPC_LOCK },
    [0xc1] = { INSN_XADD, RM_REG | OPC_LOCK },
    /* MOVNTI: a MOV with a hint. */
    [0xc3] = { INSN_MOV, RM_REG | OPC_MEMORY | OPC_NOT_66 | OPC_NOT_REP },
};

static const struct opcode map_0f38[256] = {
    [0x80] = { INSN_INVEPT, REG_RM | OPC_MEMORY | OPC_CONTROL | OPC_NEED_66 | OPC_NOT_REP },
    [0x81] = { INSN_INVVPID, REG_RM | OPC_MEMORY | OPC_CONTROL | OPC_NEED_66 | OPC_NOT_REP },
    [0x82] = { INSN_INVPCID, REG_RM | OPC_MEMORY | OPC_CONTROL | OPC_NEED_66 | OPC_NOT_REP },
    [0xf0] = { INSN_MOVBE, REG_RM | OPC_MEMORY | OPC_NOT_REP },
    [0xf1] = { INSN_MOVBE, RM_REG | OPC_MEMORY | OPC_NOT_REP },
};

/* A form of 0 (INSN_FORM_IMPLIED) here means that of the group's own entry. */
static const struct opcode groups[GROUP_COUNT][8] = {
    [GROUP_1] = {
        { INSN_ADD, 0, OPC_LOCK }, { INSN_OR, 0, OPC_LOCK }, { INSN_ADC, 0, OPC_LOCK },
        { INSN_SBB, 0, OPC_LOCK }, { INSN_AND, 0, OPC_LOCK }, { INSN_SUB, 0, OPC_LOCK },
        { INSN_XOR, 0, OPC_LOCK }, { INSN_CMP, 0, 0 },
    },
    [GROUP_3_BYTE] = {
        [0] = { INSN_TEST, INSN_FORM_RM_IMM, OPC_IMM8 },
        [2] = { INSN_NOT, 0, OPC_LOCK },
        [3] = { INSN_NEG, 0, OPC_LOCK },
    },
    [GROUP_3] = {
        [0] = { INSN_TEST, INSN_FORM_RM_IMM, OPC_IMMZ },
        [2] = { INSN_NOT, 0, OPC_LOCK },
        [3] = { INSN_NEG, 0, OPC_LOCK },
    },
    [GROUP_4_5] = { { INSN_INC, 0, OPC_LOCK }, { INSN_DEC, 0, OPC_LOCK } },
    [GROUP_6] = {
        { INSN_SLDT, 0, 0 }, { INSN_STR, 0, 0 }, { INSN_LLDT, 0, 0 }, { INSN_LTR, 0, 0 },
    },
    [GROUP_7] = {
        [0] = { INSN_SGDT, 0, OPC_MEMORY },
        [1] = { INSN_SIDT, 0, OPC_MEMORY },
        [2] = { INSN_LGDT, 0, OPC_MEMORY },
        [3] = { INSN_LIDT, 0, OPC_MEMORY },
        [4] = { INSN_SMSW, 0, 0 },
        [6] = { INSN_LMSW, 0, 0 },
        [7] = { INSN_INVLPG, 0, OPC_MEMORY },
    },
    [GROUP_8] = {
        [4] = { INSN_BT, 0, 0 },
        [5] = { INSN_BTS, 0, OPC_LOCK },
        [6] = { INSN_BTR, 0, OPC_LOCK },
        [7] = { INSN_BTC, 0, OPC_LOCK },
    },
    [GROUP_11] = { { INSN_MOV, 0, 0 } },
};

/* 0F 01 with ModRM C0 to FF: instructions without operands (SDM vol. 2, table A-6; APM vol. 3,
 * table A-8). 66, F2 and F3 select others. */
#define BY_MODRM(modrm) ((modrm) - 0xc0)

static const uint8_t group_7_register[64] = {
    [BY_MODRM(0xc1)] = INSN_VMCALL,   [BY_MODRM(0xc2)] = INSN_VMLAUNCH,
    [BY_MODRM(0xc3)] = INSN_VMRESUME, [BY_MODRM(0xc4)] = INSN_VMXOFF,
    [BY_MODRM(0xc8)] = INSN_MONITOR,  [BY_MODRM(0xc9)] = INSN_MWAIT,
    [BY_MODRM(0xca)] = INSN_CLAC,     [BY_MODRM(0xcb)] = INSN_STAC,
    [BY_MODRM(0xd0)] = INSN_XGETBV,   [BY_MODRM(0xd1)] = INSN_XSETBV,
    [BY_MODRM(0xd8)] = INSN_VMRUN,    [BY_MODRM(0xd9)] = INSN_VMMCALL,
    [BY_MODRM(0xda)] = INSN_VMLOAD,   [BY_MODRM(0xdb)] = INSN_VMSAVE,
    [BY_MODRM(0xdc)] = INSN_STGI,     [BY_MODRM(0xdd)] = INSN_CLGI,
    [BY_MODRM(0xde)] = INSN_SKINIT,   [BY_MODRM(0xdf)] = INSN_INVLPGA,
    [BY_MODRM(0xf8)] = INSN_SWAPGS,   [BY_MODRM(0xf9)] = INSN_RDTSCP,
    [BY_MODRM(0xfa)] = INSN_MONITORX, [BY_MODRM(0xfb)] = INSN_MWAITX,
};

struct opcode opcode_find(enum opcode_map map, uint8_t byte)
{
    static const struct opcode *const maps[] = {
        [MAP_ONE_BYTE] = one_byte, [MAP_0F] = two_byte, [MAP_0F38] = map_0f38,
    };
    return maps[map][byte];
}

/* 0F 01 in its register form: no operands, but for SMSW (/4) and LMSW (/6). */
static struct opcode group_7_alone(uint8_t modrm)
{
    uint8_t op = group_7_register[BY_MODRM(modrm)];
    uint32_t flags = OPC_MODRM | OPC_REGISTER | OPC_NOT_66 | OPC_NOT_REP;
    if (op == INSN_SWAPGS) {
        flags |= OPC_ONLY_64;
    }
    return (struct opcode){ op, INSN_FORM_IMPLIED, flags };
}

struct opcode opcode_group_member(const struct opcode *entry, uint8_t modrm)
{
    unsigned reg = modrm >> 3 & 7;
    if (entry->op == GROUP_7 && modrm >= 0xc0 && reg != 4 && reg != 6) {
        return group_7_alone(modrm);
    }
    struct opcode member = groups[entry->op][reg];
    if (member.form == INSN_FORM_IMPLIED) {
        member.form = entry->form;
    }
    member.flags |= entry->flags & ~OPC_GROUP;
    return member;
}
