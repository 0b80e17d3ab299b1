/* direct.h: the short way of a guest's exit to the thread that waits for it, and of the answer back. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_DIRECT_H
#define KERNEL_OBJ_DIRECT_H

#include "kernel/obj/endpoint.h"
#include "kernel/obj/vcpu.h"

/*
 * Both do what endpoint_call() and reply_answer() with endpoint_recv() do in general, for the common
 * case: one thread of this CPU waits, nothing here is more urgent, no budget to account. All
 * conditions are checked first: false means that nothing has changed, and the general way is due.
 */

/* The current virtual CPU sends a kernel message to the endpoint in its slot; the receiver is current then. */
bool direct_send(struct core *core, struct vcpu *vcpu, enum thread_slot index, enum call_kind kind,
                 const struct message *message);

/*
 * The current thread answers the virtual CPU that 'reply' holds, and receives; the virtual CPU is current then.
 */
bool direct_answer(struct core *core, struct thread *self, struct endpoint *endpoint,
                   struct reply *reply);

#endif
