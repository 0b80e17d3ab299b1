/* cpu.h: the record of each CPU, what the CPUs can do, and their start-up. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_CPU_H
#define KERNEL_X86_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "kernel/x86/layout.h"
#include "kernel/x86/regs.h"

#define MAX_CPUS 64

/* Room in the record for what the layers above keep per CPU. */
#define CPU_OBJECTS_SIZE 3072

/* Selectors; the order is what SYSCALL and SYSRET ask for (SDM 3A 5.8.8). */
enum selector {
    SEL_KERNEL_CODE = 0x08,
    SEL_KERNEL_DATA = 0x10,
    SEL_USER_CODE32 = 0x1b, /* never used: SYSRET's base */
    SEL_USER_DATA = 0x23,
    SEL_USER_CODE = 0x2b,
    SEL_TSS = 0x30,
};

/* Vectors beyond the CPU's exceptions. Higher ones have priority (SDM 3A 10.8.3). */
enum vector {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_BREAKPOINT = 3,
    VECTOR_OVERFLOW = 4,
    VECTOR_NO_FPU = 7,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_GENERAL_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_MACHINE_CHECK = 18,
    VECTOR_DEVICE_FIRST = 0x20,
    VECTOR_DEVICE_LAST = 0xee,
    VECTOR_TIMER = 0xef,
    VECTOR_IPI_WAKE = 0xf0,
    VECTOR_IPI_SHOOTDOWN = 0xf1,
    VECTOR_SPURIOUS = 0xff,
};

/* Task state segment in 64-bit mode, SDM 3A 7.7. */
struct tss {
    uint32_t reserved_0;
    uint64_t rsp0, rsp1, rsp2;
    uint64_t reserved_28;
    uint64_t ist[7];
    uint64_t reserved_92;
    uint16_t reserved_100;
    uint16_t iomap_base;
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "TSS: SDM 3A 7.7");
_Static_assert(offsetof(struct tss, ist) == 36, "TSS: SDM 3A 7.7");

/*
 * One per CPU, found through the GS base while in the kernel. The CPU itself is the only one to
 * write it, but for 'online'. The fields up to 'tss' have fixed offsets: cpu.inc repeats them.
 */
struct cpu {
    struct cpu *self;
    void *current;         /* thread that runs, or ran last */
    uint64_t user_rsp;     /* scratch of the system-call entry */
    uint64_t kernel_stack; /* top of this CPU's only stack; each entry starts there */
    struct regs *frame;    /* registers of 'current' */
    uint32_t id;           /* index in cpus[] */
    struct tss tss;        /* rsp0: end of the current thread's struct regs */
    uint32_t lapic_id;
    uint64_t gdt[8];
    bool online; /* set by the CPU when it is ready for kernel_main_ap(); read by the boot CPU */
    uint8_t objects[CPU_OBJECTS_SIZE] __attribute__((aligned(64))); /* struct core of kernel/obj */
} __attribute__((aligned(4096)));

_Static_assert(offsetof(struct cpu, current) == 8, "struct cpu: as in cpu.inc");
_Static_assert(offsetof(struct cpu, user_rsp) == 16, "struct cpu: as in cpu.inc");
_Static_assert(offsetof(struct cpu, kernel_stack) == 24, "struct cpu: as in cpu.inc");
_Static_assert(offsetof(struct cpu, frame) == 32, "struct cpu: as in cpu.inc");
_Static_assert(offsetof(struct cpu, id) == 40, "struct cpu: as in cpu.inc");
_Static_assert(offsetof(struct cpu, tss.rsp0) == 48, "struct cpu: as in cpu.inc");

#define KERNEL_STACK_SIZE 8192
#define IST_STACK_SIZE 4096

/* A stack for an interrupt-stack-table entry; its top names the CPU whatever GS holds. */
struct ist_stack {
    uint8_t room[IST_STACK_SIZE - 16];
    struct cpu *cpu;
    uint64_t reserved;
};

/*
 * All memory of one CPU; the kernel's stack is last, so its top is the end. The guard is never
 * mapped: who overruns the stack ends in a double fault, on a stack of its own.
 */
struct cpu_area {
    struct cpu cpu;
    struct ist_stack nmi, double_fault, machine_check, debug;
    uint8_t guard[4096];
    uint8_t stack[KERNEL_STACK_SIZE];
};

_Static_assert(sizeof(struct cpu_area) <= CPU_AREA_SIZE, "CPU areas: as in layout.h");

/* cpus[0] is the boot CPU. Fixed, as is the count, before kernel_main() is called. */
extern struct cpu *cpus[MAX_CPUS];
extern unsigned cpu_count;

/* The calling CPU. */
static inline struct cpu *cpu_this(void)
{
    struct cpu *self;

    __asm__("mov %%gs:0, %0" : "=r"(self));
    return self;
}

/*
 * What the boot CPU can do, from CPUID (SDM 2A CPUID; APM 3 appendix E). Sizes are in bytes, 0
 * without XSAVE. The other CPUs are taken to be alike.
 */
struct cpu_features {
    bool vmx, svm;
    bool pcid, invpcid, pge, huge_pages, nx;
    bool smep, smap, umip, fsgsbase, pku, la57;
    bool tsc_deadline, tsc_invariant, x2apic, arat;
    bool xsave, xsaveopt, xsavec, xsaves, avx, avx512f;
    bool rdtscp, rdpid, rdrand, rdseed, movbe, erms, monitor;
    bool arch_capabilities, spec_ctrl, stibp, ssbd, md_clear, l1d_flush;
    bool svm_npt, svm_nrip_save, svm_flush_by_asid, svm_decode_assist;
    bool hypervisor;
    bool intel, amd;
    uint32_t family, model, stepping;
    uint32_t physical_bits, linear_bits;
    uint64_t xcr0_supported;
    uint32_t xsave_size_max; /* area for all of xcr0_supported, standard format */
    uint32_t svm_asids;
};

extern struct cpu_features cpu_features;

/* Fills cpu_features. Boot CPU, once. Panics if the CPU lacks what the kernel cannot do without. */
void cpu_probe(void);

/*
 * Makes the calling CPU use 'area' as its record: GDT, TSS with its stacks, GS base. The area must
 * be zero. After it cpu_this(), klog() and traps (traps_init()) work.
 */
void cpu_adopt(struct cpu_area *area, unsigned id);

/*
 * Sets the control registers and MSRs of the calling CPU from cpu_features: CR0.WP, CR4.MCE, PGE,
 * OSFXSR, OSXMMEXCPT, OSXSAVE, SMEP, SMAP, UMIP, PCIDE; EFER.SCE, NXE; STAR, LSTAR (syscall_entry),
 * SFMASK. CR4.FSGSBASE stays off: user level cannot change its segment bases by itself.
 */
void cpu_enable_features(void);

/*
 * Gives up what the CPU was doing, and waits for interrupts on a fresh stack, with interrupts on.
 * An interrupt drops the waiting: it starts again from interrupt_handle().
 */
noreturn void cpu_idle(void);

#endif
