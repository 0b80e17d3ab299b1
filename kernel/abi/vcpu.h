/* vcpu.h: the state page that a VCpu shares with its VMM, the exits it reports, and the groups of state. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ABI_VCPU_H
#define QUIRE_ABI_VCPU_H

#include <stdint.h>

/*
 * General registers live in the page itself: the kernel saves them there at each exit and loads them at each entry.
 * The rest is copied by group: at an exit the groups that SYS_VCPU_MASK chose for its reason (VS_IP until it chose),
 * at the reply the groups in the reply's label. Nothing else in the page is looked at. What a VMM writes there is
 * checked by the CPU at the entry: if it refuses, the exit is EXIT_ENTRY_FAILED.
 */
enum vcpu_group {
    VS_IP      = 1 << 0,  /* rip, rflags, rsp, interruptibility; exit: instruction_length too */
    VS_CR      = 1 << 1,  /* cr0 cr2 cr3 cr4 efer */
    VS_SEGMENT = 1 << 2,  /* the eight segment registers */
    VS_TABLE   = 1 << 3,  /* gdtr idtr */
    VS_MSR     = 1 << 4,  /* sysenter_*, star .. tsc_aux, pat, dr7; an address that is not canonical becomes 0 */
    VS_EVENT   = 1 << 5,  /* exit: event that was being delivered; reply: event to inject */
    VS_WINDOW  = 1 << 6,  /* reply: interrupt_window */
    VS_TSC     = 1 << 7,  /* tsc_offset */
    VS_XCR0    = 1 << 8,  /* xcr0; a value that the CPU would refuse is not loaded */
    VS_ADVANCE = 1 << 9,  /* reply: add instruction_length to the hardware's rip, end interrupt shadows */
    VS_ALL     = VS_IP | VS_CR | VS_SEGMENT | VS_TABLE | VS_MSR | VS_EVENT | VS_TSC | VS_XCR0
};

enum { VGPR_RAX, VGPR_RCX, VGPR_RDX, VGPR_RBX, VGPR_RSP, VGPR_RBP, VGPR_RSI, VGPR_RDI }; /* then r8 .. r15 */

/* `access` is the format of Intel's access-rights field (SDM vol. 3, 25.4.1): type, S, DPL, P, AVL, L, D/B, G, bit 16 unusable. */
struct vcpu_segment {
    uint16_t selector;
    uint16_t reserved;
    uint32_t access;
    uint32_t limit;
    uint32_t reserved2;
    uint64_t base;
};
enum { VSEG_ES, VSEG_CS, VSEG_SS, VSEG_DS, VSEG_FS, VSEG_GS, VSEG_LDTR, VSEG_TR, VSEG_COUNT };

/* Event word, as Intel's interruption information (SDM vol. 3, 25.8.3): bits 0-7 vector, 8-10 type, 11 error code valid, 31 valid. */
enum {
    VEVENT_INTERRUPT = 0 << 8, VEVENT_NMI = 2 << 8, VEVENT_EXCEPTION = 3 << 8, VEVENT_SOFT_INT = 4 << 8,
    VEVENT_PRIV_SOFT = 5 << 8, VEVENT_SOFT_EXC = 6 << 8, VEVENT_TYPE = 7 << 8, VEVENT_ERROR = 1 << 11
};
#define VEVENT_VALID (1u << 31)

/* Interruptibility bits (SDM vol. 3, table 25-3) and activity (25.4.2). */
enum { VINT_STI = 1, VINT_MOV_SS = 2, VINT_SMI = 4, VINT_NMI = 8 };
enum { VACT_ACTIVE = 0, VACT_HLT = 1, VACT_SHUTDOWN = 2, VACT_WAIT_SIPI = 3 };

struct vcpu_state {
    uint64_t gpr[16];              /* in the hardware's encoding order; gpr[VGPR_RSP] belongs to VS_IP */
    uint64_t rip, rflags;
    uint32_t instruction_length, interruptibility, activity, interrupt_window;
    uint32_t event, event_error;
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t dr7, pat, xcr0, tsc_offset;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux;
    struct vcpu_segment segment[VSEG_COUNT];
    uint64_t gdtr_base, idtr_base;
    uint32_t gdtr_limit, idtr_limit;
};
#define VCPU_STATE_SIZE 1024u
_Static_assert(sizeof(struct vcpu_state) <= VCPU_STATE_SIZE, "state page size");

/* Word 0 of a KL_EXIT message; words 1 to 3 as said, zero where nothing is. RIP is that of the instruction. */
enum vcpu_exit {
    EXIT_KICK = 0,          /* SYS_VCPU_KICK */
    EXIT_WINDOW,            /* the guest can take an interrupt now */
    EXIT_CPUID,
    EXIT_HLT,
    EXIT_IO,                /* 1: VIO_ fields; 2: linear address of a string instruction's operand */
    EXIT_MSR_READ,          /* index in rcx */
    EXIT_MSR_WRITE,
    EXIT_CR,                /* 1: number | VCR_ fields */
    EXIT_DR,                /* 1: hardware's qualification */
    EXIT_MEMORY,            /* no memory there: 1: guest-physical address, 2: access (message.h), 3: linear address */
    EXIT_XSETBV,
    EXIT_INVD,              /* INVD or WBINVD */
    EXIT_HYPERCALL,         /* VMCALL or VMMCALL */
    EXIT_EXCEPTION,         /* 1: event word, 2: error code, 3: address for #PF */
    EXIT_TRIPLE_FAULT,
    EXIT_TASK_SWITCH,
    EXIT_INIT, EXIT_SIPI,
    EXIT_PRIVILEGED,        /* an instruction that this CPU shows but no guest may use: 1: hardware's reason */
    EXIT_ENTRY_FAILED,      /* 1: hardware's reason or error number, 2: qualification */
    EXIT_MISCONFIGURED,     /* a page-table entry that the CPU rejects: 1: address. A kernel error (I11) */
    EXIT_OTHER,             /* 1: hardware's reason, 2: qualification */
    EXIT_COUNT
};

/* EXIT_IO word 1. */
#define VIO_PORT(w)    ((uint16_t)(w))
#define VIO_SIZE(w)    (((unsigned)((w) >> 16)) & 7)    /* 1, 2 or 4 */
#define VIO_IN         (1ull << 24)
#define VIO_STRING     (1ull << 25)
#define VIO_REP        (1ull << 26)

/* EXIT_CR word 1: bits 0-3 register, 4-5 access (0 write, 1 read, 2 CLTS, 3 LMSW), 8-11 general register, 16-31 LMSW source. */
#define VCR_NUMBER(w)  ((unsigned)(w) & 15)
#define VCR_ACCESS(w)  (((unsigned)(w) >> 4) & 3)
#define VCR_GPR(w)     (((unsigned)(w) >> 8) & 15)
#define VCR_SOURCE(w)  ((unsigned)((w) >> 16) & 0xffff)

#endif
