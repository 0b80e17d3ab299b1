/* native_cpu.h: runs an instruction on the CPU and in the emulator, and compares all they did. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_NATIVE_CPU_H
#define VMM_TEST_NATIVE_CPU_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "vmm/alu.h"
#include "vmm/decode.h"
#include "vmm/emulate.h"

#define ARENA_BYTES 0x4000u
#define MIDDLE 0x2000u

#define STATUS_FLAGS \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* Registers for the CPU. r15 holds the address of this while the instruction runs; rsp and rbp are
 * not touched. */
struct native {
    uint64_t rax, rcx, rdx, rbx, rsi, rdi, r8, r9, r10, r11, rflags;
    const uint8_t *start, *end;
};

/* Loads everything, runs the instruction between two labels, stores everything. */
#define RUN_NATIVELY(state, text)                                                               \
    __asm__ volatile("movq %[at], %%r15\nleaq -256(%%rsp), %%rsp\n"                             \
                     "movq 0(%%r15), %%rax\nmovq 8(%%r15), %%rcx\nmovq 16(%%r15), %%rdx\n"      \
                     "movq 24(%%r15), %%rbx\nmovq 32(%%r15), %%rsi\nmovq 40(%%r15), %%rdi\n"    \
                     "movq 48(%%r15), %%r8\nmovq 56(%%r15), %%r9\nmovq 64(%%r15), %%r10\n"      \
                     "movq 72(%%r15), %%r11\npushq 80(%%r15)\npopfq\n"                          \
                     ".intel_syntax noprefix\n771: " text "\n772:\n.att_syntax prefix\n"        \
                     "pushfq\npopq 80(%%r15)\ncld\n"                                            \
                     "movq %%rax, 0(%%r15)\nmovq %%rcx, 8(%%r15)\nmovq %%rdx, 16(%%r15)\n"      \
                     "movq %%rbx, 24(%%r15)\nmovq %%rsi, 32(%%r15)\nmovq %%rdi, 40(%%r15)\n"    \
                     "movq %%r8, 48(%%r15)\nmovq %%r9, 56(%%r15)\nmovq %%r10, 64(%%r15)\n"      \
                     "movq %%r11, 72(%%r15)\n"                                                  \
                     "leaq 771b(%%rip), %%rax\nmovq %%rax, 88(%%r15)\n"                         \
                     "leaq 772b(%%rip), %%rax\nmovq %%rax, 96(%%r15)\n"                         \
                     "leaq 256(%%rsp), %%rsp\n"                                                 \
                     :                                                                          \
                     : [at] "m"(state)                                                          \
                     : "rax", "rcx", "rdx", "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11",      \
                       "r15", "memory", "cc")

_Static_assert(offsetof(struct native, rflags) == 80, "the assembly above uses these offsets");
_Static_assert(offsetof(struct native, end) == 96, "the assembly above uses these offsets");

/* The CPU's memory lies below 4 GiB, so that 32-bit addresses reach it. The emulator has a copy of
 * it. The page that faults has its linear address as its guest-physical one, too; those that are
 * translated lie higher, each page elsewhere. */
static uint8_t *arena;
static uint8_t shadow[ARENA_BYTES];
static uint64_t random_state = 0x9e3779b97f4a7c15;

static inline uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Often a value where carries, signs and zeros change. */
static inline uint64_t next_operand(void)
{
    static const uint64_t edges[] = {
        0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
        0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
    };
    uint64_t r = next_random();
    if (r & 1) {
        return next_random();
    }
    return edges[(r >> 8) % (sizeof edges / sizeof edges[0])] + (r >> 4 & 3) - 1;
}

static inline uint64_t address_of(uint64_t offset)
{
    return (uint64_t)(uintptr_t)arena + offset;
}

static inline uint64_t place_of(uint64_t linear)
{
    return linear + ((linear >> 12 & 3) + 1) * (UINT64_C(1) << 40);
}

/* Where in the shadow a guest-physical address is. */
static inline uint64_t shadow_offset(uint64_t gpa, unsigned size)
{
    uint64_t linear = gpa & 0xffffffff;
    assert_true(gpa == linear || gpa == place_of(linear));
    assert_true(linear - address_of(0) + size <= ARENA_BYTES);
    assert_true((gpa & 0xfff) + size <= 0x1000);
    return linear - address_of(0);
}

static inline enum emu_status shadow_read(void *ctx, uint64_t gpa, unsigned size, uint64_t *value)
{
    (void)ctx;
    *value = 0;
    memcpy(value, shadow + shadow_offset(gpa, size), size);
    return EMU_OK;
}

static inline enum emu_status shadow_write(void *ctx, uint64_t gpa, unsigned size, uint64_t value)
{
    (void)ctx;
    assert_true(size == 8 || value >> (8 * size) == 0);
    memcpy(shadow + shadow_offset(gpa, size), &value, size);
    return EMU_OK;
}

