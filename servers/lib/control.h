/* control.h: what the processes that init started may tell it and ask it, through SLOT_CONTROL. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_CONTROL_H
#define SERVERS_LIB_CONTROL_H

#include <stdint.h>

/* Each child has a bit in a Notification's word, and 0 is nobody's number. */
#define CHILD_NUMBER_MAX 31u

/*
 * Labels. As in every protocol of Quire's servers, the label of the answer is an enum status
 * (kernel/abi/error.h). The caller is known by its badge, the child number: 1 to
 * CHILD_NUMBER_MAX.
 */
enum control_label {
    CTL_END = 1,  /* word 0 enum end_reason, word 1 a value. Never answered: the caller ends */
    CTL_FREE,     /* answer: word 0 bytes of untyped memory that init has left */
    CTL_RELEASED, /* word 0 child number: the caller holds nothing of that ended child any more */
    CTL_DIED      /* word 0 child number, 1 enum kernel_label, 2 address or vector, 3 rip: a thread
                     of that child faulted, and its fault endpoint is the caller's. Only from a
                     provider of a service that the child uses */
};

/* Why a process or the guest in it ended. */
#define END_REASON_LIST(R) \
    R(END_EXIT, "exit") /* the program returned; the value is main's */ \
    R(END_POWER_OFF, "power-off") \
    R(END_RESET, "reset") \
    R(END_HALT, "halt")             /* halted for ever: interrupts off on all virtual CPUs */ \
    R(END_DEBUG_EXIT, "debug exit") /* a write to port 0xf4; the value is what was written */ \
    R(END_CRASH, "crash")           /* triple fault */ \
    R(END_REFUSED, "refused")       /* the VMM can't run it and has said why in the log */

/* The words for a reason. */
const char *end_words(uint64_t reason);

#define END_REASON_ENUM(name, words) name,
enum end_reason { END_REASON_LIST(END_REASON_ENUM) END_REASON_COUNT };
#undef END_REASON_ENUM

/* Ends this process: tells init and never returns. */
_Noreturn void process_end(enum end_reason reason, uint64_t value);

/* Says that nothing of child `number` is held here any more; for services with `watch-clients`. */
void control_released(uint32_t number);

#endif
