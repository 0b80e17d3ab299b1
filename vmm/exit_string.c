/* exit_string.c: INS and OUTS: port accesses whose other operand is in memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/exit.h"
#include "vmm/inject.h"
#include "vmm/instruction.h"
#include "vmm/linear.h"
#include "vmm/machine.h"
#include "vmm/report.h"

/* So many elements of one REP INS or OUTS are moved before interrupts are looked at. */
#define ELEMENTS_MAX 256u
#define RFLAGS_DF (1u << 10)
#define PAGE_BYTES 4096u

/* A string instruction under way. */
struct string {
    struct vcpu *vcpu;
    struct instruction instruction;
    uint16_t port;
    unsigned size;
    bool in;
    uint64_t answer; /* 0, or that of a fault, which ends it */
};

/* Where one byte of the element is for the VMM; NULL: `answer` is set. */
static uint8_t *byte_at(struct string *s, uint64_t linear)
{
    const struct guest_memory *memory = &s->vcpu->machine->memory;
    struct guest_translation place;
    enum guest_walk_status status = linear_translate(s->vcpu, linear, s->in, &place);
    uint8_t *byte = NULL;

    switch (status) {
    case GUEST_WALK_OK: byte = memory->at(memory->ctx, place.gpa, 1); break;
    case GUEST_WALK_NOT_PRESENT:
    case GUEST_WALK_RESERVED_BIT:
    case GUEST_WALK_DENIED:
        s->answer = inject_page_fault(s->vcpu, linear, place.error_code);
        return NULL;
    case GUEST_WALK_NON_CANONICAL: s->answer = inject_general_protection(s->vcpu); return NULL;
    default: break;
    }
    if (byte == NULL) {
        s->answer = report_fatal(s->vcpu, "string I/O to port 0x%x with memory at 0x%lx: no memory",
                                 s->port, linear);
    }
    return byte;
}

/* All of an element's bytes are found before any device or memory changes. */
static bool find(struct string *s, uint64_t linear, uint8_t *bytes[4])
{
    for (unsigned i = 0; i < s->size; i++) {
        bool same_page = i > 0 && (linear + i) % PAGE_BYTES != 0;

        bytes[i] = same_page ? bytes[i - 1] + 1 : byte_at(s, linear + i);
        if (bytes[i] == NULL) {
            return false;
        }
    }
    return true;
}

static bool move_element(struct string *s)
{
    struct vcpu *vcpu = s->vcpu;
    struct pc *pc = &vcpu->machine->pc;
    uint8_t *bytes[4];
    uint32_t value = 0;

    if (!find(s, emu_operand_address(&s->instruction.decoded->insn, &s->instruction.cpu), bytes)) {
        return false;
    }
    if (s->in) {
        value = pc_in(pc, s->port, s->size, vcpu->now);
    }
    for (unsigned i = 0; i < s->size; i++) {
        if (s->in) {
            *bytes[i] = (uint8_t)(value >> 8 * i);
        } else {
            value |= (uint32_t)*bytes[i] << 8 * i;
        }
    }
    if (!s->in) {
        pc_out(pc, s->port, s->size, value, vcpu->now);
    }
    return true;
}

static void add_to(struct string *s, unsigned number, uint64_t amount)
{
    const struct insn_register reg = {.number = (uint8_t)number};
    unsigned size = s->instruction.decoded->insn.address_size;
    struct emu_cpu *cpu = &s->instruction.cpu;

    emu_set_register(cpu, reg, size, emu_get_register(cpu, reg, size) + amount);
}

/* Moves elements until the count is 0, or something else ends it. The value: it is finished. */
static bool move_elements(struct string *s)
{
    struct emu_cpu *cpu = &s->instruction.cpu;
    const struct insn *insn = &s->instruction.decoded->insn;
    const struct insn_register count = {.number = INSN_RCX};
    uint64_t step = cpu->rflags & RFLAGS_DF ? -(uint64_t)s->size : s->size;

    for (unsigned i = 0; i < ELEMENTS_MAX; i++) {
        if (insn->rep && emu_get_register(cpu, count, insn->address_size) == 0) {
            return true;
        }
        if (!move_element(s)) {
            return false;
        }
        add_to(s, s->in ? INSN_RDI : INSN_RSI, step);
        if (!insn->rep) {
            return true;
        }
        add_to(s, INSN_RCX, UINT64_MAX);
    }
    return false;
}

uint64_t exit_string(struct vcpu *vcpu, uint64_t what)
{
    struct string s = {
        .vcpu = vcpu,
        .port = VIO_PORT(what),
        .size = VIO_SIZE(what),
        .in = (what & VIO_IN) != 0,
    };

    if (!vcpu_has(vcpu, EXIT_IO, LINEAR_GROUPS)) {
        return 0;
    }
    if (!instruction_read(vcpu, &s.instruction)) {
        return report_fatal(vcpu, "string I/O to port 0x%x: %s", s.port, s.instruction.error);
    }
    if (move_elements(&s)) {
        emu_retire(&s.instruction.decoded->insn, &s.instruction.cpu);
        s.answer = instruction_retire(vcpu, &s.instruction);
    }
    machine_rearm(vcpu->machine);
    return s.answer;
}
