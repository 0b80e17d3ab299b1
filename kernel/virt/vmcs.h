/* vmcs.h: VMCS field encodings (SDM 3D appendix B), control bits (3C chapter 25) and exit reasons (appendix C). */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_VIRT_VMCS_H
#define KERNEL_VIRT_VMCS_H

#include <stdbool.h>
#include <stdint.h>

enum vmcs_field {
    VPID = 0x0000,

    GUEST_ES_SELECTOR = 0x0800, /* CS SS DS FS GS LDTR TR follow, 2 apart */
    HOST_ES_SELECTOR = 0x0c00,
    HOST_CS_SELECTOR = 0x0c02,
    HOST_SS_SELECTOR = 0x0c04,
    HOST_DS_SELECTOR = 0x0c06,
    HOST_FS_SELECTOR = 0x0c08,
    HOST_GS_SELECTOR = 0x0c0a,
    HOST_TR_SELECTOR = 0x0c0c,

    MSR_BITMAP = 0x2004,
    EXIT_MSR_STORE_ADDRESS = 0x2006,
    EXIT_MSR_LOAD_ADDRESS = 0x2008,
    ENTRY_MSR_LOAD_ADDRESS = 0x200a,
    TSC_OFFSET = 0x2010,
    EPT_POINTER = 0x201a,
    GUEST_PHYSICAL_ADDRESS = 0x2400,
    VMCS_LINK_POINTER = 0x2800,
    GUEST_PAT = 0x2804,
    GUEST_EFER = 0x2806,
    HOST_PAT = 0x2c00,
    HOST_EFER = 0x2c02,

    PIN_CONTROLS = 0x4000,
    PRIMARY_CONTROLS = 0x4002,
    EXCEPTION_BITMAP = 0x4004,
    CR3_TARGET_COUNT = 0x400a,
    EXIT_CONTROLS = 0x400c,
    EXIT_MSR_STORE_COUNT = 0x400e,
    EXIT_MSR_LOAD_COUNT = 0x4010,
    ENTRY_CONTROLS = 0x4012,
    ENTRY_MSR_LOAD_COUNT = 0x4014,
    ENTRY_EVENT = 0x4016,
    ENTRY_EVENT_ERROR = 0x4018,
    ENTRY_INSTRUCTION_LENGTH = 0x401a,
    SECONDARY_CONTROLS = 0x401e,
    INSTRUCTION_ERROR = 0x4400,
    EXIT_REASON = 0x4402,
    EXIT_EVENT = 0x4404,
    EXIT_EVENT_ERROR = 0x4406,
    VECTORING_EVENT = 0x4408,
    VECTORING_EVENT_ERROR = 0x440a,
    EXIT_INSTRUCTION_LENGTH = 0x440c,
    GUEST_ES_LIMIT = 0x4800,    /* the others follow, 2 apart; then: */
    GUEST_GDTR_LIMIT = 0x4810,
    GUEST_IDTR_LIMIT = 0x4812,
    GUEST_ES_ACCESS = 0x4814,   /* the others follow, 2 apart */
    GUEST_INTERRUPTIBILITY = 0x4824,
    GUEST_ACTIVITY = 0x4826,
    GUEST_SYSENTER_CS = 0x482a,
    PREEMPTION_TIMER = 0x482e,
    HOST_SYSENTER_CS = 0x4c00,

    CR0_MASK = 0x6000,
    CR4_MASK = 0x6002,
    CR0_SHADOW = 0x6004,
    CR4_SHADOW = 0x6006,
    EXIT_QUALIFICATION = 0x6400,
    GUEST_LINEAR_ADDRESS = 0x640a,
    GUEST_CR0 = 0x6800,
    GUEST_CR3 = 0x6802,
    GUEST_CR4 = 0x6804,
    GUEST_ES_BASE = 0x6806,     /* the others follow, 2 apart; then: */
    GUEST_GDTR_BASE = 0x6816,
    GUEST_IDTR_BASE = 0x6818,
    GUEST_DR7 = 0x681a,
    GUEST_RSP = 0x681c,
    GUEST_RIP = 0x681e,
    GUEST_RFLAGS = 0x6820,
    GUEST_PENDING_DEBUG = 0x6822,
    GUEST_SYSENTER_ESP = 0x6824,
    GUEST_SYSENTER_EIP = 0x6826,
    HOST_CR0 = 0x6c00,
    HOST_CR3 = 0x6c02,
    HOST_CR4 = 0x6c04,
    HOST_FS_BASE = 0x6c06,
    HOST_GS_BASE = 0x6c08,
    HOST_TR_BASE = 0x6c0a,
    HOST_GDTR_BASE = 0x6c0c,
    HOST_IDTR_BASE = 0x6c0e,
    HOST_SYSENTER_ESP = 0x6c10,
    HOST_SYSENTER_EIP = 0x6c12,
    HOST_RSP = 0x6c14,
    HOST_RIP = 0x6c16,
};

/* Pin-based controls, 25.6.1. */
#define PIN_EXTERNAL_INTERRUPT (1u << 0)
#define PIN_NMI                (1u << 3)
#define PIN_PREEMPTION_TIMER   (1u << 6)

