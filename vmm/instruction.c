/* instruction.c: the instruction at hand: fetched from the guest's memory and decoded. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/instruction.h"

#include <string.h>

#include "vmm/linear.h"
#include "vmm/machine.h"

/* Access rights of CS, SDM 3C table 25-2. */
#define CS_LONG (1u << 13)
#define CS_DEFAULT_32 (1u << 14)
#define PAGE_BYTES 4096u

static void describe_cpu(struct vcpu *vcpu, struct emu_cpu *cpu)
{
    struct vcpu_state *state = vcpu->state;
    uint32_t code = state->segment[VSEG_CS].access;

    cpu->gpr = state->gpr;
    cpu->rip = state->rip;
    cpu->rflags = state->rflags;
    cpu->mode = insn_mode_of((state->efer & GUEST_EFER_LMA) != 0, (code & CS_LONG) != 0,
                             (code & CS_DEFAULT_32) != 0);
    /* In 64-bit mode the others are not used. */
    for (unsigned i = cpu->mode == INSN_MODE_64 ? INSN_FS : INSN_ES; i <= INSN_GS; i++) {
        cpu->segment_base[i] = state->segment[i].base;
    }
}

/* What the meaning of an address depends on, besides memory. */
static bool same_view(const struct decoded *decoded, const struct vcpu *vcpu, uint64_t linear,
                      enum insn_mode mode)
{
    const struct vcpu_state *state = vcpu->state;
    const struct guest_paging *paging = &decoded->paging;

    return decoded->linear == linear && decoded->mode == mode && paging->cr3 == state->cr3 &&
           paging->cr0 == state->cr0 && paging->cr4 == state->cr4 &&
           paging->efer == state->efer && decoded->user == linear_is_user(vcpu);
}

/* An unaligned word. The builtin is one instruction even in a freestanding program. */
static uint64_t load_word(const uint8_t *bytes)
{
    uint64_t word;

    __builtin_memcpy(&word, bytes, sizeof word);
    return word;
}

static bool same_memory(const struct decoded *decoded)
{
    for (unsigned i = 0; i < decoded->entries; i++) {
        if (__atomic_load_n(decoded->entry[i], __ATOMIC_RELAXED) != decoded->value[i]) {
            return false;
        }
    }
    return load_word(decoded->source) == decoded->bytes.word[0] &&
           load_word(decoded->source + sizeof(uint64_t)) == decoded->bytes.word[1];
}

/* A reader of page tables that remembers what it read, and where. */
struct noting_reader {
    const struct guest_memory *memory;
    struct decoded *decoded;
};

static bool read_and_note(void *ctx, uint64_t gpa, uint64_t *value)
{
    struct noting_reader *reader = ctx;
    struct decoded *decoded = reader->decoded;
    const uint64_t *word = reader->memory->at(reader->memory->ctx, gpa, sizeof *word);

    if (word == NULL) {
        return false;
    }
    *value = __atomic_load_n(word, __ATOMIC_RELAXED);
    if (decoded->entries < DECODED_ENTRIES) {
        decoded->entry[decoded->entries] = word;
        decoded->value[decoded->entries] = *value;
    }
    decoded->entries++;
    return true;
}

/* Fetches as many bytes as an instruction can have. To be found again they must lie in one page. */
static enum guest_walk_status fetch(struct vcpu *vcpu, struct decoded *decoded)
{
    const struct guest_memory *ram = &vcpu->machine->memory;
    struct noting_reader reader = {ram, decoded};
    const struct guest_walk_memory memory = {.ctx = &reader, .read = read_and_note};
    const struct guest_access access = {.fetch = true, .user = decoded->user};
    struct guest_translation place;
    const unsigned size = sizeof decoded->bytes;
    enum guest_walk_status status =
        guest_walk(&decoded->paging, &memory, decoded->linear, access, &place);

    if (status == GUEST_WALK_OK && place.gpa % PAGE_BYTES <= PAGE_BYTES - size) {
        decoded->source = ram->at(ram->ctx, place.gpa, size);
    }
    if (decoded->source != NULL) {
        memcpy(&decoded->bytes, decoded->source, size);
        decoded->count = INSN_MAX_LENGTH;
        return GUEST_WALK_OK;
    }
    return guest_fetch(&decoded->paging, &memory, decoded->linear, decoded->user,
                       decoded->bytes.byte, INSN_MAX_LENGTH, &decoded->count, &place);
}

/* NULL, or what is wrong. Not inlined, to keep the usual way short. */
static __attribute__((noinline)) const char *read_anew(struct vcpu *vcpu, struct decoded *decoded,
                                                       uint64_t linear, enum insn_mode mode)
{
    *decoded = (struct decoded){
        .linear = linear,
        .mode = mode,
        .paging = linear_paging(vcpu),
        .user = linear_is_user(vcpu),
    };
    enum guest_walk_status fetched = fetch(vcpu, decoded);

    if (fetched != GUEST_WALK_OK) {
        return guest_walk_status_text(fetched);
    }
    enum decode_status status = decode(decoded->bytes.byte, decoded->count, mode, &decoded->insn);

    decoded->valid =
        status == DECODE_OK && decoded->source != NULL && decoded->entries <= DECODED_ENTRIES;
    return status == DECODE_OK ? NULL : decode_status_text(status);
}

bool instruction_read(struct vcpu *vcpu, struct instruction *instruction)
{
    struct emu_cpu *cpu = &instruction->cpu;

    describe_cpu(vcpu, cpu);
    uint64_t linear = emu_linear(cpu, INSN_CS, cpu->mode == INSN_MODE_64 ? 8 : 4, cpu->rip);
    struct decoded *decoded = &vcpu->decoded[linear / 2 % DECODED_SIZE];

    instruction->decoded = decoded;
    instruction->error = NULL;
    if (__builtin_expect(!decoded->valid || !same_view(decoded, vcpu, linear, cpu->mode) ||
                             !same_memory(decoded), 0)) {
        instruction->error = read_anew(vcpu, decoded, linear, cpu->mode);
    }
    return instruction->error == NULL;
}

uint64_t instruction_retire(struct vcpu *vcpu, const struct instruction *instruction)
{
    vcpu->state->rip = instruction->cpu.rip;
    vcpu->state->rflags = instruction->cpu.rflags;
    vcpu->state->interruptibility &= ~(uint32_t)(VINT_STI | VINT_MOV_SS);
    return VS_IP;
}
