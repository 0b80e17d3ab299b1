/* vmspace_test.c: vmspace from end to end on a model of the kernel: faults, windows, holds, ends. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/vmspace/blocks.c servers/vmspace/capmap.c servers/vmspace/fault.c servers/vmspace/frames.c */
/* LINK: servers/vmspace/guest.c servers/vmspace/hold.c servers/vmspace/object.c servers/vmspace/park.c */
/* LINK: servers/vmspace/segments.c servers/vmspace/service.c servers/vmspace/source.c servers/vmspace/startup.c */
/* LINK: servers/vmspace/stats.c servers/vmspace/tables.c servers/vmspace/threads.c servers/vmspace/worker.c */
/* LINK: servers/lib/server.c servers/lib/start_info.c servers/vmspace/test/model.c */
/* LINK: servers/vmspace/test/model_cap.c servers/vmspace/test/model_map.c servers/vmspace/test/model_message.c */
#include <pthread.h>
#include <stdlib.h>

#include "kernel/abi/boot.h"
#include "servers/lib/control.h"
#include "servers/lib/vmspace.h"
#include "servers/vmspace/test/child.h"
#include "servers/vmspace/test/model.h"

#define MIB      (1ull << 20)
#define RW       (MAP_READ | MAP_WRITE)
#define READ     FAULT_READ
#define WRITE    FAULT_WRITE
#define VMM_CAP  (SP_MAP | SP_FUND)

static const struct model_setup small = { { 25, 22, 20, 18, 16, 13 }, 1, 256 * MIB };
static const struct model_setup four_cpus = { { 25, 24, 21, 19 }, 4, 256 * MIB };

static uint64_t free_pages(void)
{
    struct message m;
    REQUIRE(model_call(1, VMS_STATS, VMS_POOL, 0, 0, &m) == OK);
    return m.word[0];
}

static void add_segment(uint32_t child, uint64_t gpa, uint64_t size, unsigned rights)
{
    REQUIRE(model_call(child, VMS_ADD_SEGMENT, gpa, size, rights, NULL) == OK);
}

/* A guest with 32 MiB from 0, but for the hole below 1 MiB. */
static struct model_guest new_guest(uint32_t child)
{
    struct model_guest guest;
    REQUIRE(model_create(child, 64 * MIB, VMM_CAP, &guest) == OK);
    add_segment(child, 0, 640 * 1024, RW | MAP_EXEC);
    add_segment(child, MIB, 31 * MIB, RW | MAP_EXEC);
    return guest;
}

static void write_to(const struct model_guest *guest, unsigned cpu, uint64_t gpa, uint64_t value)
{
    REQUIRE(model_touch(guest, cpu, gpa, WRITE, &value) == TOUCH_DONE);
}

static uint64_t read_from(const struct model_guest *guest, unsigned cpu, uint64_t gpa)
{
    uint64_t value = ~0ull;
    REQUIRE(model_touch(guest, cpu, gpa, READ, &value) == TOUCH_DONE);
    return value;
}

static void body_accounting(void)
{
    uint64_t sum = 0, total = model_start(&small);
    for (unsigned i = 0; small.untyped_bits[i] != 0; i++) {
        sum += 1ull << (small.untyped_bits[i] - 12);
    }
    /* All but the objects of the start is there for guests. */
    REQUIRE(total > sum - 256 && total < sum);
    struct message m;
    REQUIRE(model_call(2, VMS_STATS, VMS_POOL, 0, 0, &m) == OK);
    REQUIRE(m.word[0] == total && m.word[1] == total && m.word[2] == 0 && m.word[3] == 0);
    model_stop();
}

