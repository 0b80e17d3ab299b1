/* object.h: kernel object types, their sizes, and the named rights of a capability to each. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ABI_OBJECT_H
#define QUIRE_ABI_OBJECT_H

enum object_type {
    OBJ_NULL = 0,
    OBJ_UNTYPED,       /* a power of two of physical memory, to be retyped */
    OBJ_CNODE,         /* 2^n capability slots */
    OBJ_THREAD,        /* a user-level thread of execution */
    OBJ_SCHED,         /* SchedContext: a budget of CPU time per period */
    OBJ_ENDPOINT,      /* where callers and receivers meet */
    OBJ_REPLY,         /* holds one caller until it is answered */
    OBJ_NOTIFICATION,  /* 32 bits to signal and to wait for, with one timer */
    OBJ_FRAME,         /* memory that can be mapped */
    OBJ_SPACE,         /* one page-table tree */
    OBJ_VCPU,          /* a virtual CPU */
    OBJ_IRQ,           /* one interrupt line (made by SYS_IRQ_GET, not by retype) */
    OBJ_PORTS,         /* a range of I/O ports (minted from the root's range) */
    OBJ_PLATFORM,      /* what exists once: log, interrupt lines, counters */
    OBJ_TYPE_COUNT
};

/*
 * A capability address ("cptr") is 32 bits in the caller's CSpace. The high half H and the low half L are slot
 * numbers: H == 0 names slot L of the root CNode; otherwise root slot H must hold a CNode, and L is a slot in
 * it. Slot 0 of a CNode has no address, so that the address 0 means "none".
 */
#define CPTR(h, l)        (((uint32_t)(h) << 16) | (uint32_t)(l))
#define CPTR_NONE         0u
#define CNODE_MAX_BITS    16

/* Sizes in bits (log2 of bytes). CNode: slots * 32 bytes; Frame: 12, 21 or 30; Untyped: 12 to 46. */
#define SLOT_BITS          5
#define THREAD_BITS       12
#define SCHED_BITS         7
#define ENDPOINT_BITS      6
#define REPLY_BITS         6
#define NOTIFICATION_BITS  7
#define SPACE_BITS        13
#define VCPU_BITS         14
#define UNTYPED_MIN_BITS  12
#define UNTYPED_MAX_BITS  46
#define FRAME_4K_BITS     12
#define FRAME_2M_BITS     21
#define FRAME_1G_BITS     30

/* Space types: the `bits` argument of SYS_RETYPE for OBJ_SPACE. */
enum space_type { PT_X86 = 0, PT_EPT, PT_NPT, PT_VTD, PT_COUNT };

/* Rights: one byte a capability. SYS_RETYPE gives all (of an Untyped UT_RAW only with RETYPE_RAW). */
enum {
    UT_RETYPE = 1 << 0,   /* make objects from it, fund a Space with it */
    UT_RAW    = 1 << 1,   /* make frames without clearing them: for the memory's allocator only */

    CN_READ   = 1 << 0,   /* copy or move capabilities out of it */
    CN_WRITE  = 1 << 1,   /* put capabilities into it, delete and revoke there */

    TH_CONTROL   = 1 << 0, /* resume, suspend, registers */
    TH_CONFIGURE = 1 << 1, /* CSpace, Space, fault endpoint, scheduling */

    SC_BIND      = 1 << 0, /* give it to a thread */
    SC_CONFIGURE = 1 << 1, /* set budget and period */

    EP_CALL  = 1 << 0,
    EP_RECV  = 1 << 1,
    EP_GRANT = 1 << 2,    /* transfer capabilities in a call */

    RP_USE   = 1 << 0,

    NT_SIGNAL = 1 << 0,
    NT_WAIT   = 1 << 1,   /* wait, poll, bind, arm the timer */

    FR_READ  = 1 << 0,    /* at most these rights in a mapping of it */
    FR_WRITE = 1 << 1,
    FR_EXEC  = 1 << 2,

    SP_MAP     = 1 << 0,  /* map, unmap, protect, query, window */
    SP_FUND    = 1 << 1,  /* add to its reserve */
    SP_ASSIGN  = 1 << 2,  /* run a thread or virtual CPU in it */
    SP_HARVEST = 1 << 3,  /* read and clear accessed and dirty bits, and nothing else */

    VC_CONTROL   = 1 << 0, /* resume, suspend */
    VC_CONFIGURE = 1 << 1,
    VC_KICK      = 1 << 2, /* ask for an exit */

    IR_USE   = 1 << 0,    /* bind, acknowledge */

    PO_IN    = 1 << 0,
    PO_OUT   = 1 << 1,

    PL_LOG      = 1 << 0, /* write to the kernel's log */
    PL_IRQ      = 1 << 1, /* make IrqHandlers */
    PL_COUNTERS = 1 << 2, /* read the kernel's counters */
    PL_RESET    = 1 << 3, /* reset the machine */

    RIGHTS_ALL = 0xff
};

#endif
