/* guest.c: makes the guest of one page. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/guest.h"

#include <string.h>

/* Real mode after RESET, but with flat segments from 0 (SDM 3A 10.1.1). */
static void reset_state(struct vcpu_state *state)
{
    memset(state, 0, sizeof(*state));
    for (unsigned i = 0; i < VSEG_COUNT; i++) {
        state->segment[i] = (struct vcpu_segment){.limit = 0xffff, .access = 0x93};
    }
    state->segment[VSEG_CS].access = 0x9b;
    state->segment[VSEG_LDTR].access = 0x82;
    state->segment[VSEG_TR].access = 0x8b;
    state->rflags = 2;
    state->rip = GUEST_CODE;
    state->cr0 = 0x10;
    state->dr7 = 0x400;
    state->pat = 0x0007040600070406;
    state->xcr0 = 1;
    state->gdtr_limit = state->idtr_limit = 0xffff;
}

void guest_make(struct guest *guest, const uint8_t *code, unsigned size, uint32_t priority)
{
    uint32_t state = rig_object(OBJ_FRAME, FRAME_4K_BITS);

    guest->memory = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    guest->space = rig_object(OBJ_SPACE, PT_EPT);
    guest->vcpu = rig_object(OBJ_VCPU, 0);
    guest->sched = rig_object(OBJ_SCHED, 0);
    guest->exits = rig_object(OBJ_ENDPOINT, 0);
    guest->faults = rig_object(OBJ_ENDPOINT, 0);
    guest->exit_reply = rig_object(OBJ_REPLY, 0);
    guest->fault_reply = rig_object(OBJ_REPLY, 0);
    guest->code = rig_map(guest->memory, 4096);
    guest->state = rig_map(state, 4096);
    memcpy(guest->code, code, size);
    reset_state(guest->state);
    CHECK_STATUS(sys_space_fund(guest->space, rig_untyped(17), NULL), OK);
    CHECK_STATUS(sys_map(guest->space, guest->memory, 0,
                         GUEST_CODE | MAP_READ | MAP_WRITE | MAP_EXEC, 1, NULL),
                 OK);
    CHECK_STATUS(sys_vcpu_configure(guest->vcpu, guest->space, state, 0, guest->exits,
                                    guest->faults),
                 OK);
    CHECK_STATUS(sys_sched(guest->vcpu, guest->sched, priority, 0), OK);
}

void guest_start(struct guest *guest, struct message *m)
{
    CHECK_STATUS(sys_resume(guest->vcpu), OK);
    CHECK_STATUS(sys_recv(guest->exits, guest->exit_reply, m), OK);
}
