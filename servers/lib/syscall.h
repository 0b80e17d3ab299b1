/* syscall.h: one inline stub per system call, as kernel/abi/syscall.h describes them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_SYSCALL_H
#define SERVERS_LIB_SYSCALL_H

#include <stddef.h>
#include <stdint.h>
#include "kernel/abi/error.h"
#include "kernel/abi/message.h"
#include "kernel/abi/syscall.h"
#include "servers/lib/syscall_raw.h"

/* A message, sent or received. `badge` is set by a receive only. */
struct message {
    uint64_t badge;
    uint64_t tag;
    uint64_t word[TAG_SIMPLE_MAX];
};

/* What SYS_CAP_IDENTIFY says about a capability. */
struct cap_identity {
    uint32_t type; /* enum object_type */
    uint32_t rights;
    uint32_t bits; /* log2 of its size */
    uint32_t badge;
    uint64_t physical; /* Frame, Untyped; first:last port for Ports */
    uint64_t free;     /* Untyped: bytes not used yet */
};

/* What SYS_SPACE_QUERY says about an address and its Space. */
struct space_query {
    uint64_t mapping; /* physical address | MAP_ flags */
    uint64_t mapped;  /* pages mapped in the Space */
    uint64_t reserve; /* free pages in its reserve */
};

/* A thread's registers, as SYS_THREAD_READ gives them. */
struct thread_state {
    uint64_t rip, rsp, rflags, rax, rbp;
};

static inline enum status sys_null(void)
{
    return sys_short(SYS_NULL, 0, 0, 0);
}

/* --- messages --- */

static inline enum status sys_message(enum syscall number, uint64_t rdi, struct message *m)
{
    m->badge = rdi;
    return sys_inout(
        number, &m->badge, &m->tag, &m->word[0], &m->word[1], &m->word[2], &m->word[3]);
}

/* Sends `m` and waits for the answer, which replaces it. */
static inline enum status sys_call(uint32_t endpoint, struct message *m)
{
    return sys_message(SYS_CALL, endpoint, m);
}

/* Waits for a message; its sender is then held by `reply`. */
static inline enum status sys_recv(uint32_t endpoint, uint32_t reply, struct message *m)
{
    return sys_message(SYS_RECV, sys_pair(endpoint, reply), m);
}

static inline enum status sys_reply(uint32_t reply, const struct message *m)
{
    return sys_in(
        SYS_REPLY, sys_pair(0, reply), m->tag, m->word[0], m->word[1], m->word[2], m->word[3]);
}

/* Answers with `m`, then receives into it. */
static inline enum status sys_reply_recv(uint32_t endpoint, uint32_t reply, struct message *m)
{
    return sys_message(SYS_REPLY_RECV, sys_pair(endpoint, reply), m);
}

/*
 * Maps one page for the faulter that `reply` holds, resumes it, and receives into `m`. If the map
 * fails nothing was answered, the status says why, and m->tag is what sys_map would give in
 * `lacking`.
 */
static inline enum status sys_map_reply_recv(uint32_t endpoint, uint32_t reply, uint32_t space,
    uint32_t frame, uint64_t offset, uint64_t address_flags, struct message *m)
{
    m->tag = sys_pair(space, frame);
    m->word[0] = offset;
    m->word[1] = address_flags;
    return sys_message(SYS_MAP_REPLY_RECV, sys_pair(endpoint, reply), m);
}

/* --- notifications --- */

static inline enum status sys_signal(uint32_t notification)
{
    return sys_short(SYS_SIGNAL, notification, 0, 0);
}

static inline enum status sys_bits(enum syscall number, uint32_t notification, uint64_t *bits)
{
    uint64_t rax = number;
    *bits = notification;
    __asm__ volatile("syscall" : "+a"(rax), "+D"(*bits) : : "rcx", "r11", "memory");
    return (enum status)rax;
}

/* Waits until a bit is set; takes and clears all that are. */
static inline enum status sys_wait(uint32_t notification, uint64_t *bits)
{
    return sys_bits(SYS_WAIT, notification, bits);
}

static inline enum status sys_poll(uint32_t notification, uint64_t *bits)
{
    return sys_bits(SYS_POLL, notification, bits);
}

/* Signals the notification when the TSC reaches `deadline`; 0 disarms. */
static inline enum status sys_timer(uint32_t notification, uint64_t deadline)
{
    return sys_short(SYS_TIMER, notification, deadline, 0);
}

/* --- capabilities --- */

static inline enum status sys_cap_copy(uint32_t source, uint32_t destination, uint32_t rights)
{
    return sys_short(SYS_CAP_COPY, sys_pair(source, destination), rights, 0);
}

/* `badge`: of an Endpoint or Notification; for Ports sys_pair(first, last). */
static inline enum status sys_cap_mint(
    uint32_t source, uint32_t destination, uint32_t rights, uint64_t badge)
{
    return sys_short(SYS_CAP_MINT, sys_pair(source, destination), rights, badge);
}

