/* notify.c: system calls on notifications. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/notification.h"
#include "kernel/sys/sys.h"

enum status sys_signal(struct core *core, struct thread *self, struct slot *slot)
{
    (void)self;
    notification_signal(core, cap_object(&slot->cap), slot->cap.badge);
    return OK;
}

enum status sys_wait(struct core *core, struct thread *self, struct slot *slot)
{
    notification_wait(core, cap_object(&slot->cap), self);
    return OK;
}

enum status sys_poll(struct core *core, struct thread *self, struct slot *slot)
{
    uint32_t bits = notification_poll(cap_object(&slot->cap));

    (void)core;
    if (bits == 0) {
        return E_EMPTY;
    }
    self->regs.rdi = bits;
    return OK;
}

enum status sys_timer(struct core *core, struct thread *self, struct slot *slot)
{
    notification_timer(core, cap_object(&slot->cap), self->regs.rsi, slot->cap.badge);
    return OK;
}
