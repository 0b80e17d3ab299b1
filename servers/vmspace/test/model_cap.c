/* model_cap.c: the kernel's model: objects and capabilities. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "servers/vmspace/test/model_state.h"

pthread_mutex_t model_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t model_change = PTHREAD_COND_INITIALIZER;
struct model_object *model_objects;
struct model_cap *model_caps;
struct model_figures model_numbers;

/* Numbers are never used again: what holds the number of a dead one holds nothing. */
static int object_count, cap_count;
static int by_slot[8][1 << 16]; /* capability + 1, by the node (root: 0) and the slot */

static int *place(uint32_t slot)
{
    uint32_t high = slot >> 16, low = slot & 0xffff;
    uint32_t node = high == 0 ? 0 : high - MODEL_FREE_SLOT + 1;
    return node < 8 && low != 0 ? &by_slot[node][low] : NULL;
}

void model_cap_reset(void)
{
    free(model_objects);
    free(model_caps);
    model_objects = calloc(MODEL_OBJECTS, sizeof *model_objects);
    model_caps = calloc(MODEL_CAPS, sizeof *model_caps);
    memset(by_slot, 0, sizeof by_slot);
    memset(&model_numbers, 0, sizeof model_numbers);
    object_count = cap_count = 0;
}

int model_new_object(enum object_type type, unsigned bits, int origin)
{
    if (object_count == MODEL_OBJECTS) {
        abort();
    }
    struct model_object *object = &model_objects[object_count];
    object->type = type;
    object->alive = true;
    object->bits = bits;
    object->origin = origin;
    if (origin >= 0) {
        model_objects[origin].children++;
    }
    return object_count++;
}

int model_new_cap(uint32_t slot, int object, int parent, unsigned rights, uint32_t badge)
{
    if (cap_count == (int)MODEL_CAPS) {
        abort();
    }
    model_caps[cap_count] = (struct model_cap){ true, slot, object, parent, rights, badge };
    if (slot != 0) {
        *place(slot) = cap_count + 1;
    }
    return cap_count++;
}

int model_cap_at(uint32_t slot)
{
    int *at = place(slot);
    return at != NULL ? *at - 1 : -1;
}

static void kill_object(int index)
{
    struct model_object *object = &model_objects[index];
    object->alive = false;
    if (object->type == OBJ_SPACE) {
        model_kill_space(index);
    }
    if (object->origin >= 0) {
        model_objects[object->origin].children--;
    }
}

void model_drop_cap(int cap)
{
    int object = model_caps[cap].object;
    if (model_caps[cap].slot != 0) {
        *place(model_caps[cap].slot) = 0;
    }
    for (int i = 0; i < cap_count; i++) {
        if (model_caps[i].used && model_caps[i].parent == cap) {
            model_caps[i].parent = model_caps[cap].parent;
        }
    }
    model_caps[cap].used = false;
    for (int i = 0; i < cap_count; i++) {
        if (model_caps[i].used && model_caps[i].object == object) {
            return;
        }
    }
    kill_object(object);
}

void model_drop_children(int cap)
{
    for (int i = 0; i < cap_count; i++) {
        if (model_caps[i].used && model_caps[i].parent == cap) {
            model_drop_children(i);
            model_drop_cap(i);
        }
    }
}

static bool slot_is_free(uint32_t slot)
{
    return place(slot) != NULL && model_cap_at(slot) < 0;
}

