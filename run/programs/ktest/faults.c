/* faults.c: tests of every way a thread can die: its handler hears of it, and the kernel goes on. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "run/programs/ktest/faulter.h"

#define KERNEL_ADDRESS 0xffff800000000000ull
#define NOT_CANONICAL 0x0000800000000000ull
#define LAST_PAGE 0x00007ffffffff000ull
#define ANY 0xfffffffffffffffeull
#define STACK_FAULT 12 /* or, in QEMU's TCG, 13 */

/* One instruction (or two), what is in RDI, and what the handler must hear. */
struct row {
    const char *what;
    uint8_t code[16];
    uint64_t rdi;
    uint64_t word0, word1;  /* vector and error code, or address and access */
    uint64_t rip;           /* behind the code's first byte; ANY: not looked at */
};

static void expect(const struct row *row, enum kernel_label label, const struct message *m)
{
    bool first = m->word[0] == row->word0 || (row->word0 == STACK_FAULT && m->word[0] == 13);
    bool right = m->tag == (TAG_KERNEL | TAG(label, 4)) && first &&
                 (row->word1 == ANY || m->word[1] == row->word1) &&
                 (row->rip == ANY || m->word[2] == FAULTER_CODE + row->rip);

    CHECK(right);
    if (!right) {
        log_bare("    %s: label %lu, 0x%lx 0x%lx, rip 0x%lx, rsp 0x%lx", row->what,
                 tag_label(m->tag), m->word[0], m->word[1], m->word[2], m->word[3]);
    }
}

static void run_rows(const struct row *rows, unsigned count, enum kernel_label label,
                     uint64_t flags)
{
    struct faulter f;
    struct message m = {0};

    faulter_make(&f, 0);
    for (unsigned i = 0; i < count; i++) {
        faulter_run(&f, rows[i].code, sizeof(rows[i].code), rows[i].rdi, flags, &m);
        expect(&rows[i], label, &m);
        faulter_stop(&f);
    }
}
#define RUN_ROWS(rows, label, flags) \
    run_rows(rows, sizeof(rows) / sizeof((rows)[0]), label, flags)

static bool is_tcg(void)
{
    uint32_t eax = 0x40000000, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ebx == 0x54474354;
}

static void exceptions(void)
{
    static const struct row rows[] = {
        {"ud2", {0x0f, 0x0b}, 0, 6, 0, 0},
        {"div edi", {0xf7, 0xf7}, 0, 0, 0, 0},
        {"int3", {0xcc}, 0, 3, 0, 1},
        {"mov al, [rdi], not canonical", {0x8a, 0x07}, NOT_CANONICAL, 13, 0, 0},
        {"mov [rdi], al, not canonical", {0x88, 0x07}, ~0ull << 60 >> 1, 13, 0, 0},
        {"mov rbp, rdi; mov al, [rbp]", {0x48, 0x89, 0xfd, 0x8a, 0x45, 0}, NOT_CANONICAL, STACK_FAULT, 0, 3},
        {"mov rsp, rdi; push rax", {0x48, 0x89, 0xfc, 0x50}, NOT_CANONICAL + 64, STACK_FAULT, 0,
         3},
        {"mov ds, edi", {0x8e, 0xdf}, 0x10, 13, 0x10, 0},
        {"mov ss, edi", {0x8e, 0xd7}, 0x10, 13, 0x10, 0},
        {"mov es, edi, beyond the table", {0x8e, 0xc7}, 0x48, 13, 0x48, 0},
        {"mov ds, edi, local table", {0x8e, 0xdf}, 0x0f, 13, 0x0c, 0},
        {"jmp rdi, not canonical", {0xff, 0xe7}, NOT_CANONICAL, 13, 0, ANY},
        {"instruction of 16 bytes", {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                     0x66, 0x66, 0x66, 0x66, 0x66, 0x90}, 0, 13, 0, ANY},
        {"iretq to null", {0x48, 0xcf}, 0, 13, ANY, 0},
    };

    /* TCG reads the stack for IRETQ as if it were the kernel. */
    run_rows(rows, sizeof(rows) / sizeof(rows[0]) - is_tcg(), KL_EXCEPTION, 0);
}

