/* linear.c: the guest's linear memory, as one of its virtual CPUs sees it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/linear.h"

#include "vmm/machine.h"

#define RFLAGS_AC (1u << 18)
#define USER_LEVEL 3u

struct guest_paging linear_paging(const struct vcpu *vcpu)
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

/* The privilege level is that of SS (SDM 3C, 25.4.1). */
bool linear_is_user(const struct vcpu *vcpu)
{
    return (vcpu->state->segment[VSEG_SS].access >> 5 & 3) == USER_LEVEL;
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

enum guest_walk_status linear_translate(struct vcpu *vcpu, uint64_t linear, bool write,
                                        struct guest_translation *result)
{
    const struct guest_paging paging = linear_paging(vcpu);
    const struct guest_walk_memory memory = {
        .ctx = &vcpu->machine->memory, .read = read_word, .replace = replace_word};
    const struct guest_access access = {
        .write = write,
        .user = linear_is_user(vcpu),
        .smap_off = (vcpu->state->rflags & RFLAGS_AC) != 0,
    };

    return guest_walk(&paging, &memory, linear, access, result);
}
