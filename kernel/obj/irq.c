/* irq.c: which interrupt line signals which notification. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/irq.h"

#include "kernel/obj/destroy.h"
#include "kernel/obj/notification.h"
#include "kernel/x86/ioapic.h"
#include "kernel/x86/lapic.h"

#define IRQ_COUNT (VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1)

static struct irq irqs[IRQ_COUNT];
static struct lock irqs_lock;

static unsigned irq_vector(const struct irq *irq)
{
    return VECTOR_DEVICE_FIRST + (unsigned)(irq - irqs);
}

static struct irq *find_free(uint32_t gsi, enum status *status)
{
    struct irq *found = NULL;

    *status = E_LIMIT;
    for (unsigned i = 0; i < IRQ_COUNT; i++) {
        if (irqs[i].taken && irqs[i].gsi == gsi) {
            *status = E_BUSY;
            return NULL;
        }
        if (!irqs[i].taken && !found) {
            found = &irqs[i];
        }
    }
    return found;
}

enum status irq_take(uint32_t gsi, bool level, bool low, struct irq **irq)
{
    enum status status;

    if (gsi >= ioapic_gsi_end()) {
        return E_ARGUMENT;
    }
    lock_take(&irqs_lock);
    *irq = find_free(gsi, &status);
    if (*irq) {
        (*irq)->taken = true;
        (*irq)->gsi = gsi;
        (*irq)->level = level;
        (*irq)->low = low;
        status = OK;
    }
    lock_release(&irqs_lock);
    return status;
}

void irq_bind(struct core *core, struct irq *irq, struct slot *notification)
{
    struct cap cap = notification->cap;

    if (!slot_is_empty(&irq->target)) {
        destroy_slot(core, &irq->target);
    }
    cap.flags = CAP_INSIDE;
    lock_take(&derivation_lock);
    slot_insert_locked(&irq->target, cap, notification);
    lock_release(&derivation_lock);
    ioapic_route(irq->gsi, irq_vector(irq), cpu_this()->id, irq->level, irq->low);
    ioapic_unmask(irq->gsi);
}

void irq_acknowledge(struct irq *irq)
{
    if (!slot_is_empty(&irq->target)) {
        ioapic_unmask(irq->gsi);
    }
}

void irq_deliver(struct core *core, unsigned vector)
{
    struct irq *irq = &irqs[vector - VECTOR_DEVICE_FIRST];

    lapic_eoi();
    if (!irq->taken) {
        return;
    }
    ioapic_mask(irq->gsi);
    if (!slot_is_empty(&irq->target)) {
        notification_signal(core, cap_object(&irq->target.cap), irq->target.cap.badge);
    }
}

void irq_kill(struct core *core, struct irq *irq)
{
    ioapic_mask(irq->gsi);
    if (!slot_is_empty(&irq->target)) {
        destroy_slot(core, &irq->target);
    }
    irq->taken = false;
}