static inline enum status sys_cap_move(uint32_t source, uint32_t destination)
{
    return sys_short(SYS_CAP_MOVE, sys_pair(source, destination), 0, 0);
}

static inline enum status sys_cap_delete(uint32_t slot)
{
    return sys_short(SYS_CAP_DELETE, slot, 0, 0);
}

static inline enum status sys_cap_revoke(uint32_t slot)
{
    return sys_short(SYS_CAP_REVOKE, slot, 0, 0);
}

static inline enum status sys_cap_identify(uint32_t slot, struct cap_identity *id)
{
    uint64_t rdi = slot, rsi = 0, rdx = 0, r8 = 0, r9 = 0, r10 = 0;
    enum status status = sys_inout(SYS_CAP_IDENTIFY, &rdi, &rsi, &rdx, &r8, &r9, &r10);
    id->type = (uint32_t)(rsi & 0xff);
    id->rights = (uint32_t)(rsi >> 8 & 0xff);
    id->bits = (uint32_t)(rsi >> 16 & 0xff);
    id->badge = (uint32_t)(rsi >> 32);
    id->physical = rdx;
    id->free = r8;
    return status;
}

/* Makes `count` objects, in the slots from `first` on; `bits`: log2 of the size, if it varies. */
static inline enum status sys_retype(
    uint32_t untyped, uint32_t first, uint32_t type, uint32_t bits, uint32_t flags, uint32_t count)
{
    return sys_short(SYS_RETYPE, sys_pair(untyped, first),
        (uint64_t)count << 32 | flags << 16 | bits << 8 | type, 0);
}

/* --- threads and scheduling --- */

static inline enum status sys_thread_configure(uint32_t thread, uint32_t cnode, uint32_t space,
    uint32_t fault, uint32_t buffer_frame, uint64_t buffer_offset)
{
    return sys_in(SYS_THREAD_CONFIGURE, thread, sys_pair(cnode, space),
        sys_pair(fault, buffer_frame), buffer_offset, 0, 0);
}

static inline enum status sys_thread_regs(
    uint32_t thread, uint64_t rip, uint64_t rsp, uint64_t rdi, uint64_t rsi, uint64_t flags)
{
    return sys_in(SYS_THREAD_REGS, thread, rip, rsp, rdi, rsi, flags);
}

static inline enum status sys_thread_read(uint32_t thread, struct thread_state *state)
{
    uint64_t rdi = thread;
    *state = (struct thread_state){ 0 };
    return sys_inout(
        SYS_THREAD_READ, &rdi, &state->rip, &state->rsp, &state->rflags, &state->rax, &state->rbp);
}

/* The signals of `notification` arrive at the thread's receives; 0 unbinds. */
static inline enum status sys_thread_bind(uint32_t thread, uint32_t notification)
{
    return sys_short(SYS_THREAD_BIND, sys_pair(thread, notification), 0, 0);
}

/* `thread` may be a VCpu. `sched` 0: passive, it runs only on the time of its callers. */
static inline enum status sys_sched(
    uint32_t thread, uint32_t sched, uint32_t priority, uint32_t cpu)
{
    return sys_short(SYS_SCHED, sys_pair(thread, sched), (uint64_t)cpu << 8 | priority, 0);
}

static inline enum status sys_resume(uint32_t thread)
{
    return sys_short(SYS_RESUME, thread, 0, 0);
}

static inline enum status sys_suspend(uint32_t thread)
{
    return sys_short(SYS_SUSPEND, thread, 0, 0);
}

static inline enum status sys_sc_configure(uint32_t sched, uint64_t budget, uint64_t period)
{
    return sys_short(SYS_SC_CONFIGURE, sched, budget, period);
}

static inline enum status sys_yield(void)
{
    return sys_short(SYS_YIELD, 0, 0, 0);
}

/* --- memory --- */

/* The Space takes `untyped` for its tables. `*reserve` (may be NULL): pages that it has then. */
static inline enum status sys_space_fund(uint32_t space, uint32_t untyped, uint64_t *reserve)
{
    uint64_t rdi = sys_pair(space, untyped), rsi = 0, rdx = 0, r8 = 0, r9 = 0, r10 = 0;
    enum status status = sys_inout(SYS_SPACE_FUND, &rdi, &rsi, &rdx, &r8, &r9, &r10);
    if (reserve != NULL) {
        *reserve = rsi;
    }
    return status;
}

static inline enum status sys_space_window(uint32_t space, uint64_t first, uint64_t last)
{
    return sys_short(SYS_SPACE_WINDOW, space, first, last);
}

static inline enum status sys_space_query(
    uint32_t space, uint64_t address, struct space_query *query)
{
    uint64_t rdi = space, rsi = address, rdx = 0, r8 = 0, r9 = 0, r10 = 0;
    enum status status = sys_inout(SYS_SPACE_QUERY, &rdi, &rsi, &rdx, &r8, &r9, &r10);
    *query = (struct space_query){ .mapping = rsi, .mapped = rdx, .reserve = r8 };
    return status;
}