static void privileged(void)
{
    static const struct row rows[] = {
        {"hlt", {0xf4}, 0, 13, 0, 0},
        {"cli", {0xfa}, 0, 13, 0, 0},
        {"sti", {0xfb}, 0, 13, 0, 0},
        {"in al, 0x60", {0xe4, 0x60}, 0, 13, 0, 0},
        {"out dx, al", {0xee}, 0, 13, 0, 0},
        {"insb", {0x6c}, 0, 13, 0, 0},
        {"mov rax, cr0", {0x0f, 0x20, 0xc0}, 0, 13, 0, 0},
        {"mov cr0, rax", {0x0f, 0x22, 0xc0}, 0, 13, 0, 0},
        {"mov cr3, rax", {0x0f, 0x22, 0xd8}, 0, 13, 0, 0},
        {"mov rax, cr8", {0x44, 0x0f, 0x20, 0xc0}, 0, 13, 0, 0},
        {"mov rax, dr7", {0x0f, 0x21, 0xf8}, 0, 13, 0, 0},
        {"clts", {0x0f, 0x06}, 0, 13, 0, 0},
        {"rdmsr", {0x0f, 0x32}, 0, 13, 0, 0},
        {"wrmsr", {0x0f, 0x30}, 0, 13, 0, 0},
        {"swapgs", {0x0f, 0x01, 0xf8}, 0, 13, 0, 0},
        {"sysretq", {0x48, 0x0f, 0x07}, 0, 13, 0, 0},
        {"lgdt [rdi]", {0x0f, 0x01, 0x17}, FAULTER_CODE, 13, 0, 0},
        {"lidt [rdi]", {0x0f, 0x01, 0x1f}, FAULTER_CODE, 13, 0, 0},
        {"lldt ax", {0x0f, 0x00, 0xd0}, 0, 13, 0, 0},
        {"ltr ax", {0x0f, 0x00, 0xd8}, 0, 13, 0, 0},
        {"lmsw ax", {0x0f, 0x01, 0xf0}, 0, 13, 0, 0},
        {"invlpg [rdi]", {0x0f, 0x01, 0x3f}, 0, 13, 0, 0},
        {"invd", {0x0f, 0x08}, 0, 13, 0, 0},
        {"wbinvd", {0x0f, 0x09}, 0, 13, 0, 0},
    };

    RUN_ROWS(rows, KL_EXCEPTION, 0);
}

static void software_interrupts(void)
{
    struct faulter f;
    struct message m = {0};

    faulter_make(&f, 0);
    for (unsigned vector = 0; vector < 256; vector++) {
        uint8_t code[] = {0xcd, (uint8_t)vector};
        bool allowed = vector == 3 || vector == 4;
        /* The error code is that of the CPU: QEMU's TCG has a wrong one. */
        struct row row = {"int n", {0}, 0, allowed ? vector : 13, ANY, allowed ? 2 : 0};

        faulter_run(&f, code, sizeof(code), 0, 0, &m);
        expect(&row, KL_EXCEPTION, &m);
        faulter_stop(&f);
    }
}

static void page_faults(void)
{
    static const struct row rows[] = {
        {"read null", {0x8a, 0x07}, 0, 0, FAULT_READ, 0},
        {"write null", {0x88, 0x07}, 8, 8, FAULT_WRITE, 0},
        {"jump to null", {0xff, 0xe7}, 0, 0, FAULT_EXEC, ANY},
        {"write, read-only", {0x88, 0x07}, BOOT_INFO_VA + 5, BOOT_INFO_VA + 5,
         FAULT_WRITE | FAULT_PRESENT, 0},
        {"run, not executable", {0xff, 0xe7}, BOOT_INFO_VA, BOOT_INFO_VA,
         FAULT_EXEC | FAULT_PRESENT, BOOT_INFO_VA - FAULTER_CODE},
        {"read the kernel", {0x8a, 0x07}, KERNEL_ADDRESS, KERNEL_ADDRESS, ANY, 0},
        {"write the kernel", {0x88, 0x07}, ~0ull, ~0ull, ANY, 0},
        {"run the kernel", {0xff, 0xe7}, 0xffffffff80100000, 0xffffffff80100000, ANY, ANY},
        {"run the last page", {0xff, 0xe7}, LAST_PAGE, LAST_PAGE, FAULT_EXEC,
         LAST_PAGE - FAULTER_CODE},
        {"read the last byte", {0x8a, 0x07}, LAST_PAGE + 4095, LAST_PAGE + 4095, FAULT_READ, 0},
        {"mov rsp, rdi; push rax", {0x48, 0x89, 0xfc, 0x50}, 0, ~0ull - 7, ANY, 3},
        {"mov rsp, rdi; push rax", {0x48, 0x89, 0xfc, 0x50}, 0x40, 0x38, FAULT_WRITE, 3},
        {"mov rsp, rdi; push rax, kernel", {0x48, 0x89, 0xfc, 0x50}, KERNEL_ADDRESS + 8,
         KERNEL_ADDRESS, ANY, 3},
    };

    RUN_ROWS(rows, KL_PAGE_FAULT, 0);
}

