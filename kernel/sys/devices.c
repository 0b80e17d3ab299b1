/* devices.c: system calls on interrupt lines and I/O ports. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/irq.h"
#include "kernel/sys/sys.h"
#include "kernel/x86/asm.h"

enum status sys_irq_get(struct core *core, struct thread *self, struct slot *slot)
{
    uint64_t flags = high_half(self->regs.rsi);
    struct slot *to = cnode_lookup(&self->cspace, high_half(self->regs.rdi), CN_WRITE);
    struct irq *irq;

    if (flags & ~(uint64_t)(IRQ_LEVEL | IRQ_LOW)) {
        return E_ARGUMENT;
    }
    if (!to || !slot_is_empty(to)) {
        return E_SLOT;
    }
    enum status status =
        irq_take(low_half(self->regs.rsi), flags & IRQ_LEVEL, flags & IRQ_LOW, &irq);

    if (status != OK) {
        return status;
    }
    struct cap cap = {.type = OBJ_IRQ, .rights = RIGHTS_ALL, .object = (uint64_t)irq};

    status = slot_insert(to, cap, slot);
    if (status != OK) {
        irq_kill(core, irq);
    }
    return status;
}

enum status sys_irq_bind(struct core *core, struct thread *self, struct slot *slot)
{
    struct slot *notification;
    enum status status = sys_find(self, high_half(self->regs.rdi), OBJ_NOTIFICATION, NT_SIGNAL,
                                  &notification);

    if (status == OK) {
        irq_bind(core, cap_object(&slot->cap), notification);
    }
    return status;
}

enum status sys_irq_ack(struct core *core, struct thread *self, struct slot *slot)
{
    (void)core;
    (void)self;
    irq_acknowledge(cap_object(&slot->cap));
    return OK;
}

/* All ports that the access touches are in the range. */
static enum status check_ports(const struct cap *cap, uint64_t port, uint64_t width)
{
    if (width != 1 && width != 2 && width != 4) {
        return E_ARGUMENT;
    }
    if (port > 0xffff) {
        return E_ARGUMENT;
    }
    if (port < (cap->badge & 0xffff) || port + width - 1 > cap->badge >> 16) {
        return E_RIGHT;
    }
    return OK;
}

enum status sys_port_in(struct core *core, struct thread *self, struct slot *slot)
{
    uint64_t port = self->regs.rsi, width = self->regs.rdx;
    enum status status = check_ports(&slot->cap, port, width);

    (void)core;
    if (status == OK) {
        self->regs.rsi = width == 1   ? in8((uint16_t)port)
                         : width == 2 ? in16((uint16_t)port)
                                      : in32((uint16_t)port);
    }
    return status;
}

enum status sys_port_out(struct core *core, struct thread *self, struct slot *slot)
{
    uint64_t port = self->regs.rsi, width = self->regs.rdx, value = self->regs.r8;
    enum status status = check_ports(&slot->cap, port, width);

    (void)core;
    if (status != OK) {
        return status;
    }
    if (width == 1) {
        out8((uint16_t)port, (uint8_t)value);
    } else if (width == 2) {
        out16((uint16_t)port, (uint16_t)value);
    } else {
        out32((uint16_t)port, (uint32_t)value);
    }
    return OK;
}
