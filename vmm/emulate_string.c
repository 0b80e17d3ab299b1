/* emulate_string.c: one iteration of MOVS, STOS or LODS. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/emulate_string.h"

#include "vmm/alu.h"

#define PAGE_BYTES 0x1000u

/* Where an operand's bytes lie: `first` of them from gpa[0] on, the others from gpa[1] on. */
struct place {
    uint64_t gpa[2];
    unsigned first;
};

static const struct insn_register rax = { .number = INSN_RAX, .high = false };

/* Translates both pages of an operand in guest memory. */
static enum emu_status find(const struct emu_bus *bus, uint64_t linear, unsigned size, bool write,
                            struct place *place)
{
    unsigned room = PAGE_BYTES - (unsigned)(linear & (PAGE_BYTES - 1));
    place->first = size < room ? size : room;
    enum emu_status status = bus->translate(bus->ctx, linear, write, &place->gpa[0]);
    if (status == EMU_OK && place->first < size) {
        status = bus->translate(bus->ctx, linear + place->first, write, &place->gpa[1]);
    }
    return status;
}

static uint64_t byte_address(const struct place *place, unsigned i)
{
    return i < place->first ? place->gpa[0] + i : place->gpa[1] + (i - place->first);
}

/* An operand in two pages is taken byte by byte. */
static enum emu_status load(const struct emu_bus *bus, const struct place *place, unsigned size,
                            uint64_t *value)
{
    if (place->first == size) {
        return bus->read(bus->ctx, place->gpa[0], size, value);
    }
    enum emu_status status = EMU_OK;
    *value = 0;
    for (unsigned i = 0; i < size && status == EMU_OK; i++) {
        uint64_t byte = 0;
        status = bus->read(bus->ctx, byte_address(place, i), 1, &byte);
        *value |= (byte & 0xff) << (8 * i);
    }
    return status;
}

static enum emu_status store(const struct emu_bus *bus, const struct place *place, unsigned size,
                             uint64_t value)
{
    if (place->first == size) {
        return bus->write(bus->ctx, place->gpa[0], size, value & alu_mask(size));
    }
    enum emu_status status = EMU_OK;
    for (unsigned i = 0; i < size && status == EMU_OK; i++) {
        status = bus->write(bus->ctx, byte_address(place, i), 1, value >> (8 * i) & 0xff);
    }
    return status;
}

/* The operand that faulted, where its address and its direction fit the fault. */
static enum emu_status at_fault(const struct emu_fault *fault, uint64_t linear, unsigned size,
                                bool write, struct place *place)
{
    if (fault->write != write) {
        return EMU_WRONG_ACCESS;
    }
    *place = (struct place){ .gpa = { fault->gpa }, .first = size };
    return emu_check_fault(fault, linear, size);
}

static enum emu_status move(const struct insn *insn, struct emu_cpu *cpu,
                            const struct emu_fault *fault, const struct emu_bus *bus)
{
    unsigned size = insn->operand_size;
    uint64_t from = emu_operand_address(insn, cpu);
    uint64_t to = emu_linear(cpu, INSN_ES, insn->address_size, cpu->gpr[INSN_RDI]);
    struct place source;
    struct place target;
    enum emu_status status;
    if (fault->write) {
        status = at_fault(fault, to, size, true, &target);
        status = status == EMU_OK ? find(bus, from, size, false, &source) : status;
    } else {
        status = at_fault(fault, from, size, false, &source);
        status = status == EMU_OK ? find(bus, to, size, true, &target) : status;
    }
    uint64_t value = 0;
    status = status == EMU_OK ? load(bus, &source, size, &value) : status;
    return status == EMU_OK ? store(bus, &target, size, value) : status;
}

static enum emu_status fill(const struct insn *insn, const struct emu_cpu *cpu,
                            const struct emu_fault *fault, const struct emu_bus *bus)
{
    unsigned size = insn->operand_size;
    struct place target;
    enum emu_status status =
        at_fault(fault, emu_operand_address(insn, cpu), size, true, &target);
    return status == EMU_OK ? store(bus, &target, size, cpu->gpr[INSN_RAX]) : status;
}

static enum emu_status load_accumulator(const struct insn *insn, struct emu_cpu *cpu,
                                        const struct emu_fault *fault, const struct emu_bus *bus)
{
    unsigned size = insn->operand_size;
    uint64_t value = 0;
    struct place source;
    enum emu_status status =
        at_fault(fault, emu_operand_address(insn, cpu), size, false, &source);
    status = status == EMU_OK ? load(bus, &source, size, &value) : status;
    if (status == EMU_OK) {
        emu_set_register(cpu, rax, size, value);
    }
    return status;
}

/* Adds to rSI, rDI or rCX; how much of it counts is the address size. */
static void step_register(const struct insn *insn, struct emu_cpu *cpu, uint8_t number,
                          uint64_t step)
{
    struct insn_register reg = { .number = number, .high = false };
    emu_set_register(cpu, reg, insn->address_size, cpu->gpr[number] + step);
}

enum emu_status emulate_string(const struct insn *insn, struct emu_cpu *cpu,
                               const struct emu_fault *fault, const struct emu_bus *bus)
{
    struct insn_register rcx = { .number = INSN_RCX, .high = false };
    bool counted = insn->rep != INSN_REP_NONE;
    if (counted && emu_get_register(cpu, rcx, insn->address_size) == 0) {
        emu_retire(insn, cpu);
        return EMU_OK;
    }
    enum emu_status status;
    switch (insn->op) {
    case INSN_MOVS: status = move(insn, cpu, fault, bus); break;
    case INSN_STOS: status = fill(insn, cpu, fault, bus); break;
    case INSN_LODS: status = load_accumulator(insn, cpu, fault, bus); break;
    default: status = EMU_NOT_EMULATED;
    }
    if (status != EMU_OK) {
        return status;
    }
    uint64_t size = insn->operand_size;
    uint64_t step = cpu->rflags & RFLAGS_DF ? -size : size;
    if (insn->op != INSN_STOS) {
        step_register(insn, cpu, INSN_RSI, step);
    }
    if (insn->op != INSN_LODS) {
        step_register(insn, cpu, INSN_RDI, step);
    }
    if (counted) {
        step_register(insn, cpu, INSN_RCX, UINT64_MAX);
    }
    if (!counted || emu_get_register(cpu, rcx, insn->address_size) == 0) {
        emu_retire(insn, cpu);
    }
    return EMU_OK;
}