static void body_fresh(void)
{
    model_start(&small);
    struct model_guest guest = new_guest(1);
    REQUIRE(read_from(&guest, 0, 0x5008) == 0);
    write_to(&guest, 0, 0x5008, 42);
    REQUIRE(read_from(&guest, 0, 0x5008) == 42);
    write_to(&guest, 0, 9 * MIB, 7);
    struct message m;
    REQUIRE(model_call(1, VMS_STATS, VMS_MEMORY, 0, 0, &m) == OK);
    REQUIRE(m.word[0] == 2 && m.word[1] == 2 && m.word[2] == 0);
    REQUIRE(m.word[3] == (31 * MIB + 640 * 1024) / 4096);
    REQUIRE(model_call(1, VMS_STATS, VMS_FAULTS, 0, 0, &m) == OK);
    REQUIRE(m.word[0] == 2 && m.word[1] == 0 && m.word[2] == 0 && m.word[3] == 0);
    struct model_figures figures = model_figures();
    REQUIRE(figures.maps == 2 && figures.busy == 0 && figures.unsafe == 0 && figures.log_lines == 0);
    model_stop();
}

static void body_device(void)
{
    uint64_t value = 0;
    model_start(&small);
    struct model_guest guest = new_guest(1);
    add_segment(1, 0xffff0000, 0x10000, MAP_READ | MAP_EXEC);
    REQUIRE(model_touch(&guest, 0, 0xa0000, READ, &value) == TOUCH_DEVICE);
    REQUIRE(model_touch(&guest, 0, 0xfee00000, WRITE, &value) == TOUCH_DEVICE);
    REQUIRE(model_touch(&guest, 0, 32 * MIB, READ, &value) == TOUCH_DEVICE);
    REQUIRE(model_touch(&guest, 0, ~7ull, READ, &value) == TOUCH_DEVICE);
    /* Read-only: read, then written in vain; the mapping stays read-only (I22). */
    REQUIRE(read_from(&guest, 0, 0xfffffff0) == 0);
    REQUIRE(model_touch(&guest, 0, 0xfffffff0, WRITE, &value) == TOUCH_DEVICE);
    REQUIRE(model_touch(&guest, 0, 0xffff0000, WRITE, &value) == TOUCH_DEVICE);
    /* The VMM may fill it, as the loader of firmware. */
    value = 99;
    REQUIRE(model_touch_window(&guest, 0, VMS_WINDOW + 0xfffffff0, WRITE, &value) == TOUCH_DONE);
    REQUIRE(read_from(&guest, 0, 0xfffffff0) == 99);
    /* Not executable. */
    add_segment(1, 40 * MIB, MIB, RW);
    REQUIRE(model_touch(&guest, 0, 40 * MIB, FAULT_EXEC, &value) == TOUCH_DEVICE);
    struct message m;
    REQUIRE(model_call(1, VMS_STATS, VMS_FAULTS, 0, 0, &m) == OK);
    REQUIRE(m.word[2] == 7);
    model_stop();
}

static void body_window(void)
{
    uint64_t value = 1234;
    model_start(&small);
    struct model_guest guest = new_guest(1);
    /* The VMM first, by its first thread and by another; then the guest sees it. */
    REQUIRE(model_touch_window(&guest, -1, VMS_WINDOW + 2 * MIB, WRITE, &value) == TOUCH_DONE);
    REQUIRE(read_from(&guest, 0, 2 * MIB) == 1234);
    REQUIRE(model_touch_window(&guest, 0, VMS_WINDOW + 3 * MIB, READ, &value) == TOUCH_DONE);
    REQUIRE(value == 0);
    /* The guest first. */
    write_to(&guest, 0, 4 * MIB, 77);
    REQUIRE(model_touch_window(&guest, -1, VMS_WINDOW + 4 * MIB, READ, &value) == TOUCH_DONE);
    REQUIRE(value == 77);
    write_to(&guest, 0, 5 * MIB, 78);
    REQUIRE(model_touch_window(&guest, 0, VMS_WINDOW + 5 * MIB, READ, &value) == TOUCH_DONE);
    REQUIRE(value == 78);
    for (uint64_t gpa = 2 * MIB; gpa < 6 * MIB; gpa += MIB) {
        REQUIRE(model_mapped_window(1, VMS_WINDOW + gpa) != 0);
        REQUIRE(model_mapped_guest(&guest, gpa) == model_mapped_window(1, VMS_WINDOW + gpa) ||
                gpa == 3 * MIB);
    }
    REQUIRE(model_figures().unsafe == 0 && model_figures().reports == 0);
    model_stop();
}

