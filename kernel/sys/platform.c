/* platform.c: system calls on what exists once: log, counters, reset. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/sys/sys.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/tsc.h"

#define LOG_MAX 32u

/* Lines of different threads do not mix: each thread's is collected until it ends, or there is no more room. */
static void log_byte(struct thread *thread, char byte)
{
    thread->log[thread->log_length++] = byte;
    if (byte == '\n' || thread->log_length == THREAD_LOG_SIZE - 1) {
        thread->log[thread->log_length] = '\0';
        thread->log_length = 0;
        klog("%s", thread->log);
    }
}

enum status sys_log(struct core *core, struct thread *self, struct slot *slot)
{
    const struct regs *regs = &self->regs;
    uint64_t words[LOG_MAX / 8] = {regs->rdx, regs->r8, regs->r9, regs->r10};
    char text[LOG_MAX];

    (void)core;
    (void)slot;
    if (regs->rsi > LOG_MAX) {
        return E_ARGUMENT;
    }
    memcpy(text, words, sizeof(text));
    for (uint64_t i = 0; i < regs->rsi; i++) {
        log_byte(self, text[i]);
    }
    return OK;
}

enum status sys_counter(struct core *core, struct thread *self, struct slot *slot)
{
    uint64_t counter = self->regs.rsi, cpu = self->regs.rdx;

    (void)core;
    (void)slot;
    if (counter >= CT_COUNT || cpu >= cpu_count) {
        return E_ARGUMENT;
    }
    self->regs.rsi = core_of((unsigned)cpu)->counter[counter];
    self->regs.rdx = tsc_hz;
    return OK;
}

/* Through the keyboard controller and the chipset's reset register; what is not there does no harm. */
static void reset(void)
{
    out8(0xcf9, 0x06);
    out8(0x64, 0xfe);
}

enum status sys_reset(struct core *core, struct thread *self, struct slot *slot)
{
    (void)core;
    (void)slot;
    klog("kernel: %s\n", self->regs.rsi == 0 ? "reset" : "halted");
    if (self->regs.rsi == 0) {
        reset();
    }
    interrupts_disable();
    for (;;) {
        halt();
    }
}
