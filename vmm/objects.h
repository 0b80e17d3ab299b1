/* objects.h: the kernel objects that a VMM makes, and the slots where they are. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_OBJECTS_H
#define VMM_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/vcpu.h"
#include "servers/lib/start_info.h"

/* Slots, counted from start_info.free_slot. */
enum own_slot {
    OWN_EXITS,       /* the endpoint where exits arrive */
    OWN_ANSWER,      /* Reply: holds the virtual CPU whose exit is at hand, or which halts */
    OWN_SLEEP,       /* Reply: what the thread receives with while the other one holds */
    OWN_SIGNALS,     /* Notification, bound to the thread */
    OWN_TIMER,       /* the same, badge NOTICE_TIMER */
    OWN_INPUT,       /* the same, badge NOTICE_INPUT */
    OWN_SCHED,       /* SchedContext of the virtual CPU */
    OWN_VCPU,
    OWN_STATE,       /* Frame of its state page */
    OWN_FUND,        /* Untyped for the tables of the VMM's Space, if they lack pages */
    OWN_SPACE,       /* copy of the VMM's Space, for vmspace */
    OWN_GUEST_SPACE, /* the guest's Space */
    OWN_ENDPOINTS,   /* of vmspace: for nested faults, and for faults of the VMM's threads */
    OWN_COUNT = OWN_ENDPOINTS + 2
};

/* Where the state page is mapped. */
#define OBJECTS_STATE_PAGE 0x4000000000ull

static inline uint32_t own(const struct start_info *info, enum own_slot slot)
{
    return info->free_slot + slot;
}

/* Makes all but what vmspace gives, and maps the state page. False: a line in the log says why. */
bool objects_make(const struct start_info *info);

/*
 * Configures the virtual CPU, on the Space and with the endpoints that vmspace has given, one step
 * less urgent than the VMM's thread and on the same CPU. False: as above.
 */
bool objects_configure(const struct start_info *info);

/* The virtual CPU's state page. */
static inline struct vcpu_state *objects_state(void)
{
    return (struct vcpu_state *)OBJECTS_STATE_PAGE;
}

#endif