static void body_report(void)
{
    uint64_t value = 0;
    model_start(&small);
    struct model_guest guest = new_guest(3);
    REQUIRE(model_touch_window(&guest, -1, 0x10, READ, &value) == TOUCH_STOPPED);
    struct message report = model_last_report();
    REQUIRE(report.word[0] == 3 && report.word[1] == KL_PAGE_FAULT);
    REQUIRE(report.word[2] == 0x10 && report.word[3] == 0x1234);
    REQUIRE(model_touch_window(&guest, 0, VMS_WINDOW + 0xa0000, READ, &value) == TOUCH_STOPPED);
    REQUIRE(model_last_report().word[2] == VMS_WINDOW + 0xa0000);
    REQUIRE(model_touch_window(&guest, 0, VMS_WINDOW - 8, READ, &value) == TOUCH_STOPPED);
    REQUIRE(model_touch_window(&guest, 0, VMS_WINDOW + MIB, FAULT_EXEC, &value) == TOUCH_STOPPED);
    REQUIRE(model_figures().reports == 4);
    /* A child without a guest. */
    guest.child = 5;
    struct model_guest other;
    REQUIRE(model_create(5, 300 * MIB, VMM_CAP, &other) == E_LIMIT);
    REQUIRE(model_touch_window(&guest, -1, VMS_WINDOW, READ, &value) == TOUCH_STOPPED);
    REQUIRE(model_last_report().word[0] == 5);
    model_stop();
}

static void body_refusals(void)
{
    struct model_guest guest;
    model_start(&small);
    REQUIRE(model_call(1, VMS_ADD_SEGMENT, 0, MIB, RW, NULL) == E_STATE);
    REQUIRE(model_call(1, VMS_DESTROY, 0, 0, 0, NULL) == E_STATE);
    REQUIRE(model_call(1, VMS_HOLD, 0, MAP_READ, 0, NULL) == E_STATE);
    REQUIRE(model_call(1, 77, 0, 0, 0, NULL) == E_CALL);
    REQUIRE(model_call(1, VMS_STATS, VMS_MEMORY, 0, 0, NULL) == E_STATE);
    REQUIRE(model_create(1, 257 * MIB, VMM_CAP, &guest) == E_LIMIT);
    REQUIRE(model_create(1, 16 * MIB, SP_MAP, &guest) == E_ARGUMENT);
    REQUIRE(model_call(1, VMS_CREATE, 16 * MIB, 0, 0, NULL) == E_ARGUMENT);
    model_info()->features = 0;
    REQUIRE(model_create(1, 16 * MIB, VMM_CAP, &guest) == E_UNSUPPORTED);
    model_info()->features = BOOT_HAS_SVM;
    uint64_t before = free_pages();
    REQUIRE(model_create(1, 16 * MIB, VMM_CAP, &guest) == OK);
    REQUIRE(model_create(1, 16 * MIB, VMM_CAP, &guest) == E_STATE);
    REQUIRE(model_call(1, VMS_ENDPOINTS, 1, 0, 0, NULL) == E_ARGUMENT);
    REQUIRE(model_call(1, VMS_STATS, 9, 0, 0, NULL) == E_ARGUMENT);
    REQUIRE(model_call(1, VMS_ADD_SEGMENT, 0, 20 * MIB, RW, NULL) == E_LIMIT);
    add_segment(1, 0, 12 * MIB, RW);
    REQUIRE(model_call(1, VMS_ADD_SEGMENT, 12 * MIB, 5 * MIB, RW, NULL) == E_LIMIT);
    REQUIRE(model_call(1, VMS_ADD_SEGMENT, 8 * MIB, MIB, RW, NULL) == E_MAPPED);
    REQUIRE(model_call(1, VMS_ADD_SEGMENT, 64 * MIB, MIB, 1ull << 32 | RW, NULL) == E_ARGUMENT);
    REQUIRE(model_call(1, VMS_DEVICE_WINDOW, 0, 4095, 0, NULL) == E_MAPPED);
    REQUIRE(model_call(1, VMS_DEVICE_WINDOW, 0xfee00000, 0xfee00fff, 0, NULL) == OK);
    REQUIRE(model_call(1, VMS_ADD_SEGMENT, 0xfee00000, 4096, RW, NULL) == E_MAPPED);
    REQUIRE(model_call(1, VMS_DESTROY, 0, 0, 0, NULL) == OK);
    REQUIRE(free_pages() == before - 16 || free_pages() == before);
    model_stop();
}

