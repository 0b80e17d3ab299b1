/* rest.c: sleeping by a notification's timer. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/rest.h"

/* Slots that the rig does not hand out: these objects outlive the tests. */
enum { CLOCK = 128, CLOCK_BADGED, PARKED };

#define STEP_US 200

static void make_once(void)
{
    struct cap_identity id;
    uint32_t untyped = BOOT_FREE;

    if (sys_cap_identify(CLOCK, &id) == OK) {
        return;
    }
    while (sys_retype(untyped, CLOCK, OBJ_NOTIFICATION, 0, 0, 1) != OK) {
        untyped++;
    }
    CHECK_STATUS(sys_retype(untyped, PARKED, OBJ_NOTIFICATION, 0, 0, 1), OK);
    CHECK_STATUS(sys_cap_mint(CLOCK, CLOCK_BADGED, NT_SIGNAL | NT_WAIT, 1), OK);
}

void rest(uint64_t microseconds)
{
    uint64_t bits;

    make_once();
    sys_timer(CLOCK_BADGED, rig_tsc() + rig_boot->tsc_hz / 1000 * microseconds / 1000);
    sys_wait(CLOCK, &bits);
}

bool rest_until(const volatile uint64_t *word, uint64_t value, uint64_t milliseconds)
{
    uint64_t end = rig_tsc() + rig_boot->tsc_hz / 1000 * milliseconds;

    while (*word != value && rig_tsc() < end) {
        rest(STEP_US);
    }
    return *word == value;
}

void park(void)
{
    uint64_t bits;

    make_once();
    for (;;) {
        sys_wait(PARKED, &bits);
    }
}
