/* table.c: every system call by number, with the capability type and right that it asks for. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/destroy.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"
#include "kernel/obj/vcpu.h"
#include "kernel/sys/entry.h"
#include "kernel/sys/sys.h"

/* What the low half of RDI must name. */
enum { ANY_OBJECT = OBJ_TYPE_COUNT, ANY_SLOT, NO_OBJECT };

struct sys_entry {
    sys_action *act;
    uint8_t type;   /* enum object_type, or one of the above */
    uint8_t rights;
};

static const struct sys_entry entries[SYS_COUNT] = {
    [SYS_SIGNAL] = {sys_signal, OBJ_NOTIFICATION, NT_SIGNAL},
    [SYS_WAIT] = {sys_wait, OBJ_NOTIFICATION, NT_WAIT},
    [SYS_POLL] = {sys_poll, OBJ_NOTIFICATION, NT_WAIT},
    [SYS_TIMER] = {sys_timer, OBJ_NOTIFICATION, NT_WAIT},

    [SYS_CAP_COPY] = {sys_cap_copy, ANY_OBJECT, 0},
    [SYS_CAP_MINT] = {sys_cap_mint, ANY_OBJECT, 0},
    [SYS_CAP_MOVE] = {sys_cap_move, ANY_OBJECT, 0},
    [SYS_CAP_DELETE] = {sys_cap_delete, ANY_SLOT, 0},
    [SYS_CAP_REVOKE] = {sys_cap_revoke, ANY_OBJECT, 0},
    [SYS_CAP_IDENTIFY] = {sys_cap_identify, ANY_OBJECT, 0},
    [SYS_RETYPE] = {sys_retype, OBJ_UNTYPED, UT_RETYPE},

    [SYS_THREAD_CONFIGURE] = {sys_thread_configure, OBJ_THREAD, TH_CONFIGURE},
    [SYS_THREAD_REGS] = {sys_thread_regs, OBJ_THREAD, TH_CONTROL},
    [SYS_THREAD_READ] = {sys_thread_read, OBJ_THREAD, TH_CONTROL},
    [SYS_THREAD_BIND] = {sys_thread_bind, OBJ_THREAD, TH_CONFIGURE},
    [SYS_SCHED] = {sys_sched, ANY_OBJECT, 0},
    [SYS_RESUME] = {sys_resume, ANY_OBJECT, 0},
    [SYS_SUSPEND] = {sys_suspend, ANY_OBJECT, 0},
    [SYS_SC_CONFIGURE] = {sys_sc_configure, OBJ_SCHED, SC_CONFIGURE},
    [SYS_YIELD] = {sys_yield, NO_OBJECT, 0},

    [SYS_SPACE_FUND] = {sys_space_fund, OBJ_SPACE, SP_FUND},
    [SYS_SPACE_WINDOW] = {sys_space_window, OBJ_SPACE, SP_MAP},
    [SYS_SPACE_QUERY] = {sys_space_query, OBJ_SPACE, SP_MAP},
    [SYS_MAP] = {sys_map, OBJ_SPACE, SP_MAP},
    [SYS_UNMAP] = {sys_unmap, OBJ_SPACE, SP_MAP},
    [SYS_PROTECT] = {sys_protect, OBJ_SPACE, SP_MAP},

    [SYS_VCPU_CONFIGURE] = {sys_vcpu_configure, OBJ_VCPU, VC_CONFIGURE},
    [SYS_VCPU_MASK] = {sys_vcpu_mask, OBJ_VCPU, VC_CONFIGURE},
    [SYS_VCPU_KICK] = {sys_vcpu_kick, OBJ_VCPU, VC_KICK},

    [SYS_IRQ_GET] = {sys_irq_get, OBJ_PLATFORM, PL_IRQ},
    [SYS_IRQ_BIND] = {sys_irq_bind, OBJ_IRQ, IR_USE},
    [SYS_IRQ_ACK] = {sys_irq_ack, OBJ_IRQ, IR_USE},
    [SYS_PORT_IN] = {sys_port_in, OBJ_PORTS, PO_IN},
    [SYS_PORT_OUT] = {sys_port_out, OBJ_PORTS, PO_OUT},

    [SYS_LOG] = {sys_log, OBJ_PLATFORM, PL_LOG},
    [SYS_COUNTER] = {sys_counter, OBJ_PLATFORM, PL_COUNTERS},
    [SYS_RESET] = {sys_reset, OBJ_PLATFORM, PL_RESET},
};

