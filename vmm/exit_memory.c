/* exit_memory.c: accesses to guest-physical memory that is not there: to devices, or nothing. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "kernel/abi/message.h"
#include "vmm/exit.h"
#include "vmm/inject.h"
#include "vmm/instruction.h"
#include "vmm/linear.h"
#include "vmm/machine.h"
#include "vmm/pv_eoi.h"
#include "vmm/report.h"

/* The instruction's other operand (of MOVS), if it faults. */
struct access {
    struct vcpu *vcpu;
    uint64_t fault_linear;
    enum guest_walk_status fault;
    uint32_t error_code;
};

/* MOVS may have RAM on its other side. What nobody decodes reads all ones, and drops writes. */
static enum emu_status read_physical(void *ctx, uint64_t gpa, unsigned size, uint64_t *value)
{
    struct vcpu *vcpu = ((struct access *)ctx)->vcpu;
    struct machine *machine = vcpu->machine;
    const void *ram = machine->memory.at(machine->memory.ctx, gpa, size);

    if (ram != NULL) {
        *value = 0;
        memcpy(value, ram, size);
    } else if (pc_mmio_read(&machine->pc, vcpu->index, gpa, size, vcpu->now, value) != PC_OK) {
        report_few(vcpu, "read of 0x%lx, where nothing is", gpa);
    }
    return EMU_OK;
}

static enum emu_status write_physical(void *ctx, uint64_t gpa, unsigned size, uint64_t value)
{
    struct vcpu *vcpu = ((struct access *)ctx)->vcpu;
    struct machine *machine = vcpu->machine;
    void *ram = machine->memory.at(machine->memory.ctx, gpa, size);

    if (ram != NULL) {
        memcpy(ram, &value, size);
    } else if (pc_mmio_write(&machine->pc, vcpu->index, gpa, size, vcpu->now, value) != PC_OK) {
        report_few(vcpu, "write of 0x%lx to 0x%lx, where nothing is", value, gpa);
    }
    return EMU_OK;
}

static enum emu_status translate(void *ctx, uint64_t linear, bool write, uint64_t *gpa)
{
    struct access *access = ctx;
    struct guest_translation result;

    access->fault = linear_translate(access->vcpu, linear, write, &result);
    access->fault_linear = linear;
    access->error_code = result.error_code;
    *gpa = result.gpa;
    return access->fault == GUEST_WALK_OK ? EMU_OK : EMU_PAGE_FAULT;
}

/* The other operand's fault is the guest's, if it is one that a CPU has. */
static uint64_t fault(struct access *access)
{
    switch (access->fault) {
    case GUEST_WALK_NOT_PRESENT:
    case GUEST_WALK_RESERVED_BIT:
    case GUEST_WALK_DENIED:
        return inject_page_fault(access->vcpu, access->fault_linear, access->error_code);
    case GUEST_WALK_NON_CANONICAL: return inject_general_protection(access->vcpu);
    default:
        return report_fatal(access->vcpu, "can't translate 0x%lx: %s", access->fault_linear,
                            guest_walk_status_text(access->fault));
    }
}

static uint64_t give_up(struct vcpu *vcpu, const struct instruction *instruction, uint64_t gpa,
                        bool write, const char *why)
{
    char bytes[REPORT_BYTES_SIZE];

    report_bytes(bytes, instruction->decoded->bytes.byte, instruction->decoded->count);
    return report_fatal(vcpu, "can't emulate a %s at 0x%lx, rip 0x%lx, bytes %s: %s",
                        write ? "write" : "read", gpa, vcpu->state->rip, bytes, why);
}

uint64_t exit_memory(struct vcpu *vcpu, const uint64_t *word)
{
    static const struct emu_bus operations = {
        .read = read_physical, .write = write_physical, .translate = translate};
    struct access access = {.vcpu = vcpu};
    struct emu_bus bus = operations;
    struct emu_fault cause = {.gpa = word[1], .write = (word[2] & FAULT_WRITE) != 0};
    struct instruction instruction;

    if (word[2] & FAULT_EXEC) {
        return report_fatal(vcpu, "instruction fetch from 0x%lx, where no memory is", word[1]);
    }
    if (vcpu->state->event & VEVENT_VALID) {
        return report_fatal(vcpu, "delivery of event 0x%x through 0x%lx, where no memory is",
                            vcpu->state->event, word[1]);
    }
    if (!instruction_read(vcpu, &instruction)) {
        return give_up(vcpu, &instruction, cause.gpa, cause.write, instruction.error);
    }
    bus.ctx = &access;
    pv_eoi_collect(vcpu);
    enum emu_status status = emulate(&instruction.decoded->insn, &instruction.cpu, &cause, &bus);

    if (status == EMU_PAGE_FAULT) {
        return fault(&access);
    }
    if (status != EMU_OK) {
        return give_up(vcpu, &instruction, cause.gpa, cause.write, emu_status_text(status));
    }
    machine_rearm(vcpu->machine);
    return instruction_retire(vcpu, &instruction);
}
