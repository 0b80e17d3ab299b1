/* linear.c: the guest's linear memory, and the instruction at hand, as a virtual CPU sees them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/linear.h"

#include <string.h>

#include "vmm/machine.h"

/* Access rights of CS, SDM 3C table 25-2. */
#define CS_LONG (1u << 13)
#define CS_DEFAULT_32 (1u << 14)
#define RFLAGS_AC (1u << 18)
#define USER_LEVEL 3u
#define PAGE_BYTES 4096u

static struct guest_paging paging_of(const struct vcpu *vcpu)
{
    const struct vcpu_state *state = vcpu->state;

    return (struct guest_paging){
        .cr0 = state->cr0,
        .cr3 = state->cr3,
        .cr4 = state->cr4,
        .efer = state->efer,
        .phys_bits = vcpu->cpuid.phys_bits,
        .gigabyte_pages = vcpu->cpuid.has_1gb_pages,
    };
}

static uint64_t *word_at(const struct guest_memory *memory, uint64_t gpa)
{
    return memory->at(memory->ctx, gpa, sizeof(uint64_t));
}

static bool read_word(void *ctx, uint64_t gpa, uint64_t *value)
{
    const uint64_t *word = word_at(ctx, gpa);

    if (word != NULL) {
        *value = __atomic_load_n(word, __ATOMIC_RELAXED);
    }
    return word != NULL;
}

static bool replace_word(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    uint64_t *word = word_at(ctx, gpa);

    return word != NULL && __atomic_compare_exchange_n(word, &expected, desired, false,
                                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static void describe_cpu(struct vcpu *vcpu, struct emu_cpu *cpu)
{
    struct vcpu_state *state = vcpu->state;
    uint32_t code = state->segment[VSEG_CS].access;

    *cpu = (struct emu_cpu){
        .gpr = state->gpr,
        .rip = state->rip,
        .rflags = state->rflags,
        .mode = insn_mode_of((state->efer & GUEST_EFER_LMA) != 0, (code & CS_LONG) != 0,
                             (code & CS_DEFAULT_32) != 0),
    };
    for (unsigned i = 0; i < INSN_SEGMENT_COUNT; i++) {
        cpu->segment_base[i] = state->segment[i].base;
    }
}

/* Fetches as many bytes as an instruction can have, in one piece where they lie in one page. */
static enum guest_walk_status fetch(struct vcpu *vcpu, struct instruction *instruction)
{
    const struct guest_paging paging = paging_of(vcpu);
    const struct guest_memory *ram = &vcpu->machine->memory;
    const struct guest_walk_memory memory = {.ctx = &vcpu->machine->memory, .read = read_word};
    const struct guest_access access = {.fetch = true, .user = vcpu_cpl(vcpu) == USER_LEVEL};
    unsigned address_size = instruction->cpu.mode == INSN_MODE_64 ? 8 : 4;
    uint64_t linear =
        emu_linear(&instruction->cpu, INSN_CS, address_size, instruction->cpu.rip);
    struct guest_translation place;

    if (linear % PAGE_BYTES <= PAGE_BYTES - INSN_MAX_LENGTH) {
        enum guest_walk_status status = guest_walk(&paging, &memory, linear, access, &place);
        const void *bytes =
            status == GUEST_WALK_OK ? ram->at(ram->ctx, place.gpa, INSN_MAX_LENGTH) : NULL;

        if (bytes != NULL) {
            memcpy(instruction->bytes, bytes, INSN_MAX_LENGTH);
            instruction->count = INSN_MAX_LENGTH;
            return GUEST_WALK_OK;
        }
    }
    return guest_fetch(&paging, &memory, linear, access.user, instruction->bytes, INSN_MAX_LENGTH,
                       &instruction->count, &place);
}

/* Decodes, or finds what the same bytes meant before. */
static enum decode_status decode_cached(struct vcpu *vcpu, struct instruction *instruction)
{
    struct decoded *decoded = &vcpu->decoded[instruction->cpu.rip / 2 % DECODED_SIZE];
    uint64_t key[2];

    for (size_t i = instruction->count; i < INSN_MAX_LENGTH; i++) {
        instruction->bytes[i] = 0;
    }
    instruction->bytes[INSN_MAX_LENGTH] = (uint8_t)(1 + instruction->cpu.mode);
    memcpy(key, instruction->bytes, sizeof key);
    instruction->insn = &decoded->insn;
    if (decoded->key[0] == key[0] && decoded->key[1] == key[1]) {
        return DECODE_OK;
    }
    enum decode_status status = decode(instruction->bytes, instruction->count,
                                       instruction->cpu.mode, &decoded->insn);

    /* With bytes missing, the same key could mean something else another time. */
    bool keep = status == DECODE_OK && instruction->count == INSN_MAX_LENGTH;

    decoded->key[0] = keep ? key[0] : 0;
    decoded->key[1] = keep ? key[1] : 0;
    return status;
}

bool linear_instruction(struct vcpu *vcpu, struct instruction *instruction)
{
    instruction->error = NULL;
    instruction->count = 0;
    describe_cpu(vcpu, &instruction->cpu);
    enum guest_walk_status fetched = fetch(vcpu, instruction);

    if (fetched != GUEST_WALK_OK) {
        instruction->error = guest_walk_status_text(fetched);
        return false;
    }
    enum decode_status status = decode_cached(vcpu, instruction);

    if (status != DECODE_OK) {
        instruction->error = decode_status_text(status);
    }
    return status == DECODE_OK;
}

uint64_t linear_retire(struct vcpu *vcpu, const struct instruction *instruction)
{
    vcpu->state->rip = instruction->cpu.rip;
    vcpu->state->rflags = instruction->cpu.rflags;
    vcpu->state->interruptibility &= ~(uint32_t)(VINT_STI | VINT_MOV_SS);
    return VS_IP;
}

enum guest_walk_status linear_translate(struct vcpu *vcpu, uint64_t linear, bool write,
                                        struct guest_translation *result)
{
    const struct guest_paging paging = paging_of(vcpu);
    const struct guest_walk_memory memory = {
        .ctx = &vcpu->machine->memory, .read = read_word, .replace = replace_word};
    const struct guest_access access = {
        .write = write,
        .user = vcpu_cpl(vcpu) == USER_LEVEL,
        .smap_off = (vcpu->state->rflags & RFLAGS_AC) != 0,
    };

    return guest_walk(&paging, &memory, linear, access, result);
}