static void body_hold(void)
{
    struct message m;
    model_start(&small);
    struct model_guest guest = new_guest(1);
    add_segment(1, 40 * MIB, MIB, MAP_READ);
    write_to(&guest, 0, 2 * MIB, 5);
    REQUIRE(model_call(1, VMS_HOLD, 2 * MIB + 24, RW, 0, &m) == OK);
    REQUIRE(m.word[0] == VMS_WINDOW + 2 * MIB + 24);
    uint32_t page = model_mapped_window(1, VMS_WINDOW + 2 * MIB);
    REQUIRE(page != 0 && page == model_mapped_guest(&guest, 2 * MIB));
    /* Not touched before: zero for whoever looks, and the same page for both (I31). */
    REQUIRE(model_call(1, VMS_HOLD, 3 * MIB, MAP_READ, 0, &m) == OK);
    page = model_mapped_window(1, VMS_WINDOW + 3 * MIB);
    REQUIRE(page != 0);
    REQUIRE(read_from(&guest, 0, 3 * MIB) == 0);
    write_to(&guest, 0, 3 * MIB + 8, 6);
    REQUIRE(model_mapped_guest(&guest, 3 * MIB) == page);
    REQUIRE(model_call(1, VMS_HOLD, 3 * MIB, RW, 0, &m) == OK);
    REQUIRE(model_mapped_window(1, VMS_WINDOW + 3 * MIB) == page);
    REQUIRE(model_call(1, VMS_STATS, VMS_MEMORY, 0, 0, &m) == OK);
    REQUIRE(m.word[2] == 3);
    REQUIRE(model_call(1, VMS_HOLD, 0xa0000, MAP_READ, 0, NULL) == E_UNMAPPED);
    REQUIRE(model_call(1, VMS_HOLD, 40 * MIB, RW, 0, NULL) == E_RIGHT);
    REQUIRE(model_call(1, VMS_HOLD, 40 * MIB, MAP_READ, 0, NULL) == OK);
    REQUIRE(model_call(1, VMS_HOLD, MIB, MAP_WRITE, 0, NULL) == E_ARGUMENT);
    REQUIRE(model_call(1, VMS_HOLD, MIB, 0, 0, NULL) == E_ARGUMENT);
    REQUIRE(model_call(1, VMS_RELEASE, 0xa0000, 0, 0, NULL) == E_UNMAPPED);
    REQUIRE(model_call(1, VMS_RELEASE, 4 * MIB, 0, 0, NULL) == E_STATE);
    REQUIRE(model_call(1, VMS_RELEASE, 3 * MIB + 100, 0, 0, NULL) == OK);
    REQUIRE(model_call(1, VMS_RELEASE, 3 * MIB, 0, 0, NULL) == OK);
    REQUIRE(model_call(1, VMS_RELEASE, 3 * MIB, 0, 0, NULL) == E_STATE);
    REQUIRE(read_from(&guest, 0, 3 * MIB + 8) == 6);
    REQUIRE(model_figures().unsafe == 0);
    model_stop();
}

static void body_hold_limit(void)
{
    model_start(&small);
    new_guest(1);
    for (unsigned i = 0; i < UINT16_MAX; i++) {
        REQUIRE(model_call(1, VMS_HOLD, 0, MAP_READ, 0, NULL) == OK);
    }
    REQUIRE(model_call(1, VMS_HOLD, 0, MAP_READ, 0, NULL) == E_LIMIT);
    REQUIRE(model_call(1, VMS_RELEASE, 0, 0, 0, NULL) == OK);
    REQUIRE(model_call(1, VMS_HOLD, 0, MAP_READ, 0, NULL) == OK);
    model_stop();
}

