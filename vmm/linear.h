/* linear.h: the guest's linear memory, as one of its virtual CPUs sees it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LINEAR_H
#define VMM_LINEAR_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/guest_walk.h"
#include "vmm/vcpu.h"

/* The groups that an exit must have come with for all that follows. */
#define LINEAR_GROUPS (VS_IP | VS_CR | VS_SEGMENT)

/* How the virtual CPU translates now. */
struct guest_paging linear_paging(const struct vcpu *vcpu);

/* Whether its code runs at privilege level 3. */
bool linear_is_user(const struct vcpu *vcpu);

/* Translates a data address, with the rights that the guest's code has now. */
enum guest_walk_status linear_translate(struct vcpu *vcpu, uint64_t linear, bool write,
                                        struct guest_translation *result);

#endif