static enum status retype(int cap, uint32_t first, enum object_type type, unsigned bits,
                          unsigned count)
{
    static const unsigned fixed[OBJ_TYPE_COUNT] = {
        [OBJ_THREAD] = THREAD_BITS,     [OBJ_SCHED] = SCHED_BITS,
        [OBJ_ENDPOINT] = ENDPOINT_BITS, [OBJ_REPLY] = REPLY_BITS,
        [OBJ_SPACE] = SPACE_BITS,       [OBJ_NOTIFICATION] = NOTIFICATION_BITS,
    };
    int untyped = model_caps[cap].object;
    struct model_object *memory = &model_objects[untyped];
    unsigned size_bits = type == OBJ_CNODE  ? bits + SLOT_BITS
                         : fixed[type] != 0 ? fixed[type]
                                            : bits;
    uint64_t size = 1ull << size_bits, total = 1ull << memory->bits;
    uint64_t used = memory->children == 0 ? 0 : memory->used;
    used = (used + size - 1) & ~(size - 1);
    for (unsigned i = 0; i < count; i++) {
        if (!slot_is_free(first + i)) {
            return E_SLOT;
        }
    }
    if (used >= total || count > (total - used) / size) {
        return E_MEMORY;
    }
    for (unsigned i = 0; i < count; i++) {
        int made = model_new_object(type, size_bits, untyped);
        model_objects[made].base = memory->base + (used + i * size) / 4096;
        model_new_cap(first + i, made, cap, RIGHTS_ALL, 0);
    }
    memory->used = used + count * size;
    return OK;
}

enum status kernel_retype(uint32_t untyped, uint32_t first, enum object_type type, unsigned bits,
                          unsigned flags, unsigned count)
{
    pthread_mutex_lock(&model_lock);
    int cap = model_cap_at(untyped);
    enum status status = E_CAP;
    if (cap >= 0) {
        status = model_objects[model_caps[cap].object].type == OBJ_UNTYPED ? OK : E_TYPE;
    }
    if (status == OK && (flags & RETYPE_RAW) != 0 && (model_caps[cap].rights & UT_RAW) == 0) {
        status = E_RIGHT;
    }
    if (status == OK) {
        status = retype(cap, first, type, bits, count);
    }
    pthread_mutex_unlock(&model_lock);
    return status;
}

enum status kernel_identify(uint32_t slot, struct cap_identity *id)
{
    pthread_mutex_lock(&model_lock);
    int cap = model_cap_at(slot);
    *id = (struct cap_identity){ 0 };
    if (cap >= 0) {
        const struct model_object *object = &model_objects[model_caps[cap].object];
        id->type = object->type;
        id->bits = object->bits;
        id->rights = model_caps[cap].rights;
        id->badge = model_caps[cap].badge;
        id->free = (1ull << object->bits) - (object->children == 0 ? 0 : object->used);
    }
    pthread_mutex_unlock(&model_lock);
    return cap >= 0 ? OK : E_CAP;
}

static enum status derive(uint32_t from, uint32_t to, unsigned rights, bool badged, uint32_t badge)
{
    pthread_mutex_lock(&model_lock);
    int cap = model_cap_at(from);
    enum status status = cap < 0 ? E_CAP : slot_is_free(to) ? OK : E_SLOT;
    if (status == OK) {
        model_new_cap(to, model_caps[cap].object, cap, model_caps[cap].rights & rights,
                      badged ? badge : model_caps[cap].badge);
    }
    pthread_mutex_unlock(&model_lock);
    return status;
}

enum status kernel_copy(uint32_t from, uint32_t to, unsigned rights)
{
    return derive(from, to, rights, false, 0);
}

enum status kernel_mint(uint32_t from, uint32_t to, unsigned rights, uint32_t badge)
{
    return derive(from, to, rights, true, badge);
}

enum status kernel_move(uint32_t from, uint32_t to)
{
    pthread_mutex_lock(&model_lock);
    int cap = model_cap_at(from);
    enum status status = cap < 0 ? E_CAP : slot_is_free(to) ? OK : E_SLOT;
    if (status == OK) {
        *place(from) = 0;
        *place(to) = cap + 1;
        model_caps[cap].slot = to;
    }
    pthread_mutex_unlock(&model_lock);
    return status;
}

static enum status remove_at(uint32_t slot, bool children)
{
    pthread_mutex_lock(&model_lock);
    int cap = model_cap_at(slot);
    if (cap >= 0 && children) {
        model_drop_children(cap);
    } else if (cap >= 0) {
        model_drop_cap(cap);
    }
    pthread_mutex_unlock(&model_lock);
    return cap >= 0 ? OK : E_CAP;
}

enum status kernel_delete(uint32_t slot)
{
    return remove_at(slot, false);
}

enum status kernel_revoke(uint32_t slot)
{
    return remove_at(slot, true);
}