/* Primary processor-based controls, 25.6.2. */
#define PRIMARY_INTERRUPT_WINDOW (1u << 2)
#define PRIMARY_TSC_OFFSET       (1u << 3)
#define PRIMARY_HLT              (1u << 7)
#define PRIMARY_MWAIT            (1u << 10)
#define PRIMARY_RDPMC            (1u << 11)
#define PRIMARY_CR3_LOAD         (1u << 15)
#define PRIMARY_CR3_STORE        (1u << 16)
#define PRIMARY_CR8_LOAD         (1u << 19)
#define PRIMARY_CR8_STORE        (1u << 20)
#define PRIMARY_MOV_DR           (1u << 23)
#define PRIMARY_IO               (1u << 24)
#define PRIMARY_MSR_BITMAP       (1u << 28)
#define PRIMARY_MONITOR          (1u << 29)
#define PRIMARY_SECONDARY        (1u << 31)

/* Secondary processor-based controls, 25.6.2. */
#define SECONDARY_EPT          (1u << 1)
#define SECONDARY_RDTSCP       (1u << 3)
#define SECONDARY_VPID         (1u << 5)
#define SECONDARY_WBINVD       (1u << 6)
#define SECONDARY_UNRESTRICTED (1u << 7)
#define SECONDARY_INVPCID      (1u << 12)

/* Exit and entry controls, 25.7.1 and 25.8.1. */
#define EXIT_SAVE_DEBUG   (1u << 2)
#define EXIT_HOST_64      (1u << 9)
#define EXIT_SAVE_PAT     (1u << 18)
#define EXIT_LOAD_PAT     (1u << 19)
#define EXIT_SAVE_EFER    (1u << 20)
#define EXIT_LOAD_EFER    (1u << 21)
#define ENTRY_LOAD_DEBUG  (1u << 2)
#define ENTRY_IA32E       (1u << 9)
#define ENTRY_LOAD_PAT    (1u << 14)
#define ENTRY_LOAD_EFER   (1u << 15)

enum vmx_reason {
    REASON_EXCEPTION = 0,
    REASON_EXTERNAL_INTERRUPT = 1,
    REASON_TRIPLE_FAULT = 2,
    REASON_INIT = 3,
    REASON_SIPI = 4,
    REASON_INTERRUPT_WINDOW = 7,
    REASON_TASK_SWITCH = 9,
    REASON_CPUID = 10,
    REASON_HLT = 12,
    REASON_INVD = 13,
    REASON_VMCALL = 18,
    REASON_CR_ACCESS = 28,
    REASON_MOV_DR = 29,
    REASON_IO = 30,
    REASON_RDMSR = 31,
    REASON_WRMSR = 32,
    REASON_EPT_VIOLATION = 48,
    REASON_EPT_MISCONFIGURATION = 49,
    REASON_PREEMPTION_TIMER = 52,
    REASON_WBINVD = 54,
    REASON_XSETBV = 55,
    REASON_COUNT = 70,
};
#define REASON_ENTRY_FAILED (1u << 31)

/* Event words, 25.8.3. */
#define EVENT_TYPE(word)  (((word) >> 8) & 7)
#define EVENT_HAS_ERROR   (1u << 11)
#define EVENT_VALID       (1u << 31)
enum { EVENT_TYPE_NMI = 2, EVENT_TYPE_SOFT_INT = 4, EVENT_TYPE_PRIV_SOFT = 5, EVENT_TYPE_SOFT_EXC = 6 };

/* A field of the loaded VMCS. The field and the VMCS are known to exist: a failure is a kernel error. */
static inline uint64_t vmcs_read(enum vmcs_field field)
{
    uint64_t value;

    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
    return value;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
    __asm__ volatile("vmwrite %1, %0" : : "r"((uint64_t)field), "r"(value) : "cc");
}

/* The three instructions that take a physical address; false: VMfail. */
static inline bool vmx_on(uint64_t physical)
{
    bool ok;

    __asm__ volatile("vmxon %1" : "=@cca"(ok) : "m"(physical) : "memory");
    return ok;
}

static inline bool vmcs_clear(uint64_t physical)
{
    bool ok;

    __asm__ volatile("vmclear %1" : "=@cca"(ok) : "m"(physical) : "memory");
    return ok;
}

static inline bool vmcs_load(uint64_t physical)
{
    bool ok;

    __asm__ volatile("vmptrld %1" : "=@cca"(ok) : "m"(physical) : "memory");
    return ok;
}

struct invalidation {
    uint64_t id;
    uint64_t address;
};

/* INVEPT and INVVPID, 31.3; the kinds are the manual's numbers. */
static inline bool vmx_invept(uint64_t kind, const struct invalidation *what)
{
    bool ok;

    __asm__ volatile("invept %1, %2" : "=@cca"(ok) : "m"(*what), "r"(kind) : "memory");
    return ok;
}

static inline bool vmx_invvpid(uint64_t kind, const struct invalidation *what)
{
    bool ok;

    __asm__ volatile("invvpid %1, %2" : "=@cca"(ok) : "m"(*what), "r"(kind) : "memory");
    return ok;
}

#endif
