/* process.c: how a process ends, and what it reports to init about the end of others. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/control.h"
#include "servers/lib/slots.h"
#include "servers/lib/syscall.h"

/* Called by start.asm alone, with what main returned. */
void process_returned(int value);

_Noreturn void process_end(enum end_reason reason, uint64_t value)
{
    struct message m = { .tag = TAG(CTL_END, 2), .word = { reason, value } };
    sys_call(SLOT_CONTROL, &m);
    /* Init is gone or refuses: the only stop left is a fault. */
    for (;;) {
        __asm__ volatile("ud2");
    }
}

void process_returned(int value)
{
    process_end(END_EXIT, (uint64_t)(int64_t)value);
}

const char *end_words(uint64_t reason)
{
#define PROCESS_END_WORDS(name, words) words,
    static const char *const table[] = { END_REASON_LIST(PROCESS_END_WORDS) };
#undef PROCESS_END_WORDS
    return reason < END_REASON_COUNT ? table[reason] : "unknown reason";
}

void control_released(uint32_t number)
{
    struct message m = { .tag = TAG(CTL_RELEASED, 1), .word = { number } };
    sys_call(SLOT_CONTROL, &m);
}
