/* faulter.c: runs a few bytes of code in a thread of their own. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/faulter.h"

#include <string.h>

void faulter_make(struct faulter *f, uint32_t cpu)
{
    struct space_query query;
    uint32_t badged = rig_slot();
    struct rig_thread t;

    f->endpoint = rig_object(OBJ_ENDPOINT, 0);
    f->reply = rig_object(OBJ_REPLY, 0);
    f->code = (uint8_t *)FAULTER_CODE;
    CHECK_STATUS(sys_cap_mint(f->endpoint, badged, EP_CALL, FAULTER_BADGE), OK);
    t = rig_thread(NULL, 0, 100, cpu, badged);
    f->thread = t.thread;
    f->sched = t.sched;
    if (sys_space_query(BOOT_SPACE, FAULTER_CODE, &query) == E_UNMAPPED) {
        CHECK_STATUS(sys_map(BOOT_SPACE, rig_object(OBJ_FRAME, FRAME_4K_BITS), 0,
                             FAULTER_CODE | MAP_READ | MAP_WRITE | MAP_EXEC, 1, NULL), OK);
    }
}

void faulter_run(struct faulter *f, const void *code, uint64_t size, uint64_t rdi, uint64_t flags,
                 struct message *m)
{
    for (unsigned i = 0; i < 1024; i += 2) {
        f->code[i] = 0x0f;
        f->code[i + 1] = 0x0b;
    }
    memcpy(f->code, code, size);
    CHECK_STATUS(sys_thread_regs(f->thread, FAULTER_CODE, FAULTER_STACK, rdi, 0, flags), OK);
    CHECK_STATUS(sys_resume(f->thread), OK);
    CHECK_STATUS(sys_recv(f->endpoint, f->reply, m), OK);
}

void faulter_stop(struct faulter *f)
{
    struct message m = {.tag = TAG(FR_STOP, 0)};

    CHECK_STATUS(sys_reply(f->reply, &m), OK);
}
