/* virt.h: what the kernel asks of the CPU's virtualisation, whoever made the CPU: VMX or SVM. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_VIRT_H
#define KERNEL_OBJ_VIRT_H

#include <stdbool.h>
#include <stdint.h>

struct core;
struct vcpu;

struct virt {
    const char *name;

    /* Turns virtualisation on, on the calling CPU. False, and a line in the log, if that fails. */
    bool (*start)(struct core *core);

    /* What a VCpu loads to use nested tables with that root (an EPTP; the root itself on SVM). */
    uint64_t (*nested_root)(uint64_t root);

    /* A new VCpu of zeroed memory, in the state after RESET. */
    void (*vcpu_init)(struct vcpu *vcpu);

    /* Makes the VCpu's control structure the loaded one of this CPU, and unloads it again. */
    void (*load)(struct core *core, struct vcpu *vcpu);
    void (*unload)(struct core *core, struct vcpu *vcpu);

    /* Copies VS_ groups from the state page to the control structure (the VCpu is loaded), and back. */
    void (*put)(struct vcpu *vcpu, uint64_t groups);
    void (*get)(struct vcpu *vcpu, uint64_t groups);

    /* Drops this CPU's nested translations of the VCpu's Space (I17: all of them). */
    void (*flush_nested)(struct vcpu *vcpu);

    /* Enters the guest. Does not return: the exit begins on an empty kernel stack. */
    void (*enter)(struct core *core, struct vcpu *vcpu);
};

/* The CPUs' kind, or one that refuses everything. */
extern const struct virt *virt;

/* Chooses 'virt' by what the boot CPU has. */
void virt_probe(void);

#endif
