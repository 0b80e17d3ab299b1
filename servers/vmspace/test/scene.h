/* scene.h: what tests of vmspace as a whole begin with: guests on the model of the kernel. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_TEST_SCENE_H
#define SERVERS_VMSPACE_TEST_SCENE_H

#include "servers/lib/vmspace.h"
#include "servers/vmspace/test/child.h"
#include "servers/vmspace/test/model.h"

#define MIB     (1ull << 20)
#define RW      (MAP_READ | MAP_WRITE)
#define READ    FAULT_READ
#define WRITE   FAULT_WRITE
#define VMM_CAP (SP_MAP | SP_FUND)

static inline uint64_t free_pages(void)
{
    struct message m;
    REQUIRE(model_call(1, VMS_STATS, VMS_POOL, 0, 0, &m) == OK);
    return m.word[0];
}

static inline void add_segment(uint32_t child, uint64_t gpa, uint64_t size, unsigned rights)
{
    REQUIRE(model_call(child, VMS_ADD_SEGMENT, gpa, size, rights, NULL) == OK);
}

/* A guest with 32 MiB from 0, but for the hole below 1 MiB. */
static inline struct model_guest new_guest(uint32_t child)
{
    struct model_guest guest;
    REQUIRE(model_create(child, 64 * MIB, VMM_CAP, &guest) == OK);
    add_segment(child, 0, 640 * 1024, RW | MAP_EXEC);
    add_segment(child, MIB, 31 * MIB, RW | MAP_EXEC);
    return guest;
}

static inline void write_to(const struct model_guest *guest, unsigned cpu, uint64_t gpa,
                            uint64_t value)
{
    REQUIRE(model_touch(guest, cpu, gpa, WRITE, &value) == TOUCH_DONE);
}

static inline uint64_t read_from(const struct model_guest *guest, unsigned cpu, uint64_t gpa)
{
    uint64_t value = ~0ull;
    REQUIRE(model_touch(guest, cpu, gpa, READ, &value) == TOUCH_DONE);
    return value;
}

#endif
