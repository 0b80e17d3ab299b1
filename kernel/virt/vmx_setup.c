/* vmx_setup.c: VMX operation on each CPU, and the part of a VMCS that does not change. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/assert.h"
#include "kernel/lib/log.h"
#include "kernel/mem/phys.h"
#include "kernel/obj/space.h"
#include "kernel/virt/vmx.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/msr.h"
#include "kernel/x86/traps.h"

#define CR0_TS (1ull << 3)
#define CR4_VMXE (1ull << 13)
#define MSR_FEATURE_CONTROL 0x3au
#define FEATURE_LOCKED 1u
#define FEATURE_VMXON 4u
#define MSR_PAT 0x277u
#define MSR_TSC_AUX 0xc0000103u
#define VPID_GUEST 1u

/* As in vcpu.inc. */
_Static_assert(offsetof(struct thread, buffer) == 224, "vcpu.inc");
_Static_assert(offsetof(struct vcpu, launched) == 4150, "vcpu.inc");
_Static_assert(offsetof(struct vcpu, guest_cr2) == 4200, "vcpu.inc");
_Static_assert(offsetof(struct vcpu_state, gpr) == 0, "vcpu.inc");

enum { INVEPT_SINGLE = 1, INVEPT_ALL = 2, INVVPID_SINGLE = 1, INVVPID_ALL = 2 };

/* #DB, #AC (a guest could make the CPU deliver it for ever) and #MC, which is the host's. */
#define EXCEPTIONS_EXIT ((1u << 1) | (1u << 17) | (1u << 18))

static uint8_t vmxon_pages[MAX_CPUS][PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t msr_bitmap[PAGE_SIZE] __attribute__((aligned(4096)));

static const uint32_t switched_msrs[SWITCHED_COUNT] = {
    [SWITCHED_STAR] = MSR_STAR,     [SWITCHED_LSTAR] = MSR_LSTAR,
    [SWITCHED_CSTAR] = MSR_CSTAR,   [SWITCHED_SFMASK] = MSR_SFMASK,
    [SWITCHED_KERNEL_GS] = MSR_KERNEL_GS_BASE, [SWITCHED_TSC_AUX] = MSR_TSC_AUX,
};

/* Without RDTSCP there is no TSC_AUX. */
static unsigned switched_count(void)
{
    return cpu_features.rdtscp ? SWITCHED_COUNT : SWITCHED_TSC_AUX;
}

/* Reads of 0 to 0x1fff, of 0xc0000000 on, then writes: 1 KiB each; a clear bit does not exit (25.6.9). */
static void allow_msr(uint32_t msr)
{
    uint32_t bit = msr & 0x1fff, base = msr >= 0xc0000000 ? 1024 : 0;

    msr_bitmap[base + bit / 8] &= (uint8_t)~(1u << (bit % 8));
    msr_bitmap[base + 2048 + bit / 8] &= (uint8_t)~(1u << (bit % 8));
}

static void make_msr_bitmap(void)
{
    static const uint32_t direct[] = {
        0x174, 0x175, 0x176, /* SYSENTER: guest-state fields */
        MSR_PAT, MSR_EFER, MSR_FS_BASE, MSR_GS_BASE,
    };

    for (unsigned i = 0; i < PAGE_SIZE; i++) {
        msr_bitmap[i] = 0xff;
    }
    for (unsigned i = 0; i < sizeof(direct) / sizeof(direct[0]); i++) {
        allow_msr(direct[i]);
    }
    for (unsigned i = 0; i < switched_count(); i++) {
        allow_msr(switched_msrs[i]);
    }
}

bool vmx_start(struct core *core)
{
    uint8_t *page = vmxon_pages[core_cpu(core)->id];
    uint64_t control = 0;

    msr_read_safe(MSR_FEATURE_CONTROL, &control);
    if (!(control & FEATURE_LOCKED)) {
        msr_write_safe(MSR_FEATURE_CONTROL, control | FEATURE_LOCKED | FEATURE_VMXON);
        control |= FEATURE_LOCKED | FEATURE_VMXON;
    }
    if (!(control & FEATURE_VMXON)) {
        klog("vmx: turned off by the firmware\n");
        return false;
    }
    if (core_cpu(core)->id == 0) {
        make_msr_bitmap();
    }
    *(uint32_t *)page = vmx_caps.revision;
    write_cr0(read_cr0() | vmx_caps.cr0_fixed0);
    write_cr4(read_cr4() | CR4_VMXE | vmx_caps.cr4_fixed0);
    return vmx_on(IMAGE_TO_PHYS(page));
}

uint64_t vmx_nested_root(uint64_t root)
{
    enum { EPTP_WRITE_BACK = 6, EPTP_WALK_4 = 3 << 3, EPTP_AD = 1 << 6 }; /* 25.6.11 */

    return root | EPTP_WRITE_BACK | EPTP_WALK_4 | (vmx_caps.ept_ad ? EPTP_AD : 0u);
}

void vmx_vcpu_init(struct vcpu *vcpu)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);

    *(uint32_t *)page_address(vcpu->control_page) = vmx_caps.revision;
    vmcs_clear(vcpu->control_page);
    for (unsigned i = 0; i < SWITCHED_COUNT; i++) {
        vmx->guest[i].index = vmx->host[i].index = switched_msrs[i];
    }
}

