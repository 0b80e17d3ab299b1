/* transfer.h: moving a message from one thread to the other. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_TRANSFER_H
#define KERNEL_OBJ_TRANSFER_H

#include "kernel/obj/thread.h"

/* Words beyond the registers, and capabilities; returns the tag that the receiver is to see. */
uint64_t transfer_buffers(struct thread *from, struct thread *to, uint64_t tag, bool grant);

static inline bool tag_is_simple(uint64_t tag)
{
    return (tag & (TAG_CAPS_MASK | TAG_WORDS_MASK)) <= TAG_SIMPLE_MAX;
}

/* The message in a user thread's registers goes to the registers of another; status OK. */
static inline void transfer_registers(const struct thread *from, struct thread *to, uint64_t tag)
{
    to->regs.rax = OK;
    to->regs.rsi = tag;
    to->regs.rdx = from->regs.rdx;
    to->regs.r8 = from->regs.r8;
    to->regs.r9 = from->regs.r9;
    to->regs.r10 = from->regs.r10;
}

/* A kernel message goes to the registers of a receiver. */
static inline void transfer_fault(const struct message *message, struct thread *to)
{
    to->regs.rax = OK;
    to->regs.rsi = message->tag;
    to->regs.rdx = message->word[0];
    to->regs.r8 = message->word[1];
    to->regs.r9 = message->word[2];
    to->regs.r10 = message->word[3];
}

/* From a caller, of whatever kind, to a receiver. */
static inline void message_transfer(struct thread *caller, struct thread *receiver, uint32_t badge)
{
    uint64_t tag = caller->regs.rsi;

    receiver->regs.rdi = badge;
    if (__builtin_expect(caller->call != CALL_USER, 0)) {
        transfer_fault(&caller->fault, receiver);
        return;
    }
    tag &= ~TAG_KERNEL;
    if (__builtin_expect(!tag_is_simple(tag), 0)) {
        tag = transfer_buffers(caller, receiver, tag, caller->may_grant);
    }
    transfer_registers(caller, receiver, tag);
}

/*
 * From whoever answers to a caller of kind CALL_USER. An answer may carry capabilities if the call could: the
 * caller chose the receive slots.
 */
static inline void message_answer(struct thread *self, struct thread *caller)
{
    uint64_t tag = self->regs.rsi & ~TAG_KERNEL;

    if (__builtin_expect(!tag_is_simple(tag), 0)) {
        tag = transfer_buffers(self, caller, tag, true);
    }
    caller->regs.rdi = 0;
    transfer_registers(self, caller, tag);
}

#endif
