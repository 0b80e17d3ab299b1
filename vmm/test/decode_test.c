/* decode_test.c: every instruction that the decoder knows, and what it must refuse. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/decode.c vmm/decode_table.c */
#include "vmm/test/decode_fixture.h"

static void check(const char *text, struct code code, int bits, enum insn_op op,
                  enum insn_form form, unsigned operand_size, unsigned memory_size)
{
    struct insn insn = decode_checked(text, code, bits);
    if (insn.op != op || insn.form != form || insn.operand_size != operand_size ||
        insn.memory_size != memory_size) {
        fail_msg("%d-bit `%s`: op %d form %d sizes %u %u", bits, text, insn.op, insn.form,
                 insn.operand_size, insn.memory_size);
    }
}

#define EXPECT(bits, text, op, form, size, memory_size) \
    check(text, ASSEMBLE(bits, text), bits, op, INSN_FORM_##form, size, memory_size)

/* An instruction decoded for its length: its operand size does not matter. */
static void check_op(const char *text, struct code code, int bits, enum insn_op op,
                     enum insn_form form)
{
    struct insn insn = decode_checked(text, code, bits);
    if (insn.op != op || insn.form != form) {
        fail_msg("%d-bit `%s`: op %d form %d", bits, text, insn.op, insn.form);
    }
}

#define EXPECT_OP(bits, text, op) check_op(text, ASSEMBLE(bits, text), bits, op, INSN_FORM_IMPLIED)
#define EXPECT_RM(bits, text, op) check_op(text, ASSEMBLE(bits, text), bits, op, INSN_FORM_RM)
#define EXPECT_REG(bits, text, op) check_op(text, ASSEMBLE(bits, text), bits, op, INSN_FORM_REG_RM)

static void moves(void **state)
{
    (void)state;
    EXPECT(64, "mov byte ptr [rbx], cl", INSN_MOV, RM_REG, 1, 1);
    EXPECT(64, "mov word ptr [rbx + 4*r9 + 0x1234], r15w", INSN_MOV, RM_REG, 2, 2);
    EXPECT(64, "mov dword ptr [rip + 0x1234], esi", INSN_MOV, RM_REG, 4, 4);
    EXPECT(64, "mov qword ptr [r12], r8", INSN_MOV, RM_REG, 8, 8);
    EXPECT(64, "mov al, [r13]", INSN_MOV, REG_RM, 1, 1);
    EXPECT(64, "mov eax, fs:[0x10]", INSN_MOV, REG_RM, 4, 4);
    EXPECT(64, "mov byte ptr [rbx], 0x80", INSN_MOV, RM_IMM, 1, 1);
    EXPECT(64, "mov word ptr [rbx], 0x1234", INSN_MOV, RM_IMM, 2, 2);
    EXPECT(64, "mov dword ptr [rip + 0x1234], 0x87654321", INSN_MOV, RM_IMM, 4, 4);
    EXPECT(64, "mov qword ptr [rbx], -2", INSN_MOV, RM_IMM, 8, 8);
    EXPECT(64, "movabs al, [0x1122334455667788]", INSN_MOV, REG_RM, 1, 1);
    EXPECT(64, "movabs rax, [0x1122334455667788]", INSN_MOV, REG_RM, 8, 8);
    EXPECT(64, "movabs [0x1122334455667788], ax", INSN_MOV, RM_REG, 2, 2);
    EXPECT(32, "mov eax, [0x11223344]", INSN_MOV, REG_RM, 4, 4);
    EXPECT(16, "mov [0x1122], al", INSN_MOV, RM_REG, 1, 1);
    EXPECT(16, "mov word ptr [bp + si + 2], 0x1234", INSN_MOV, RM_IMM, 2, 2);
    EXPECT(16, "mov dword ptr [ebx], 0x12345678", INSN_MOV, RM_IMM, 4, 4);
    EXPECT(32, "mov word ptr [bx + di - 2], 0x1234", INSN_MOV, RM_IMM, 2, 2);
    EXPECT(64, "movzx eax, byte ptr [rbx]", INSN_MOVZX, REG_RM, 4, 1);
    EXPECT(64, "movzx ax, byte ptr [rbx]", INSN_MOVZX, REG_RM, 2, 1);
    EXPECT(64, "movzx r9, word ptr [rbx]", INSN_MOVZX, REG_RM, 8, 2);
    EXPECT(64, "movsx rax, byte ptr [rbx]", INSN_MOVSX, REG_RM, 8, 1);
    EXPECT(32, "movsx eax, word ptr [ebx]", INSN_MOVSX, REG_RM, 4, 2);
    EXPECT(64, "movsxd rax, dword ptr [rbx]", INSN_MOVSX, REG_RM, 8, 4);
    EXPECT(64, "movnti [rbx], eax", INSN_MOV, RM_REG, 4, 4);
    EXPECT(64, "movnti [rbx], rax", INSN_MOV, RM_REG, 8, 8);
    EXPECT(64, "movbe [rbx], ax", INSN_MOVBE, RM_REG, 2, 2);
    EXPECT(64, "movbe r10, [rbx]", INSN_MOVBE, REG_RM, 8, 8);
}

static void arithmetic(void **state)
{
    (void)state;
    EXPECT(64, "add [rbx], cl", INSN_ADD, RM_REG, 1, 1);
    EXPECT(64, "or rcx, [rbx]", INSN_OR, REG_RM, 8, 8);
    EXPECT(64, "adc byte ptr [rbx], 0x7f", INSN_ADC, RM_IMM, 1, 1);
    EXPECT(64, "sbb dword ptr [rbx], 0x7f", INSN_SBB, RM_IMM, 4, 4);
    EXPECT(64, "and dword ptr [rbx], 0x12345", INSN_AND, RM_IMM, 4, 4);
    EXPECT(64, "lock sub word ptr [rbx], 0x1234", INSN_SUB, RM_IMM, 2, 2);
    EXPECT(64, "xor qword ptr [rbx], 0x12345", INSN_XOR, RM_IMM, 8, 8);
    EXPECT(32, "cmp [ebx + 8*edi], ax", INSN_CMP, RM_REG, 2, 2);
    EXPECT(64, "test byte ptr [rbx], 1", INSN_TEST, RM_IMM, 1, 1);
    EXPECT(64, "test word ptr [rbx], 0x1234", INSN_TEST, RM_IMM, 2, 2);
    EXPECT(64, "test dword ptr [rbx], 1", INSN_TEST, RM_IMM, 4, 4);
    EXPECT(64, "test [rbx], r8d", INSN_TEST, RM_REG, 4, 4);
    EXPECT(64, "bt dword ptr [rbx], 7", INSN_BT, RM_IMM, 4, 4);
    EXPECT(64, "lock bts [rbx], ax", INSN_BTS, RM_REG, 2, 2);
    EXPECT(64, "btr qword ptr [rbx], 63", INSN_BTR, RM_IMM, 8, 8);
    EXPECT(64, "btc [rbx], ecx", INSN_BTC, RM_REG, 4, 4);
    EXPECT(64, "lock inc byte ptr [rbx]", INSN_INC, RM, 1, 1);
    EXPECT(64, "dec qword ptr [rbx]", INSN_DEC, RM, 8, 8);
    EXPECT(64, "not dword ptr [rbx]", INSN_NOT, RM, 4, 4);
    EXPECT(16, "neg byte ptr [bx]", INSN_NEG, RM, 1, 1);
    EXPECT(32, "neg dword ptr [ebx]", INSN_NEG, RM, 4, 4);
    EXPECT(32, "not byte ptr [ebx]", INSN_NOT, RM, 1, 1);
    EXPECT(64, "xchg [rbx], ch", INSN_XCHG, RM_REG, 1, 1);
    EXPECT(64, "lock xadd [rbx], r11", INSN_XADD, RM_REG, 8, 8);
    EXPECT(64, "lock cmpxchg [rbx], edx", INSN_CMPXCHG, RM_REG, 4, 4);
    EXPECT(64, "cmpxchg [rbx], dl", INSN_CMPXCHG, RM_REG, 1, 1);
}

static void strings(void **state)
{
    (void)state;
    EXPECT(64, "movsb", INSN_MOVS, STRING, 1, 1);
    EXPECT(64, "rep movsq", INSN_MOVS, STRING, 8, 8);
    EXPECT(64, "rep stosd", INSN_STOS, STRING, 4, 4);
    EXPECT(32, "lodsw", INSN_LODS, STRING, 2, 2);
    EXPECT(16, "rep stosw", INSN_STOS, STRING, 2, 2);
    EXPECT(64, "rep outsb", INSN_OUTS, STRING, 1, 1);
    EXPECT(64, "rep insd", INSN_INS, STRING, 4, 4);
    EXPECT(64, "insb", INSN_INS, STRING, 1, 1);
    EXPECT(16, "outsw", INSN_OUTS, STRING, 2, 2);

    struct insn insn = decode_checked("rep movsd", ASSEMBLE(64, "rep movsd"), 64);
    assert_int_equal(insn.rep, INSN_REP);
    assert_int_equal(insn.memory.segment, INSN_DS);
    assert_int_equal(insn.memory.base, INSN_RSI);
    insn = decode_checked("gs addr32 lodsb", ASSEMBLE(64, "lods al, byte ptr gs:[esi]"), 64);
    assert_int_equal(insn.memory.segment, INSN_GS);
    assert_int_equal(insn.address_size, 4);
    insn = decode_checked("gs stosb", ASSEMBLE(32, ".byte 0x65, 0xaa"), 32);
    assert_int_equal(insn.memory.segment, INSN_ES);
    assert_int_equal(insn.memory.base, INSN_RDI);
    assert_int_equal(insn.rep, INSN_REP_NONE);
}

static void intercepted(void **state)
{
    (void)state;
    EXPECT_OP(64, "cpuid", INSN_CPUID);
    EXPECT_OP(64, "hlt", INSN_HLT);
    EXPECT_OP(64, "rdmsr", INSN_RDMSR);
    EXPECT_OP(64, "wrmsr", INSN_WRMSR);
    EXPECT_OP(64, "rdtsc", INSN_RDTSC);
    EXPECT_OP(64, "rdtscp", INSN_RDTSCP);
    EXPECT_OP(64, "rdpmc", INSN_RDPMC);
    EXPECT_REG(64, "mov cr0, rax", INSN_MOV_TO_CR);
    EXPECT_REG(64, "mov r8, cr3", INSN_MOV_FROM_CR);
    EXPECT_REG(32, "mov eax, cr4", INSN_MOV_FROM_CR);
    EXPECT_REG(16, "mov cr0, eax", INSN_MOV_TO_CR);
    EXPECT_REG(64, "mov dr7, rax", INSN_MOV_TO_DR);
    EXPECT_REG(64, "mov rax, dr6", INSN_MOV_FROM_DR);
    EXPECT_OP(64, "clts", INSN_CLTS);
    EXPECT_RM(64, "smsw eax", INSN_SMSW);
    EXPECT_RM(64, "lmsw ax", INSN_LMSW);
    EXPECT_RM(16, "lmsw word ptr [bx + 5]", INSN_LMSW);
    EXPECT_OP(64, "xgetbv", INSN_XGETBV);
    EXPECT_OP(64, "xsetbv", INSN_XSETBV);
    EXPECT_RM(64, "lgdt [rip + 0x1000]", INSN_LGDT);
    EXPECT_RM(16, "lidt [0x1000]", INSN_LIDT);
    EXPECT_RM(64, "sgdt [rax]", INSN_SGDT);
    EXPECT_RM(64, "sidt [r8 + 8]", INSN_SIDT);
    EXPECT_RM(64, "sldt ax", INSN_SLDT);
    EXPECT_RM(64, "str word ptr [rax]", INSN_STR);
    EXPECT_RM(64, "lldt ax", INSN_LLDT);
    EXPECT_RM(64, "ltr ax", INSN_LTR);
    EXPECT_RM(64, "invlpg [rax + 4*rbx + 0x12345678]", INSN_INVLPG);
    EXPECT_REG(64, "invpcid rax, [rbx]", INSN_INVPCID);
    EXPECT_REG(64, "invept rax, [rbx]", INSN_INVEPT);
    EXPECT_REG(64, "invvpid rax, [rbx]", INSN_INVVPID);
    EXPECT_OP(64, "invd", INSN_INVD);
    EXPECT_OP(64, "wbinvd", INSN_WBINVD);
}

static void intercepted_too(void **state)
{
    (void)state;
    EXPECT_OP(64, "pause", INSN_PAUSE);
    EXPECT_OP(64, "monitor", INSN_MONITOR);
    EXPECT_OP(64, "mwait", INSN_MWAIT);
    EXPECT_OP(64, "monitorx", INSN_MONITORX);
    EXPECT_OP(64, "mwaitx", INSN_MWAITX);
    EXPECT_OP(64, "swapgs", INSN_SWAPGS);
    EXPECT_OP(64, "clac", INSN_CLAC);
    EXPECT_OP(64, "stac", INSN_STAC);
    EXPECT_OP(64, "vmcall", INSN_VMCALL);
    EXPECT_OP(64, "vmmcall", INSN_VMMCALL);
    EXPECT_OP(64, "vmrun", INSN_VMRUN);
    EXPECT_OP(64, "vmload", INSN_VMLOAD);
    EXPECT_OP(64, "vmsave", INSN_VMSAVE);
    EXPECT_OP(64, "stgi", INSN_STGI);
    EXPECT_OP(64, "clgi", INSN_CLGI);
    EXPECT_OP(64, "skinit", INSN_SKINIT);
    EXPECT_OP(64, "invlpga", INSN_INVLPGA);
    EXPECT_OP(64, "vmlaunch", INSN_VMLAUNCH);
    EXPECT_OP(64, "vmresume", INSN_VMRESUME);
    EXPECT_OP(64, "vmxoff", INSN_VMXOFF);
    EXPECT_OP(64, "int3", INSN_INT3);
    EXPECT_OP(64, "int 0x80", INSN_INT);
    EXPECT_OP(32, "into", INSN_INTO);
    EXPECT_OP(64, ".byte 0xf1", INSN_INT1);
    EXPECT_OP(64, "iretq", INSN_IRET);
    EXPECT_OP(16, "iret", INSN_IRET);
    EXPECT_OP(64, "pushfq", INSN_PUSHF);
    EXPECT_OP(64, "popfq", INSN_POPF);
    EXPECT_OP(64, "rsm", INSN_RSM);
    EXPECT_OP(64, "ud2", INSN_UD2);
}

static void ports(void **state)
{
    (void)state;
    EXPECT(64, "in al, 0x80", INSN_IN, PORT, 1, 1);
    EXPECT(64, "in eax, dx", INSN_IN, PORT, 4, 4);
    EXPECT(64, "rex.w in eax, dx", INSN_IN, PORT, 4, 4);
    EXPECT(16, "in ax, dx", INSN_IN, PORT, 2, 2);
    EXPECT(64, "out 0xf4, ax", INSN_OUT, PORT, 2, 2);
    EXPECT(64, "out dx, al", INSN_OUT, PORT, 1, 1);
    EXPECT(64, "out dx, eax", INSN_OUT, PORT, 4, 4);
    EXPECT(64, "in ax, 0x60", INSN_IN, PORT, 2, 2);
    EXPECT(64, "out 0x60, al", INSN_OUT, PORT, 1, 1);
    EXPECT(64, "in al, dx", INSN_IN, PORT, 1, 1);
    struct insn insn = decode_checked("out 0xf4, al", ASSEMBLE(64, "out 0xf4, al"), 64);
    assert_true(insn.has_immediate);
    assert_int_equal(insn.immediate, 0xf4);
    insn = decode_checked("out dx, al", ASSEMBLE(64, "out dx, al"), 64);
    assert_false(insn.has_immediate);
}

#define REFUSE(bits, status, ...)                                                           \
    do {                                                                                    \
        const uint8_t bytes_[] = { __VA_ARGS__ };                                           \
        struct insn insn_;                                                                  \
        enum decode_status got_ = decode_exactly(bytes_, sizeof bytes_, bits, &insn_);      \
        if (got_ != (status)) {                                                             \
            fail_msg("%s: %s", #__VA_ARGS__, decode_status_text(got_));                     \
        }                                                                                   \
        assert_int_equal(insn_.length, 0);                                                  \
    } while (0)

static void length_limit(void **state)
{
    (void)state;
    uint8_t bytes[32];
    struct insn insn;
    memset(bytes, 0x3e, sizeof bytes);
    assert_int_equal(decode(bytes, sizeof bytes, INSN_MODE_64, &insn), DECODE_TOO_LONG);
    assert_int_equal(decode(bytes, 14, INSN_MODE_64, &insn), DECODE_TRUNCATED);
    bytes[13] = 0x89;
    bytes[14] = 0x03;
    assert_int_equal(decode(bytes, sizeof bytes, INSN_MODE_64, &insn), DECODE_OK);
    assert_int_equal(insn.length, 15);
    bytes[14] = 0x43; /* one byte of displacement more */
    assert_int_equal(decode(bytes, sizeof bytes, INSN_MODE_64, &insn), DECODE_TOO_LONG);
    assert_int_equal(decode(bytes, 15, INSN_MODE_64, &insn), DECODE_TOO_LONG);
}

static void refusals(void **state)
{
    (void)state;
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0xc5, 0xf8, 0x77);       /* VEX */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0x62, 0xf1, 0x7c, 0x48); /* EVEX */
    REFUSE(32, DECODE_UNKNOWN_OPCODE, 0x40);                   /* INC EAX */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0x50);                   /* PUSH RAX */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0x0f, 0x28, 0x03);       /* MOVAPS */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0xc6, 0xf8, 0x00);       /* XABORT */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0xc7, 0x0b);             /* C7 /1 */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0xff, 0x33);             /* PUSH [RBX] */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0xf7, 0x23);             /* MUL [RBX] */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0x0f, 0xba, 0x03);       /* 0F BA /0 */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0x0f, 0x01, 0xcf);       /* ENCLS */
    REFUSE(64, DECODE_UNKNOWN_OPCODE, 0x0f, 0x01, 0x2b);       /* 0F 01 /5 */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0x90);                   /* NOP is not PAUSE */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0xf3, 0x41, 0x90);       /* XCHG R8, RAX */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0xf3, 0x0f, 0x09);       /* WBNOINVD */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0x66, 0x0f, 0xc3, 0x03); /* 66 MOVNTI */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0x66, 0x63, 0x03);       /* 66 MOVSXD */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0xf2, 0x0f, 0x38, 0xf1, 0x03); /* CRC32 */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0x0f, 0x38, 0x82, 0x03); /* INVPCID without 66 */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0x66, 0xf3, 0x0f, 0x38, 0x80, 0x03);
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0x66, 0xf2, 0x0f, 0x38, 0x81, 0x03);
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0xf3, 0x0f, 0x01, 0xd9); /* VMGEXIT */
    REFUSE(64, DECODE_UNKNOWN_PREFIX, 0x66, 0x0f, 0x01, 0xc1);
    REFUSE(32, DECODE_WRONG_MODE, 0x63, 0x03);                 /* ARPL */
    REFUSE(32, DECODE_WRONG_MODE, 0x0f, 0x01, 0xf8);           /* SWAPGS */
    REFUSE(64, DECODE_WRONG_MODE, 0xce);                       /* INTO */
    REFUSE(64, DECODE_LOCK_INVALID, 0xf0, 0x89, 0x03);         /* MOV */
    REFUSE(64, DECODE_LOCK_INVALID, 0xf0, 0x03, 0x03);         /* ADD reg, mem */
    REFUSE(64, DECODE_LOCK_INVALID, 0xf0, 0x01, 0xc3);         /* ADD reg, reg */
    REFUSE(64, DECODE_LOCK_INVALID, 0xf0, 0x39, 0x03);         /* CMP */
    REFUSE(64, DECODE_LOCK_INVALID, 0xf0, 0x0f, 0xba, 0x23, 1); /* BT */
    REFUSE(64, DECODE_LOCK_INVALID, 0xf0, 0xa5);               /* MOVS */
    REFUSE(64, DECODE_LOCK_INVALID, 0xf0, 0x0f, 0xa2);         /* CPUID */
    REFUSE(64, DECODE_NEEDS_MEMORY, 0x0f, 0xc3, 0xc3);         /* MOVNTI reg */
    REFUSE(64, DECODE_NEEDS_MEMORY, 0x0f, 0x38, 0xf0, 0xc3);   /* MOVBE reg */
}

static void modes(void **state)
{
    (void)state;
    assert_int_equal(insn_mode_of(true, true, false), INSN_MODE_64);
    assert_int_equal(insn_mode_of(true, false, true), INSN_MODE_32);
    assert_int_equal(insn_mode_of(false, true, true), INSN_MODE_32);
    assert_int_equal(insn_mode_of(false, false, false), INSN_MODE_16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "DECODE-01: moves of every kind", moves, NULL, NULL, NULL },
        { "DECODE-02: arithmetic on memory", arithmetic, NULL, NULL, NULL },
        { "DECODE-03: string instructions", strings, NULL, NULL, NULL },
        { "DECODE-04: the length of intercepted instructions", intercepted, NULL, NULL, NULL },
        { "DECODE-14: the length of more of them", intercepted_too, NULL, NULL, NULL },
        { "DECODE-05: port instructions", ports, NULL, NULL, NULL },
        { "DECODE-11: fifteen bytes and no more", length_limit, NULL, NULL, NULL },
        { "DECODE-12: what is not known is refused by name", refusals, NULL, NULL, NULL },
        { "DECODE-13: the mode follows LMA, L and D", modes, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
