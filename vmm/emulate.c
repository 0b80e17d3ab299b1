/* emulate.c: runs one decoded instruction that touched memory without memory behind it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate.h"

#include "vmm/alu.h"
#include "vmm/emulate_string.h"

#define PAGE_MASK 0xfffu

enum { ACCESS_READ = 1, ACCESS_WRITE = 2 };

/* What an instruction wants to change, kept until its last access has succeeded. */
struct outcome {
    uint64_t memory;
    bool sets_register;
    uint64_t reg;
    bool sets_accumulator;
    uint64_t accumulator;
    uint64_t rflags;
};

uint64_t emu_get_register(const struct emu_cpu *cpu, struct insn_register reg, unsigned size)
{
    return cpu->gpr[reg.number] >> (reg.high ? 8 : 0) & alu_mask(size);
}

void emu_set_register(struct emu_cpu *cpu, struct insn_register reg, unsigned size, uint64_t value)
{
    unsigned shift = reg.high ? 8 : 0;
    uint64_t mask = alu_mask(size) << shift;
    uint64_t kept = size == 4 ? 0 : cpu->gpr[reg.number] & ~mask;
    cpu->gpr[reg.number] = kept | (value << shift & mask);
}

uint64_t emu_linear(const struct emu_cpu *cpu, enum insn_segment segment, unsigned address_size,
                    uint64_t offset)
{
    uint64_t address = offset & alu_mask(address_size);
    if (cpu->mode == INSN_MODE_64) {
        bool based = segment == INSN_FS || segment == INSN_GS;
        return based ? address + cpu->segment_base[segment] : address;
    }
    return (address + cpu->segment_base[segment]) & alu_mask(4);
}

/* The register of a BT counts bits, signed, from the first of the operand (SDM vol. 2, 3.1.1.9). */
static uint64_t bit_string_offset(const struct insn *insn, const struct emu_cpu *cpu)
{
    uint64_t bits = emu_get_register(cpu, insn->reg, insn->operand_size);
    int64_t units = (int64_t)alu_sign_extend(bits, insn->operand_size);
    return (uint64_t)(units >> (insn->operand_size == 8 ? 6 : insn->operand_size == 4 ? 5 : 4)) *
           insn->operand_size;
}

uint64_t emu_operand_address(const struct insn *insn, const struct emu_cpu *cpu)
{
    const struct insn_memory *memory = &insn->memory;
    uint64_t offset = (uint64_t)memory->displacement;
    if (memory->rip_relative) {
        offset += cpu->rip + insn->length;
    }
    if (memory->base != INSN_NO_GPR) {
        offset += cpu->gpr[memory->base];
    }
    if (memory->index != INSN_NO_GPR) {
        offset += cpu->gpr[memory->index] * memory->scale;
    }
    if (memory->bit_string) {
        offset += bit_string_offset(insn, cpu);
    }
    return emu_linear(cpu, memory->segment, insn->address_size, offset);
}

void emu_retire(const struct insn *insn, struct emu_cpu *cpu)
{
    static const uint8_t rip_sizes[] = {
        [INSN_MODE_16] = 2, [INSN_MODE_32] = 4, [INSN_MODE_64] = 8,
    };
    cpu->rip = (cpu->rip + insn->length) & alu_mask(rip_sizes[cpu->mode]);
    cpu->rflags &= ~RFLAGS_RF;
}

enum emu_status emu_check_fault(const struct emu_fault *fault, uint64_t linear, unsigned size)
{
    /* Translation keeps the low twelve bits, so a difference there shows that the operand lies
     * elsewhere, or that only its part in a second page faulted. */
    if ((fault->gpa ^ linear) & PAGE_MASK) {
        return EMU_ADDRESS_MISMATCH;
    }
    return (linear & PAGE_MASK) + size > PAGE_MASK + 1 ? EMU_CROSSES_PAGE : EMU_OK;
}

static unsigned accesses_of(const struct insn *insn)
{
    if (insn->form == INSN_FORM_REG_RM) {
        return ACCESS_READ;
    }
    switch (insn->op) {
    case INSN_CMP:
    case INSN_TEST:
    case INSN_BT: return ACCESS_READ;
    case INSN_MOV:
    case INSN_MOVBE: return ACCESS_WRITE;
    default: return ACCESS_READ | ACCESS_WRITE;
    }
}

static uint64_t second_operand(const struct insn *insn, const struct emu_cpu *cpu)
{
    if (insn->has_immediate) {
        return (uint64_t)insn->immediate & alu_mask(insn->operand_size);
    }
    if (insn->form == INSN_FORM_RM) {
        return 0;
    }
    return emu_get_register(cpu, insn->reg, insn->operand_size);
}

