/* vcpu.h: one virtual CPU as its VMM sees it, and what may be answered to its exits. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/vcpu.h"
#include "vmm/cpuid.h"
#include "vmm/decode.h"
#include "vmm/guest_walk.h"
#include "vmm/msr.h"

struct machine;

/*
 * An answer to an exit is a set of VS_ groups to load (kernel/abi/vcpu.h). These bits beyond them
 * are for the VMM's own loop (run.h).
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

/* Whether an answer to CPUID can be given again. */
enum cpuid_use {
    CPUID_NEVER,    /* there is none */
    CPUID_ALWAYS,
    CPUID_WITH_CR4, /* only while the guest's CR4 is like `cr4`, in the bits that CPUID shows */
};

/* An answer to CPUID that was made before. */
struct cpuid_entry {
    uint32_t use; /* enum cpuid_use */
    uint32_t leaf, subleaf;
    uint32_t cr4;
    struct cpuid_regs regs;
};
_Static_assert(sizeof(struct cpuid_entry) == 32, "found by a shift");

#define DECODED_SIZE 16u
#define DECODED_ENTRIES 4u

/*
 * An instruction that was fetched and decoded before, and all that this depended on
 * (instruction.c).
 */
struct decoded {
    bool valid; /* it may be used again; else only until the next one is read */
    bool user;
    enum insn_mode mode;
    uint64_t linear; /* where it is */
    struct guest_paging paging;
    unsigned entries; /* page-table entries that were read on the way to it, and what they were */
    const uint64_t *entry[DECODED_ENTRIES];
    uint64_t value[DECODED_ENTRIES];
    const uint8_t *source; /* where the bytes are; NULL: not in one piece */
    union {
        uint8_t byte[16];
        uint64_t word[2];
    } bytes;
    size_t count; /* of bytes that can be decoded */
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
    bool eoi_offered; /* the guest may end its interrupt in memory (pv_eoi.h) */
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

#endif