/* A VMM that has put memory of its own into its window can't make vmspace hand out memory that was not cleared. */
static void body_hostile_window(void)
{
    struct message m;
    model_start(&small);
    struct model_guest guest = new_guest(1), victim = new_guest(2);
    for (uint64_t gpa = 0; gpa < 128 * 4096; gpa += 4096) {
        write_to(&victim, 0, gpa, 0x5ec7e7);
    }
    REQUIRE(model_call(2, VMS_DESTROY, 0, 0, 0, NULL) == OK);
    for (uint64_t gpa = 2 * MIB; gpa < 2 * MIB + 4096; gpa += 4096) {
        model_map_foreign(1, VMS_WINDOW + gpa);
        REQUIRE(model_call(1, VMS_HOLD, gpa, RW, 0, &m) == OK);
        REQUIRE(read_from(&guest, 0, gpa) == 0);
    }
    REQUIRE(model_figures().unsafe == 0);
    model_stop();
}

/* A Space can be funded 32 times only, and a guest still gets all that there is. */
static void body_many_tables(void)
{
    static const struct model_setup large = { { 25, 24, 18, 17 }, 1, 256 * MIB };
    uint64_t total = model_start(&large);
    struct model_guest guest = new_guest(1);
    for (uint64_t gpa = MIB; gpa < 32 * MIB; gpa += 4096) {
        write_to(&guest, 0, gpa, gpa);
    }
    for (uint64_t gpa = MIB; gpa < 32 * MIB; gpa += 4096) {
        REQUIRE(read_from(&guest, 0, gpa) == gpa);
    }
    struct message m;
    REQUIRE(model_call(1, VMS_STATS, VMS_MEMORY, 0, 0, &m) == OK);
    REQUIRE(m.word[0] == 31 * MIB / 4096 && m.word[1] == m.word[0]);
    /* So many small blocks alone would not have done. */
    REQUIRE(m.word[0] > 32 * 16 * 8 && model_figures().lacking >= 8);
    model_end_child(1, false);
    REQUIRE(free_pages() == total);
    model_stop();
}

/* What the VMM's Space was funded with comes back when that is gone, and not before. */
static void body_living_window(void)
{
    uint64_t value = 0, total = model_start(&small);
    for (unsigned round = 0; round < 4; round++) {
        struct model_guest guest = new_guest(1);
        for (uint64_t gpa = MIB; gpa < 2 * MIB; gpa += 4096) {
            REQUIRE(model_touch_window(&guest, -1, VMS_WINDOW + gpa, WRITE, &value) == TOUCH_DONE);
        }
        REQUIRE(model_call(1, VMS_DESTROY, 0, 0, 0, NULL) == OK);
        REQUIRE(model_figures().mapped == 0);
        REQUIRE(free_pages() == total - 2 * 16);
    }
    model_end_child(1, true);
    REQUIRE(free_pages() == total);
    REQUIRE(model_figures().log_lines == 0);
    model_stop();
}

/* Lives and deaths of guests, with the same memory again and again: nothing is lost, and nothing is seen twice. */
static void body_cycles(void)
{
    uint64_t value, before = 0;
    model_start(&small);
    for (unsigned cycle = 0; cycle < 50; cycle++) {
        struct model_guest guest = new_guest(1 + cycle % 4), other = new_guest(5);
        for (uint64_t i = 0; i < 900; i++) {
            uint64_t gpa = 2 * MIB + i * 4096 * (1 + cycle % 3);
            REQUIRE(read_from(&guest, 0, gpa) == 0);
            write_to(&guest, 0, gpa, cycle * 1000 + i);
            value = 1;
            REQUIRE(i % 8 != 0 ||
                    model_touch_window(&guest, -1, VMS_WINDOW + gpa, READ, &value) == TOUCH_DONE);
            REQUIRE(i % 8 != 0 || value == cycle * 1000 + i);
            write_to(&other, 0, gpa, ~value);
        }
        REQUIRE(model_call(guest.child, VMS_HOLD, 2 * MIB, RW, 0, NULL) == OK);
        if (cycle % 2 == 0) {
            REQUIRE(model_call(guest.child, VMS_DESTROY, 0, 0, 0, NULL) == OK);
            model_end_child(guest.child, true);
        } else {
            model_end_child(guest.child, cycle % 4 == 1);
        }
        REQUIRE(model_call(5, VMS_DESTROY, 0, 0, 0, NULL) == OK);
        model_end_child(5, true);
        REQUIRE(model_figures().mapped == 0 && model_figures().spaces == 0);
        REQUIRE(cycle == 0 || free_pages() == before);
        before = free_pages();
    }
    REQUIRE(model_figures().unsafe == 0 && model_figures().released == 100);
    struct message m;
    REQUIRE(model_call(1, VMS_STATS, VMS_POOL, 0, 0, &m) == OK);
    REQUIRE(m.word[0] == m.word[1] && m.word[3] == 0);
    model_stop();
}

