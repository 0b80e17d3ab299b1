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
    bool alone;     /* takes the kernel lock for writing */
};

static const struct sys_entry entries[SYS_COUNT] = {
    [SYS_SIGNAL] = {sys_signal, OBJ_NOTIFICATION, NT_SIGNAL, false},
    [SYS_WAIT] = {sys_wait, OBJ_NOTIFICATION, NT_WAIT, false},
    [SYS_POLL] = {sys_poll, OBJ_NOTIFICATION, NT_WAIT, false},
    [SYS_TIMER] = {sys_timer, OBJ_NOTIFICATION, NT_WAIT, false},

    [SYS_CAP_COPY] = {sys_cap_copy, ANY_OBJECT, 0, false},
    [SYS_CAP_MINT] = {sys_cap_mint, ANY_OBJECT, 0, false},
    [SYS_CAP_MOVE] = {sys_cap_move, ANY_OBJECT, 0, true},
    [SYS_CAP_DELETE] = {sys_cap_delete, ANY_SLOT, 0, true},
    [SYS_CAP_REVOKE] = {sys_cap_revoke, ANY_OBJECT, 0, true},
    [SYS_CAP_IDENTIFY] = {sys_cap_identify, ANY_OBJECT, 0, false},
    [SYS_RETYPE] = {sys_retype, OBJ_UNTYPED, UT_RETYPE, false},

    [SYS_THREAD_CONFIGURE] = {sys_thread_configure, OBJ_THREAD, TH_CONFIGURE, true},
    [SYS_THREAD_REGS] = {sys_thread_regs, OBJ_THREAD, TH_CONTROL, true},
    [SYS_THREAD_READ] = {sys_thread_read, OBJ_THREAD, TH_CONTROL, true},
    [SYS_THREAD_BIND] = {sys_thread_bind, OBJ_THREAD, TH_CONFIGURE, true},
    [SYS_SCHED] = {sys_sched, ANY_OBJECT, 0, true},
    [SYS_RESUME] = {sys_resume, ANY_OBJECT, 0, true},
    [SYS_SUSPEND] = {sys_suspend, ANY_OBJECT, 0, true},
    [SYS_SC_CONFIGURE] = {sys_sc_configure, OBJ_SCHED, SC_CONFIGURE, true},
    [SYS_YIELD] = {sys_yield, NO_OBJECT, 0, false},

    [SYS_SPACE_FUND] = {sys_space_fund, OBJ_SPACE, SP_FUND, true},
    [SYS_SPACE_WINDOW] = {sys_space_window, OBJ_SPACE, SP_MAP, true},
    [SYS_SPACE_QUERY] = {sys_space_query, OBJ_SPACE, SP_MAP, false},
    [SYS_MAP] = {sys_map, OBJ_SPACE, SP_MAP, false},
    [SYS_UNMAP] = {sys_unmap, OBJ_SPACE, SP_MAP, false},
    [SYS_PROTECT] = {sys_protect, OBJ_SPACE, SP_MAP, false},

    [SYS_VCPU_CONFIGURE] = {sys_vcpu_configure, OBJ_VCPU, VC_CONFIGURE, true},
    [SYS_VCPU_MASK] = {sys_vcpu_mask, OBJ_VCPU, VC_CONFIGURE, true},
    [SYS_VCPU_KICK] = {sys_vcpu_kick, OBJ_VCPU, VC_KICK, false},

    [SYS_IRQ_GET] = {sys_irq_get, OBJ_PLATFORM, PL_IRQ, false},
    [SYS_IRQ_BIND] = {sys_irq_bind, OBJ_IRQ, IR_USE, true},
    [SYS_IRQ_ACK] = {sys_irq_ack, OBJ_IRQ, IR_USE, false},
    [SYS_PORT_IN] = {sys_port_in, OBJ_PORTS, PO_IN, false},
    [SYS_PORT_OUT] = {sys_port_out, OBJ_PORTS, PO_OUT, false},

    [SYS_LOG] = {sys_log, OBJ_PLATFORM, PL_LOG, false},
    [SYS_COUNTER] = {sys_counter, OBJ_PLATFORM, PL_COUNTERS, false},
    [SYS_RESET] = {sys_reset, OBJ_PLATFORM, PL_RESET, false},
};

/* Finds what the entry asks for, and acts. */
static enum status perform(struct core *core, struct thread *self, const struct sys_entry *entry)
{
    struct slot *slot = NULL;
    enum status status = OK;
    uint32_t cptr = low_half(self->regs.rdi);

    if (__builtin_expect(entry->type < OBJ_TYPE_COUNT, 1)) {
        status = sys_find(self, cptr, entry->type, entry->rights, &slot);
    } else if (entry->type != NO_OBJECT) {
        slot = cnode_lookup(&self->cspace, cptr, 0);
        if (!slot || (entry->type == ANY_OBJECT && slot_is_empty(slot))) {
            status = E_CAP;
        }
    }
    return status == OK ? entry->act(core, self, slot) : status;
}

/* The caller may have ended or stopped itself, or made something more urgent ready. */
static inline void finish(struct core *core, struct thread *self, enum status status)
{
    if (__builtin_expect(core_current(core) == self, 1)) {
        if (status == SYS_AGAIN) {
            self->regs.rip -= 2;
        } else {
            self->regs.rax = status;
        }
    }
    if (__builtin_expect(core->reschedule, 0)) {
        sched_choose(core);
    }
    kernel_leave(core);
}

static void sys_common(struct thread *self)
{
    struct core *core = core_this();
    const struct sys_entry *entry = &entries[self->regs.rax];
    enum status status;

    core_count(core, CT_SYSCALL);
    if (!entry->alone) {
        klock_read(core);
        status = perform(core, self, entry);
    } else {
        klock_write(core);
        status = perform(core, self, entry);
        space_shootdown_dirty(core);
        klock_write_end(core);
    }
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
    [SYS_SIGNAL ... SYS_COUNT - 1] = sys_common,
};
_Static_assert(SYS_COUNT == 43, "entry.asm");