static void no_fpu(void)
{
    static const struct row rows[] = {
        {"fninit", {0xdb, 0xe3}, 0, 7, 0, 0},
        {"fld1", {0xd9, 0xe8}, 0, 7, 0, 0},
        {"xorps xmm0, xmm0", {0x0f, 0x57, 0xc0}, 0, 7, 0, 0},
        {"movq xmm0, rdi", {0x66, 0x48, 0x0f, 0x6e, 0xc7}, 0, 7, 0, 0},
        {"fxsave [rdi]", {0x0f, 0xae, 0x07}, FAULTER_CODE + 0x800, 7, 0, 0},
        {"ldmxcsr [rdi]", {0x0f, 0xae, 0x17}, FAULTER_CODE + 0x800, 7, 0, 0},
    };

    RUN_ROWS(rows, KL_EXCEPTION, 0);
}

static void fpu_errors(void)
{
    static const struct row rows[] = {
        {"fldcw [rdi]; fldz; fld1; fdivrp; fwait",
         {0xd9, 0x2f, 0xd9, 0xee, 0xd9, 0xe8, 0xde, 0xf1, 0x9b}, FAULTER_CODE + 0x800, 16, 0, ANY},
        {"ldmxcsr [rdi]; xorps; divss",
         {0x0f, 0xae, 0x17, 0x0f, 0x57, 0xc0, 0xf3, 0x0f, 0x5e, 0xc0}, FAULTER_CODE + 0x808,
         19, 0, 6},
        {"ldmxcsr [rdi], reserved bits", {0x0f, 0xae, 0x17}, FAULTER_CODE + 0x810, 13, 0, 0},
    };
    struct faulter f;
    struct message m = {0};

    /* TCG has no SSE exceptions, and lets MXCSR have any bits. */
    for (unsigned i = 0; i < (is_tcg() ? 1 : sizeof(rows) / sizeof(rows[0])); i++) {
        faulter_make(&f, 0);
        *(uint16_t *)(f.code + 0x800) = 0x300;        /* no x87 error masked */
        *(uint32_t *)(f.code + 0x808) = 0;            /* no SSE error masked */
        *(uint32_t *)(f.code + 0x810) = 0xffff0000;
        faulter_run(&f, rows[i].code, sizeof(rows[i].code), rows[i].rdi, THREAD_FPU, &m);
        expect(&rows[i], KL_EXCEPTION, &m);
        faulter_stop(&f);
    }
}

static void mapped_and_resumed(void)
{
    /* mov al, [rdi]; mov [rdi + 1], al; ud2 */
    static const uint8_t code[] = {0x8a, 0x07, 0x88, 0x47, 0x01, 0x0f, 0x0b};
    const uint64_t address = 0x500000000000;
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    uint8_t *here = rig_map(frame, 4096);
    struct faulter f;
    struct message m = {0};

    here[0] = 0x5a;
    faulter_make(&f, rig_boot->cpu_count - 1);
    faulter_run(&f, code, sizeof(code), address, 0, &m);
    CHECK(tag_label(m.tag) == KL_PAGE_FAULT && m.word[0] == address && m.badge == FAULTER_BADGE);
    CHECK_STATUS(sys_map_reply_recv(f.endpoint, f.reply, BOOT_SPACE, frame, 4096, address | 1, &m),
                 E_ARGUMENT);
    CHECK_STATUS(sys_map_reply_recv(f.endpoint, f.reply, BOOT_SPACE, frame, 0, address | 1, &m), OK);
    CHECK(tag_label(m.tag) == KL_PAGE_FAULT && m.word[0] == address + 1 &&
          m.word[1] == (FAULT_WRITE | FAULT_PRESENT));
    CHECK_STATUS(sys_unmap(BOOT_SPACE, address, 1, NULL), OK);
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, address | MAP_READ | MAP_WRITE, 1, NULL), OK);
    m.tag = TAG(FR_RETRY, 0);
    CHECK_STATUS(sys_reply_recv(f.endpoint, f.reply, &m), OK);
    CHECK(tag_label(m.tag) == KL_EXCEPTION && m.word[0] == 6 && here[1] == 0x5a);
    /* Tried again, it is reported again; then its handler sends it elsewhere. */
    m.tag = TAG(FR_RETRY, 0);
    CHECK_STATUS(sys_reply_recv(f.endpoint, f.reply, &m), OK);
    CHECK(tag_label(m.tag) == KL_EXCEPTION && m.word[2] == FAULTER_CODE + 5);
    faulter_stop(&f);
    CHECK_STATUS(sys_thread_regs(f.thread, FAULTER_CODE + 2, FAULTER_STACK, address + 64, 0, 0), OK);
    CHECK_STATUS(sys_resume(f.thread), OK);
    CHECK_STATUS(sys_recv(f.endpoint, f.reply, &m), OK);
    CHECK(m.word[0] == 6 && here[65] == 0x5a);
}