/* Maps `count` pages of the size in the flags; `*lacking` (may be NULL) is set on E_RESERVE. */
static inline enum status sys_map(uint32_t space, uint32_t frame, uint64_t offset,
    uint64_t address_flags, uint64_t count, uint64_t *lacking)
{
    uint64_t rdi = sys_pair(space, frame), rsi = offset, rdx = address_flags;
    uint64_t r8 = count, r9 = 0, r10 = 0;
    enum status status = sys_inout(SYS_MAP, &rdi, &rsi, &rdx, &r8, &r9, &r10);
    if (lacking != NULL) {
        *lacking = status == E_RESERVE ? rsi : 0;
    }
    return status;
}

/* Unmaps what is mapped in `pages` pages of 4 KiB; `*unmapped` (may be NULL) says how many were. */
static inline enum status sys_unmap(
    uint32_t space, uint64_t address, uint64_t pages, uint64_t *unmapped)
{
    uint64_t rdi = space, rsi = address, rdx = pages, r8 = 0, r9 = 0, r10 = 0;
    enum status status = sys_inout(SYS_UNMAP, &rdi, &rsi, &rdx, &r8, &r9, &r10);
    if (unmapped != NULL) {
        *unmapped = rsi;
    }
    return status;
}

static inline enum status sys_protect(uint32_t space, uint64_t address_rights, uint64_t pages)
{
    uint64_t rdi = space, rsi = address_rights, rdx = pages, r8 = 0, r9 = 0, r10 = 0;
    return sys_inout(SYS_PROTECT, &rdi, &rsi, &rdx, &r8, &r9, &r10);
}

/*
 * --- virtual CPUs
 * -----------------------------------------------------------------------------------------
 */

static inline enum status sys_vcpu_configure(uint32_t vcpu, uint32_t space, uint32_t state_frame,
    uint64_t state_offset, uint32_t exit_endpoint, uint32_t fault_endpoint)
{
    return sys_in(SYS_VCPU_CONFIGURE, vcpu, sys_pair(space, state_frame),
        sys_pair(exit_endpoint, fault_endpoint), state_offset, 0, 0);
}

static inline enum status sys_vcpu_mask(uint32_t vcpu, uint32_t exit_reason, uint64_t groups)
{
    return sys_short(SYS_VCPU_MASK, vcpu, exit_reason, groups);
}

static inline enum status sys_vcpu_kick(uint32_t vcpu)
{
    return sys_short(SYS_VCPU_KICK, vcpu, 0, 0);
}

/* --- devices and platform --- */

static inline enum status sys_irq_get(
    uint32_t platform, uint32_t slot, uint32_t interrupt, uint32_t flags)
{
    return sys_short(SYS_IRQ_GET, sys_pair(platform, slot), sys_pair(interrupt, flags), 0);
}

static inline enum status sys_irq_bind(uint32_t irq, uint32_t notification)
{
    return sys_short(SYS_IRQ_BIND, sys_pair(irq, notification), 0, 0);
}

static inline enum status sys_irq_ack(uint32_t irq)
{
    return sys_short(SYS_IRQ_ACK, irq, 0, 0);
}

static inline enum status sys_port_in(
    uint32_t ports, uint16_t port, unsigned width, uint32_t *value)
{
    uint64_t rax = SYS_PORT_IN, rsi = port;
    __asm__ volatile("syscall"
                     : "+a"(rax), "+S"(rsi)
                     : "D"((uint64_t)ports), "d"((uint64_t)width)
                     : "rcx", "r11", "memory");
    *value = (uint32_t)rsi;
    return (enum status)rax;
}

static inline enum status sys_port_out(
    uint32_t ports, uint16_t port, unsigned width, uint32_t value)
{
    return sys_in(SYS_PORT_OUT, ports, port, width, value, 0, 0);
}

/* Writes up to 32 bytes to the kernel's log. `words` holds them, the first byte lowest. */
static inline enum status sys_log(uint32_t platform, unsigned count, const uint64_t words[4])
{
    return sys_in(SYS_LOG, platform, count, words[0], words[1], words[2], words[3]);
}

/* `*hz` (may be NULL) is the TSC's frequency. */
static inline enum status sys_counter(
    uint32_t platform, uint32_t counter, uint32_t cpu, uint64_t *value, uint64_t *hz)
{
    uint64_t rdi = platform, rsi = counter, rdx = cpu, r8 = 0, r9 = 0, r10 = 0;
    enum status status = sys_inout(SYS_COUNTER, &rdi, &rsi, &rdx, &r8, &r9, &r10);
    *value = rsi;
    if (hz != NULL) {
        *hz = rdx;
    }
    return status;
}

/* Resets the machine, or halts it for ever. */
static inline enum status sys_reset(uint32_t platform, int halt)
{
    return sys_short(SYS_RESET, platform, halt != 0, 0);
}

#endif
