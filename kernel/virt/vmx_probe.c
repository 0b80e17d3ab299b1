/* vmx_probe.c: what the CPU's VMX offers, and the controls that follow from it (SDM 3D appendix A). */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/log.h"
#include "kernel/virt/vmx.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/msr.h"
#include "kernel/x86/tsc.h"

enum {
    MSR_FEATURE_CONTROL = 0x3a,
    MSR_VMX_BASIC = 0x480,
    MSR_VMX_PIN = 0x481,       /* the four plain control MSRs, then MISC, then CR0 and CR4 */
    MSR_VMX_PRIMARY = 0x482,
    MSR_VMX_EXIT = 0x483,
    MSR_VMX_ENTRY = 0x484,
    MSR_VMX_MISC = 0x485,
    MSR_VMX_CR0_FIXED0 = 0x486,
    MSR_VMX_CR4_FIXED0 = 0x488,
    MSR_VMX_SECONDARY = 0x48b,
    MSR_VMX_EPT_VPID = 0x48c,
    MSR_VMX_TRUE_PIN = 0x48d,  /* the "true" variants, in the same order */
};

/* IA32_VMX_EPT_VPID_CAP, appendix A.10. */
#define EPT_EXEC_ONLY (1ull << 0)
#define EPT_WALK_4 (1ull << 6)
#define EPT_WRITE_BACK (1ull << 14)
#define EPT_2M (1ull << 16)
#define EPT_1G (1ull << 17)
#define EPT_INVEPT (1ull << 20)
#define EPT_AD (1ull << 21)
#define EPT_INVEPT_SINGLE (1ull << 25)
#define EPT_INVEPT_ALL (1ull << 26)
#define EPT_INVVPID_SINGLE (1ull << 41)

#define BASIC_TRUE_CONTROLS (1ull << 55)

/* How long a guest can run at most before this CPU looks at its interrupts again, in milliseconds. */
#define SLICE_MS 1

struct vmx_caps vmx_caps;

/* One set of controls: those wanted that the CPU allows (high half), and those it insists on (low half). */
static uint32_t settle(uint32_t msr, uint32_t wanted)
{
    uint64_t allowed = msr_read(msr);

    return (wanted & (uint32_t)(allowed >> 32)) | (uint32_t)allowed;
}

static void settle_controls(uint64_t basic)
{
    uint32_t shift = basic & BASIC_TRUE_CONTROLS ? MSR_VMX_TRUE_PIN - MSR_VMX_PIN : 0;
    struct vmx_caps *caps = &vmx_caps;

    caps->pin = settle(MSR_VMX_PIN + shift,
                       PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_PREEMPTION_TIMER);
    caps->primary = settle(MSR_VMX_PRIMARY + shift,
                           PRIMARY_TSC_OFFSET | PRIMARY_HLT | PRIMARY_MWAIT | PRIMARY_RDPMC |
                               PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE | PRIMARY_MOV_DR |
                               PRIMARY_IO | PRIMARY_MSR_BITMAP | PRIMARY_MONITOR |
                               PRIMARY_SECONDARY);
    caps->exit = settle(MSR_VMX_EXIT + shift, EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_SAVE_PAT |
                                                  EXIT_LOAD_PAT | EXIT_SAVE_EFER |
                                                  EXIT_LOAD_EFER);
    caps->entry = settle(MSR_VMX_ENTRY + shift,
                         ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER);
    if (caps->primary & PRIMARY_SECONDARY) {
        caps->secondary = settle(MSR_VMX_SECONDARY,
                                 SECONDARY_EPT | SECONDARY_RDTSCP | SECONDARY_VPID |
                                     SECONDARY_WBINVD | SECONDARY_UNRESTRICTED |
                                     SECONDARY_INVPCID);
    }
}

/* What is missing for a guest to run at all; NULL: nothing. */
static const char *find_missing(uint64_t ept)
{
    if (!(vmx_caps.secondary & SECONDARY_EPT)) {
        return "EPT";
    }
    if (!(ept & EPT_WALK_4) || !(ept & EPT_WRITE_BACK)) {
        return "4-level write-back EPT";
    }
    if (!(ept & EPT_INVEPT) || !(ept & (EPT_INVEPT_SINGLE | EPT_INVEPT_ALL))) {
        return "INVEPT";
    }
    if (!(vmx_caps.primary & PRIMARY_MSR_BITMAP) || !(vmx_caps.exit & EXIT_LOAD_EFER)) {
        return "MSR bitmaps or EFER switching";
    }
    if (!(vmx_caps.pin & PIN_PREEMPTION_TIMER)) {
        return "the preemption timer";
    }
    return NULL;
}

bool vmx_probe(struct pt_caps *pt)
{
    uint64_t basic = msr_read(MSR_VMX_BASIC), misc = msr_read(MSR_VMX_MISC), ept = 0;
    const char *missing;

    vmx_caps.revision = (uint32_t)basic & 0x7fffffff;
    settle_controls(basic);
    msr_read_safe(MSR_VMX_EPT_VPID, &ept);
    missing = find_missing(ept);
    if (missing) {
        klog("vmx: this CPU lacks %s: no guests\n", missing);
        return false;
    }
    vmx_caps.unrestricted = vmx_caps.secondary & SECONDARY_UNRESTRICTED;
    vmx_caps.invept_single = ept & EPT_INVEPT_SINGLE;
    vmx_caps.invvpid_single = ept & EPT_INVVPID_SINGLE;
    vmx_caps.ept_ad = ept & EPT_AD;
    vmx_caps.cr0_fixed0 = msr_read(MSR_VMX_CR0_FIXED0);
    vmx_caps.cr4_fixed0 = msr_read(MSR_VMX_CR4_FIXED0);
    vmx_caps.preemption_ticks = (uint32_t)(tsc_hz / 1000 * SLICE_MS >> (misc & 31));
    pt->ept_2m = ept & EPT_2M;
    pt->ept_1g = ept & EPT_1G;
    pt->ept_ad = vmx_caps.ept_ad;
    pt->ept_exec_only = ept & EPT_EXEC_ONLY;
    if (!vmx_caps.unrestricted) {
        klog("vmx: no unrestricted guest: a guest must start in 64-bit mode\n");
    }
    return true;
}