static inline enum emu_status translate_elsewhere(void *ctx, uint64_t linear, bool write,
                                                  uint64_t *gpa)
{
    (void)ctx;
    (void)write;
    *gpa = place_of(linear);
    return EMU_OK;
}

static const struct emu_bus bus = { NULL, shadow_read, shadow_write, translate_elsewhere };

static inline int make_arena(void **state)
{
    (void)state;
    arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    return arena == MAP_FAILED;
}

static inline int free_arena(void **state)
{
    (void)state;
    return munmap(arena, ARENA_BYTES);
}

static inline void to_gprs(const struct native *native, uint64_t gpr[INSN_GPR_COUNT])
{
    gpr[INSN_RAX] = native->rax;
    gpr[INSN_RCX] = native->rcx;
    gpr[INSN_RDX] = native->rdx;
    gpr[INSN_RBX] = native->rbx;
    gpr[INSN_RSI] = native->rsi;
    gpr[INSN_RDI] = native->rdi;
    gpr[INSN_R8] = native->r8;
    gpr[INSN_R9] = native->r9;
    gpr[INSN_R10] = native->r10;
    gpr[INSN_R11] = native->r11;
}

/* A case: where the operand lies is for the caller to say. */
struct trial {
    const char *text;
    uint64_t undefined; /* status flags that may be anything */
    bool writes;        /* the fault is reported as a write */
    bool repeats;       /* until RIP moves on */
    uint64_t gs_base;
};

/* Random registers and memory; the operand at [rdi] is somewhere in the middle, inside a page. */
static inline void randomize(struct native *native, unsigned operand)
{
    for (unsigned i = 0; i < ARENA_BYTES; i += 8) {
        uint64_t value = next_operand();
        memcpy(arena + i, &value, 8);
    }
    native->rax = next_operand();
    native->rcx = next_operand();
    native->rdx = next_operand();
    native->rbx = next_operand();
    native->r8 = next_operand();
    native->r9 = next_operand();
    native->r10 = next_operand();
    native->r11 = next_operand();
    native->rdi = address_of(operand);
    native->rsi = address_of(operand ^ 0x808);
    native->rflags = (next_random() & STATUS_FLAGS) | 0x202;
    if (next_random() % 4 == 0) {
        memcpy(arena + operand, &native->rax, 8); /* so that CMPXCHG succeeds at times */
    }
}

/* Runs the emulator from `before` and compares with what the CPU made of it, `after`. */
static inline void compare(const struct trial *trial, const struct native *before,
                    const struct native *after, uint64_t fault_at)
{
    struct insn insn;
    size_t length = (size_t)(after->end - after->start);
    assert_int_equal(decode(after->start, length, INSN_MODE_64, &insn), DECODE_OK);
    assert_int_equal(insn.length, length);
    uint64_t gpr[INSN_GPR_COUNT] = { 0 };
    uint64_t expected[INSN_GPR_COUNT] = { 0 };
    to_gprs(before, gpr);
    to_gprs(after, expected);
    uint64_t start = (uint64_t)(uintptr_t)after->start;
    struct emu_cpu cpu = { .gpr = gpr, .rip = start, .rflags = before->rflags | RFLAGS_RF,
                           .mode = INSN_MODE_64 };
    cpu.segment_base[INSN_DS] = 0x1000; /* must not count in 64-bit mode */
    cpu.segment_base[INSN_GS] = trial->gs_base;
    struct emu_fault fault = { .gpa = fault_at, .write = trial->writes };
    do {
        enum emu_status status = emulate(&insn, &cpu, &fault, &bus);
        if (status != EMU_OK) {
            fail_msg("`%s`: %s", trial->text, emu_status_text(status));
        }
        if (trial->repeats) {
            fault.gpa = trial->writes ? gpr[INSN_RDI] : gpr[INSN_RSI];
        }
    } while (trial->repeats && cpu.rip == start);
    assert_true(cpu.rip == start + length);
    for (int i = 0; i < INSN_GPR_COUNT; i++) {
        if (gpr[i] != expected[i]) {
            fail_msg("`%s`: register %d is %#lx, the CPU has %#lx", trial->text, i, gpr[i],
                     expected[i]);
        }
    }
    uint64_t flags = (cpu.rflags ^ after->rflags) & ~trial->undefined;
    if (flags) {
        fail_msg("`%s`: flags %#lx, the CPU has %#lx", trial->text, cpu.rflags, after->rflags);
    }
    if (memcmp(shadow, arena, ARENA_BYTES) != 0) {
        fail_msg("`%s`: memory differs", trial->text);
    }
}

#endif
