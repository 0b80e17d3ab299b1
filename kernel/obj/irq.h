/* irq.h: interrupt lines: from an I/O APIC pin to a notification. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_IRQ_H
#define KERNEL_OBJ_IRQ_H

#include "kernel/lib/lock.h"
#include "kernel/obj/core.h"

/* One per device vector; 'taken' while a capability to it exists. */
struct irq {
    struct lock lock;
    bool taken;
    bool level, low;
    uint32_t gsi;
    struct slot target;   /* the notification, with the badge to signal; kernel lock: writing */
};

/*
 * Takes the line with that global system interrupt number: E_BUSY if it is taken, E_ARGUMENT if no
 * I/O APIC has it, E_LIMIT if no vector is left. It stays masked.
 */
enum status irq_take(uint32_t gsi, bool level, bool low, struct irq **irq);

/* Signals a copy of that Notification capability from now on, and unmasks the line. Kernel lock: writing. */
void irq_bind(struct core *core, struct irq *irq, struct slot *notification);

/* Unmasks the line after its driver served the device. */
void irq_acknowledge(struct irq *irq);

/* An interrupt with a device vector came: masks the line and signals. */
void irq_deliver(struct core *core, unsigned vector);

/* Masks the line and makes it free. Kernel lock: writing. */
void irq_kill(struct core *core, struct irq *irq);

#endif
