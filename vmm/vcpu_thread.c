/* vcpu_thread.c: the thread that answers a virtual CPU's exits, and its system calls. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vcpu_thread.h"

#include "servers/lib/console.h"
#include "servers/lib/layout.h"
#include "servers/lib/log.h"
#include "servers/lib/syscall.h"
#include "servers/lib/time.h"
#include "vmm/objects.h"
#include "vmm/run.h"

static struct ipc_buffer *buffer(void)
{
    return (struct ipc_buffer *)LAYOUT_IPC_BUFFER;
}

/* Deadlines are of the guest's TSC, which is the host's (machine.h). */
static void set_timer(void *ctx, uint64_t deadline)
{
    sys_timer(own(ctx, OWN_TIMER), deadline);
}

static void kick(void *ctx, unsigned cpu)
{
    (void)cpu;
    sys_vcpu_kick(own(ctx, OWN_VCPU));
}

static void set_groups(void *ctx, unsigned cpu, enum vcpu_exit reason, uint64_t groups)
{
    (void)cpu;
    sys_vcpu_mask(own(ctx, OWN_VCPU), reason, groups);
}

static void host_cpuid(void *ctx, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    (void)ctx;
    __asm__ volatile("cpuid"
                     : "=a"(out->eax), "=b"(out->ebx), "=c"(out->ecx), "=d"(out->edx)
                     : "a"(leaf), "c"(subleaf));
}

static uint32_t console(const struct start_info *info)
{
    return start_cap(info, START_USE, "console");
}

/* A console that is gone does not stop the guest: what it says is lost. */
static void write_console(void *ctx, const char *bytes, size_t count)
{
    console_write(console(ctx), buffer(), bytes, count);
}

static size_t read_console(void *ctx, char bytes[CONSOLE_READ_MAX])
{
    size_t count = 0;

    return console_read(console(ctx), bytes, &count) == OK ? count : 0;
}

static void write_nowhere(void *ctx, const char *bytes, size_t count)
{
    (void)ctx;
    (void)bytes;
    (void)count;
}

static size_t read_nothing(void *ctx, char bytes[CONSOLE_READ_MAX])
{
    (void)ctx;
    (void)bytes;
    return 0;
}

void vcpu_thread_operations(const struct start_info *info, struct machine_config *config)
{
    config->ops = (struct machine_ops){
        .set_timer = set_timer,
        .kick = kick,
        .set_groups = set_groups,
        .host_cpuid = host_cpuid,
        .ctx = (void *)(uintptr_t)info,
    };
    config->terminal = (struct terminal_ops){
        .write = console(info) != 0 ? write_console : write_nowhere,
        .read = console(info) != 0 ? read_console : read_nothing,
        .ctx = (void *)(uintptr_t)info,
    };
}

static bool fail(const char *what, enum status status)
{
    log_line("virtual CPU: %s: %s", what, status_words(status));
    return false;
}

#define EXIT_TAG (TAG_KERNEL | TAG(KL_EXIT, 4))

/* A message as it arrives. Not a struct message, which would not stay in registers. */
struct arrival {
    uint64_t badge, tag;
    uint64_t word[TAG_SIMPLE_MAX];
    enum status status;
};

/* Gives the answer, if there is one to give now, and receives. */
static inline struct arrival answer_and_receive(const struct start_info *info, uint64_t answer)
{
    enum syscall number = SYS_REPLY_RECV;
    uint32_t reply = own(info, OWN_ANSWER);
    struct arrival m = {.tag = TAG(answer, 0)};

    if (__builtin_expect((answer & (RUN_HOLD | RUN_NONE)) != 0, 0)) {
        number = SYS_RECV;
        reply = answer & RUN_HOLD ? own(info, OWN_SLEEP) : reply;
    }
    m.badge = sys_pair(own(info, OWN_EXITS), reply);
    m.status = sys_inout(number, &m.badge, &m.tag, &m.word[0], &m.word[1], &m.word[2], &m.word[3]);
    return m;
}

/* Runs until the guest has ended, and returns OK; or until a system call fails. */
static enum status handle_exits(const struct start_info *info, struct vcpu *vcpu)
{
    uint64_t answer = RUN_NONE;

    for (;;) {
        struct arrival m = answer_and_receive(info, answer);

        if (__builtin_expect(m.status != OK, 0)) {
            return m.status;
        }
        uint64_t now = tsc_read();

        if (__builtin_expect(m.tag == EXIT_TAG, 1)) {
            const uint64_t word[4] = {m.word[0], m.word[1], m.word[2], m.word[3]};

            answer = run_exit(vcpu, word, now);
        } else {
            answer = run_notice(vcpu, m.badge, now);
        }
        if (__builtin_expect((answer & RUN_END) != 0, 0)) {
            return OK;
        }
    }
}

bool vcpu_thread_run(const struct start_info *info, struct machine *machine)
{
    enum status status = sys_resume(own(info, OWN_VCPU));

    if (status != OK) {
        return fail("resume", status);
    }
    if (console(info) != 0) {
        console_listen(console(info), buffer(), own(info, OWN_INPUT));
    }
    status = handle_exits(info, &machine->vcpu[0]);
    return status == OK || fail("receive", status);
}
