/* decode_operand_test.c: the operands and prefixes that the decoder finds in an instruction. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/decode.c vmm/decode_table.c */
#include "vmm/test/decode_fixture.h"

static void registers(void **state)
{
    (void)state;
    struct insn insn = decode_checked("mov [rbx], dh", ASSEMBLE(64, "mov [rbx], dh"), 64);
    assert_int_equal(insn.reg.number, INSN_RDX);
    assert_true(insn.reg.high);
    insn = decode_checked("mov [rbx], sil", ASSEMBLE(64, "mov [rbx], sil"), 64);
    assert_int_equal(insn.reg.number, INSN_RSI);
    assert_false(insn.reg.high);
    insn = decode_checked("movzx eax, bh", ASSEMBLE(64, "movzx eax, bh"), 64);
    assert_false(insn.has_memory);
    assert_int_equal(insn.rm.number, INSN_RBX);
    assert_true(insn.rm.high);
    insn = decode_checked("movzx eax, cl", ASSEMBLE(64, "movzx eax, cl"), 64);
    assert_int_equal(insn.rm.number, INSN_RCX);
    insn = decode_checked("lodsd", ASSEMBLE(64, "lodsd"), 64);
    assert_true(insn.has_memory);
    insn = decode_checked("movzx edi, word ptr [rax]", ASSEMBLE(64, "movzx edi, word ptr [rax]"),
                          64);
    assert_int_equal(insn.reg.number, INSN_RDI);
    assert_false(insn.reg.high);
    insn = decode_checked("mov cr8, r15", ASSEMBLE(64, "mov cr8, r15"), 64);
    assert_int_equal(insn.reg.number, 8);
    assert_int_equal(insn.rm.number, INSN_R15);
    assert_int_equal(insn.operand_size, 8);
    insn = decode_checked("add qword ptr [rax], -5", ASSEMBLE(64, "add qword ptr [rax], -5"), 64);
    assert_true(insn.immediate == -5);
}

/* Every base, index and scale with displacements of no, one and four bytes. The C code below goes
 * through them in the same order. */
struct entry {
    const uint8_t *start;
    uint64_t length;
};

#define EACH_DISPLACEMENT(target)                                                                 \
    ".irp disp, 0, 0x12, -0x80, 0x12345678\n"                                                     \
    ".pushsection .rodata.code, \"a\"\n771: mov ecx, [" target " + \\disp]\n772:\n.popsection\n"  \
    ".quad 771b, 772b - 771b\n.endr\n"

static const int32_t displacements[4] = { 0, 0x12, -0x80, 0x12345678 };

__asm__(".pushsection .data.rel.ro.cases, \"aw\"\n.balign 8\n.intel_syntax noprefix\n"
        "addresses_64:\n"
        ".irp base, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15\n"
        ".irp index, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15\n"
        ".irp scale, 1, 2, 4, 8\n" EACH_DISPLACEMENT("\\base + \\index*\\scale")
        ".endr\n.endr\n" EACH_DISPLACEMENT("\\base") ".endr\n"
        "addresses_32:\n.code32\n"
        ".irp base, eax, ecx, edx, ebx, esp, ebp, esi, edi\n"
        ".irp index, eax, ecx, edx, ebx, ebp, esi, edi\n"
        ".irp scale, 1, 2, 4, 8\n" EACH_DISPLACEMENT("\\base + \\index*\\scale")
        ".endr\n.endr\n" EACH_DISPLACEMENT("\\base") ".endr\n"
        ".code64\n.att_syntax prefix\n.popsection\n");

extern const struct entry addresses_64[];
extern const struct entry addresses_32[];

static const struct entry *check_address(const struct entry *entry, int bits, unsigned base,
                                         unsigned index, unsigned scale)
{
    for (unsigned i = 0; i < 4; i++, entry++) {
        struct code code = { entry->start, entry->length };
        struct insn insn = decode_checked("mov ecx, [address]", code, bits);
        assert_true(insn.has_memory);
        assert_int_equal(insn.address_size, bits / 8);
        assert_int_equal(insn.reg.number, INSN_RCX);
        assert_int_equal(insn.memory.base, base);
        assert_int_equal(insn.memory.index, index);
        assert_int_equal(insn.memory.scale, scale);
        assert_true(insn.memory.displacement == displacements[i]);
        assert_false(insn.memory.rip_relative);
        bool stack = base == INSN_RSP || base == INSN_RBP;
        assert_int_equal(insn.memory.segment, stack ? INSN_SS : INSN_DS);
    }
    return entry;
}

static void check_addresses(const struct entry *entry, int bits, unsigned count)
{
    for (unsigned base = 0; base < count; base++) {
        for (unsigned index = 0; index < count; index++) {
            for (unsigned scale = 1; index != INSN_RSP && scale <= 8; scale *= 2) {
                entry = check_address(entry, bits, base, index, scale);
            }
        }
        entry = check_address(entry, bits, base, INSN_NO_GPR, 1);
    }
}

static void addresses(void **state)
{
    (void)state;
    check_addresses(addresses_64, 64, 16);
    check_addresses(addresses_32, 32, 8);
}