static void nobody_listens(void)
{
    static const uint8_t code[] = {0x0f, 0x0b};
    struct thread_state state;
    struct faulter f;
    struct message m = {0};

    /* The handler's endpoint goes away while the faulter waits for an answer, then for a handler. */
    faulter_make(&f, 0);
    faulter_run(&f, code, sizeof(code), 0, 0, &m);
    CHECK_STATUS(sys_cap_delete(f.reply), OK);
    CHECK_STATUS(sys_thread_read(f.thread, &state), OK);
    CHECK(state.rip == FAULTER_CODE);
    CHECK_STATUS(sys_resume(f.thread), OK);
    rest(1000);
    CHECK_STATUS(sys_cap_revoke(f.endpoint), OK);
    CHECK_STATUS(sys_cap_delete(f.endpoint), OK);
    rest(1000);
    CHECK_STATUS(sys_thread_read(f.thread, &state), OK);
    CHECK(state.rip == FAULTER_CODE);
    log_bare("  (the kernel says now that a thread without fault handler stopped)");
    CHECK_STATUS(sys_resume(f.thread), OK);
    rest(1000);
    CHECK_STATUS(sys_thread_read(f.thread, &state), OK);
    CHECK_STATUS(sys_suspend(f.thread), OK);
}

/* A SYSCALL whose return address is not canonical would make SYSRET fault as the kernel. */
static void last_page(void)
{
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    uint8_t *here = rig_map(frame, 4096);
    struct faulter f;
    struct message m = {0};

    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, LAST_PAGE | MAP_READ, 1, NULL), E_ARGUMENT);
    CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, (LAST_PAGE - 4096) | MAP_READ | MAP_EXEC, 1, NULL), OK);
    here[4094] = 0x0f;
    here[4095] = 0x05;
    faulter_make(&f, 0);
    CHECK_STATUS(sys_thread_regs(f.thread, LAST_PAGE, FAULTER_STACK, 0, 0, 0), E_ARGUMENT);
    CHECK_STATUS(sys_thread_regs(f.thread, NOT_CANONICAL, FAULTER_STACK, 0, 0, 0), E_ARGUMENT);
    CHECK_STATUS(sys_thread_regs(f.thread, LAST_PAGE - 2, NOT_CANONICAL, 0, 0, 0), E_ARGUMENT);
    CHECK_STATUS(sys_thread_regs(f.thread, LAST_PAGE - 2, FAULTER_STACK, 0, 0, 2), E_ARGUMENT);
    CHECK_STATUS(sys_thread_regs(f.thread, LAST_PAGE - 2, FAULTER_STACK, 0, 0, 0), OK);
    CHECK_STATUS(sys_resume(f.thread), OK);
    CHECK_STATUS(sys_recv(f.endpoint, f.reply, &m), OK);
    CHECK(tag_label(m.tag) == KL_PAGE_FAULT && m.word[0] == LAST_PAGE && m.word[1] == FAULT_EXEC &&
          m.word[2] == LAST_PAGE);
}

void test_faults(void)
{
    static const struct rig_test tests[] = {
        {"FLT-01: exceptions arrive with vector, error code and place", exceptions},
        {"FLT-02: privileged instructions are refused", privileged},
        {"FLT-03: every software interrupt is refused, but for the two of the debugger",
         software_interrupts},
        {"FLT-04: page faults arrive with address and access", page_faults},
        {"FLT-05: the FPU is closed to a thread that did not ask for it", no_fpu},
        {"FLT-06: errors of the FPU arrive as exceptions", fpu_errors},
        {"FLT-07: a fault is mended and the thread goes on, on the last CPU", mapped_and_resumed},
        {"FLT-08: a fault that nobody answers stops its thread alone", nobody_listens},
        {"FLT-09: the last user page is nobody's", last_page},
    };

    RIG_RUN(tests);
}
