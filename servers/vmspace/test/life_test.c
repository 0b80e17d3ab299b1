/* life_test.c: vmspace as a whole on a model of the kernel: lives and ends of guests. */
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
#include <pthread.h>
#include <stdlib.h>

#include "servers/vmspace/test/scene.h"

static const struct model_setup small = { { 25, 22, 20, 18, 16, 13 }, 1, 256 * MIB };
static const struct model_setup four_cpus = { { 25, 24, 21, 19 }, 4, 256 * MIB };

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

/* Lives and deaths of guests, with the same memory again and again: nothing is lost, and nothing is
 * seen twice. */
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

/* More memory than there is: faulters wait, nobody gets wrong data, and the end of another guest
 * helps. */
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
        uint64_t page = (uint64_t)rand_r(&seed) % STRESS_PAGES,
                 gpa = 2 * MIB + page * 4096 + self % 4 * 8;
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
        CHILD_TEST("LIF-01: a Space's reserve grows as far as the kernel lets it",
                   body_many_tables),
        CHILD_TEST("LIF-02: the VMM's own Space keeps its reserve as long as it lives",
                   body_living_window),
        CHILD_TEST("LIF-03: 50 lives of guests leave every page free and unseen (I4, I26, I31)",
                   body_cycles),
        CHILD_TEST("LIF-04: the badge of a guest that is gone leads nowhere", body_old_badge),
        CHILD_TEST("LIF-05: without memory a faulter waits, and goes on when there is some",
                   body_exhaustion),
        CHILD_TEST("LIF-06: a guest that ends while it waits is stopped", body_end_of_waiter),
        CHILD_TEST("LIF-07: faults of the same pages on four CPUs at once", body_stress),
        CHILD_TEST("LIF-08: guests that end while their CPUs fault leave nothing behind",
                   body_sudden_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
