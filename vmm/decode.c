/* decode.c: takes an x86 instruction apart, from its prefixes to its immediate. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/decode.h"

#include <string.h>

#include "vmm/decode_table.h"

/* REX bits (SDM vol. 2, table 2-4). */
#define REX_B 0x1
#define REX_X 0x2
#define REX_R 0x4
#define REX_W 0x8

struct decoder {
    const uint8_t *bytes;
    size_t available;
    size_t at;
    enum insn_mode mode;
    enum decode_status status; /* the first failure stays */
    uint8_t rex;               /* 0: none */
    bool operand_override;     /* prefix 66 */
    bool address_override;     /* prefix 67 */
    enum insn_rep rep;
    bool segment_override;
    enum insn_segment segment;
    struct opcode opcode;
    uint8_t modrm;
};

static void fail(struct decoder *d, enum decode_status status)
{
    if (d->status == DECODE_OK) {
        d->status = status;
    }
}

/* The next `count` bytes as a little-endian number; 0 after a failure. */
static uint64_t fetch(struct decoder *d, unsigned count)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        if (d->at == INSN_MAX_LENGTH) {
            fail(d, DECODE_TOO_LONG);
            return 0;
        }
        if (d->at == d->available) {
            fail(d, DECODE_TRUNCATED);
            return 0;
        }
        value |= (uint64_t)d->bytes[d->at++] << (8 * i);
    }
    return value;
}

static int64_t fetch_signed(struct decoder *d, unsigned count)
{
    unsigned unused = 64 - 8 * count;
    return (int64_t)(fetch(d, count) << unused) >> unused;
}

/* In 64-bit mode the first four have no effect, and do not undo FS or GS (SDM vol. 2, 2.1.1). */
static void take_segment(struct decoder *d, enum insn_segment segment)
{
    if (d->mode != INSN_MODE_64 || segment >= INSN_FS) {
        d->segment_override = true;
        d->segment = segment;
    }
}

/* Notes a prefix (SDM vol. 2, 2.1.1 and 2.2.1); false when the byte is none. */
static bool take_prefix(struct decoder *d, uint8_t byte, struct insn *insn)
{
    if (d->mode == INSN_MODE_64 && (byte & 0xf0) == 0x40) {
        d->rex = byte;
        return true;
    }
    switch (byte) {
    case 0x26: take_segment(d, INSN_ES); break;
    case 0x2e: take_segment(d, INSN_CS); break;
    case 0x36: take_segment(d, INSN_SS); break;
    case 0x3e: take_segment(d, INSN_DS); break;
    case 0x64: take_segment(d, INSN_FS); break;
    case 0x65: take_segment(d, INSN_GS); break;
    case 0x66: d->operand_override = true; break;
    case 0x67: d->address_override = true; break;
    case 0xf0: insn->lock = true; break;
    case 0xf2: d->rep = INSN_REPNE; break;
    case 0xf3: d->rep = INSN_REP; break;
    default: return false;
    }
    d->rex = 0; /* a REX counts only right before the opcode */
    return true;
}

static void take_opcode(struct decoder *d, struct insn *insn)
{
    uint8_t byte = (uint8_t)fetch(d, 1);
    while (take_prefix(d, byte, insn)) {
        byte = (uint8_t)fetch(d, 1);
    }
    enum opcode_map map = MAP_ONE_BYTE;
    if (byte == 0x0f) {
        map = MAP_0F;
        byte = (uint8_t)fetch(d, 1);
        if (byte == 0x38) {
            map = MAP_0F38;
            byte = (uint8_t)fetch(d, 1);
        }
    }
    d->opcode = opcode_find(map, byte);
    if (d->opcode.op == INSN_NONE && !(d->opcode.flags & OPC_GROUP)) {
        fail(d, DECODE_UNKNOWN_OPCODE);
    }
}

static void take_modrm(struct decoder *d)
{
    if (!(d->opcode.flags & OPC_MODRM)) {
        return;
    }
    d->modrm = (uint8_t)fetch(d, 1);
    if (d->opcode.flags & OPC_GROUP) {
        d->opcode = opcode_group_member(&d->opcode, d->modrm);
        if (d->opcode.op == INSN_NONE) {
            fail(d, DECODE_UNKNOWN_OPCODE);
        }
    }
    if (d->opcode.flags & OPC_REGISTER) {
        d->modrm |= 0xc0;
    }
}