static void write_controls(struct vcpu *vcpu)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);
    unsigned count = switched_count();

    vmcs_write(PIN_CONTROLS, vmx_caps.pin);
    vmcs_write(PRIMARY_CONTROLS, vmx_caps.primary);
    vmcs_write(SECONDARY_CONTROLS, vmx_caps.secondary);
    vmcs_write(EXIT_CONTROLS, vmx_caps.exit);
    vmcs_write(ENTRY_CONTROLS, vmx_caps.entry);
    vmcs_write(EXCEPTION_BITMAP, EXCEPTIONS_EXIT);
    vmcs_write(MSR_BITMAP, IMAGE_TO_PHYS(msr_bitmap));
    vmcs_write(VPID, vmx_caps.secondary & SECONDARY_VPID ? VPID_GUEST : 0);
    vmcs_write(EXIT_MSR_STORE_ADDRESS, page_physical(vmx->guest));
    vmcs_write(ENTRY_MSR_LOAD_ADDRESS, page_physical(vmx->guest));
    vmcs_write(EXIT_MSR_LOAD_ADDRESS, page_physical(vmx->host));
    vmcs_write(EXIT_MSR_STORE_COUNT, count);
    vmcs_write(ENTRY_MSR_LOAD_COUNT, count);
    vmcs_write(EXIT_MSR_LOAD_COUNT, count);
    vmcs_write(PREEMPTION_TIMER, vmx_caps.preemption_ticks);
    vmcs_write(CR3_TARGET_COUNT, 0);
    vmcs_write(CR0_MASK, CR0_OWNED);
    vmcs_write(CR4_MASK, CR4_OWNED);
    vmcs_write(VMCS_LINK_POINTER, UINT64_MAX);
    vmcs_write(GUEST_ACTIVITY, 0);
    vmcs_write(GUEST_PENDING_DEBUG, 0);
}

/* The host state that is the same on all CPUs. With TS set, the exit blocks the FPU for the VMM. */
static void write_host(void)
{
    vmcs_write(HOST_CR0, read_cr0() | CR0_TS);
    vmcs_write(HOST_CR4, read_cr4());
    vmcs_write(HOST_EFER, msr_read(MSR_EFER));
    vmcs_write(HOST_PAT, msr_read(MSR_PAT));
    vmcs_write(HOST_CS_SELECTOR, SEL_KERNEL_CODE);
    vmcs_write(HOST_SS_SELECTOR, SEL_KERNEL_DATA);
    vmcs_write(HOST_DS_SELECTOR, 0);
    vmcs_write(HOST_ES_SELECTOR, 0);
    vmcs_write(HOST_FS_SELECTOR, 0);
    vmcs_write(HOST_GS_SELECTOR, 0);
    vmcs_write(HOST_TR_SELECTOR, SEL_TSS);
    vmcs_write(HOST_FS_BASE, 0);
    vmcs_write(HOST_SYSENTER_CS, 0);
    vmcs_write(HOST_SYSENTER_ESP, 0);
    vmcs_write(HOST_SYSENTER_EIP, 0);
    vmcs_write(HOST_RIP, (uint64_t)vmx_exit_entry);
}