static void special_addresses(void **state)
{
    (void)state;
    struct insn insn = decode_checked("rip", ASSEMBLE(64, "mov eax, [rip - 2]"), 64);
    assert_true(insn.memory.rip_relative);
    assert_true(insn.memory.displacement == -2);
    assert_int_equal(insn.memory.base, INSN_NO_GPR);
    insn = decode_checked("absolute", ASSEMBLE(64, "mov eax, ds:[0x1234]"), 64);
    assert_false(insn.memory.rip_relative);
    assert_true(insn.memory.displacement == 0x1234);
    insn = decode_checked("index only", ASSEMBLE(64, "mov eax, [4*r12 + 0x1234]"), 64);
    assert_int_equal(insn.memory.base, INSN_NO_GPR);
    assert_int_equal(insn.memory.index, INSN_R12);
    assert_int_equal(insn.memory.scale, 4);
    insn = decode_checked("absolute", ASSEMBLE(32, "mov ecx, ds:[0xfee00020]"), 32);
    assert_true((uint32_t)insn.memory.displacement == 0xfee00020);
    assert_false(insn.memory.rip_relative);
    insn = decode_checked("moffs", ASSEMBLE(64, "movabs al, [0xfedcba9876543210]"), 64);
    assert_true((uint64_t)insn.memory.displacement == 0xfedcba9876543210);
    assert_true(insn.has_memory);
    insn = decode_checked("bits", ASSEMBLE(64, "bt [rax], ecx"), 64);
    assert_true(insn.memory.bit_string);
    insn = decode_checked("bits", ASSEMBLE(64, "bt dword ptr [rax], 3"), 64);
    assert_false(insn.memory.bit_string);
}

#define CHECK_16(text, base_, index_, disp, segment_)                               \
    do {                                                                            \
        struct insn insn = decode_checked(text, ASSEMBLE(16, "mov cx, " text), 16); \
        assert_int_equal(insn.address_size, 2);                                     \
        assert_int_equal(insn.memory.base, base_);                                  \
        assert_int_equal(insn.memory.index, index_);                                \
        assert_true(insn.memory.displacement == (disp));                            \
        assert_int_equal(insn.memory.segment, segment_);                            \
    } while (0)

static void addresses_of_16_bits(void **state)
{
    (void)state;
    CHECK_16("[bx + si]", INSN_RBX, INSN_RSI, 0, INSN_DS);
    CHECK_16("[bx + di + 5]", INSN_RBX, INSN_RDI, 5, INSN_DS);
    CHECK_16("[bp + si - 5]", INSN_RBP, INSN_RSI, -5, INSN_SS);
    CHECK_16("[bp + di + 0x1234]", INSN_RBP, INSN_RDI, 0x1234, INSN_SS);
    CHECK_16("[si]", INSN_RSI, INSN_NO_GPR, 0, INSN_DS);
    CHECK_16("[di + 0x1234]", INSN_RDI, INSN_NO_GPR, 0x1234, INSN_DS);
    CHECK_16("[bp]", INSN_RBP, INSN_NO_GPR, 0, INSN_SS);
    CHECK_16("[bx]", INSN_RBX, INSN_NO_GPR, 0, INSN_DS);
    CHECK_16("ds:[0x1234]", INSN_NO_GPR, INSN_NO_GPR, 0x1234, INSN_DS);
    CHECK_16("es:[bp]", INSN_RBP, INSN_NO_GPR, 0, INSN_ES);
    CHECK_16("fs:[bx]", INSN_RBX, INSN_NO_GPR, 0, INSN_FS);
}

static void prefixes(void **state)
{
    (void)state;
    struct insn insn;
    /* REX.W before 66 has no effect; after it, it wins over 66. */
    const uint8_t rex_first[] = { 0x48, 0x66, 0x89, 0x03 };
    assert_int_equal(decode(rex_first, 4, INSN_MODE_64, &insn), DECODE_OK);
    assert_int_equal(insn.operand_size, 2);
    const uint8_t rex_last[] = { 0x66, 0x48, 0x89, 0x03 };
    assert_int_equal(decode(rex_last, 4, INSN_MODE_64, &insn), DECODE_OK);
    assert_int_equal(insn.operand_size, 8);
    /* In 64-bit mode DS does not undo FS; in 32-bit mode the last one counts. */
    const uint8_t fs_ds[] = { 0x64, 0x3e, 0x89, 0x03 };
    assert_int_equal(decode(fs_ds, 4, INSN_MODE_64, &insn), DECODE_OK);
    assert_int_equal(insn.memory.segment, INSN_FS);
    assert_int_equal(decode(fs_ds, 4, INSN_MODE_32, &insn), DECODE_OK);
    assert_int_equal(insn.memory.segment, INSN_DS);
    static const uint8_t overrides[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    for (unsigned segment = INSN_ES; segment <= INSN_GS; segment++) {
        const uint8_t bytes[] = { overrides[segment], 0x67, 0x89, 0x45, 0x00 };
        assert_int_equal(decode(bytes, 5, INSN_MODE_16, &insn), DECODE_OK);
        assert_int_equal(insn.memory.segment, segment);
        assert_int_equal(insn.address_size, 4);
    }
    /* XACQUIRE and XRELEASE are hints. */
    const uint8_t hinted[] = { 0xf2, 0xf0, 0x01, 0x03 };
    assert_int_equal(decode(hinted, 4, INSN_MODE_64, &insn), DECODE_OK);
    assert_true(insn.lock);
    assert_int_equal(insn.rep, INSN_REP_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "DECODE-06: register numbers, high bytes and control registers", registers, NULL, NULL,
          NULL },
        { "DECODE-07: every base, index, scale and displacement", addresses, NULL, NULL, NULL },
        { "DECODE-08: addresses without a base", special_addresses, NULL, NULL, NULL },
        { "DECODE-09: 16-bit addresses", addresses_of_16_bits, NULL, NULL, NULL },
        { "DECODE-10: prefixes that cancel each other", prefixes, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
