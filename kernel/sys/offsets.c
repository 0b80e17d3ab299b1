/* offsets.c: checks what the assembly of this folder knows of C's structures and numbers. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "kernel/abi/syscall.h"
#include "kernel/obj/endpoint.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"

#define SAME(what, value) _Static_assert((what) == (value), "entry.inc, offsets.inc: " #what)

SAME(SYS_COUNT, 43);
SAME(REGS_SYSCALL, 0x100);
SAME(REGS_IDLE, 0x101);
SAME(offsetof(struct thread, kind), 176);
SAME(offsetof(struct thread, state), 177);
SAME(offsetof(struct thread, call), 178);
SAME(offsetof(struct thread, priority), 179);
SAME(offsetof(struct thread, uses_fpu), 180);
SAME(offsetof(struct thread, queued), 181);
SAME(offsetof(struct thread, cpu), 184);
SAME(offsetof(struct thread, cspace.slots), 192);
SAME(offsetof(struct thread, cspace.count), 200);
SAME(offsetof(struct thread, space), 208);
SAME(offsetof(struct thread, sched), 216);
SAME(offsetof(struct thread, next), 232);
SAME(offsetof(struct thread, prev), 240);
SAME(offsetof(struct thread, waits_in), 256);
SAME(offsetof(struct thread, reply), 264);
SAME(offsetof(struct thread, bound), 272);
SAME(offsetof(struct cpu, objects), 256);
SAME(offsetof(struct core, inside), 0);
SAME(offsetof(struct core, bar), 4);
SAME(offsetof(struct core, space), 8);
SAME(offsetof(struct core, fpu_blocked), 24);
SAME(offsetof(struct core, counter[CT_MESSAGE]), 1352);
SAME(offsetof(struct core, counter[CT_SWITCH]), 1424);
SAME(offsetof(struct reply, caller), 0);
SAME(offsetof(struct reply, lent), 8);
SAME(offsetof(struct reply, receiver), 16);
SAME(offsetof(struct reply, outer), 24);
SAME(offsetof(struct sched, lender), 8);
SAME(offsetof(struct space, cr3), 136);
SAME(offsetof(struct space, generation), 152);
SAME(offsetof(struct space, seen), 192);
SAME(offsetof(struct sched, thread), 0);
SAME(offsetof(struct endpoint, queue), 0);
SAME(offsetof(struct slot, cap.type), 0);
SAME(offsetof(struct slot, cap.rights), 1);
SAME(offsetof(struct slot, cap.badge), 4);
SAME(offsetof(struct slot, cap.object), 8);
SAME(SLOT_BITS, 5);
SAME(OBJ_ENDPOINT, 5);
SAME(OBJ_REPLY, 6);
SAME(EP_CALL, 1);
SAME(EP_RECV, 2);
SAME(RP_USE, 1);
SAME(QUEUE_LOCKED, 1);
SAME(TS_READY, 1);
SAME(TS_RECV, 2);
SAME(TS_REPLY, 4);
SAME(CALL_USER, 0);
SAME(SYS_NULL, 0);
SAME(SYS_CALL, 1);
SAME(SYS_REPLY_RECV, 4);
