/* slots.h: the capability slots that mean the same in every process that init starts. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_SLOTS_H
#define SERVERS_LIB_SLOTS_H

/*
 * The root task has other capabilities (kernel/abi/boot.h). What a process gets beyond these is
 * named in its start information (servers/lib/start_info.h), in slots below start_info.free_slot.
 */
enum well_known_slot {
    SLOT_CNODE = 1, /* its own CNode: CN_READ | CN_WRITE */
    SLOT_THREAD,    /* its first thread, without rights unless the manifest lists "thread" */
    SLOT_SPACE,     /* its own Space: empty unless the manifest lists "space" */
    SLOT_LOG,      /* Platform with PL_LOG, and what the manifest lists of "counters" and "reset" */
    SLOT_CONTROL,  /* init's endpoint, EP_CALL, badge = child number (servers/lib/control.h). It is
                      also the  fault endpoint for threads that the process makes */
    SLOT_SCHED,    /* the SchedContext of its first thread, without rights */
    SLOT_NAMED = 8 /* the first slot that the start information may name */
};

#endif
