/* syscall.h: system-call numbers and the registers that each takes and returns. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ABI_SYSCALL_H
#define QUIRE_ABI_SYSCALL_H

/*
 * In:  RAX number, RDI capability address(es), then RSI RDX R8 R9 R10.
 * Out: RAX enum status; RSI RDX R8 R9 R10 and RDI where a call says so, else unchanged. RCX and R11 are lost.
 * "a:b" is two 32-bit values in one register, a in the low half. "page" is always 4 KiB.
 *
 * Messages. In: RSI tag (message.h), RDX R8 R9 R10 words 0 to 3. Out: RDI badge, RSI tag, RDX R8 R9 R10 words
 * 0 to 3. Further words and capability addresses are in the IPC buffer.
 */
enum syscall {
    SYS_NULL = 0,          /* does nothing */

    /* messages */
    SYS_CALL,              /* RDI ep. Sends and waits for the reply; a receiver without a SchedContext is
                              lent the caller's until then */
    SYS_RECV,              /* RDI ep:reply. Waits for a message; the caller is then held by the Reply object */
    SYS_REPLY,             /* RDI 0:reply. Answers the held caller; does not wait. A thread that ran on the caller's
                              time has none then, and stays ready until it is given some */
    SYS_REPLY_RECV,        /* RDI ep:reply. SYS_REPLY (if a caller is held), then SYS_RECV */
    SYS_MAP_REPLY_RECV,    /* RDI ep:reply, RSI space:frame, RDX offset in the frame, R8 address|flags as in
                              SYS_MAP, one piece. Maps, resumes the held faulter, receives. If the map fails, the
                              status says why, RSI what SYS_MAP would, and nothing was answered */

    /* notifications */
    SYS_SIGNAL,            /* RDI ntfn. ORs the capability's badge into its word */
    SYS_WAIT,              /* RDI ntfn. Out: RDI bits, which are cleared */
    SYS_POLL,              /* RDI ntfn. As SYS_WAIT, or E_EMPTY at once */
    SYS_TIMER,             /* RDI ntfn, RSI absolute TSC (0: disarm). Signals the badge at that time, once */

    /* capabilities; addresses of slots are in the caller's CSpace */
    SYS_CAP_COPY,          /* RDI source:destination, RSI rights mask */
    SYS_CAP_MINT,          /* RDI source:destination, RSI rights mask, RDX badge (Endpoint, Notification) or
                              first:last port (Ports) */
    SYS_CAP_MOVE,          /* RDI source:destination */
    SYS_CAP_DELETE,        /* RDI slot */
    SYS_CAP_REVOKE,        /* RDI slot. Deletes what was derived from it; for an original Frame its mappings too.
                              A copy has nothing derived from it */
    SYS_CAP_IDENTIFY,      /* RDI slot. Out: RSI type | rights << 8 | size bits << 16 | badge << 32,
                              RDX physical address (Frame, Untyped) or range (Ports), R8 free bytes (Untyped) */
    SYS_RETYPE,            /* RDI untyped:first destination slot, RSI type | bits << 8 | flags << 16 | count << 32 */

    /* threads; SYS_SCHED, SYS_RESUME, SYS_SUSPEND take a VCpu too */
    SYS_THREAD_CONFIGURE,  /* RDI thread, RSI cnode:space, RDX fault ep:buffer frame, R8 offset in the frame.
                              A 0 leaves that part as it is */
    SYS_THREAD_REGS,       /* RDI thread (suspended), RSI rip, RDX rsp, R8 rdi, R9 rsi, R10 thread flags */
    SYS_THREAD_READ,       /* RDI thread (suspended or waiting). Out: RSI rip, RDX rsp, R8 rflags, R9 rax, R10 rbp */
    SYS_THREAD_BIND,       /* RDI thread:ntfn (0 unbinds). Its signals arrive at the thread's SYS_RECV */
    SYS_SCHED,             /* RDI thread:sched (0: passive), RSI priority 0..127 (at most the caller's) | cpu << 8. Not while
                              it is ready or waits for an answer (E_STATE) */
    SYS_RESUME,            /* RDI thread */
    SYS_SUSPEND,           /* RDI thread. Ends a wait with E_GONE, takes it back if it runs */
    SYS_SC_CONFIGURE,      /* RDI sched, RSI budget, RDX period, both in TSC ticks; equal: no limit */
    SYS_YIELD,             /* gives up the rest of this turn */

