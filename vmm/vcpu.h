/* vcpu.h: one virtual CPU as its VMM sees it, and what may be answered to its exits. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/vcpu.h"
#include "vmm/cpuid.h"
#include "vmm/decode.h"
#include "vmm/msr.h"

struct machine;

/*
 * An answer to an exit is a set of VS_ groups to load (kernel/abi/vcpu.h). These bits beyond them are
 * for the VMM's own loop (run.h).
 */
enum {
    RUN_HOLD = 1 << 16, /* not now: the virtual CPU halts */
    RUN_END = 1 << 17,  /* never: the guest has ended */
    RUN_NONE = 1 << 18, /* nobody is to be answered: the guest runs */
};

/* Architectural vectors, SDM 3A table 6-1. */
enum { VECTOR_DB = 1, VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14 };

#define RFLAGS_IF (1u << 9)

#define CPUID_CACHE_SIZE 64u

/* An answer to CPUID that was made before. */
struct cpuid_entry {
    bool valid;
    bool by_cr4; /* it holds only while the guest's CR4 is like `cr4` */
    uint32_t leaf, subleaf;
    uint64_t cr4;
    struct cpuid_regs regs;
};

#define DECODED_SIZE 16u

/* An instruction that was decoded before: what its bytes mean never changes. */
struct decoded {
    uint64_t key[2]; /* INSN_MAX_LENGTH bytes as fetched, then 1 + enum insn_mode; 0: nothing is here */
    struct insn insn;
};

/* The debug registers that the guest sees. The CPU has none of them: breakpoints don't fire. */
struct debug_registers {
    uint64_t address[4];
    uint64_t dr6, dr7;
};

/* All of it belongs to the virtual CPU's own thread. */
struct vcpu {
    struct vcpu_state *state; /* the page shared with the kernel */
    struct machine *machine;
    unsigned index;
    uint64_t now;   /* guest TSC when the exit at hand, or the signal, was received */
    bool attention; /* an interrupt may have become deliverable */
    bool window;    /* the CPU was asked for an exit when the guest can take an interrupt */
    bool halted;    /* it waits in HLT: its exit is not answered yet */
    bool kicked;    /* EXIT_KICK is on its way */
    bool nmi;       /* an NMI waits for delivery */
    uint16_t groups[EXIT_COUNT]; /* what comes with each exit (SYS_VCPU_MASK) */
    struct cpuid_policy cpuid;
    struct cpuid_entry cpuid_cache[CPUID_CACHE_SIZE];
    struct decoded decoded[DECODED_SIZE];
    struct msr_state msr;
    struct debug_registers debug;
};

/*
 * Whether `groups` came with the exit at hand, of that reason. If not they come from now on, and
 * the handler answers 0: the guest runs the instruction again. So exits that seldom need much state
 * stay cheap.
 */
bool vcpu_has(struct vcpu *vcpu, enum vcpu_exit reason, uint64_t groups);

/* The privilege level that the guest runs at: of SS (SDM 3C, 25.4.1). Needs VS_SEGMENT. */
static inline unsigned vcpu_cpl(const struct vcpu *vcpu)
{
    return vcpu->state->segment[VSEG_SS].access >> 5 & 3;
}

#endif
