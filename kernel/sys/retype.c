/* retype.c: making objects from untyped memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/bits.h"
#include "kernel/lib/lock.h"
#include "kernel/mem/phys.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"
#include "kernel/obj/vcpu.h"
#include "kernel/sys/sys.h"

/* Most bytes that one call clears, and most objects it makes: it cannot be interrupted. */
#define CLEAR_MAX (2ull << 20)
#define COUNT_MAX 512u

struct request {
    enum object_type type;
    uint8_t parameter;  /* log2 of slots or bytes, or the Space's type */
    uint8_t bits;       /* log2 of the size of one object */
    bool raw;           /* frames are not cleared */
    bool keep_raw;      /* RETYPE_RAW was given */
    uint32_t count;
    uint32_t first;     /* destination slot */
};

/* log2 of the size of one object, 0 if the parameter is out of range for the type. */
static uint8_t object_bits(enum object_type type, uint8_t parameter)
{
    static const uint8_t fixed[OBJ_TYPE_COUNT] = {
        [OBJ_THREAD] = THREAD_BITS,     [OBJ_SCHED] = SCHED_BITS,
        [OBJ_ENDPOINT] = ENDPOINT_BITS, [OBJ_REPLY] = REPLY_BITS,
        [OBJ_SPACE] = SPACE_BITS,       [OBJ_NOTIFICATION] = NOTIFICATION_BITS,
        [OBJ_VCPU] = VCPU_BITS,
    };

    switch (type) {
    case OBJ_UNTYPED:
        return parameter >= UNTYPED_MIN_BITS && parameter <= UNTYPED_MAX_BITS ? parameter : 0;
    case OBJ_CNODE:
        return parameter >= 1 && parameter <= CNODE_MAX_BITS ? parameter + SLOT_BITS : 0;
    case OBJ_FRAME:
        return parameter == FRAME_4K_BITS || parameter == FRAME_2M_BITS ||
                       parameter == FRAME_1G_BITS
                   ? parameter
                   : 0;
    default:
        return type < OBJ_TYPE_COUNT ? fixed[type] : 0;
    }
}

/* What cannot be made on this machine. */
static bool is_unsupported(const struct request *request)
{
    if (request->type == OBJ_SPACE) {
        return request->parameter >= PT_COUNT || !pt_formats[request->parameter].name;
    }
    return request->type == OBJ_VCPU && !virt->enter;
}

static enum status decode(struct thread *self, const struct cap *untyped, struct request *request)
{
    uint64_t word = self->regs.rsi;
    bool device = untyped->flags & CAP_DEVICE;

    request->type = (enum object_type)(word & 0xff);
    request->parameter = (uint8_t)(word >> 8);
    request->bits = object_bits(request->type, request->parameter);
    request->keep_raw = word >> 16 & RETYPE_RAW;
    request->raw = request->keep_raw || device || request->type == OBJ_UNTYPED;
    request->count = high_half(word);
    request->first = high_half(self->regs.rdi);
    if (request->bits == 0 || request->count == 0 || request->count > COUNT_MAX ||
        (word >> 16 & 0xffff & ~(uint64_t)RETYPE_RAW)) {
        return E_ARGUMENT;
    }
    if (is_unsupported(request)) {
        return E_UNSUPPORTED;
    }
    /* Kernel objects are made of RAM that is zero: what else was in it would be believed. */
    if ((device || request->keep_raw) && request->type != OBJ_FRAME &&
        request->type != OBJ_UNTYPED) {
        return E_ARGUMENT;
    }
    if (request->keep_raw && !(untyped->rights & UT_RAW)) {
        return E_RIGHT;
    }
    if (!request->raw && (uint64_t)request->count << request->bits > CLEAR_MAX) {
        return E_LIMIT;
    }
    return OK;
}

/* All destination slots exist, in one CNode, and are empty. derivation_lock is held. */
static enum status check_slots(struct thread *self, const struct request *request)
{
    struct slot *first = cnode_lookup(&self->cspace, request->first, CN_WRITE);

    for (uint32_t i = 0; i < request->count; i++) {
        struct slot *slot = cnode_lookup(&self->cspace, request->first + i, CN_WRITE);

        if (!slot || slot != first + i || !slot_is_empty(slot)) {
            return E_SLOT;
        }
    }
    return OK;
}

/* Where the objects go in the untyped memory; its new watermark is set. derivation_lock is held. */
static enum status take_memory(struct slot *untyped, const struct request *request,
                               uint64_t *physical)
{
    struct cap *cap = &untyped->cap;
    uint64_t size = 1ull << request->bits, used = (uint64_t)cap->badge * UNTYPED_UNIT;

    if (!untyped->next || !cap_is_parent(cap, &untyped->next->cap)) {
        used = 0;
    }
    used = align_up(used, size > UNTYPED_UNIT ? size : UNTYPED_UNIT);
    if (cap->bits < request->bits || used >= 1ull << cap->bits ||
        request->count > ((1ull << cap->bits) - used) / size) {
        return E_MEMORY;
    }
    *physical = cap->object + used;
    cap->badge = (uint32_t)((used + request->count * size + UNTYPED_UNIT - 1) / UNTYPED_UNIT);
    return OK;
}

static enum status make_object(const struct request *request, void *object)
{
    switch (request->type) {
    case OBJ_THREAD:
        thread_init(object, THREAD_USER);
        return OK;
    case OBJ_SCHED:
        sched_init(object);
        return OK;
    case OBJ_SPACE:
        return space_init(object, (enum space_type)request->parameter);
    case OBJ_VCPU:
        return vcpu_init(object);
    default:
        return OK;
    }
}

/* All, but the right to make frames that are not cleared is passed on only when asked for. */
static uint8_t object_rights(const struct request *request, uint8_t untyped)
{
    if (request->type != OBJ_UNTYPED) {
        return RIGHTS_ALL;
    }
    return request->keep_raw ? untyped : untyped & (uint8_t)~UT_RAW;
}

/* Makes them one after the other. If the kernel runs out of Space numbers, those before are there. */
static enum status make_all(struct thread *self, struct slot *untyped,
                            const struct request *request, uint64_t physical)
{
    bool memory = request->type == OBJ_FRAME || request->type == OBJ_UNTYPED;
    uint64_t size = 1ull << request->bits;
    struct cap cap = {
        .type = (uint8_t)request->type,
        .rights = object_rights(request, untyped->cap.rights),
        .flags = CAP_ORIGINAL | (untyped->cap.flags & CAP_DEVICE),
        .bits = request->bits,
    };

    for (uint32_t i = 0; i < request->count; i++, physical += size) {
        struct slot *to = cnode_lookup(&self->cspace, request->first + i, CN_WRITE);

        if (!request->raw) {
            page_clear(physical, size);
        }
        cap.object = memory ? physical : (uint64_t)page_address(physical);
        enum status status = memory ? OK : make_object(request, cap_object(&cap));

        if (status != OK) {
            untyped->cap.badge = (uint32_t)((physical - untyped->cap.object) / UNTYPED_UNIT);
            return status;
        }
        slot_insert_locked(to, cap, untyped);
    }
    return OK;
}

enum status sys_retype(struct core *core, struct thread *self, struct slot *slot)
{
    struct request request;
    uint64_t physical;
    enum status status = decode(self, &slot->cap, &request);

    (void)core;
    if (status != OK) {
        return status;
    }
    lock_take(&derivation_lock);
    status = check_slots(self, &request);
    if (status == OK) {
        status = take_memory(slot, &request, &physical);
    }
    if (status == OK) {
        status = make_all(self, slot, &request, physical);
    }
    lock_release(&derivation_lock);
    return status;
}
