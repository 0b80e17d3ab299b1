/* counter.h: what the kernel counts, per CPU, for tests, benches and people (SYS_COUNTER). */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ABI_COUNTER_H
#define QUIRE_ABI_COUNTER_H

enum counter {
    CT_SYSCALL,          /* system calls other than messages */
    CT_MESSAGE,          /* calls delivered, kernel messages included */
    CT_EXIT,             /* VM exits */
    CT_NESTED_FAULT,     /* EPT violations and #NPF */
    CT_NESTED_MESSAGE,   /* of those, sent to user level */
    CT_MISCONFIGURED,    /* EPT misconfigurations: must stay 0 (I11) */
    CT_INTERRUPT,        /* device and timer interrupts */
    CT_IPI,              /* inter-processor interrupts sent */
    CT_SHOOTDOWN,        /* shootdown messages sent to other CPUs */
    CT_INVALIDATE,       /* TLB invalidations done (INVEPT, INVPCID, CR3, ASID) */
    CT_SWITCH,           /* changes of thread or virtual CPU */
    CT_MAPPED,           /* pages mapped */
    CT_UNMAPPED,         /* pages unmapped */
    CT_COUNT
};

#endif
