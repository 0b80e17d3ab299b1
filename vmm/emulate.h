/* emulate.h: runs one decoded instruction that touched memory without memory behind it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EMULATE_H
#define VMM_EMULATE_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/decode.h"

enum emu_status {
    EMU_OK,
    EMU_NOT_EMULATED,     /* decoded, but without a memory operand or not of the kinds run here */
    EMU_ADDRESS_MISMATCH, /* the fault is not at the start of the instruction's memory operand */
    EMU_WRONG_ACCESS,     /* the fault is a read and the operand is only written, or the reverse */
    EMU_CROSSES_PAGE,     /* the faulting operand goes on in the next page */
    EMU_PAGE_FAULT,       /* never made here: for emu_bus.translate, which holds the details */
    EMU_ACCESS_FAILED,    /* never made here: for emu_bus.read and emu_bus.write */
    EMU_STATUS_COUNT
};

/*
 * The registers that an instruction can see. `gpr` points at 16 in the order of enum insn_gpr.
 * In 64-bit mode only the bases of FS and GS are used.
 */
struct emu_cpu {
    uint64_t *gpr;
    uint64_t rip;
    uint64_t rflags;
    uint64_t segment_base[INSN_SEGMENT_COUNT];
    enum insn_mode mode;
};

/*
 * The nested page fault that leads here. It must be one on the instruction's own access, not one
 * on the guest's page tables (SDM vol. 3, table 28-7, bit 8; APM vol. 2, 15.25.6, bit 33).
 */
struct emu_fault {
    uint64_t gpa; /* guest-physical address, of the byte */
    bool write;   /* the access that faulted was a write, or both */
};

/*
 * Guest-physical memory, devices and RAM alike; `ctx` is handed back. Sizes are 1, 2, 4 or 8;
 * values are zero-extended. No access crosses a page. translate() gives the guest-physical address
 * of a linear one for a data access with the CPU's present rights; it is called for the operand of
 * MOVS that did not fault, before anything is read or written. Each returns EMU_OK or the status
 * that emulate() shall return.
 */
struct emu_bus {
    void *ctx;
    enum emu_status (*read)(void *ctx, uint64_t gpa, unsigned size, uint64_t *value);
    enum emu_status (*write)(void *ctx, uint64_t gpa, unsigned size, uint64_t value);
    enum emu_status (*translate)(void *ctx, uint64_t linear, bool write, uint64_t *gpa);
};

/*
 * Runs `insn`, fetched at cpu->rip, whose access to memory faulted as `fault` says. On EMU_OK
 * registers, flags and RIP are as after the instruction, and RF is clear; of a string instruction
 * with REP one iteration is done, and RIP stays on it until the last. Any other status leaves *cpu
 * as it was. Left to the caller: the end of an interrupt shadow (STI, MOV SS) and the single-step
 * trap when TF is set. A read and a write of one instruction are not atomic towards other CPUs.
 */
enum emu_status emulate(const struct insn *insn, struct emu_cpu *cpu,
                        const struct emu_fault *fault, const struct emu_bus *bus);

/* The value of a register operand of `size` bytes, zero-extended. */
uint64_t emu_get_register(const struct emu_cpu *cpu, struct insn_register reg, unsigned size);

/* Writes `size` bytes of a register: 4 clear its upper half, 1 and 2 keep the rest as it is
 * (SDM vol. 1, 3.4.1.1). */
void emu_set_register(struct emu_cpu *cpu, struct insn_register reg, unsigned size, uint64_t value);

/* The linear address of offset `offset`, not yet cut to the address size, in a segment. */
uint64_t emu_linear(const struct emu_cpu *cpu, enum insn_segment segment, unsigned address_size,
                    uint64_t offset);

/* The linear address of insn->memory; for a string instruction, of the element it is at. */
uint64_t emu_operand_address(const struct insn *insn, const struct emu_cpu *cpu);

/* Moves RIP to the next instruction and clears RF. */
void emu_retire(const struct insn *insn, struct emu_cpu *cpu);

/* One line for a person, without a newline. */
const char *emu_status_text(enum emu_status status);

#endif