/* Does a mandatory or forbidden prefix, or the mode, make this another instruction? */
static void check_opcode(struct decoder *d)
{
    uint32_t flags = d->opcode.flags;
    bool pause = d->rep == INSN_REP && !(d->rex & REX_B);
    if ((flags & OPC_NOT_66 && d->operand_override) ||
        (flags & OPC_NEED_66 && !d->operand_override) ||
        (flags & OPC_NOT_REP && d->rep != INSN_REP_NONE) || (flags & OPC_NEED_F3 && !pause)) {
        fail(d, DECODE_UNKNOWN_PREFIX);
    }
    if (flags & (d->mode == INSN_MODE_64 ? OPC_NOT_64 : OPC_ONLY_64)) {
        fail(d, DECODE_WRONG_MODE);
    }
}

/* SDM vol. 1, tables 3-3 and 3-4. */
static void take_sizes(const struct decoder *d, struct insn *insn)
{
    uint32_t flags = d->opcode.flags;
    bool narrow = (d->mode == INSN_MODE_16) != d->operand_override;
    insn->operand_size = narrow ? 2 : 4;
    if (d->rex & REX_W && !(flags & OPC_MAX_4)) {
        insn->operand_size = 8;
    }
    if (flags & OPC_BYTE) {
        insn->operand_size = 1;
    }
    if (flags & OPC_CONTROL) {
        insn->operand_size = d->mode == INSN_MODE_64 ? 8 : 4;
    }
    insn->memory_size = insn->operand_size;
    if (flags & OPC_FROM_8) {
        insn->memory_size = 1;
    }
    if (flags & OPC_FROM_16) {
        insn->memory_size = 2;
    }
    if (flags & OPC_FROM_32) {
        insn->memory_size = 4;
    }
    static const uint8_t address_sizes[3][2] = {
        [INSN_MODE_16] = { 2, 4 }, [INSN_MODE_32] = { 4, 2 }, [INSN_MODE_64] = { 8, 4 },
    };
    insn->address_size = address_sizes[d->mode][d->address_override];
}

/* Without a REX prefix, byte registers 4 to 7 are AH, CH, DH, BH (SDM vol. 2, table 2-2). */
static struct insn_register byte_or_wider(const struct decoder *d, unsigned number, unsigned size)
{
    if (size == 1 && d->rex == 0 && number >= 4) {
        return (struct insn_register){ .number = (uint8_t)(number - 4), .high = true };
    }
    return (struct insn_register){ .number = (uint8_t)number, .high = false };
}

static void take_displacement(struct decoder *d, struct insn_memory *memory, unsigned wide)
{
    unsigned mod = d->modrm >> 6;
    if (mod == 1) {
        memory->displacement = fetch_signed(d, 1);
    } else if (mod == 2) {
        memory->displacement = fetch_signed(d, wide);
    }
}

/* SDM vol. 2, table 2-1. */
static void take_address_16(struct decoder *d, struct insn_memory *memory)
{
    static const uint8_t bases[8] = { INSN_RBX, INSN_RBX, INSN_RBP, INSN_RBP,
                                      INSN_RSI, INSN_RDI, INSN_RBP, INSN_RBX };
    static const uint8_t indexes[4] = { INSN_RSI, INSN_RDI, INSN_RSI, INSN_RDI };
    unsigned rm = d->modrm & 7;
    if (d->modrm >> 6 == 0 && rm == 6) {
        memory->displacement = fetch_signed(d, 2);
        return;
    }
    memory->base = bases[rm];
    memory->index = rm < 4 ? indexes[rm] : INSN_NO_GPR;
    take_displacement(d, memory, 2);
}

/* SDM vol. 2, tables 2-2, 2-3 and 2-5; section 2.2.1.6 for the one relative to RIP. */
static void take_address_32(struct decoder *d, struct insn_memory *memory)
{
    unsigned mod = d->modrm >> 6;
    unsigned base = d->modrm & 7;
    bool sib = base == 4;
    if (sib) {
        uint8_t byte = (uint8_t)fetch(d, 1);
        unsigned index = (byte >> 3 & 7) | (d->rex & REX_X ? 8 : 0);
        base = byte & 7;
        memory->scale = (uint8_t)(1u << (byte >> 6));
        memory->index = index == INSN_RSP ? INSN_NO_GPR : (uint8_t)index;
    }
    if (mod == 0 && base == 5) {
        memory->rip_relative = !sib && d->mode == INSN_MODE_64;
        memory->displacement = fetch_signed(d, 4);
        return;
    }
    memory->base = (uint8_t)(base | (d->rex & REX_B ? 8 : 0));
    take_displacement(d, memory, 4);
}

