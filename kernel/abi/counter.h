/* counter.h: what the kernel counts, per CPU, for tests, benches and people (SYS_COUNTER). */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ABI_COUNTER_H
#define QUIRE_ABI_COUNTER_H

enum counter {
    CT_SYSCALL,          /* system calls other than messages and SYS_NULL */
    CT_MESSAGE,          /* calls delivered, kernel messages included */
    CT_EXIT,             /* VM exits */
    CT_NESTED_FAULT,     /* EPT violations and #NPF */
    CT_NESTED_MESSAGE,   /* of those, sent to their fault endpoint: not those in a window */
    CT_MISCONFIGURED,    /* EPT misconfigurations: must stay 0 (I11) */
    CT_INTERRUPT,        /* interrupts of devices, timers and other CPUs */
    CT_IPI,              /* inter-processor interrupts sent */
    CT_SHOOTDOWN,        /* shootdown messages sent to other CPUs */
    CT_INVALIDATE,       /* TLB invalidations done (INVEPT, INVPCID, CR3, ASID) */
    CT_SWITCH,           /* changes of thread or virtual CPU */
    CT_MAPPED,           /* calls that map */
    CT_UNMAPPED,         /* pages unmapped by SYS_UNMAP */
    CT_COUNT
};

#endif
