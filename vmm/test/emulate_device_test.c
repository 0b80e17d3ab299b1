/* emulate_device_test.c: the emulator in modes and with failures that a process cannot have. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/emulate.c vmm/emulate_string.c vmm/alu.c vmm/decode.c vmm/decode_table.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/decode.h"
#include "vmm/emulate.h"

struct device {
    uint64_t value;
    uint64_t gpa;
    unsigned reads, writes, size;
    enum emu_status answer, translation;
    bool translated_for_write;
};

static enum emu_status device_read(void *ctx, uint64_t gpa, unsigned size, uint64_t *value)
{
    struct device *device = ctx;
    device->reads++;
    device->gpa = gpa;
    device->size = size;
    *value = device->value;
    return device->answer;
}

static enum emu_status device_write(void *ctx, uint64_t gpa, unsigned size, uint64_t value)
{
    struct device *device = ctx;
    device->writes++;
    device->gpa = gpa;
    device->size = size;
    device->value = value;
    return device->answer;
}

static enum emu_status device_translate(void *ctx, uint64_t linear, bool write, uint64_t *gpa)
{
    struct device *device = ctx;
    device->translated_for_write = write;
    *gpa = linear;
    return device->translation;
}

struct setup {
    uint64_t gpr[INSN_GPR_COUNT];
    struct emu_cpu cpu;
    struct insn insn;
    struct device device;
    struct emu_bus bus;
};

static void set_up(struct setup *s, const uint8_t *bytes, size_t length, enum insn_mode mode)
{
    memset(s, 0, sizeof *s);
    s->cpu = (struct emu_cpu){ .gpr = s->gpr, .rip = 0x1000, .rflags = 2, .mode = mode };
    s->bus = (struct emu_bus){ &s->device, device_read, device_write, device_translate };
    assert_int_equal(decode(bytes, length, mode, &s->insn), DECODE_OK);
}

#define SET_UP(s, mode, ...)                              \
    do {                                                  \
        const uint8_t bytes_[] = { __VA_ARGS__ };         \
        set_up(s, bytes_, sizeof bytes_, mode);           \
    } while (0)

static enum emu_status fault_at(struct setup *s, uint64_t gpa, bool write)
{
    struct emu_fault fault = { .gpa = gpa, .write = write };
    return emulate(&s->insn, &s->cpu, &fault, &s->bus);
}

static void address_wraps(void **state)
{
    (void)state;
    struct setup s;
    /* mov eax, [bx + si + 0x10]: the 16-bit offset wraps, its sum with the base does not. */
    SET_UP(&s, INSN_MODE_16, 0x66, 0x8b, 0x40, 0x10);
    s.gpr[INSN_RBX] = 0xdead8000;
    s.gpr[INSN_RSI] = 0xbeef8000;
    s.cpu.segment_base[INSN_DS] = 0xf1230;
    assert_true(emu_operand_address(&s.insn, &s.cpu) == 0xf1240);
    /* mov eax, [ebx + 8] in 32-bit code: base and offset wrap at 4 GiB. */
    SET_UP(&s, INSN_MODE_32, 0x8b, 0x43, 0x08);
    s.gpr[INSN_RBX] = 0xfffffffc;
    s.cpu.segment_base[INSN_DS] = 0xfffff000;
    assert_true(emu_operand_address(&s.insn, &s.cpu) == 0xfffff004);
    s.gpr[INSN_RBX] = 0x2000;
    assert_true(emu_operand_address(&s.insn, &s.cpu) == 0x1008);
    /* mov eax, [ebp]: the stack segment. */
    SET_UP(&s, INSN_MODE_32, 0x8b, 0x45, 0x00);
    s.cpu.segment_base[INSN_SS] = 0x7000;
    assert_true(emu_operand_address(&s.insn, &s.cpu) == 0x7000);
    /* mov eax, fs:[rbx] in 64-bit code: FS has a base, SS has none. */
    SET_UP(&s, INSN_MODE_64, 0x64, 0x8b, 0x03);
    s.cpu.segment_base[INSN_FS] = 0xffff888000000000;
    assert_true(emu_operand_address(&s.insn, &s.cpu) == 0xffff888000000000);
    SET_UP(&s, INSN_MODE_64, 0x8b, 0x45, 0x00);
    s.cpu.segment_base[INSN_SS] = 0x7000;
    assert_true(emu_operand_address(&s.insn, &s.cpu) == 0);
    /* mov eax, [rip + 0x100]: from the next instruction; with 67, cut to 32 bits. */
    SET_UP(&s, INSN_MODE_64, 0x8b, 0x05, 0x00, 0x01, 0x00, 0x00);
    s.cpu.rip = 0xffffffff81000000;
    assert_true(emu_operand_address(&s.insn, &s.cpu) == 0xffffffff81000106);
    SET_UP(&s, INSN_MODE_64, 0x67, 0x8b, 0x05, 0x00, 0x01, 0x00, 0x00);
    s.cpu.rip = 0xffffffff81000000;
    assert_true(emu_operand_address(&s.insn, &s.cpu) == 0x81000107);
}

