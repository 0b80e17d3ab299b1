/* vmx_exit.c: what each VM exit becomes: something the kernel does, or a message. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/obj/klock.h"
#include "kernel/obj/sched.h"
#include "kernel/virt/vmx.h"

/* Exits that go to the VMM as they are, with no words of their own; 0 is EXIT_KICK, which no exit is. */
static const uint8_t plain_exits[REASON_COUNT] = {
    [REASON_TRIPLE_FAULT] = EXIT_TRIPLE_FAULT,
    [REASON_INIT] = EXIT_INIT,
    [REASON_SIPI] = EXIT_SIPI,
    [REASON_TASK_SWITCH] = EXIT_TASK_SWITCH,
    [REASON_CPUID] = EXIT_CPUID,
    [REASON_HLT] = EXIT_HLT,
    [REASON_INVD] = EXIT_INVD,
    [REASON_WBINVD] = EXIT_INVD,
    [REASON_VMCALL] = EXIT_HYPERCALL,
    [REASON_RDMSR] = EXIT_MSR_READ,
    [REASON_WRMSR] = EXIT_MSR_WRITE,
    [REASON_XSETBV] = EXIT_XSETBV,
};

/* Instructions of VMX, MONITOR, RDPMC, GETSEC and the like: this VCpu has none of them (appendix C). */
static bool is_privileged(uint32_t reason)
{
    return reason == 11 || reason == 15 || (reason >= 19 && reason <= 27) || reason == 36 ||
           reason == 39 || reason == 50 || reason == 53 || reason == 59 || reason == 60;
}

/* Qualification of an I/O instruction, SDM 3C table 28-5. */
static void exit_io(struct core *core, struct vcpu *vcpu)
{
    uint64_t q = vmcs_read(EXIT_QUALIFICATION), word = (q >> 16 & 0xffff) | ((q & 7) + 1) << 16;

    word |= (q & 8 ? VIO_IN : 0) | (q & 16 ? VIO_STRING : 0) | (q & 32 ? VIO_REP : 0);
    vcpu_exit(core, vcpu, EXIT_IO, word, q & 16 ? vmcs_read(GUEST_LINEAR_ADDRESS) : 0, 0);
}

/* Qualification of an EPT violation, table 28-7: 0-2 the access, 3-5 what the entry allows, 7 linear address valid. */
static void exit_ept_violation(struct core *core, struct vcpu *vcpu)
{
    uint64_t q = vmcs_read(EXIT_QUALIFICATION);
    uint64_t access = (q & 7) | (q & 0x38 ? FAULT_PRESENT : 0);

    vcpu_fault(core, vcpu, vmcs_read(GUEST_PHYSICAL_ADDRESS), access,
               q & 0x80 ? vmcs_read(GUEST_LINEAR_ADDRESS) : 0);
}

static void exit_exception(struct core *core, struct vcpu *vcpu)
{
    uint64_t event = vmcs_read(EXIT_EVENT);

    if (EVENT_TYPE(event) == EVENT_TYPE_NMI) {
        return; /* the host's: its sender only wanted this CPU to leave the guest */
    }
    if ((event & 0xff) == VECTOR_MACHINE_CHECK) {
        panic("machine check while a guest ran");
    }
    vcpu_exit(core, vcpu, EXIT_EXCEPTION, event, vmcs_read(EXIT_EVENT_ERROR),
              vmcs_read(EXIT_QUALIFICATION));
}

static void exit_misconfigured(struct core *core, struct vcpu *vcpu)
{
    uint64_t address = vmcs_read(GUEST_PHYSICAL_ADDRESS);

    core_count(core, CT_MISCONFIGURED);
    klog("vmx: EPT misconfiguration at 0x%lx (I11)\n", address);
    vcpu_exit(core, vcpu, EXIT_MISCONFIGURED, address, 0, 0);
}

static void exit_window(struct core *core, struct vcpu *vcpu)
{
    vmcs_write(PRIMARY_CONTROLS, vmx_caps.primary);
    vcpu_exit(core, vcpu, EXIT_WINDOW, 0, 0, 0);
}

/*
 * What is loaded is not launched, or still is, whichever it was: cleared, it is not, and known to be (SDM 3C 24.11.3).
 */
