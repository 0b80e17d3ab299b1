/* emulate_test.c: the emulator against the CPU, which runs the very same instruction beside it. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/emulate.c vmm/emulate_string.c vmm/alu.c vmm/decode.c vmm/decode_table.c */
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/test/native_cpu.h"

#define ROUNDS 400
#define ARCH_SET_GS 0x1001

/* An instruction with its operand at [rdi]. */
#define SAME(instruction, undefined_flags, is_write)                                            \
    do {                                                                                        \
        const struct trial trial = { .text = (instruction), .undefined = (undefined_flags),     \
                                     .writes = (is_write) };                                    \
        for (int round = 0; round < ROUNDS; round++) {                                          \
            struct native before = { 0 };                                                       \
            randomize(&before, MIDDLE + (unsigned)(next_random() % 0x7f8));                     \
            memcpy(shadow, arena, ARENA_BYTES);                                                 \
            struct native after = before;                                                       \
            struct native *at = &after;                                                         \
            RUN_NATIVELY(at, instruction);                                                      \
            compare(&trial, &before, &after, before.rdi);                                       \
        }                                                                                       \
    } while (0)

/* All widths and directions of "name memory, register" and "name register, memory". */
#define SAME_PAIRS(name, undefined, writes)                  \
    do {                                                     \
        SAME(name " [rdi], cl", undefined, writes);          \
        SAME(name " [rdi], ch", undefined, writes);          \
        SAME(name " [rdi], r8b", undefined, writes);         \
        SAME(name " [rdi], cx", undefined, writes);          \
        SAME(name " [rdi], ecx", undefined, writes);         \
        SAME(name " [rdi], r9", undefined, writes);          \
        SAME(name " al, [rdi]", undefined, false);           \
        SAME(name " bh, [rdi]", undefined, false);           \
        SAME(name " r10b, [rdi]", undefined, false);         \
        SAME(name " dx, [rdi]", undefined, false);           \
        SAME(name " ebx, [rdi]", undefined, false);          \
        SAME(name " r11, [rdi]", undefined, false);          \
    } while (0)

#define SAME_IMMEDIATES(name, undefined, writes)                          \
    do {                                                                  \
        SAME(name " byte ptr [rdi], 0x85", undefined, writes);            \
        SAME(name " word ptr [rdi], 0x8321", undefined, writes);          \
        SAME(name " dword ptr [rdi], 0x87654321", undefined, writes);     \
        SAME(name " qword ptr [rdi], -0x12345678", undefined, writes);    \
    } while (0)

/* The forms with a sign-extended byte. */
#define SAME_SHORT(name, undefined, writes)                     \
    do {                                                        \
        SAME(name " word ptr [rdi], -5", undefined, writes);    \
        SAME(name " dword ptr [rdi], -5", undefined, writes);   \
        SAME(name " qword ptr [rdi], -5", undefined, writes);   \
    } while (0)

#define SAME_ALL(name, undefined, writes)          \
    do {                                           \
        SAME_PAIRS(name, undefined, writes);       \
        SAME_IMMEDIATES(name, undefined, writes);  \
        SAME_SHORT(name, undefined, writes);       \
    } while (0)

#define SAME_WIDTHS(name, rest, undefined, writes)                  \
    do {                                                            \
        SAME(name " byte ptr [rdi]" rest, undefined, writes);       \
        SAME(name " word ptr [rdi]" rest, undefined, writes);       \
        SAME(name " dword ptr [rdi]" rest, undefined, writes);      \
        SAME(name " qword ptr [rdi]" rest, undefined, writes);      \
    } while (0)

static void sums(void **state)
{
    (void)state;
    SAME_ALL("add", 0, true);
    SAME_ALL("adc", 0, true);
    SAME_ALL("sub", 0, true);
    SAME_ALL("sbb", 0, true);
    SAME_ALL("cmp", 0, false);
}

static void logic(void **state)
{
    (void)state;
    SAME_ALL("and", RFLAGS_AF, true);
    SAME_ALL("or", RFLAGS_AF, true);
    SAME_ALL("xor", RFLAGS_AF, true);
    SAME_IMMEDIATES("test", RFLAGS_AF, false);
    SAME("test [rdi], ch", RFLAGS_AF, false);
    SAME("test [rdi], r8d", RFLAGS_AF, false);
    SAME("test [rdi], r8", RFLAGS_AF, false);
    SAME("lock or dword ptr [rdi], 0x100", RFLAGS_AF, true);
}

static void unary(void **state)
{
    (void)state;
    SAME_WIDTHS("inc", "", 0, true);
    SAME_WIDTHS("dec", "", 0, true);
    SAME_WIDTHS("not", "", 0, true);
    SAME_WIDTHS("lock neg", "", 0, true);
    /* A read-modify-write may also be reported as a read. */
    SAME_WIDTHS("inc", "", 0, false);
}

