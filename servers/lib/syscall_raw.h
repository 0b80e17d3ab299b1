/* syscall_raw.h: the SYSCALL instruction with the registers of Quire's calling convention. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_SYSCALL_RAW_H
#define SERVERS_LIB_SYSCALL_RAW_H

#include <stdint.h>
#include "kernel/abi/error.h"
#include "kernel/abi/syscall.h"

/* The ABI's "low:high", two 32-bit values in one register. */
static inline uint64_t sys_pair(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

/*
 * All forms rely on the ABI's promise: RAX is the status, RCX and R11 are lost, and registers that
 * are not results stay as they were. sys_in has no results; sys_inout has all six.
 */
static inline enum status sys_in(enum syscall number, uint64_t rdi, uint64_t rsi, uint64_t rdx,
    uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t r8 __asm__("r8") = a;
    register uint64_t r9 __asm__("r9") = b;
    register uint64_t r10 __asm__("r10") = c;
    uint64_t rax = number;
    __asm__ volatile("syscall"
                     : "+a"(rax)
                     : "D"(rdi), "S"(rsi), "d"(rdx), "r"(r8), "r"(r9), "r"(r10)
                     : "rcx", "r11", "memory");
    return (enum status)rax;
}

static inline enum status sys_inout(enum syscall number, uint64_t *rdi, uint64_t *rsi,
    uint64_t *rdx, uint64_t *a, uint64_t *b, uint64_t *c)
{
    register uint64_t r8 __asm__("r8") = *a;
    register uint64_t r9 __asm__("r9") = *b;
    register uint64_t r10 __asm__("r10") = *c;
    uint64_t rax = number;
    __asm__ volatile("syscall"
                     : "+a"(rax), "+D"(*rdi), "+S"(*rsi), "+d"(*rdx), "+r"(r8), "+r"(r9), "+r"(r10)
                     :
                     : "rcx", "r11", "memory");
    *a = r8;
    *b = r9;
    *c = r10;
    return (enum status)rax;
}

/* For calls of up to three arguments: the other registers are not even loaded. */
static inline enum status sys_short(enum syscall number, uint64_t rdi, uint64_t rsi, uint64_t rdx)
{
    uint64_t rax = number;
    __asm__ volatile("syscall" : "+a"(rax) : "D"(rdi), "S"(rsi), "d"(rdx) : "rcx", "r11", "memory");
    return (enum status)rax;
}

#endif