    /* memory */
    SYS_SPACE_FUND,        /* RDI space:untyped (at most 2 MiB, 64 times a Space). The Space takes the unused
                              untyped and keeps it until it dies.
                              Out: RSI pages in the reserve */
    SYS_SPACE_WINDOW,      /* RDI space (nested), RSI first, RDX last address: faults there go to the VMM at once */
    SYS_SPACE_QUERY,       /* RDI space, RSI address. Out: RSI physical address | flags as in SYS_MAP, RDX pages
                              mapped in the Space, R8 free pages in the reserve */
    SYS_MAP,               /* RDI space:frame, RSI offset in the frame, RDX address | MAP_ flags, R8 count.
                              Out: RSI on E_RESERVE: pages lacking. All or nothing */
    SYS_UNMAP,             /* RDI space, RSI address, RDX pages, R8 0. Complete when it returns. Out: RSI unmapped,
                              RDX and R8 lost */
    SYS_PROTECT,           /* RDI space, RSI address | MAP_ rights, RDX pages, R8 0. Takes rights away, adds none.
                              Complete when it returns. Out: RSI changed, RDX and R8 lost */

    /* virtual CPUs */
    SYS_VCPU_CONFIGURE,    /* RDI vcpu, RSI space:state frame, RDX exit ep:fault ep, R8 offset in the frame */
    SYS_VCPU_MASK,         /* RDI vcpu, RSI exit reason (vcpu.h), RDX VS_ groups to send with it */
    SYS_VCPU_KICK,         /* RDI vcpu. It exits with EXIT_KICK before it is entered again, and soon if it runs */

    /* devices */
    SYS_IRQ_GET,           /* RDI platform:destination slot, RSI global system interrupt | IRQ_ flags << 32 */
    SYS_IRQ_BIND,          /* RDI irq:ntfn. The badge of this ntfn capability is signalled; unmasks the line, which
                              interrupts the CPU that made this call */
    SYS_IRQ_ACK,           /* RDI irq. Unmasks it again */
    SYS_PORT_IN,           /* RDI ports, RSI port, RDX width 1, 2 or 4. Out: RSI value */
    SYS_PORT_OUT,          /* RDI ports, RSI port, RDX width, R8 value */

    /* platform */
    SYS_LOG,               /* RDI platform, RSI byte count 0..32, RDX R8 R9 R10 the bytes. A line
                              appears when it ends, or has 255 bytes */
    SYS_COUNTER,           /* RDI platform, RSI counter (counter.h), RDX cpu. Out: RSI value, RDX TSC frequency in Hz */
    SYS_RESET,             /* RDI platform, RSI 0: reset, 1: halt for ever */

    SYS_COUNT
};

/* SYS_MAP flags, in the low bits of the address. */
enum {
    MAP_READ     = 1 << 0,
    MAP_WRITE    = 1 << 1,
    MAP_EXEC     = 1 << 2,
    MAP_RIGHTS   = 7,
    MAP_4K       = 0 << 3,  /* size of each mapping */
    MAP_2M       = 1 << 3,
    MAP_1G       = 2 << 3,
    MAP_SIZE_SHIFT = 3,
    MAP_SIZE_MASK  = 3 << 3,
    MAP_FRESH    = 1 << 5,  /* the memory must not be mapped anywhere; it is cleared before it is mapped (I31) */
    MAP_UNCACHED = 1 << 6,  /* device memory */
    MAP_FLAGS    = 0xfff
};

/* SYS_RETYPE flags. */
enum { RETYPE_RAW = 1 << 0 }; /* do not clear frames; an Untyped keeps UT_RAW; needs UT_RAW */

/* SYS_IRQ_GET flags. */
enum { IRQ_LEVEL = 1 << 0, IRQ_LOW = 1 << 1 };

/* SYS_THREAD_REGS flags. */
enum { THREAD_FPU = 1 << 0 }; /* may use the FPU; without it an FPU instruction is a fault */

#define PRIORITY_MAX 127

#endif
