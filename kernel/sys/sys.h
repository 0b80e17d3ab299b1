/* sys.h: the shape of a system call: decode, look up, check the right, check the arguments, act. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_SYS_SYS_H
#define KERNEL_SYS_SYS_H

#include "kernel/obj/core.h"
#include "kernel/obj/klock.h"

/* Not a status for user level: the call makes no more progress now, and is to be made again. */
#define SYS_AGAIN STATUS_COUNT

/*
 * What most calls do, after the capability in the low half of RDI was found to be of the right type and to have the
 * right: checks its arguments in self->regs, acts, and returns a status. Nothing changes before the last check.
 */
typedef enum status sys_action(struct core *core, struct thread *self, struct slot *slot);

/* The same for a capability that is in an inner CNode, or wrong: finds out what is wrong with it. */
enum status sys_find_rarely(struct thread *self, uint32_t cptr, enum object_type type,
                            uint8_t rights, struct slot **found);

/* Finds a capability of the caller's that has the type and rights. Slot 0 never has what is looked for. */
static inline enum status sys_find(struct thread *self, uint32_t cptr, enum object_type type,
                                   uint8_t rights, struct slot **found)
{
    if (__builtin_expect(cptr < self->cspace.count, 1)) {
        struct slot *slot = &self->cspace.slots[cptr];
        unsigned have = slot->cap.type | (unsigned)slot->cap.rights << 8;

        if (__builtin_expect((have & (0xffu | (unsigned)rights << 8)) ==
                                 ((unsigned)type | (unsigned)rights << 8),
                             1)) {
            *found = slot;
            return OK;
        }
    }
    return sys_find_rarely(self, cptr, type, rights, found);
}

/* The two capability addresses of a register "a:b". */
static inline uint32_t low_half(uint64_t value) { return (uint32_t)value; }
static inline uint32_t high_half(uint64_t value) { return (uint32_t)(value >> 32); }

/* The system calls that are not table-driven: messages. */
void sys_call(struct thread *self);
void sys_recv(struct thread *self);
void sys_reply(struct thread *self);
void sys_reply_recv(struct thread *self);
void sys_map_reply_recv(struct thread *self);

/* The table-driven ones; their contracts are in kernel/abi/syscall.h. */
sys_action sys_signal, sys_wait, sys_poll, sys_timer;
sys_action sys_cap_copy, sys_cap_mint, sys_cap_move, sys_cap_delete, sys_cap_revoke,
    sys_cap_identify, sys_retype;
sys_action sys_thread_configure, sys_thread_regs, sys_thread_read, sys_thread_bind, sys_sched,
    sys_resume, sys_suspend, sys_sc_configure, sys_yield;
sys_action sys_space_fund, sys_space_window, sys_space_query, sys_map, sys_unmap, sys_protect;
sys_action sys_vcpu_configure, sys_vcpu_mask, sys_vcpu_kick;
sys_action sys_irq_get, sys_irq_bind, sys_irq_ack, sys_port_in, sys_port_out;
sys_action sys_log, sys_counter, sys_reset;

/* Maps, for SYS_MAP and SYS_MAP_REPLY_RECV: all checks and the act. On E_RESERVE '*lacking' is set. */
enum status map_checked(struct thread *self, uint32_t space, uint32_t frame, uint64_t offset,
                        uint64_t where, uint64_t count, uint64_t *lacking);

#endif
