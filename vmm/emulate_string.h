/* emulate_string.h: one iteration of MOVS, STOS or LODS. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_EMULATE_STRING_H
#define VMM_EMULATE_STRING_H

#include "vmm/emulate.h"

/* As emulate(), for INSN_MOVS, INSN_STOS and INSN_LODS. */
enum emu_status emulate_string(const struct insn *insn, struct emu_cpu *cpu,
                               const struct emu_fault *fault, const struct emu_bus *bus);

/* Does the fault fit an operand of `size` bytes at the linear address? */
enum emu_status emu_check_fault(const struct emu_fault *fault, uint64_t linear, unsigned size);

#endif