static void body_old_badge(void)
{
    uint64_t value = 0;
    model_start(&small);
    struct model_guest old = new_guest(1);
    uint32_t badge = model_badge(&old);
    write_to(&old, 0, MIB, 3);
    REQUIRE(model_call(1, VMS_DESTROY, 0, 0, 0, NULL) == OK);
    struct model_guest guest = new_guest(1);
    uint64_t fault = TAG(KL_NESTED_FAULT, 4) | TAG_KERNEL;
    /* What a virtual CPU of the old guest still does leads nowhere. */
    REQUIRE(model_touch(&old, 0, 5 * MIB, WRITE, &value) == TOUCH_STOPPED);
    REQUIRE(model_send(0, badge, fault, 5 * MIB, READ) == FR_STOP);
    REQUIRE(model_send(0, 0xff, fault, 5 * MIB, READ) == FR_STOP);
    REQUIRE(model_mapped_guest(&guest, 5 * MIB) == 0);
    REQUIRE(read_from(&guest, 0, MIB) == 0);
    model_stop();
}

/* What a VMM can send to a worker by its own hand, or by giving an endpoint to the wrong thread. */
static void body_forged(void)
{
    model_start(&small);
    struct model_guest guest = new_guest(1);
    uint32_t badge = model_badge(&guest);
    uint64_t page_fault = TAG(KL_PAGE_FAULT, 4) | TAG_KERNEL;
    REQUIRE(model_send(0, badge, TAG(KL_NESTED_FAULT, 4), 5 * MIB, READ) == FR_STOP);
    REQUIRE(model_send(0, badge, TAG(VMS_DESTROY, 0), 0, 0) == FR_STOP);
    REQUIRE(model_figures().reports == 0);
    REQUIRE(model_send(0, badge, page_fault, VMS_WINDOW, READ) == FR_STOP);
    REQUIRE(model_send(0, badge | 1u << 31, TAG(KL_NESTED_FAULT, 4) | TAG_KERNEL, 0, READ) == FR_STOP);
    REQUIRE(model_send(0, badge | 1u << 31, TAG(KL_EXCEPTION, 4) | TAG_KERNEL, 6, 0) == FR_STOP);
    REQUIRE(model_figures().reports == 3 && model_last_report().word[1] == KL_EXCEPTION);
    REQUIRE(model_figures().maps == 0);
    REQUIRE(read_from(&guest, 0, 5 * MIB) == 0);
    model_stop();
}