static void take_rm(struct decoder *d, struct insn *insn)
{
    if (d->modrm >= 0xc0) {
        unsigned number = (d->modrm & 7) | (d->rex & REX_B ? 8 : 0);
        insn->rm = byte_or_wider(d, number, insn->memory_size);
        return;
    }
    insn->has_memory = true;
    insn->memory.bit_string = d->opcode.flags & OPC_BIT_STRING;
    if (insn->address_size == 2) {
        take_address_16(d, &insn->memory);
    } else {
        take_address_32(d, &insn->memory);
    }
    if (insn->memory.base == INSN_RBP || insn->memory.base == INSN_RSP) {
        insn->memory.segment = INSN_SS;
    }
}

/* A string's own memory operand: only that at [rSI] obeys a segment override. */
static void take_string(struct decoder *d, struct insn *insn)
{
    bool at_di = insn->op == INSN_STOS || insn->op == INSN_INS;
    insn->has_memory = true;
    insn->rep = d->rep;
    insn->memory.base = at_di ? INSN_RDI : INSN_RSI;
    insn->memory.segment = at_di ? INSN_ES : INSN_DS;
    d->segment_override = d->segment_override && !at_di;
}

static void take_operands(struct decoder *d, struct insn *insn)
{
    uint32_t flags = d->opcode.flags;
    insn->memory = (struct insn_memory){ .segment = INSN_DS, .base = INSN_NO_GPR,
                                         .index = INSN_NO_GPR, .scale = 1 };
    if (flags & OPC_MODRM) {
        unsigned number = (d->modrm >> 3 & 7) | (d->rex & REX_R ? 8 : 0);
        insn->reg = byte_or_wider(d, number, insn->operand_size);
        take_rm(d, insn);
    } else if (flags & OPC_MOFFS) {
        insn->has_memory = true;
        insn->memory.displacement = fetch_signed(d, insn->address_size);
    } else if (insn->form == INSN_FORM_STRING) {
        take_string(d, insn);
    }
    if (d->segment_override) {
        insn->memory.segment = d->segment;
    }
    if (flags & (OPC_IMM8 | OPC_IMMZ)) {
        unsigned wide = insn->operand_size > 4 ? 4 : insn->operand_size;
        insn->has_immediate = true;
        insn->immediate = fetch_signed(d, flags & OPC_IMM8 ? 1 : wide);
        if (insn->form == INSN_FORM_PORT || insn->op == INSN_INT) {
            insn->immediate &= 0xff; /* a port or a vector, not a number with a sign */
        }
    }
}

/* LOCK wants a memory destination (SDM vol. 2, LOCK). */
static void check_operands(struct decoder *d, const struct insn *insn)
{
    bool memory_first = insn->has_memory && insn->form != INSN_FORM_REG_RM;
    if (insn->lock && !(d->opcode.flags & OPC_LOCK && memory_first)) {
        fail(d, DECODE_LOCK_INVALID);
    }
    if (d->opcode.flags & OPC_MEMORY && !insn->has_memory) {
        fail(d, DECODE_NEEDS_MEMORY);
    }
}

enum insn_mode insn_mode_of(bool lma, bool cs_l, bool cs_d)
{
    if (lma && cs_l) {
        return INSN_MODE_64;
    }
    return cs_d ? INSN_MODE_32 : INSN_MODE_16;
}

enum decode_status decode(const uint8_t *bytes, size_t available, enum insn_mode mode,
                          struct insn *insn)
{
    struct decoder d = { .bytes = bytes, .available = available, .mode = mode };
    memset(insn, 0, sizeof *insn);
    take_opcode(&d, insn);
    take_modrm(&d);
    check_opcode(&d);
    insn->op = (enum insn_op)d.opcode.op;
    insn->form = (enum insn_form)d.opcode.form;
    take_sizes(&d, insn);
    take_operands(&d, insn);
    check_operands(&d, insn);
    insn->length = (uint8_t)d.at;
    if (d.status != DECODE_OK) {
        memset(insn, 0, sizeof *insn);
    }
    return d.status;
}

const char *decode_status_text(enum decode_status status)
{
    static const char *const texts[DECODE_STATUS_COUNT] = {
        [DECODE_OK] = "the instruction was decoded",
        [DECODE_TRUNCATED] = "the instruction goes on after the bytes at hand",
        [DECODE_TOO_LONG] = "the instruction is longer than 15 bytes",
        [DECODE_UNKNOWN_OPCODE] = "the opcode is not known",
        [DECODE_UNKNOWN_PREFIX] = "the opcode is not known with this prefix, or not without one",
        [DECODE_WRONG_MODE] = "the opcode is not known in this CPU mode",
        [DECODE_LOCK_INVALID] = "the LOCK prefix is on an instruction that cannot be locked",
        [DECODE_NEEDS_MEMORY] = "the instruction has a register where only memory is allowed",
    };
    return status < DECODE_STATUS_COUNT ? texts[status] : "not a decoder status";
}
