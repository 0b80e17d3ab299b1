/* cpu.c: gives each CPU its record, descriptor tables and control registers. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/x86/cpu.h"

#include "kernel/lib/lock.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/msr.h"

/* Descriptors, SDM 3A 3.4.5 and 3.5: present, accessed, 64-bit code has L, data is writable. */
#define DESCRIPTOR_KERNEL_CODE 0x00209b0000000000ull
#define DESCRIPTOR_KERNEL_DATA 0x0000930000000000ull
#define DESCRIPTOR_USER_DATA 0x0000f30000000000ull
#define DESCRIPTOR_USER_CODE 0x0020fb0000000000ull
#define DESCRIPTOR_TSS 0x0000890000000000ull

/* Control registers, SDM 3A 2.5. */
#define CR0_MP (1ull << 1)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)

#define CR4_MCE (1ull << 6)
#define CR4_PGE (1ull << 7)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP (1ull << 11)
#define CR4_PCIDE (1ull << 17)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)

struct cpu *cpus[MAX_CPUS];
unsigned cpu_count;

/* In entry.asm. */
extern const char syscall_entry[];

unsigned lock_cpu(void)
{
    return cpu_this()->id;
}

static void fill_gdt(struct cpu *cpu)
{
    uint64_t tss = (uint64_t)&cpu->tss;
    uint64_t limit = sizeof(cpu->tss) - 1;

    cpu->gdt[SEL_KERNEL_CODE / 8] = DESCRIPTOR_KERNEL_CODE;
    cpu->gdt[SEL_KERNEL_DATA / 8] = DESCRIPTOR_KERNEL_DATA;
    cpu->gdt[SEL_USER_DATA / 8] = DESCRIPTOR_USER_DATA;
    cpu->gdt[SEL_USER_CODE / 8] = DESCRIPTOR_USER_CODE;
    cpu->gdt[SEL_TSS / 8] =
        DESCRIPTOR_TSS | limit | (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
    cpu->gdt[SEL_TSS / 8 + 1] = tss >> 32;
}

static void fill_tss(struct cpu_area *area)
{
    struct tss *tss = &area->cpu.tss;

    area->nmi.cpu = &area->cpu;
    area->double_fault.cpu = &area->cpu;
    area->machine_check.cpu = &area->cpu;
    area->debug.cpu = &area->cpu;
    tss->ist[0] = (uint64_t)&area->nmi.cpu;
    tss->ist[1] = (uint64_t)&area->double_fault.cpu;
    tss->ist[2] = (uint64_t)&area->machine_check.cpu;
    tss->ist[3] = (uint64_t)&area->debug.cpu;
    tss->rsp0 = area->cpu.kernel_stack;
    tss->iomap_base = sizeof(*tss); /* no bitmap: user level has no ports */
}

static void load_gdt(const struct cpu *cpu)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) gdtr = {sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt};

    __asm__ volatile("lgdt %0\n\t"
                     "push %1\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "push %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "mov %w2, %%ss\n\t"
                     "mov %w3, %%ds\n\t"
                     "mov %w3, %%es\n\t"
                     "mov %w3, %%fs\n\t"
                     "mov %w3, %%gs\n\t"
                     "lldt %w3\n\t" /* after RESET and INIT it is at address 0: user level's */
                     "ltr %w4"
                     :
                     : "m"(gdtr), "i"(SEL_KERNEL_CODE), "r"(SEL_KERNEL_DATA), "r"(0), "r"(SEL_TSS)
                     : "rax", "memory");
}

void cpu_adopt(struct cpu_area *area, unsigned id)
{
    struct cpu *cpu = &area->cpu;

    cpu->self = cpu;
    cpu->id = id;
    cpu->kernel_stack = (uint64_t)(area->stack + sizeof(area->stack));
    fill_gdt(cpu);
    fill_tss(area);
    load_gdt(cpu);
    msr_write(MSR_GS_BASE, (uint64_t)cpu);
    msr_write(MSR_KERNEL_GS_BASE, 0);
}

static void set_syscall_msrs(void)
{
    uint64_t star = (uint64_t)SEL_USER_CODE32 << 48 | (uint64_t)SEL_KERNEL_CODE << 32;

    msr_write(MSR_STAR, star);
    msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
    msr_write(MSR_CSTAR, 0);
    msr_write(MSR_SFMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC);
}

void cpu_enable_features(void)
{
    const struct cpu_features *f = &cpu_features;
    uint64_t cr4 = read_cr4() | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | EFER_NXE);
    write_cr0(read_cr0() | CR0_MP | CR0_NE | CR0_WP);
    cr4 |= f->pge ? CR4_PGE : 0;
    cr4 |= f->smep ? CR4_SMEP : 0;
    cr4 |= f->smap ? CR4_SMAP : 0;
    cr4 |= f->umip ? CR4_UMIP : 0;
    cr4 |= f->pcid ? CR4_PCIDE : 0;
    cr4 |= f->xsave ? CR4_OSXSAVE : 0;
    write_cr4(cr4);
    set_syscall_msrs();
}