/* On inequality memory gets its old value back: there is always a write (SDM vol. 2, CMPXCHG). */
static void compare_and_exchange(const struct insn *insn, const struct emu_cpu *cpu, uint64_t reg,
                                 struct outcome *out)
{
    struct insn_register rax = { .number = INSN_RAX, .high = false };
    uint64_t expected = emu_get_register(cpu, rax, insn->operand_size);
    alu_run(INSN_CMP, insn->operand_size, expected, out->memory, &out->rflags);
    if (expected == out->memory) {
        out->memory = reg;
    } else {
        out->sets_accumulator = true;
        out->accumulator = out->memory;
    }
}

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

/* "op register, memory". */
static void run_to_register(const struct insn *insn, uint64_t reg, struct outcome *out)
{
    unsigned size = insn->operand_size;
    out->sets_register = insn->op != INSN_CMP;
    switch (insn->op) {
    case INSN_MOV:
    case INSN_MOVZX: out->reg = out->memory; break;
    case INSN_MOVSX: out->reg = alu_sign_extend(out->memory, insn->memory_size); break;
    case INSN_MOVBE: out->reg = swap_bytes(out->memory, size); break;
    default: out->reg = alu_run(insn->op, size, reg, out->memory, &out->rflags);
    }
}

/* "op memory, register", "op memory, immediate" or "op memory". */
static void run_to_memory(const struct insn *insn, const struct emu_cpu *cpu, uint64_t second,
                          struct outcome *out)
{
    unsigned size = insn->operand_size;
    uint64_t old = out->memory;
    switch (insn->op) {
    case INSN_MOV: out->memory = second; break;
    case INSN_MOVBE: out->memory = swap_bytes(second, size); break;
    case INSN_CMPXCHG: compare_and_exchange(insn, cpu, second, out); break;
    case INSN_XCHG:
        out->memory = second;
        out->sets_register = true;
        out->reg = old;
        break;
    case INSN_XADD:
        out->memory = alu_run(INSN_ADD, size, old, second, &out->rflags);
        out->sets_register = true;
        out->reg = old;
        break;
    default: out->memory = alu_run(insn->op, size, old, second, &out->rflags);
    }
}

static void commit(const struct insn *insn, struct emu_cpu *cpu, const struct outcome *out)
{
    struct insn_register rax = { .number = INSN_RAX, .high = false };
    if (out->sets_accumulator) {
        emu_set_register(cpu, rax, insn->operand_size, out->accumulator);
    }
    if (out->sets_register) {
        emu_set_register(cpu, insn->reg, insn->operand_size, out->reg);
    }
    cpu->rflags = out->rflags;
    emu_retire(insn, cpu);
}

static enum emu_status emulate_operands(const struct insn *insn, struct emu_cpu *cpu,
                                        const struct emu_fault *fault, const struct emu_bus *bus)
{
    unsigned accesses = accesses_of(insn);
    if (!(accesses & (fault->write ? ACCESS_WRITE : ACCESS_READ))) {
        return EMU_WRONG_ACCESS;
    }
    unsigned size = insn->memory_size;
    enum emu_status status = emu_check_fault(fault, emu_operand_address(insn, cpu), size);
    struct outcome out = { .rflags = cpu->rflags };
    if (status == EMU_OK && accesses & ACCESS_READ) {
        status = bus->read(bus->ctx, fault->gpa, size, &out.memory);
        out.memory &= alu_mask(size);
    }
    if (status != EMU_OK) {
        return status;
    }
    uint64_t second = second_operand(insn, cpu);
    if (insn->form == INSN_FORM_REG_RM) {
        run_to_register(insn, second, &out);
    } else {
        run_to_memory(insn, cpu, second, &out);
    }
    if (accesses & ACCESS_WRITE) {
        status = bus->write(bus->ctx, fault->gpa, size, out.memory);
    }
    if (status == EMU_OK) {
        commit(insn, cpu, &out);
    }
    return status;
}

enum emu_status emulate(const struct insn *insn, struct emu_cpu *cpu,
                        const struct emu_fault *fault, const struct emu_bus *bus)
{
    if (!insn->has_memory || insn->op < INSN_MOV || insn->op > INSN_LODS) {
        return EMU_NOT_EMULATED;
    }
    if (insn->form == INSN_FORM_STRING) {
        return emulate_string(insn, cpu, fault, bus);
    }
    return emulate_operands(insn, cpu, fault, bus);
}

const char *emu_status_text(enum emu_status status)
{
    static const char *const texts[EMU_STATUS_COUNT] = {
        [EMU_OK] = "the instruction was emulated",
        [EMU_NOT_EMULATED] = "this instruction cannot be emulated on a device",
        [EMU_ADDRESS_MISMATCH] = "the fault is not at the start of the instruction's operand",
        [EMU_WRONG_ACCESS] = "the instruction does not access its operand as the fault says",
        [EMU_CROSSES_PAGE] = "the access to a device crosses a page",
        [EMU_PAGE_FAULT] = "the instruction's other operand is not mapped for it",
        [EMU_ACCESS_FAILED] = "the access was refused",
    };
    return status < EMU_STATUS_COUNT ? texts[status] : "not an emulator status";
}
