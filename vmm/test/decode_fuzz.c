/* decode_fuzz.c: any bytes in any mode decode to something coherent or to a refusal. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/decode.c vmm/decode_table.c vmm/emulate.c vmm/emulate_string.c vmm/alu.c */
#include <stdlib.h>
#include <string.h>

#include "vmm/decode.h"
#include "vmm/emulate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static enum emu_status read_zero(void *ctx, uint64_t gpa, unsigned size, uint64_t *value)
{
    (void)ctx;
    require((gpa & 0xfff) + size <= 0x1000);
    *value = 0;
    return EMU_OK;
}

static enum emu_status write_any(void *ctx, uint64_t gpa, unsigned size, uint64_t value)
{
    (void)ctx;
    require((gpa & 0xfff) + size <= 0x1000);
    require(size == 8 || value >> (8 * size) == 0);
    return EMU_OK;
}

static enum emu_status same_address(void *ctx, uint64_t linear, bool write, uint64_t *gpa)
{
    (void)ctx;
    (void)write;
    *gpa = linear;
    return EMU_OK;
}

static void check(const struct insn *insn, size_t size)
{
    require(insn->op > INSN_NONE && insn->op < INSN_OP_COUNT);
    require(insn->length > 0 && insn->length <= size && insn->length <= INSN_MAX_LENGTH);
    require(insn->memory_size <= insn->operand_size || insn->op == INSN_MOVZX ||
            insn->op == INSN_MOVSX);
    if (insn->has_memory) {
        require(insn->memory.base < INSN_GPR_COUNT || insn->memory.base == INSN_NO_GPR);
        require(insn->memory.index < INSN_GPR_COUNT || insn->memory.index == INSN_NO_GPR);
        require(insn->memory.segment < INSN_SEGMENT_COUNT);
    }
}

/* Runs it at the address that its registers give, for a read and for a write. */
static void run(const struct insn *insn, enum insn_mode mode, const uint8_t *data, size_t size)
{
    const struct emu_bus bus = { NULL, read_zero, write_any, same_address };
    for (int write = 0; write < 2; write++) {
        uint64_t gpr[INSN_GPR_COUNT];
        for (size_t i = 0; i < sizeof gpr; i++) {
            ((uint8_t *)gpr)[i] = data[(i * 7 + 3) % size];
        }
        struct emu_cpu cpu = { .gpr = gpr, .rip = 0x1000, .mode = mode };
        struct emu_fault fault = { .gpa = emu_operand_address(insn, &cpu), .write = write };
        uint64_t start = cpu.rip;
        enum emu_status status = emulate(insn, &cpu, &fault, &bus);
        require(status == EMU_OK || cpu.rip == start);
        require(status != EMU_OK || cpu.rip == start + insn->length ||
                insn->rep != INSN_REP_NONE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int mode = INSN_MODE_16; mode <= INSN_MODE_64; mode++) {
        struct insn insn;
        enum decode_status status = decode(data, size, (enum insn_mode)mode, &insn);
        if (status != DECODE_OK) {
            require(insn.op == INSN_NONE && insn.length == 0);
            continue;
        }
        check(&insn, size);
        run(&insn, (enum insn_mode)mode, data, size);
    }
    return 0;
}
