/* vmspace.h: the protocol of vmspace, which owns guest memory: what a VMM may ask of it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_VMSPACE_H
#define SERVERS_LIB_VMSPACE_H

#include <stdint.h>

#include "servers/lib/layout.h"

/*
 * The service is called "vmspace". The caller is known by its badge (its child number) and has at
 * most one guest; all calls but VMS_CREATE and VMS_STATS of VMS_POOL are about that guest, and
 * E_STATE is the answer if there is none. The label of the answer is an enum status
 * (kernel/abi/error.h). Words that are not named are 0.
 *
 * A page of guest memory at guest-physical address G is also at VMS_WINDOW + G in the VMM's own
 * Space, readable and writable, filled on demand: the VMM just touches it, if the fault endpoint of
 * its thread is vmspace's (the first thread's is; for others see VMS_ENDPOINTS). A VMM must not
 * unmap parts of the window itself. A fault of a VMM thread outside of the window, or in it where
 * no segment is, stops that thread and is reported to init (CTL_DIED).
 */
#define VMS_WINDOW LAYOUT_GUEST_WINDOW
/* First guest-physical address that no segment may have: so the window ends within user level. */
#define VMS_GPA_LIMIT (1ull << 46)
/* Most bytes of one segment. */
#define VMS_SEGMENT_MAX (1ull << 40)
#define VMS_SEGMENTS    16u /* of one guest */
#define VMS_WINDOWS     1u  /* VMS_DEVICE_WINDOW ranges of one guest: what the kernel keeps */

enum vmspace_label {
    /*
     * Word 0: the largest sum of segment sizes, in bytes. Capability 0: the caller's own Space with
     * SP_MAP | SP_FUND. Answer: capability 0 is the guest's Space, with SP_ASSIGN alone: for
     * SYS_VCPU_CONFIGURE. E_STATE: the caller has a guest already. E_ARGUMENT: no or a wrong
     * capability. E_UNSUPPORTED: this CPU can't run guests. E_LIMIT: too many guests. E_MEMORY: no
     * memory for its tables.
     */
    VMS_CREATE = 1,
    /*
     * Word 0: CPU. Answer: capability 0: endpoint for nested faults of virtual CPUs that run on
     * that CPU (SYS_VCPU_CONFIGURE); capability 1: fault endpoint for threads of the VMM on it
     * (SYS_THREAD_CONFIGURE). Both with EP_CALL. May be asked again. E_ARGUMENT: no such CPU, or
     * not one that vmspace may use.
     */
    VMS_ENDPOINTS,
    /*
     * Word 0: guest-physical address, 1: size, both multiples of 4 KiB; 2: rights, MAP_ bits
     * (syscall.h): MAP_READ with or without the other two. Makes demand-zero memory there, for
     * good. E_ALIGN; E_ARGUMENT: size 0, wrong rights, or beyond VMS_GPA_LIMIT; E_MAPPED: overlaps
     * a segment or device window; E_LIMIT: larger than VMS_SEGMENT_MAX, more than VMS_SEGMENTS, or
     * than the memory promised by VMS_CREATE; E_MEMORY.
     */
    VMS_ADD_SEGMENT,
    /*
     * Word 0: first, 1: last guest-physical address. Faults there go to the VMM without asking
     * vmspace. E_ALIGN: not whole pages. E_ARGUMENT, E_MAPPED (overlaps a segment), E_LIMIT as
     * above and from SYS_SPACE_WINDOW.
     */
    VMS_DEVICE_WINDOW,
    /*
     * Word 0: guest-physical address, 1: MAP_READ, or MAP_READ | MAP_WRITE (which counts the page
     * as dirty). The page keeps its identity and content until it is released as often as it was
     * held. Answer: word 0: the address in the caller's Space, where the page is mapped now:
     * touching it can't fault. E_UNMAPPED: no segment. E_RIGHT: to write in a segment without
     * MAP_WRITE. E_ARGUMENT: other access. E_LIMIT: held 65535 times. E_MEMORY.
     */
    VMS_HOLD,
    /* Word 0: guest-physical address. E_STATE: it is not held. E_UNMAPPED: no segment. */
    VMS_RELEASE,
    /* Word 0: enum vmspace_stats. Answer: four words as it says. E_ARGUMENT: no such. */
    VMS_STATS,
    /* Takes the caller's guest apart and gives back all its memory. Also done by itself when the
       caller ends. */
    VMS_DESTROY,
};

/* All counts are of 4 KiB pages or of events. */
enum vmspace_stats {
    VMS_MEMORY = 0, /* 0 resident, 1 mapped for the guest, 2 held (VMS_HOLD less VMS_RELEASE), 3
                       size of all segments */
    VMS_FAULTS, /* 0 answered with a fresh page, 1 with one that was there, 2 passed to the VMM, 3
                   from the window */
    VMS_POOL    /* of all guests: 0 free, 1 total, 2 faulters waiting for memory, 3 guests */
};

#endif
