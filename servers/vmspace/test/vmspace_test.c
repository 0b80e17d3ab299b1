/* vmspace_test.c: vmspace as a whole on a model of the kernel: what guests and VMMs see. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/vmspace/blocks.c servers/vmspace/capmap.c servers/vmspace/fault.c */
/* LINK: servers/vmspace/frames.c servers/vmspace/guest.c servers/vmspace/hold.c */
/* LINK: servers/vmspace/object.c servers/vmspace/park.c servers/vmspace/segments.c */
/* LINK: servers/vmspace/service.c servers/vmspace/source.c servers/vmspace/startup.c */
/* LINK: servers/vmspace/stats.c servers/vmspace/tables.c servers/vmspace/threads.c */
/* LINK: servers/vmspace/worker.c servers/lib/server.c servers/lib/start_info.c */
/* LINK: servers/vmspace/test/model.c servers/vmspace/test/model_cap.c */
/* LINK: servers/vmspace/test/model_map.c servers/vmspace/test/model_message.c */
/* LINK: servers/vmspace/test/model_touch.c */
#include "kernel/abi/boot.h"
#include "servers/lib/control.h"
#include "servers/vmspace/test/scene.h"

static const struct model_setup small = { { 25, 22, 20, 18, 16, 13 }, 1, 256 * MIB };

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
    REQUIRE(figures.maps == 2 && figures.busy == 0 && figures.unsafe == 0 &&
            figures.log_lines == 0);
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

/* A VMM that has put memory of its own into its window can't make vmspace hand out memory that was
 * not cleared. */
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
    REQUIRE(model_send(0, badge | 1u << 31, TAG(KL_NESTED_FAULT, 4) | TAG_KERNEL, 0, READ) ==
            FR_STOP);
    REQUIRE(model_send(0, badge | 1u << 31, TAG(KL_EXCEPTION, 4) | TAG_KERNEL, 6, 0) == FR_STOP);
    REQUIRE(model_figures().reports == 3 && model_last_report().word[1] == KL_EXCEPTION);
    REQUIRE(model_figures().maps == 0);
    REQUIRE(read_from(&guest, 0, 5 * MIB) == 0);
    model_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHILD_TEST("VMS-01: all memory but the start's is there for guests", body_accounting),
        CHILD_TEST("VMS-02: touched pages, and only those, are backed, zero, in one call each",
                   body_fresh),
        CHILD_TEST("VMS-03: what is no memory, or not for that access, is the VMM's business (I22)",
                   body_device),
        CHILD_TEST("VMS-04: guest and VMM see the same memory, whoever comes first", body_window),
        CHILD_TEST("VMS-05: a VMM's fault elsewhere stops its thread and init is told",
                   body_report),
        CHILD_TEST("VMS-06: what can't be is refused with the right status", body_refusals),
        CHILD_TEST("VMS-07: a held page is mapped and keeps its identity (I20)", body_hold),
        CHILD_TEST("VMS-08: holds of a page are counted up to their limit", body_hold_limit),
        CHILD_TEST("VMS-09: a VMM that fills its window itself gets no uncleared memory (I31)",
                   body_hostile_window),
        CHILD_TEST("VMS-10: messages that no kernel or the wrong thread sends do nothing",
                   body_forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