/* More memory than there is: faulters wait, nobody gets wrong data, and the end of another guest helps. */
static void body_exhaustion(void)
{
    static const struct model_setup tiny = { { 23, 18, 17, 13 }, 1, 256 * MIB };
    uint64_t gpa, value = 1;
    enum touch end = TOUCH_DONE;
    uint64_t total = model_start(&tiny);
    struct model_guest first = new_guest(1), second = new_guest(2);
    for (gpa = MIB; gpa < 3 * MIB; gpa += 4096) {
        write_to(&first, 0, gpa, gpa ^ 1);
    }
    for (gpa = MIB; end == TOUCH_DONE; gpa += 4096) {
        REQUIRE(gpa < 32 * MIB);
        value = gpa ^ 2;
        end = model_touch(&second, 0, gpa, WRITE, &value);
    }
    gpa -= 4096;
    REQUIRE(end == TOUCH_WAITS);
    REQUIRE(model_finish() == TOUCH_WAITS);
    REQUIRE(model_logged("waits: no memory is left"));
    struct message m;
    REQUIRE(model_call(1, VMS_STATS, VMS_POOL, 0, 0, &m) == OK);
    REQUIRE(m.word[2] == 1 && m.word[1] == total);
    /* What is left is set aside for page tables: less than a chunk. */
    REQUIRE(m.word[0] < 512);
    /* Others that need none go on. */
    for (uint64_t at = MIB; at < 3 * MIB; at += 4096) {
        REQUIRE(read_from(&first, 0, at) == (at ^ 1));
    }
    REQUIRE(model_call(1, VMS_HOLD, 20 * MIB, RW, 0, NULL) == E_MEMORY);
    model_end_child(1, true);
    REQUIRE(model_finish() == TOUCH_DONE);
    REQUIRE(model_logged("goes on"));
    for (uint64_t at = MIB; at <= gpa; at += 4096) {
        REQUIRE(read_from(&second, 0, at) == (at ^ 2));
    }
    REQUIRE(model_figures().unsafe == 0);
    model_end_child(2, false);
    REQUIRE(free_pages() == total);
    model_stop();
}

/* A guest that waits for memory, and ends: its faulter is stopped. */
static void body_end_of_waiter(void)
{
    static const struct model_setup tiny = { { 23, 18, 17, 13 }, 1, 256 * MIB };
    uint64_t value = 1, total = model_start(&tiny);
    struct model_guest guest = new_guest(1);
    enum touch end = TOUCH_DONE;
    for (uint64_t gpa = MIB; end == TOUCH_DONE; gpa += 4096) {
        end = model_touch_window(&guest, -1, VMS_WINDOW + gpa, WRITE, &value);
    }
    REQUIRE(end == TOUCH_WAITS);
    model_end_child(1, true);
    REQUIRE(model_finish() == TOUCH_STOPPED);
    REQUIRE(free_pages() == total);
    model_stop();
}

/* Guests that fault on all CPUs at once, and VMMs that look on. */
#define STRESS_PAGES 1500u
static struct model_guest stress_guest[2];

static void *stress(void *context)
{
    unsigned self = (unsigned)(uintptr_t)context, seed = self + 1;
    const struct model_guest *guest = &stress_guest[self / 4];
    for (unsigned i = 0; i < 6000; i++) {
        uint64_t page = (uint64_t)rand_r(&seed) % STRESS_PAGES, gpa = 2 * MIB + page * 4096 + self % 4 * 8;
        uint64_t value = 0, mine = (page << 8) + self + 1;
        REQUIRE(model_touch(guest, self % 4, gpa, READ, &value) == TOUCH_DONE);
        REQUIRE(value == 0 || value == mine);
        REQUIRE(model_touch(guest, self % 4, gpa, WRITE, &mine) == TOUCH_DONE);
        if (i % 5 == 0) {
            int cpu = rand_r(&seed) % 2 == 0 ? -1 : (int)(self % 4);
            REQUIRE(model_touch_window(guest, cpu, VMS_WINDOW + gpa, READ, &value) == TOUCH_DONE);
            REQUIRE(value == mine);
        }
    }
    return NULL;
}

static void body_stress(void)
{
    pthread_t threads[8];
    uint64_t total = model_start(&four_cpus);
    for (unsigned round = 0; round < 3; round++) {
        stress_guest[0] = new_guest(1);
        stress_guest[1] = new_guest(2);
        for (unsigned i = 0; i < 8; i++) {
            pthread_create(&threads[i], NULL, stress, (void *)(uintptr_t)i);
        }
        for (unsigned i = 0; i < 8; i++) {
            pthread_join(threads[i], NULL);
        }
        struct message m;
        REQUIRE(model_call(1, VMS_STATS, VMS_MEMORY, 0, 0, &m) == OK);
        REQUIRE(m.word[0] <= STRESS_PAGES && m.word[0] > STRESS_PAGES / 2);
        model_end_child(1, round == 1);
        model_end_child(2, true);
        REQUIRE(free_pages() == total);
    }
    REQUIRE(model_figures().unsafe == 0 && model_figures().mapped == 0);
    REQUIRE(model_figures().reports == 0);
    model_stop();
}

