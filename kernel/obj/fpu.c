/* fpu.c: saving and loading FPU state when the FPU changes hands. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/fpu.h"

#include "kernel/lib/panic.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/vcpu.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/layout.h"

#define CR0_TS (1ull << 3)
#define FCW_START 0x37f    /* SDM 1 8.1.5: after FNINIT */
#define MXCSR_START 0x1f80 /* SDM 1 10.2.3: after reset */
#define FXSAVE_SIZE 512u
#define XSAVE_HEADER 64u

/* x87, SSE, AVX, AVX-512 and PKRU (SDM 1 13.1). What is newer (AMX) is larger than a thread's page, and stays off. */
#define FEATURES_KNOWN 0x2e7u

static uint64_t features;

/* End of the standard XSAVE area for these features: CPUID 0DH says size and offset of each (SDM 1 13.4.3). */
static uint32_t area_size(uint64_t mask)
{
    uint32_t end = FXSAVE_SIZE + XSAVE_HEADER;

    for (uint32_t i = 2; i < 63; i++) {
        struct cpuid part = cpuid(0xd, i);

        if ((mask >> i & 1) && part.ebx + part.eax > end) {
            end = part.ebx + part.eax;
        }
    }
    return end;
}

void fpu_probe(void)
{
    features = cpu_features.xsave ? cpu_features.xcr0_supported & FEATURES_KNOWN : 0;
    uint32_t size = features ? area_size(features) : FXSAVE_SIZE;

    if (size > PAGE_SIZE - FPU_OFFSET) {
        panic("this CPU's FPU state of %u bytes does not fit a thread", size);
    }
}

uint64_t fpu_features(void) { return features; }

static void block(struct core *core)
{
    if (!core->fpu_blocked) {
        write_cr0(read_cr0() | CR0_TS);
        core->fpu_blocked = true;
    }
}

static void unblock(struct core *core)
{
    if (core->fpu_blocked) {
        __asm__ volatile("clts");
        core->fpu_blocked = false;
    }
}

void fpu_start(struct core *core)
{
    unblock(core);
    if (features) {
        xsetbv(0, features);
    }
    block(core);
}

void fpu_init(void *area)
{
    *(uint16_t *)area = FCW_START;
    *(uint32_t *)((char *)area + 24) = MXCSR_START;
}

static void save(void *area)
{
    if (features) {
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
    } else {
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
    }
}

static void load(const void *area)
{
    if (features) {
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
    } else {
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
    }
}

/* A guest runs with an XCR0 of its own; saving and loading need the host's, which covers it. */
static void owner_save(struct core *core)
{
    struct thread *owner = core->fpu_owner;

    if (!owner) {
        return;
    }
    unblock(core);
    if (owner->kind == THREAD_VCPU && features) {
        xsetbv(0, features);
    }
    save(thread_fpu(owner));
    core->fpu_owner = NULL;
}

void fpu_switch(struct core *core, struct thread *thread)
{
    if (!thread->uses_fpu) {
        block(core);
        return;
    }
    unblock(core);
    if (core->fpu_owner == thread) {
        return;
    }
    owner_save(core);
    load(thread_fpu(thread));
    core->fpu_owner = thread;
    if (thread->kind == THREAD_VCPU && features) {
        xsetbv(0, vcpu_xcr0(vcpu_of(thread)));
    }
}

void fpu_drop(struct core *core)
{
    owner_save(core);
    block(core);
}
