/* flags.c: tests of threads with odd flags, stacks, segments and buffers: their own affair, never the kernel's. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "run/programs/ktest/faulter.h"

#define FLAG_TF (1u << 8)
#define FLAG_IF (1u << 9)
#define FLAG_DF (1u << 10)
#define FLAG_NT (1u << 14)
#define FLAG_AC (1u << 18)
#define FLAG_ID (1u << 21)

/* Single-stepped through a system call: a trap after each instruction, all of them at user level. */
static void stepped(void)
{
    static const uint8_t code[] = {
        0x9c,                                     /* pushfq */
        0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, /* or dword [rsp], TF */
        0x9d,                                     /* popfq */
        0x90,                                     /* nop */
        0x31, 0xc0,                               /* xor eax, eax: SYS_NULL */
        0x0f, 0x05,                               /* syscall */
        0x90,                                     /* nop */
        0x0f, 0x0b,                               /* ud2 */
    };
    uint64_t before = FAULTER_CODE + 9;
    struct message m = {0};
    struct faulter f;
    unsigned steps = 0;

    faulter_make(&f, 0);
    faulter_run(&f, code, sizeof(code), 0, 0, &m);
    while (m.word[0] == 1 && steps < 20) {
        CHECK(m.word[2] > before && m.word[2] <= FAULTER_CODE + 15);
        before = m.word[2];
        steps++;
        m.tag = TAG(FR_RETRY, 0);
        CHECK_STATUS(sys_reply_recv(f.endpoint, f.reply, &m), OK);
    }
    CHECK(steps >= 3 && steps <= 5);
    CHECK(m.word[0] == 6 && m.word[2] == FAULTER_CODE + 15);
}

/* A flag is the same before and after a system call and a fault. */
static void kept(void)
{
    static const uint32_t flags[] = {FLAG_DF, FLAG_NT, FLAG_AC, FLAG_ID,
                                     FLAG_DF | FLAG_NT | FLAG_AC, 1};
    uint8_t code[] = {
        0x9c, 0x81, 0x0c, 0x24, 0, 0, 0, 0, 0x9d, /* pushfq; or dword [rsp], flags; popfq */
        0x31, 0xc0, 0x0f, 0x05,                   /* xor eax, eax; syscall */
        0x9c, 0x5b,                               /* pushfq; pop rbx */
        0x8a, 0x07,                               /* mov al, [rdi] */
        0x9c, 0x5d,                               /* pushfq; pop rbp */
        0x0f, 0x0b,                               /* ud2 */
    };

    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct message m = {0};
        struct thread_state state;
        struct faulter f;

        memcpy(&code[4], &flags[i], sizeof(flags[i]));
        faulter_make(&f, 0);
        faulter_run(&f, code, sizeof(code), 0x600000000000, 0, &m);
        CHECK(m.word[0] == 0x600000000000);
        CHECK_STATUS(sys_map(BOOT_SPACE, rig_object(OBJ_FRAME, FRAME_4K_BITS), 0,
                             0x600000000000 | MAP_READ, 1, NULL), OK);
        m.tag = TAG(FR_RETRY, 0);
        CHECK_STATUS(sys_reply_recv(f.endpoint, f.reply, &m), OK);
        CHECK(m.word[0] == 6 && m.word[2] == FAULTER_CODE + 19);
        CHECK_STATUS(sys_thread_read(f.thread, &state), OK);
        /* XOR cleared the carry flag; the others come through. */
        CHECK((state.rflags & flags[i] & ~1u) == (flags[i] & ~1u));
        CHECK((state.rbp & flags[i] & ~1u) == (flags[i] & ~1u));
        CHECK(state.rflags & FLAG_IF);
        CHECK_STATUS(sys_unmap(BOOT_SPACE, 0x600000000000, 1, NULL), OK);
    }
}

/* SYS_RETYPE of one frame with flags of the caller's choice: the kernel clears it with string instructions. */
static enum status retype_with(uint64_t flags, uint32_t untyped, uint32_t slot)
{
    uint64_t rax = SYS_RETYPE;

    __asm__ volatile("pushfq\n\t"
                     "or %1, (%%rsp)\n\t"
                     "popfq\n\t"
                     "syscall\n\t"
                     "pushq $2\n\t"
                     "popfq"
                     : "+a"(rax)
                     : "r"(flags), "D"(sys_pair(untyped, slot)),
                       "S"(1ull << 32 | FRAME_4K_BITS << 8 | OBJ_FRAME)
                     : "rcx", "r11", "memory", "cc");
    return (enum status)rax;
}

static void direction(void)
{
    uint32_t untyped = rig_untyped(14), first = rig_slot(), second = rig_slot();
    uint64_t *words;

    CHECK_STATUS(sys_retype(untyped, first, OBJ_FRAME, FRAME_4K_BITS, 0, 1), OK);
    words = rig_map(first, 4096);
    memset(words, 0xee, 4096);
    CHECK_STATUS(retype_with(FLAG_DF | FLAG_NT | FLAG_AC, untyped, second), OK);
    for (unsigned i = 0; i < 512; i++) {
        CHECK(words[i] == 0xeeeeeeeeeeeeeeee);
    }
}