static void exit_entry_failed(struct core *core, struct vcpu *vcpu, uint64_t reason)
{
    vcpu_exit(core, vcpu, EXIT_ENTRY_FAILED, reason, vmcs_read(EXIT_QUALIFICATION), 0);
    vcpu_unload(core);
}

static void dispatch(struct core *core, struct vcpu *vcpu, uint32_t reason)
{
    uint64_t qualification;

    switch (reason) {
    case REASON_EPT_VIOLATION:
        exit_ept_violation(core, vcpu);
        return;
    case REASON_IO:
        exit_io(core, vcpu);
        return;
    case REASON_CR_ACCESS: /* the ABI's word is the hardware's, table 28-3 */
        vcpu_exit(core, vcpu, EXIT_CR, vmcs_read(EXIT_QUALIFICATION), 0, 0);
        return;
    case REASON_MOV_DR:
        vcpu_exit(core, vcpu, EXIT_DR, vmcs_read(EXIT_QUALIFICATION), 0, 0);
        return;
    case REASON_INTERRUPT_WINDOW:
        exit_window(core, vcpu);
        return;
    case REASON_EXCEPTION:
        exit_exception(core, vcpu);
        return;
    case REASON_EPT_MISCONFIGURATION:
        exit_misconfigured(core, vcpu);
        return;
    default:
        if (reason & REASON_ENTRY_FAILED) {
            exit_entry_failed(core, vcpu, reason);
            return;
        }
        qualification = vmcs_read(EXIT_QUALIFICATION);
        vcpu_exit(core, vcpu, is_privileged(reason) ? EXIT_PRIVILEGED : EXIT_OTHER, reason,
                  qualification, 0);
    }
}

/* An exit in the middle of the delivery of an event: the next entry delivers it again (28.2.4). */
static void keep_event(uint64_t event)
{
    unsigned type = EVENT_TYPE(event);

    vmcs_write(ENTRY_EVENT, event & ~(1ull << 12));
    if (event & EVENT_HAS_ERROR) {
        vmcs_write(ENTRY_EVENT_ERROR, vmcs_read(VECTORING_EVENT_ERROR));
    }
    if (type == EVENT_TYPE_SOFT_INT || type == EVENT_TYPE_PRIV_SOFT ||
        type == EVENT_TYPE_SOFT_EXC) {
        vmcs_write(ENTRY_INSTRUCTION_LENGTH, vmcs_read(EXIT_INSTRUCTION_LENGTH));
    }
}

/* Lets a pending interrupt in: it drops this exit, and goes on from interrupt_handle(). */
static void accept_interrupts(void) { __asm__ volatile("sti; nop; cli" : : : "memory"); }

void vmx_exited(struct vcpu *vcpu)
{
    struct core *core = core_this();
    uint32_t reason = (uint32_t)vmcs_read(EXIT_REASON);
    uint64_t event = vmcs_read(VECTORING_EVENT);

    vcpu_left(core);
    core->fpu_blocked = true; /* by the host's CR0 */
    if (__builtin_expect(event & EVENT_VALID, 0)) {
        keep_event(event);
    }
    if (reason == REASON_EXTERNAL_INTERRUPT || reason == REASON_PREEMPTION_TIMER) {
        accept_interrupts();
        klock_read(core);
        kernel_leave(core);
        return;
    }
    klock_read(core);
    if (__builtin_expect(core->vcpu != vcpu, 0)) {
        vcpu_reload(core, vcpu);
    }
    if (reason < REASON_COUNT && plain_exits[reason]) {
        vcpu_exit(core, vcpu, plain_exits[reason], 0, 0, 0);
    } else {
        dispatch(core, vcpu, reason);
    }
    kernel_leave(core);
}

void vmx_entry_failed(struct vcpu *vcpu)
{
    struct core *core = core_this();

    vcpu_left(core);
    klock_read(core);
    vcpu_reload(core, vcpu);
    vcpu_exit(core, vcpu, EXIT_ENTRY_FAILED, vmcs_read(INSTRUCTION_ERROR), 0, 0);
    vcpu_unload(core);
    kernel_leave(core);
}