static void moves(void **state)
{
    (void)state;
    SAME_PAIRS("mov", 0, true);
    SAME_IMMEDIATES("mov", 0, true);
    SAME("movzx ax, byte ptr [rdi]", 0, false);
    SAME("movzx eax, byte ptr [rdi]", 0, false);
    SAME("movzx rax, byte ptr [rdi]", 0, false);
    SAME("movzx ebx, word ptr [rdi]", 0, false);
    SAME("movzx r10, word ptr [rdi]", 0, false);
    SAME("movsx ax, byte ptr [rdi]", 0, false);
    SAME("movsx eax, byte ptr [rdi]", 0, false);
    SAME("movsx r8, byte ptr [rdi]", 0, false);
    SAME("movsx ecx, word ptr [rdi]", 0, false);
    SAME("movsx rcx, word ptr [rdi]", 0, false);
    SAME("movsxd rdx, dword ptr [rdi]", 0, false);
    SAME("movsxd edx, dword ptr [rdi]", 0, false);
    SAME("movnti [rdi], edx", 0, true);
    SAME("movnti [rdi], r8", 0, true);
    SAME("movbe [rdi], cx", 0, true);
    SAME("movbe [rdi], ecx", 0, true);
    SAME("movbe [rdi], rcx", 0, true);
    SAME("movbe cx, [rdi]", 0, false);
    SAME("movbe ecx, [rdi]", 0, false);
    SAME("movbe r9, [rdi]", 0, false);
}

static void exchanges(void **state)
{
    (void)state;
    SAME("xchg [rdi], cl", 0, true);
    SAME("xchg [rdi], ah", 0, true);
    SAME("xchg [rdi], dx", 0, true);
    SAME("xchg [rdi], edx", 0, true);
    SAME("xchg [rdi], r8", 0, true);
    SAME("xadd [rdi], bh", 0, true);
    SAME("xadd [rdi], cx", 0, true);
    SAME("lock xadd [rdi], ecx", 0, true);
    SAME("xadd [rdi], r11", 0, true);
    SAME("cmpxchg [rdi], cl", 0, true);
    SAME("cmpxchg [rdi], dh", 0, true);
    SAME("cmpxchg [rdi], cx", 0, true);
    SAME("lock cmpxchg [rdi], ecx", 0, true);
    SAME("cmpxchg [rdi], r8", 0, true);
}

#define ALL_BUT_CF_AND_ZF (RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF)

/* A bit string's operand lies `bits` away from [rdi], in whole units of `width` bits. */
static uint64_t bit_unit(uint64_t base, int64_t bits, int64_t width)
{
    int64_t unit = bits >= 0 ? bits / width : -((-bits + width - 1) / width);
    return base + (uint64_t)(unit * (width / 8));
}

#define SAME_BITS(instruction, width, is_write)                                                 \
    do {                                                                                        \
        const struct trial trial = { .text = (instruction), .undefined = ALL_BUT_CF_AND_ZF,     \
                                     .writes = (is_write) };                                    \
        for (int round = 0; round < ROUNDS; round++) {                                          \
            struct native before = { 0 };                                                       \
            randomize(&before, MIDDLE + 0x400);                                                 \
            memcpy(shadow, arena, ARENA_BYTES);                                                 \
            int64_t bits = (int64_t)(next_random() % 4001) - 2000;                              \
            before.rcx = (before.rcx & ~alu_mask((width) / 8)) |                                \
                         ((uint64_t)bits & alu_mask((width) / 8));                              \
            struct native after = before;                                                       \
            struct native *at = &after;                                                         \
            RUN_NATIVELY(at, instruction);                                                      \
            compare(&trial, &before, &after, bit_unit(before.rdi, bits, width));                \
        }                                                                                       \
    } while (0)

static void bits(void **state)
{
    (void)state;
    SAME("bt word ptr [rdi], 13", ALL_BUT_CF_AND_ZF, false);
    SAME("bts dword ptr [rdi], 35", ALL_BUT_CF_AND_ZF, true);
    SAME("btr qword ptr [rdi], 63", ALL_BUT_CF_AND_ZF, true);
    SAME("lock btc qword ptr [rdi], 1", ALL_BUT_CF_AND_ZF, true);
    SAME_BITS("bt [rdi], cx", 16, false);
    SAME_BITS("bt [rdi], ecx", 32, false);
    SAME_BITS("bt [rdi], rcx", 64, false);
    SAME_BITS("lock bts [rdi], cx", 16, true);
    SAME_BITS("bts [rdi], rcx", 64, true);
    SAME_BITS("btr [rdi], ecx", 32, true);
    SAME_BITS("btc [rdi], rcx", 64, true);
}

