/* decode.h: what an x86 instruction says, taken from its bytes and nothing else. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_DECODE_H
#define VMM_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No instruction is longer; a longer one is #GP on a CPU (SDM vol. 2, 2.3.11). */
#define INSN_MAX_LENGTH 15

/* General registers in the order of the hardware's encoding (SDM vol. 2, table 2-2). */
enum insn_gpr {
    INSN_RAX, INSN_RCX, INSN_RDX, INSN_RBX, INSN_RSP, INSN_RBP, INSN_RSI, INSN_RDI,
    INSN_R8, INSN_R9, INSN_R10, INSN_R11, INSN_R12, INSN_R13, INSN_R14, INSN_R15,
    INSN_GPR_COUNT,
    INSN_NO_GPR = 0xff
};

/* Segment registers in the order of the hardware's encoding. */
enum insn_segment { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS, INSN_SEGMENT_COUNT };

/* The default operand and address size of the code segment. */
enum insn_mode { INSN_MODE_16, INSN_MODE_32, INSN_MODE_64 };

enum decode_status {
    DECODE_OK,
    DECODE_TRUNCATED,      /* the instruction goes on after the bytes given */
    DECODE_TOO_LONG,       /* it is longer than INSN_MAX_LENGTH: #GP */
    DECODE_UNKNOWN_OPCODE, /* the opcode is not in the tables */
    DECODE_UNKNOWN_PREFIX, /* 66, F2 or F3, there or missing, makes it an instruction not known */
    DECODE_WRONG_MODE,     /* the opcode means something else in this mode */
    DECODE_LOCK_INVALID,   /* LOCK on what cannot be locked: #UD */
    DECODE_NEEDS_MEMORY,   /* a register where only memory is allowed: #UD */
    DECODE_STATUS_COUNT
};

enum insn_op {
    INSN_NONE,
    /* With a memory operand: emulate() can run these. */
    INSN_MOV, INSN_MOVZX, INSN_MOVSX, INSN_MOVBE, INSN_XCHG, INSN_XADD, INSN_CMPXCHG,
    INSN_ADD, INSN_OR, INSN_ADC, INSN_SBB, INSN_AND, INSN_SUB, INSN_XOR, INSN_CMP, INSN_TEST,
    INSN_BT, INSN_BTS, INSN_BTR, INSN_BTC, INSN_INC, INSN_DEC, INSN_NOT, INSN_NEG,
    INSN_MOVS, INSN_STOS, INSN_LODS,
    /* Intercepted by other means: decoded for their length and operands. */
    INSN_IN, INSN_OUT, INSN_INS, INSN_OUTS,
    INSN_CPUID, INSN_HLT, INSN_RDMSR, INSN_WRMSR, INSN_RDTSC, INSN_RDTSCP, INSN_RDPMC,
    INSN_MOV_FROM_CR, INSN_MOV_TO_CR, INSN_MOV_FROM_DR, INSN_MOV_TO_DR,
    INSN_CLTS, INSN_SMSW, INSN_LMSW, INSN_XGETBV, INSN_XSETBV,
    INSN_SGDT, INSN_SIDT, INSN_LGDT, INSN_LIDT, INSN_SLDT, INSN_STR, INSN_LLDT, INSN_LTR,
    INSN_INVLPG, INSN_INVLPGA, INSN_INVPCID, INSN_INVD, INSN_WBINVD,
    INSN_PAUSE, INSN_MONITOR, INSN_MWAIT, INSN_MONITORX, INSN_MWAITX, INSN_SWAPGS, INSN_CLAC,
    INSN_STAC,
    INSN_VMCALL, INSN_VMMCALL, INSN_VMRUN, INSN_VMLOAD, INSN_VMSAVE, INSN_STGI, INSN_CLGI,
    INSN_SKINIT, INSN_VMLAUNCH, INSN_VMRESUME, INSN_VMXOFF, INSN_INVEPT, INSN_INVVPID,
    INSN_INT3, INSN_INT, INSN_INTO, INSN_INT1, INSN_IRET, INSN_PUSHF, INSN_POPF, INSN_RSM,
    INSN_UD2,
    INSN_OP_COUNT
};

/* Which operand is where; the first named is the destination. */
enum insn_form {
    INSN_FORM_IMPLIED, /* no operand, or only fixed ones */
    INSN_FORM_RM_REG,  /* register or memory, register */
    INSN_FORM_REG_RM,  /* register, register or memory */
    INSN_FORM_RM_IMM,  /* register or memory, immediate */
    INSN_FORM_RM,      /* register or memory alone */
    INSN_FORM_STRING,  /* [rSI] and [rDI], counted by rCX under REP */
    INSN_FORM_PORT     /* AL/AX/EAX and a port: the immediate, or DX when there is none */
};

enum insn_rep { INSN_REP_NONE, INSN_REP, INSN_REPNE };

/* number is the register; high: bits 15:8 of it (AH, CH, DH, BH), only with one-byte operands. */
struct insn_register {
    uint8_t number;
    bool high;
};

/* address = segment base + ((base + index * scale + displacement) mod 2^address size).
 * base and index are INSN_NO_GPR when absent; rip_relative counts from the next instruction.
 * bit_string: a BT family instruction whose register also moves the address. */
struct insn_memory {
    enum insn_segment segment;
    uint8_t base;
    uint8_t index;
    uint8_t scale;
    bool rip_relative;
    bool bit_string;
    int64_t displacement;
};

/* Sizes are in bytes: 1, 2, 4 or 8. For the forms with "rm", has_memory says whether `memory` or
 * `rm` holds that operand. For strings, `memory` is [rSI] with its segment, or [rDI] where there
 * is no [rSI] (STOS, INS). For MOV CR/DR `reg` is the number of the control register. */
struct insn {
    enum insn_op op;
    enum insn_form form;
    uint8_t length;
    uint8_t operand_size;
    uint8_t memory_size; /* differs from operand_size only for MOVZX, MOVSX and MOVSXD */
    uint8_t address_size;
    bool lock;
    enum insn_rep rep; /* only set for string instructions */
    bool has_memory;
    bool has_immediate;
    struct insn_memory memory;
    struct insn_register rm;
    struct insn_register reg;
    int64_t immediate; /* sign-extended */
};

/* The mode of code that runs with these bits: EFER.LMA, CS.L, CS.D. Real mode is CS.D = 0. */
enum insn_mode insn_mode_of(bool lma, bool cs_l, bool cs_d);

/* Decodes the instruction that starts at bytes[0]; `available` bytes may be read, of which those
 * after the 15th are not looked at. Fills *insn only for DECODE_OK, and clears it otherwise. */
enum decode_status decode(const uint8_t *bytes, size_t available, enum insn_mode mode,
                          struct insn *insn);

/* One line for a person, without a newline: what was wrong. */
const char *decode_status_text(enum decode_status status);

#endif
