/* features.c: reads from CPUID what the CPU can do. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "kernel/lib/panic.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/cpu.h"

struct cpu_features cpu_features;

enum cpuid_register { EAX, EBX, ECX, EDX };

/* One bit of CPUID, and the field of cpu_features that it becomes. */
struct feature_bit {
    uint32_t leaf, subleaf;
    uint8_t reg, bit;
    uint16_t field;
};

#define FEATURE(leaf, subleaf, reg, bit, name)                                                     \
    {leaf, subleaf, reg, bit, offsetof(struct cpu_features, name)}

/* SDM 2A, table of CPUID; leaves 0x8000000a and 0x80000008 from APM 3 appendix E. By leaf. */
static const struct feature_bit feature_bits[] = {
    FEATURE(0x1, 0, ECX, 3, monitor),
    FEATURE(0x1, 0, ECX, 5, vmx),
    FEATURE(0x1, 0, ECX, 17, pcid),
    FEATURE(0x1, 0, ECX, 21, x2apic),
    FEATURE(0x1, 0, ECX, 22, movbe),
    FEATURE(0x1, 0, ECX, 24, tsc_deadline),
    FEATURE(0x1, 0, ECX, 26, xsave),
    FEATURE(0x1, 0, ECX, 28, avx),
    FEATURE(0x1, 0, ECX, 30, rdrand),
    FEATURE(0x1, 0, ECX, 31, hypervisor),
    FEATURE(0x1, 0, EDX, 13, pge),
    FEATURE(0x6, 0, EAX, 2, arat),
    FEATURE(0x7, 0, EBX, 0, fsgsbase),
    FEATURE(0x7, 0, EBX, 7, smep),
    FEATURE(0x7, 0, EBX, 9, erms),
    FEATURE(0x7, 0, EBX, 10, invpcid),
    FEATURE(0x7, 0, EBX, 16, avx512f),
    FEATURE(0x7, 0, EBX, 18, rdseed),
    FEATURE(0x7, 0, EBX, 20, smap),
    FEATURE(0x7, 0, ECX, 2, umip),
    FEATURE(0x7, 0, ECX, 3, pku),
    FEATURE(0x7, 0, ECX, 16, la57),
    FEATURE(0x7, 0, ECX, 22, rdpid),
    FEATURE(0x7, 0, EDX, 10, md_clear),
    FEATURE(0x7, 0, EDX, 26, spec_ctrl),
    FEATURE(0x7, 0, EDX, 27, stibp),
    FEATURE(0x7, 0, EDX, 28, l1d_flush),
    FEATURE(0x7, 0, EDX, 29, arch_capabilities),
    FEATURE(0x7, 0, EDX, 31, ssbd),
    FEATURE(0xd, 1, EAX, 0, xsaveopt),
    FEATURE(0xd, 1, EAX, 1, xsavec),
    FEATURE(0xd, 1, EAX, 3, xsaves),
    FEATURE(0x80000001, 0, ECX, 2, svm),
    FEATURE(0x80000001, 0, EDX, 20, nx),
    FEATURE(0x80000001, 0, EDX, 26, huge_pages),
    FEATURE(0x80000001, 0, EDX, 27, rdtscp),
    FEATURE(0x80000007, 0, EDX, 8, tsc_invariant),
    FEATURE(0x8000000a, 0, EDX, 0, svm_npt),
    FEATURE(0x8000000a, 0, EDX, 3, svm_nrip_save),
    FEATURE(0x8000000a, 0, EDX, 6, svm_flush_by_asid),
    FEATURE(0x8000000a, 0, EDX, 7, svm_decode_assist),
};

/* A leaf beyond the CPU's last one reads as that last one on some CPUs: here it is all zero. */
static struct cpuid leaf_or_zero(uint32_t leaf, uint32_t subleaf)
{
    uint32_t last = cpuid(leaf & 0x80000000, 0).eax;

    return leaf <= last ? cpuid(leaf, subleaf) : (struct cpuid){0};
}

static uint32_t pick(const struct cpuid *r, uint8_t reg)
{
    const uint32_t values[4] = {r->eax, r->ebx, r->ecx, r->edx};

    return values[reg];
}

static void probe_bits(void)
{
    const struct feature_bit *end = feature_bits + sizeof(feature_bits) / sizeof(feature_bits[0]);
    const struct feature_bit *bit = feature_bits;

    while (bit < end) {
        uint32_t leaf = bit->leaf, subleaf = bit->subleaf;
        struct cpuid r = leaf_or_zero(leaf, subleaf);

        for (; bit < end && bit->leaf == leaf && bit->subleaf == subleaf; bit++) {
            ((bool *)&cpu_features)[bit->field] = pick(&r, bit->reg) >> bit->bit & 1;
        }
    }
}

/* Vendor, and family, model and stepping as combined by SDM 2A CPUID, leaf 1. */
static void probe_identity(void)
{
    struct cpu_features *f = &cpu_features;
    struct cpuid vendor = cpuid(0, 0);
    uint32_t version = cpuid(1, 0).eax;

    f->intel = vendor.ebx == 0x756e6547; /* "Genu" */
    f->amd = vendor.ebx == 0x68747541;   /* "Auth" */
    f->stepping = version & 0xf;
    f->model = version >> 4 & 0xf;
    f->family = version >> 8 & 0xf;
    if (f->family == 6 || f->family == 15) {
        f->model |= version >> 12 & 0xf0;
    }
    if (f->family == 15) {
        f->family += version >> 20 & 0xff;
    }
}

static void probe_sizes(void)
{
    struct cpu_features *f = &cpu_features;
    struct cpuid address = leaf_or_zero(0x80000008, 0);

    f->physical_bits = address.eax != 0 ? address.eax & 0xff : 36;
    f->linear_bits = address.eax != 0 ? address.eax >> 8 & 0xff : 48;
    if (f->svm) {
        f->svm_asids = leaf_or_zero(0x8000000a, 0).ebx;
    }
    if (f->xsave) {
        struct cpuid area = cpuid(0xd, 0);

        f->xcr0_supported = (uint64_t)area.edx << 32 | area.eax;
        f->xsave_size_max = area.ecx;
    } else {
        f->xsaveopt = f->xsavec = f->xsaves = f->avx = f->avx512f = false;
    }
}

void cpu_probe(void)
{
    probe_bits();
    probe_identity();
    probe_sizes();
    if (!cpu_features.nx) {
        panic("the CPU has no execute-disable bit, or the firmware hides it");
    }
}