enum status sys_find_rarely(struct thread *self, uint32_t cptr, enum object_type type,
                            uint8_t rights, struct slot **found)
{
    struct slot *slot = cnode_lookup(&self->cspace, cptr, 0);

    if (!slot || slot_is_empty(slot)) {
        return E_CAP;
    }
    if (slot->cap.type != type) {
        return E_TYPE;
    }
    *found = slot;
    return (slot->cap.rights & rights) == rights ? OK : E_RIGHT;
}

/* What the entry asks for: calls that take anything, or nothing, are the rare ones. */
static enum status find_any(struct thread *self, const struct sys_entry *entry, struct slot **slot)
{
    if (entry->type == NO_OBJECT) {
        *slot = NULL;
        return OK;
    }
    *slot = cnode_lookup(&self->cspace, low_half(self->regs.rdi), 0);
    return *slot && (entry->type == ANY_SLOT || !slot_is_empty(*slot)) ? OK : E_CAP;
}

/* Finds what the entry asks for, and acts. */
static inline enum status perform(struct core *core, struct thread *self,
                                  const struct sys_entry *entry)
{
    struct slot *slot;
    enum status status;

    if (__builtin_expect(entry->type < OBJ_TYPE_COUNT, 1)) {
        status = sys_find(self, low_half(self->regs.rdi), entry->type, entry->rights, &slot);
    } else {
        status = find_any(self, entry, &slot);
    }
    return __builtin_expect(status == OK, 1) ? entry->act(core, self, slot) : status;
}

/* The caller may have ended or stopped itself, made something more urgent ready, or not be done. */
static void finish_rarely(struct core *core, struct thread *self, enum status status)
{
    if (core_current(core) == self) {
        if (status == SYS_AGAIN) {
            self->regs.rip -= 2;
        } else {
            self->regs.rax = status;
        }
    }
    if (core->reschedule) {
        sched_choose(core);
    }
    kernel_leave(core);
}

static inline void finish(struct core *core, struct thread *self, enum status status)
{
    if (__builtin_expect(core_current(core) == self && !core->reschedule && status != SYS_AGAIN,
                         1)) {
        self->regs.rax = status;
        klock_leave(core);
        return;
    }
    finish_rarely(core, self, status);
}

/* Beside other CPUs. */
static void sys_shared(struct thread *self)
{
    struct core *core = core_this();

    core_count(core, CT_SYSCALL);
    klock_read(core);
    finish(core, self, perform(core, self, &entries[self->regs.rax]));
}

/* While no other CPU is in the kernel. */
static void sys_alone(struct thread *self)
{
    struct core *core = core_this();
    enum status status;

    core_count(core, CT_SYSCALL);
    klock_write(core);
    status = perform(core, self, &entries[self->regs.rax]);
    space_shootdown_dirty(core);
    klock_write_end(core);
    finish(core, self, status);
}

static void sys_null(struct thread *self) { self->regs.rax = OK; }

void sys_unknown(struct thread *self) { self->regs.rax = E_CALL; }

void (*const sys_handlers[SYS_COUNT])(struct thread *) = {
    [SYS_NULL] = sys_null,
    [SYS_CALL] = sys_call,
    [SYS_RECV] = sys_recv,
    [SYS_REPLY] = sys_reply,
    [SYS_REPLY_RECV] = sys_reply_recv,
    [SYS_MAP_REPLY_RECV] = sys_map_reply_recv,
    [SYS_SIGNAL ... SYS_CAP_MINT] = sys_shared,
    [SYS_CAP_MOVE ... SYS_CAP_REVOKE] = sys_alone,
    [SYS_CAP_IDENTIFY ... SYS_RETYPE] = sys_shared,
    [SYS_THREAD_CONFIGURE ... SYS_SC_CONFIGURE] = sys_alone,
    [SYS_YIELD] = sys_shared,
    [SYS_SPACE_FUND ... SYS_SPACE_WINDOW] = sys_alone,
    [SYS_SPACE_QUERY ... SYS_PROTECT] = sys_shared,
    [SYS_VCPU_CONFIGURE ... SYS_VCPU_MASK] = sys_alone,
    [SYS_VCPU_KICK ... SYS_IRQ_GET] = sys_shared,
    [SYS_IRQ_BIND] = sys_alone,
    [SYS_IRQ_ACK ... SYS_COUNT - 1] = sys_shared,
};
_Static_assert(SYS_COUNT == 43, "entry.asm");