static void short_modes(void **state)
{
    (void)state;
    struct setup s;
    /* mov [0x20], al in 16-bit code at the end of its segment: IP wraps. */
    SET_UP(&s, INSN_MODE_16, 0xa2, 0x20, 0x00);
    s.cpu.rip = 0xfffe;
    s.gpr[INSN_RAX] = 0x12345678;
    assert_int_equal(fault_at(&s, 0xfee00020, true), EMU_OK);
    assert_true(s.cpu.rip == 1);
    assert_true(s.device.value == 0x78);
    /* rep stosb in 16-bit code: only CX and DI count and change. */
    SET_UP(&s, INSN_MODE_16, 0xf3, 0xaa);
    s.gpr[INSN_RCX] = 0xabcd0002;
    s.gpr[INSN_RDI] = 0x1234ffff;
    assert_int_equal(fault_at(&s, 0xfff, true), EMU_OK);
    assert_true(s.gpr[INSN_RCX] == 0xabcd0001 && s.gpr[INSN_RDI] == 0x12340000);
    assert_true(s.cpu.rip == 0x1000);
    assert_int_equal(fault_at(&s, 0x1000, true), EMU_OK);
    assert_true(s.cpu.rip == 0x1002);
    /* rep movsd in 32-bit code with a counter of zero does nothing. */
    SET_UP(&s, INSN_MODE_32, 0xf3, 0xa5);
    assert_int_equal(fault_at(&s, 0x5000, true), EMU_OK);
    assert_true(s.cpu.rip == 0x1002);
    assert_int_equal(s.device.reads + s.device.writes, 0);
}

static void mismatches(void **state)
{
    (void)state;
    struct setup s;
    SET_UP(&s, INSN_MODE_64, 0x8b, 0x03); /* mov eax, [rbx] */
    s.gpr[INSN_RBX] = 0x7f0000000ffe;
    assert_int_equal(fault_at(&s, 0xfee00020, false), EMU_ADDRESS_MISMATCH);
    assert_int_equal(fault_at(&s, 0xfee01000, false), EMU_ADDRESS_MISMATCH);
    assert_int_equal(fault_at(&s, 0xfee00ffe, false), EMU_CROSSES_PAGE);
    s.gpr[INSN_RBX] = 0x7f0000000ffc;
    assert_int_equal(fault_at(&s, 0xfee00ffc, true), EMU_WRONG_ACCESS);
    assert_int_equal(s.device.reads, 0);
    assert_int_equal(fault_at(&s, 0xfee00ffc, false), EMU_OK);
    SET_UP(&s, INSN_MODE_64, 0x89, 0x03); /* mov [rbx], eax */
    assert_int_equal(fault_at(&s, 0xfee00000, false), EMU_WRONG_ACCESS);
    SET_UP(&s, INSN_MODE_64, 0xaa); /* stosb */
    assert_int_equal(fault_at(&s, 0xfee00000, false), EMU_WRONG_ACCESS);
    SET_UP(&s, INSN_MODE_64, 0xac); /* lodsb */
    assert_int_equal(fault_at(&s, 0xfee00000, true), EMU_WRONG_ACCESS);
}

static void not_emulated(void **state)
{
    (void)state;
    struct setup s;
    SET_UP(&s, INSN_MODE_64, 0x89, 0xc3); /* mov ebx, eax */
    assert_int_equal(fault_at(&s, 0xfee00000, true), EMU_NOT_EMULATED);
    SET_UP(&s, INSN_MODE_64, 0x0f, 0xa2); /* cpuid */
    assert_int_equal(fault_at(&s, 0xfee00000, true), EMU_NOT_EMULATED);
    SET_UP(&s, INSN_MODE_64, 0x0f, 0x01, 0x38); /* invlpg [rax] */
    assert_int_equal(fault_at(&s, 0xfee00000, false), EMU_NOT_EMULATED);
    SET_UP(&s, INSN_MODE_64, 0x6e); /* outsb */
    assert_int_equal(fault_at(&s, 0xfee00000, false), EMU_NOT_EMULATED);
}