/* Strings: up to eight elements, both directions. The operand without the fault may cross pages. */
#define SAME_STRING(instruction, is_write, is_repeated)                                         \
    do {                                                                                        \
        const struct trial trial = { .text = (instruction), .writes = (is_write),               \
                                     .repeats = (is_repeated) };                                \
        for (int round = 0; round < ROUNDS; round++) {                                          \
            struct native before = { 0 };                                                       \
            randomize(&before, MIDDLE + 0x200 + 8 * (unsigned)(next_random() % 0x80));          \
            memcpy(shadow, arena, ARENA_BYTES);                                                 \
            uint64_t other = address_of(0x1000 - 32 + next_random() % 64);                      \
            before.rsi = (is_write) ? other : before.rdi;                                       \
            before.rdi = (is_write) ? before.rdi : other;                                       \
            before.rcx = 1 + next_random() % 8;                                                 \
            before.rflags |= next_random() & RFLAGS_DF;                                         \
            struct native after = before;                                                       \
            struct native *at = &after;                                                         \
            RUN_NATIVELY(at, instruction);                                                      \
            compare(&trial, &before, &after, (is_write) ? before.rdi : before.rsi);             \
        }                                                                                       \
    } while (0)

static void strings(void **state)
{
    (void)state;
    SAME_STRING("movsb", true, false);
    SAME_STRING("movsw", false, false);
    SAME_STRING("movsd", true, false);
    SAME_STRING("movsq", false, false);
    SAME_STRING("rep movsb", true, true);
    SAME_STRING("rep movsw", false, true);
    SAME_STRING("rep movsd", true, true);
    SAME_STRING("rep movsd", false, true);
    SAME_STRING("rep movsq", true, true);
    SAME_STRING("stosb", true, false);
    SAME_STRING("rep stosw", true, true);
    SAME_STRING("rep stosd", true, true);
    SAME_STRING("rep stosq", true, true);
    SAME_STRING("lodsb", false, false);
    SAME_STRING("lodsw", false, false);
    SAME_STRING("rep lodsd", false, true);
    SAME_STRING("rep lodsq", false, true);
    SAME_STRING("rep movs dword ptr es:[edi], dword ptr [esi]", true, true);
    SAME_STRING("rep stos dword ptr es:[edi], eax", true, true);
}

/* Addresses whose parts are registers; r9 is a small index, and r8 has garbage above bit 31. */
#define SAME_ADDRESS(instruction, index_scale, displacement, base)                              \
    do {                                                                                        \
        const struct trial trial = { .text = (instruction), .gs_base = (base) };                \
        for (int round = 0; round < ROUNDS; round++) {                                          \
            struct native before = { 0 };                                                       \
            randomize(&before, MIDDLE + 0x200);                                                 \
            memcpy(shadow, arena, ARENA_BYTES);                                                 \
            before.r9 = next_random() % 64;                                                     \
            before.r8 = (before.rdi - (base)) | (next_random() << 32);                          \
            before.rdi -= (base);                                                               \
            struct native after = before;                                                       \
            struct native *at = &after;                                                         \
            RUN_NATIVELY(at, instruction);                                                      \
            uint64_t where = before.rdi + (base) + before.r9 * (index_scale) +                  \
                             (uint64_t)(int64_t)(displacement);                                 \
            compare(&trial, &before, &after, where);                                            \
        }                                                                                       \
    } while (0)

static void addresses(void **state)
{
    (void)state;
    SAME_ADDRESS("mov eax, [rdi + r9]", 1, 0, 0);
    SAME_ADDRESS("mov eax, [rdi + 8*r9 + 0x123]", 8, 0x123, 0);
    SAME_ADDRESS("mov ax, [rdi + 2*r9 - 0x80]", 2, -0x80, 0);
    SAME_ADDRESS("add rcx, [r8d + 4*r9d + 4]", 4, 4, 0);
    assert_int_equal(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1230ul), 0);
    SAME_ADDRESS("mov ecx, gs:[rdi + 4*r9]", 4, 0, 0x1230);
    assert_int_equal(syscall(SYS_arch_prctl, ARCH_SET_GS, 0ul), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "EMULATE-01: sums and their flags are the CPU's", sums, NULL, NULL, NULL },
        { "EMULATE-02: logic and its flags are the CPU's", logic, NULL, NULL, NULL },
        { "EMULATE-03: INC, DEC, NOT and NEG are the CPU's", unary, NULL, NULL, NULL },
        { "EMULATE-04: moves and extensions are the CPU's", moves, NULL, NULL, NULL },
        { "EMULATE-05: exchanges are the CPU's", exchanges, NULL, NULL, NULL },
        { "EMULATE-06: bit tests are the CPU's, also far from the base", bits, NULL, NULL, NULL },
        { "EMULATE-07: strings are the CPU's, in both directions", strings, NULL, NULL, NULL },
        { "EMULATE-08: addresses are the CPU's", addresses, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
