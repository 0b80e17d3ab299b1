/* exit_io.c: IN and OUT. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/exit.h"
#include "vmm/machine.h"

/*
 * A 4-byte result clears the upper half of RAX; shorter ones leave the rest of it (SDM 1,
 * 3.4.1.1).
 */
static void set_accumulator(uint64_t *rax, unsigned size, uint32_t value)
{
    switch (size) {
    case 1: *rax = (*rax & ~UINT64_C(0xFF)) | value; break;
    case 2: *rax = (*rax & ~UINT64_C(0xFFFF)) | value; break;
    default: *rax = value; break;
    }
}

uint64_t exit_io(struct vcpu *vcpu, const uint64_t *word)
{
    struct machine *machine = vcpu->machine;
    uint64_t what = word[1], *rax = &vcpu->state->gpr[VGPR_RAX];
    unsigned size = VIO_SIZE(what);

    if (__builtin_expect((what & VIO_STRING) != 0, 0)) {
        return exit_string(vcpu, what);
    }
    if (what & VIO_IN) {
        set_accumulator(rax, size, pc_in(&machine->pc, VIO_PORT(what), size, vcpu->now));
        if (__builtin_expect(terminal_has_input(&machine->terminal), 0)) {
            terminal_input(&machine->terminal, &machine->pc, vcpu->now);
        }
    } else {
        pc_out(&machine->pc, VIO_PORT(what), size, (uint32_t)*rax, vcpu->now);
    }
    machine_rearm(machine);
    return VS_ADVANCE;
}