static void stacks(void)
{
    static const uint64_t tops[] = {0, 8, 0x0000800000000000, 0xffff800000001000, ~0ull, 0x123457};
    /* mov rsp, rdi; mov ecx, 0x100000; dec ecx; jnz; xor eax, eax; syscall; ud2 */
    static const uint8_t code[] = {0x48, 0x89, 0xfc, 0xb9, 0, 0, 0x10, 0, 0xff, 0xc9, 0x75, 0xfc,
                                   0x31, 0xc0, 0x0f, 0x05, 0x0f, 0x0b};
    struct message m = {0};
    struct faulter f;

    faulter_make(&f, rig_boot->cpu_count - 1);
    for (unsigned i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
        faulter_run(&f, code, sizeof(code), tops[i], 0, &m);
        CHECK(m.word[0] == 6 && m.word[2] == FAULTER_CODE + 16 && m.word[3] == tops[i]);
        faulter_stop(&f);
    }
}

static void segments(void)
{
    static const struct {
        uint8_t code[8];
        uint64_t vector, rip;
    } rows[] = {
        /* mov gs, edi; syscall; ud2 */
        {{0x8e, 0xef, 0x31, 0xc0, 0x0f, 0x05, 0x0f, 0x0b}, 6, 6},
        /* mov fs, edi; mov ds, edi; syscall; ud2 */
        {{0x8e, 0xe7, 0x8e, 0xdf, 0x0f, 0x05, 0x0f, 0x0b}, 6, 6},
        {{0xf3, 0x48, 0x0f, 0xae, 0xdf}, 6, 0}, /* wrgsbase rdi */
        {{0xf3, 0x48, 0x0f, 0xae, 0xd7}, 6, 0}, /* wrfsbase rdi */
        /* push 0x3002; popfq; cli: IOPL is not user level's to change */
        {{0x68, 0x02, 0x30, 0x00, 0x00, 0x9d, 0xfa}, 13, 6},
    };
    struct thread_state state;
    struct message m = {0};
    struct faulter f;

    faulter_make(&f, 0);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        faulter_run(&f, rows[i].code, sizeof(rows[i].code), 0x23, 0, &m);
        CHECK(m.word[0] == rows[i].vector && m.word[2] == FAULTER_CODE + rows[i].rip);
        CHECK_STATUS(sys_thread_read(f.thread, &state), OK);
        CHECK((state.rflags & FLAG_IF) && (state.rflags & 0x3000) == 0);
        faulter_stop(&f);
    }
}

static uint32_t endpoint, reply;
static volatile uint64_t seen[4];

static void server(uint64_t argument)
{
    struct message m = {0};
    enum status status = sys_recv(endpoint, reply, &m);

    (void)argument;
    while (status == OK) {
        seen[0] = m.tag;
        status = sys_reply_recv(endpoint, reply, &m);
    }
    park();
}

/* Buffers that are not there, and tags that say more than can be. */
static void buffers(void)
{
    static const uint64_t tags[] = {TAG(7, 127) | TAG_CAPS(7), TAG(7, 121), TAG(7, 100),
                                    TAG(7, 4) | TAG_CAPS(4), TAG_KERNEL | TAG(7, 5), ~0ull};
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS), odd = rig_slot();
    struct rig_thread t;

    endpoint = rig_object(OBJ_ENDPOINT, 0);
    reply = rig_object(OBJ_REPLY, 0);
    t = rig_thread(server, 0, PRIORITY_MAX, 0, 0);
    CHECK_STATUS(sys_thread_configure(t.thread, 0, 0, 0, frame, 512), E_ALIGN);
    CHECK_STATUS(sys_thread_configure(t.thread, 0, 0, 0, frame, 4096), E_ARGUMENT);
    CHECK_STATUS(sys_cap_copy(frame, odd, FR_READ), OK);
    CHECK_STATUS(sys_thread_configure(t.thread, 0, 0, 0, odd, 0), E_RIGHT);
    CHECK_STATUS(sys_resume(t.thread), OK);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
            struct message m = {.tag = tags[i], .word = {1, 2, 3, 4}};

            CHECK_STATUS(sys_call(endpoint, &m), OK);
            CHECK((seen[0] & TAG_KERNEL) == 0 && tag_words(seen[0]) <= MESSAGE_WORDS);
            CHECK(round == 1 || tag_words(seen[0]) <= TAG_SIMPLE_MAX);
            CHECK(tag_caps(seen[0]) == 0);
        }
        /* Then with a buffer, then with one whose frame is gone. */
        if (round == 0) {
            CHECK_STATUS(sys_thread_configure(t.thread, 0, 0, 0, frame, 3072), OK);
        } else {
            CHECK_STATUS(sys_cap_revoke(frame), OK);
        }
    }
}

void test_flags(void)
{
    static const struct rig_test tests[] = {
        {"FLT-10: single-stepping goes through a system call, not into the kernel", stepped},
        {"FLT-11: a system call and a fault leave the flags as they were", kept},
        {"FLT-12: the kernel does not work with its caller's flags", direction},
        {"FLT-13: the stack pointer may be anything, in interrupts and system calls", stacks},
        {"FLT-14: segments, bases and IOPL are not user level's", segments},
        {"FLT-15: messages without buffers and with impossible tags", buffers},
    };

    RIG_RUN(tests);
}
