/* msr.h: model-specific registers, SDM 4 and APM 2 appendix A. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_MSR_H
#define KERNEL_X86_MSR_H

#include <stdbool.h>
#include <stdint.h>

enum msr {
    MSR_APIC_BASE = 0x1b,
    MSR_X2APIC_FIRST = 0x800, /* register at offset n of the xAPIC page is MSR 0x800 + n / 16 */
    MSR_TSC_DEADLINE = 0x6e0,
    MSR_EFER = 0xc0000080,
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_CSTAR = 0xc0000083,
    MSR_SFMASK = 0xc0000084,
    MSR_FS_BASE = 0xc0000100,
    MSR_GS_BASE = 0xc0000101,
    MSR_KERNEL_GS_BASE = 0xc0000102,
};

#define EFER_SCE (1ull << 0)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

static inline uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

/*
 * The same for an MSR or a value that the CPU may not know: false on #GP, and *value is then
 * untouched. Not from nmi_handle(): the way back from the #GP would let the next NMI in.
 */
bool msr_read_safe(uint32_t msr, uint64_t *value);
bool msr_write_safe(uint32_t msr, uint64_t value);

#endif