static void assert_untouched(const struct setup *s, const uint64_t gpr[INSN_GPR_COUNT])
{
    assert_memory_equal(s->gpr, gpr, sizeof s->gpr);
    assert_true(s->cpu.rip == 0x1000);
    assert_true(s->cpu.rflags == 2);
}

static void refusals_change_nothing(void **state)
{
    (void)state;
    struct setup s;
    uint64_t gpr[INSN_GPR_COUNT];
    SET_UP(&s, INSN_MODE_64, 0x03, 0x03); /* add eax, [rbx] */
    memcpy(gpr, s.gpr, sizeof gpr);
    s.device.answer = EMU_ACCESS_FAILED;
    assert_int_equal(fault_at(&s, 0x5000, false), EMU_ACCESS_FAILED);
    assert_untouched(&s, gpr);
    SET_UP(&s, INSN_MODE_64, 0x87, 0x0b); /* xchg [rbx], ecx */
    s.device.answer = EMU_ACCESS_FAILED;
    s.gpr[INSN_RCX] = 5;
    memcpy(gpr, s.gpr, sizeof gpr);
    assert_int_equal(fault_at(&s, 0x5000, true), EMU_ACCESS_FAILED);
    assert_untouched(&s, gpr);
    SET_UP(&s, INSN_MODE_64, 0xf3, 0xa5); /* rep movsd: the source is not mapped */
    s.device.translation = EMU_PAGE_FAULT;
    s.gpr[INSN_RCX] = 5;
    memcpy(gpr, s.gpr, sizeof gpr);
    assert_int_equal(fault_at(&s, 0x5000, true), EMU_PAGE_FAULT);
    assert_false(s.device.translated_for_write);
    assert_untouched(&s, gpr);
    assert_int_equal(fault_at(&s, 0x5000, false), EMU_PAGE_FAULT);
    assert_true(s.device.translated_for_write);
    assert_untouched(&s, gpr);
    assert_int_equal(s.device.reads + s.device.writes, 0);
}

static void device_sees_one_access(void **state)
{
    (void)state;
    struct setup s;
    SET_UP(&s, INSN_MODE_64, 0x0f, 0xb6, 0x43, 0x04); /* movzx eax, byte ptr [rbx + 4] */
    s.gpr[INSN_RBX] = 0xffffffffff5fc000;
    s.gpr[INSN_RAX] = UINT64_MAX;
    s.device.value = 0xffffff85; /* a device that answers more than it was asked for */
    assert_int_equal(fault_at(&s, 0xfee00004, false), EMU_OK);
    assert_true(s.gpr[INSN_RAX] == 0x85);
    assert_true(s.device.gpa == 0xfee00004 && s.device.size == 1 && s.device.reads == 1);
    SET_UP(&s, INSN_MODE_64, 0xc7, 0x43, 0x04, 0x78, 0x56, 0x34, 0x12); /* mov dword, imm */
    assert_int_equal(fault_at(&s, 0xfee00004, true), EMU_OK);
    assert_true(s.device.value == 0x12345678 && s.device.size == 4);
    assert_int_equal(s.device.reads, 0);
    assert_int_equal(s.device.writes, 1);
    SET_UP(&s, INSN_MODE_64, 0x0f, 0xb1, 0x0b); /* cmpxchg [rbx], ecx that fails writes back */
    s.device.value = 7;
    assert_int_equal(fault_at(&s, 0xfee00000, true), EMU_OK);
    assert_true(s.device.writes == 1 && s.device.value == 7 && s.gpr[INSN_RAX] == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "EMULATE-09: offsets and addresses wrap as the mode says", address_wraps, NULL, NULL,
          NULL },
        { "EMULATE-10: 16- and 32-bit code", short_modes, NULL, NULL, NULL },
        { "EMULATE-11: a fault that does not fit the operand is refused", mismatches, NULL, NULL,
          NULL },
        { "EMULATE-12: what is only decoded is not emulated", not_emulated, NULL, NULL, NULL },
        { "EMULATE-13: a refused access changes nothing", refusals_change_nothing, NULL, NULL,
          NULL },
        { "EMULATE-14: a device sees each access once, in its size", device_sees_one_access, NULL,
          NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