/* The same, and the guests are destroyed in the middle of it. */
static void *mortal(void *context)
{
    unsigned self = (unsigned)(uintptr_t)context, seed = self + 77;
    const struct model_guest *guest = &stress_guest[self / 4];
    enum touch end = TOUCH_DONE;
    while (end == TOUCH_DONE) {
        uint64_t gpa = 2 * MIB + (uint64_t)rand_r(&seed) % 6000 * 4096 + self * 8, value = self + 1;
        end = model_touch(guest, self % 4, gpa, WRITE, &value);
    }
    REQUIRE(end == TOUCH_STOPPED);
    return NULL;
}

static void body_sudden_end(void)
{
    pthread_t threads[8];
    uint64_t total = model_start(&four_cpus);
    for (unsigned round = 0; round < 20; round++) {
        stress_guest[0] = new_guest(1);
        stress_guest[1] = new_guest(2);
        for (unsigned i = 0; i < 8; i++) {
            pthread_create(&threads[i], NULL, mortal, (void *)(uintptr_t)i);
        }
        usleep(1000 + round % 7 * 1500);
        REQUIRE(model_call(1, VMS_DESTROY, 0, 0, 0, NULL) == OK);
        usleep(1000);
        REQUIRE(model_call(2, VMS_DESTROY, 0, 0, 0, NULL) == OK);
        for (unsigned i = 0; i < 8; i++) {
            pthread_join(threads[i], NULL);
        }
        REQUIRE(model_figures().mapped == 0 && model_figures().spaces == 0);
        model_end_child(1, true);
        model_end_child(2, true);
        REQUIRE(free_pages() == total);
    }
    REQUIRE(model_figures().unsafe == 0);
    model_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHILD_TEST("VMS-01: all memory but the start's is there for guests", body_accounting),
        CHILD_TEST("VMS-02: touched pages, and only those, are backed, zero, in one call each", body_fresh),
        CHILD_TEST("VMS-03: what is no memory, or not for that access, is the VMM's business (I22)", body_device),
        CHILD_TEST("VMS-04: guest and VMM see the same memory, whoever comes first", body_window),
        CHILD_TEST("VMS-05: a VMM's fault elsewhere stops its thread and init is told", body_report),
        CHILD_TEST("VMS-06: what can't be is refused with the right status", body_refusals),
        CHILD_TEST("VMS-07: a held page is mapped and keeps its identity (I20)", body_hold),
        CHILD_TEST("VMS-08: holds of a page are counted up to their limit", body_hold_limit),
        CHILD_TEST("VMS-09: a VMM that fills its window itself gets no uncleared memory (I31)", body_hostile_window),
        CHILD_TEST("VMS-10: 50 lives of guests leave every page free and unseen (I4, I26, I31)", body_cycles),
        CHILD_TEST("VMS-11: the badge of a guest that is gone leads nowhere", body_old_badge),
        CHILD_TEST("VMS-12: messages that no kernel or the wrong thread sends do nothing", body_forged),
        CHILD_TEST("VMS-13: without memory a faulter waits, and goes on when there is some", body_exhaustion),
        CHILD_TEST("VMS-14: a guest that ends while it waits is stopped", body_end_of_waiter),
        CHILD_TEST("VMS-15: faults of the same pages on four CPUs at once", body_stress),
        CHILD_TEST("VMS-16: guests that end while their CPUs fault leave nothing behind", body_sudden_end),
        CHILD_TEST("VMS-17: a Space's reserve grows as far as the kernel lets it", body_many_tables),
        CHILD_TEST("VMS-18: the VMM's own Space keeps its reserve as long as it lives", body_living_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