static uint64_t table_base(bool idt)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } table;

    if (idt) {
        __asm__ volatile("sidt %0" : "=m"(table));
    } else {
        __asm__ volatile("sgdt %0" : "=m"(table));
    }
    return table.base;
}

/* What belongs to the CPU on which the VCpu runs. */
static void write_host_cpu(struct core *core, struct vcpu *vcpu)
{
    struct cpu *cpu = core_cpu(core);
    struct vmx_vcpu *vmx = vmx_of(vcpu);

    vmcs_write(HOST_GS_BASE, (uint64_t)cpu);
    vmcs_write(HOST_TR_BASE, (uint64_t)&cpu->tss);
    vmcs_write(HOST_GDTR_BASE, table_base(false));
    vmcs_write(HOST_IDTR_BASE, table_base(true));
    vmcs_write(HOST_RSP, cpu->kernel_stack);
    for (unsigned i = 0; i < switched_count(); i++) {
        vmx->host[i].value = msr_read(switched_msrs[i]);
    }
}

void vmx_load(struct core *core, struct vcpu *vcpu)
{
    struct space *space = vcpu->thread.space;

    REQUIRE(vmcs_load(vcpu->control_page));
    if (vcpu->loaded_cpu == UINT32_MAX) {
        write_controls(vcpu);
        write_host();
    }
    if (vcpu->loaded_cpu != core_cpu(core)->id) {
        write_host_cpu(core, vcpu);
        vcpu->loaded_cpu = core_cpu(core)->id;
    }
    vmcs_write(EPT_POINTER, space->cr3);
    vcpu->launched = false;
    vcpu->host_cr3 = 0;
    /* All guests have one VPID: what another one, or this one on another visit, left goes (I18). */
    if (vmx_caps.secondary & SECONDARY_VPID) {
        struct invalidation what = {.id = VPID_GUEST};

        REQUIRE(vmx_invvpid(vmx_caps.invvpid_single ? INVVPID_SINGLE : INVVPID_ALL, &what));
    }
}

void vmx_unload(struct core *core, struct vcpu *vcpu)
{
    (void)core;
    REQUIRE(vmcs_clear(vcpu->control_page));
}

void vmx_flush_nested(struct vcpu *vcpu)
{
    struct invalidation what = {.id = vcpu->thread.space->cr3}; /* the whole EPTP (I17) */

    REQUIRE(vmx_invept(vmx_caps.invept_single ? INVEPT_SINGLE : INVEPT_ALL, &what));
}

void vmx_enter(struct core *core, struct vcpu *vcpu)
{
    uint64_t cr3 = core->space ? core->space->cr3 : IMAGE_TO_PHYS(kernel_pml4);

    if (__builtin_expect(cr3 != vcpu->host_cr3, 0)) {
        vcpu->host_cr3 = cr3;
        vmcs_write(HOST_CR3, cr3);
    }
    vmx_run(vcpu, vcpu_state(vcpu), vcpu->launched);
}

const struct virt vmx_virt = {
    .name = "VMX",
    .start = vmx_start,
    .nested_root = vmx_nested_root,
    .vcpu_init = vmx_vcpu_init,
    .load = vmx_load,
    .unload = vmx_unload,
    .put = vmx_put,
    .get = vmx_get,
    .flush_nested = vmx_flush_nested,
    .enter = vmx_enter,
};
