/* revoke.c: tests of revoke and delete: what dies, what stays, how long it may take, and that all memory is free. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/rest.h"

static uint32_t endpoint, reply, notification;
static volatile uint64_t seen[8];
static volatile bool stop;

static bool is_empty(uint32_t slot)
{
    struct cap_identity id;

    return sys_cap_identify(slot, &id) == E_CAP;
}

static uint64_t free_bytes(uint32_t untyped)
{
    struct cap_identity id;

    CHECK_STATUS(sys_cap_identify(untyped, &id), OK);
    return id.free;
}

static void generations(void)
{
    uint32_t original = rig_object(OBJ_ENDPOINT, 0), copy[4];

    for (unsigned i = 0; i < 4; i++) {
        copy[i] = rig_slot();
        CHECK_STATUS(sys_cap_copy(i == 0 ? original : copy[i - 1], copy[i], RIGHTS_ALL), OK);
    }
    /* A copy is no origin: revoking it takes nothing. */
    CHECK_STATUS(sys_cap_revoke(copy[0]), OK);
    CHECK(!is_empty(copy[1]));
    CHECK_STATUS(sys_cap_delete(copy[1]), OK);
    CHECK(!is_empty(copy[0]) && !is_empty(copy[2]));
    CHECK_STATUS(sys_cap_revoke(original), OK);
    CHECK(is_empty(copy[0]) && is_empty(copy[2]) && is_empty(copy[3]) && !is_empty(original));
}

static void badged(void)
{
    uint32_t original = rig_object(OBJ_ENDPOINT, 0), seven = rig_slot(), eight = rig_slot();
    uint32_t seven_copy = rig_slot(), eight_copy = rig_slot(), plain = rig_slot();

    CHECK_STATUS(sys_cap_mint(original, seven, RIGHTS_ALL, 7), OK);
    CHECK_STATUS(sys_cap_mint(original, eight, RIGHTS_ALL, 8), OK);
    CHECK_STATUS(sys_cap_copy(original, plain, RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_copy(seven, seven_copy, RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_copy(eight, eight_copy, RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_revoke(seven), OK);
    CHECK(is_empty(seven_copy));
    CHECK(!is_empty(seven) && !is_empty(eight) && !is_empty(eight_copy) && !is_empty(plain));
    CHECK_STATUS(sys_cap_revoke(original), OK);
    CHECK(is_empty(seven) && is_empty(eight) && is_empty(eight_copy) && is_empty(plain));
}

/* Untyped in untyped, objects in both, copies in CNodes two levels deep. */
static void tree(void)
{
    static const uint8_t types[] = {OBJ_ENDPOINT, OBJ_NOTIFICATION, OBJ_REPLY, OBJ_SCHED,
                                    OBJ_THREAD, OBJ_SPACE};
    uint32_t top = rig_untyped(20), middle = rig_slot(), low = rig_slot();
    uint32_t outer = rig_object(OBJ_CNODE, 6), inner = rig_slot(), kept = rig_slot();

    CHECK_STATUS(sys_retype(top, middle, OBJ_UNTYPED, 18, 0, 1), OK);
    CHECK_STATUS(sys_retype(middle, low, OBJ_UNTYPED, 16, 0, 1), OK);
    CHECK_STATUS(sys_retype(top, inner, OBJ_CNODE, 5, 0, 1), OK);
    for (uint32_t i = 0; i < sizeof(types); i++) {
        CHECK_STATUS(sys_retype(low, CPTR(outer, i + 1), types[i], 0, 0, 1), OK);
        CHECK_STATUS(sys_cap_copy(CPTR(outer, i + 1), CPTR(outer, i + 21), RIGHTS_ALL), OK);
        CHECK_STATUS(sys_cap_copy(CPTR(outer, i + 21), CPTR(inner, i + 1), RIGHTS_ALL), OK);
    }
    CHECK_STATUS(sys_retype(middle, CPTR(outer, 40), OBJ_FRAME, FRAME_4K_BITS, 0, 2), OK);
    rig_map(CPTR(outer, 40), 4096);
    CHECK_STATUS(sys_cap_copy(outer, kept, CN_READ), OK);
    CHECK(free_bytes(top) < 1 << 20 && free_bytes(middle) < 1 << 18);
    CHECK_STATUS(sys_cap_revoke(middle), OK);
    CHECK(is_empty(low) && free_bytes(middle) == 1 << 18);
    for (uint32_t i = 1; i < 48; i++) {
        CHECK(is_empty(CPTR(outer, i)) && (i >= 32 || is_empty(CPTR(inner, i))));
    }
    CHECK(!is_empty(inner) && !is_empty(kept));
    CHECK_STATUS(sys_cap_revoke(top), OK);
    CHECK(is_empty(middle) && is_empty(inner) && free_bytes(top) == 1 << 20);
}

static void waiter(uint64_t argument)
{
    seen[argument] = sys_wait(notification, &(uint64_t){0});
    park();
}

static void contents(void)
{
    uint32_t node = rig_object(OBJ_CNODE, 4), copy = rig_slot(), untyped = rig_untyped(14);

    notification = rig_slot();
    CHECK_STATUS(sys_retype(untyped, notification, OBJ_NOTIFICATION, 0, 0, 1), OK);
    seen[0] = STATUS_COUNT;
    CHECK_STATUS(sys_resume(rig_thread(waiter, 0, PRIORITY_MAX, 0, 0).thread), OK);
    sys_yield();
    CHECK_STATUS(sys_cap_move(notification, CPTR(node, 1)), OK);
    CHECK_STATUS(sys_cap_copy(node, copy, RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_delete(node), OK);
    sys_yield();
    CHECK(!is_empty(CPTR(copy, 1)) && seen[0] == STATUS_COUNT);
    CHECK_STATUS(sys_cap_delete(copy), OK);
    CHECK(rest_until(&seen[0], E_GONE, 1000));
    CHECK(free_bytes(untyped) == 1 << 14);
}

/* Deletes 60000 objects; the test's own, more urgent thread must not wait for it. */
#define MANY 60000u

static void deleter(uint64_t node)
{
    seen[0] = 1;
    seen[1] = sys_cap_delete((uint32_t)node);
    seen[0] = 2;
    park();
}

static void preempted(void)
{
    uint32_t node = rig_object(OBJ_CNODE, 16), untyped = rig_untyped(22);
    uint32_t made = 0, pauses = 0;

    while (made < MANY) {
        uint32_t count = MANY - made < 512 ? MANY - made : 512;

        CHECK_STATUS(sys_retype(untyped, CPTR(node, made + 1), OBJ_ENDPOINT, 0, 0, count), OK);
        made += count;
    }
    seen[0] = 0;
    CHECK_STATUS(sys_resume(rig_thread(deleter, node, 50, 0, 0).thread), OK);
    while (seen[0] != 2) {
        rest(20);
        pauses += seen[0] == 1;
    }
    CHECK(pauses > 2 && seen[1] == OK);
    CHECK(free_bytes(untyped) == 1 << 22);
}

static void cycles(void)
{
    uint32_t untyped = rig_untyped(16), a = rig_slot(), b = rig_slot(), c = rig_slot();

    CHECK_STATUS(sys_retype(untyped, a, OBJ_CNODE, 4, 0, 3), OK);
    CHECK_STATUS(sys_cap_move(a, CPTR(b, 1)), OK);
    CHECK_STATUS(sys_cap_copy(b, CPTR(b, 2), RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_copy(b, CPTR(c, 1), RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_copy(c, CPTR(b, 3), RIGHTS_ALL), OK);
    /* Nobody names them any more, but they keep each other. */
    CHECK_STATUS(sys_cap_delete(b), OK);
    CHECK_STATUS(sys_cap_delete(c), OK);
    CHECK(free_bytes(untyped) < 1 << 16);
    CHECK_STATUS(sys_cap_revoke(untyped), OK);
    CHECK(free_bytes(untyped) == 1 << 16);
    CHECK_STATUS(sys_retype(untyped, a, OBJ_CNODE, 4, 0, 1), OK);
    CHECK_STATUS(sys_cap_move(a, CPTR(a, 1)), OK);
    CHECK(is_empty(a));
    CHECK_STATUS(sys_cap_revoke(untyped), OK);
    CHECK(free_bytes(untyped) == 1 << 16);
}

static void exhausted(void)
{
    uint32_t untyped = rig_untyped(16), first = rig_slot();

    for (unsigned round = 0; round < 3; round++) {
        uint32_t made = 0;

        while (sys_retype(untyped, first + made, OBJ_SCHED, 0, 0, 1) == OK) {
            made++;
        }
        CHECK(made == 1u << (16 - SCHED_BITS));
        CHECK_STATUS(sys_retype(untyped, first + made, OBJ_ENDPOINT, 0, 0, 1), E_MEMORY);
        CHECK(free_bytes(untyped) == 0);
        /* Memory comes back when the last object is gone, not before. */
        for (uint32_t i = 0; round == 1 && i < made; i++) {
            CHECK_STATUS(sys_retype(untyped, first + made, OBJ_ENDPOINT, 0, 0, 1), E_MEMORY);
            CHECK_STATUS(sys_cap_delete(first + i), OK);
        }
        CHECK_STATUS(sys_cap_revoke(untyped), OK);
        CHECK(free_bytes(untyped) == 1 << 16);
    }
}

static void orphans(void)
{
    uint32_t top = rig_untyped(16), low = rig_slot(), object = rig_slot(), again = rig_slot();

    CHECK_STATUS(sys_retype(top, low, OBJ_UNTYPED, 14, 0, 1), OK);
    CHECK_STATUS(sys_retype(low, object, OBJ_ENDPOINT, 0, 0, 1), OK);
    CHECK_STATUS(sys_cap_delete(low), OK);
    CHECK(!is_empty(object));
    CHECK_STATUS(sys_retype(top, again, OBJ_UNTYPED, 14, 0, 4), E_MEMORY);
    CHECK_STATUS(sys_cap_revoke(top), OK);
    CHECK(is_empty(object) && free_bytes(top) == 1 << 16);
}

/* The Untyped's own capability is in a CNode made from it. */
static void saw_off_the_branch(void)
{
    uint32_t top = rig_untyped(16), low = rig_slot(), node = rig_slot();

    CHECK_STATUS(sys_retype(top, low, OBJ_UNTYPED, 14, 0, 1), OK);
    CHECK_STATUS(sys_retype(low, node, OBJ_CNODE, 4, 0, 1), OK);
    CHECK_STATUS(sys_retype(low, CPTR(node, 2), OBJ_THREAD, 0, 0, 1), OK);
    CHECK_STATUS(sys_cap_move(low, CPTR(node, 1)), OK);
    CHECK_STATUS(sys_cap_revoke(CPTR(node, 1)), OK);
    CHECK(is_empty(node) && is_empty(low));
    CHECK_STATUS(sys_cap_revoke(top), OK);
    CHECK(free_bytes(top) == 1 << 16);
}

/* Deletes or revokes what it lives on; it must never come back from the call. */
static void suicide(uint64_t slot)
{
    seen[2] = sys_cap_delete((uint32_t)slot);
    seen[0] = 1;
    for (;;) {
        __asm__ volatile("ud2");
    }
}

static void without_itself(void)
{
    uint32_t thread = rig_slot();
    struct rig_thread t = rig_thread(suicide, thread, PRIORITY_MAX, 0, 0);

    seen[0] = 0;
    CHECK_STATUS(sys_cap_move(t.thread, thread), OK);
    CHECK_STATUS(sys_resume(thread), OK);
    sys_yield();
    CHECK(seen[0] == 0 && is_empty(thread));
    /* The slots are handed out in order: the thread's, then its SchedContext's. */
    t = rig_thread(suicide, thread + 4, PRIORITY_MAX, 0, 0);
    CHECK(t.sched == thread + 4);
    CHECK_STATUS(sys_resume(t.thread), OK);
    sys_yield();
    CHECK(seen[0] == 0 && is_empty(t.sched));
}

/* A thread in each state a thread can be in, taken away while it is in it. */
static void in_state(uint64_t state)
{
    struct message m = {.tag = TAG(0, 1)};

    seen[state] = 1;
    switch (state) {
    case 0:
        sys_recv(endpoint, reply, &m);
        break;
    case 1:
        sys_call(endpoint, &m);
        break;
    case 2:
        sys_wait(notification, &m.badge);
        break;
    default:
        for (;;) {
            continue;
        }
    }
    seen[7] = 1;
    park();
}

static void every_state(void)
{
    uint32_t last = rig_boot->cpu_count - 1;
    struct message m = {0};

    seen[7] = 0;
    for (uint64_t state = 0; state < 5; state++) {
        uint32_t thread = rig_slot();
        struct rig_thread t = rig_thread(in_state, state, 50, last, 0);

        endpoint = rig_object(OBJ_ENDPOINT, 0);
        reply = rig_object(OBJ_REPLY, 0);
        notification = rig_object(OBJ_NOTIFICATION, 0);
        seen[state] = 0;
        CHECK_STATUS(sys_cap_move(t.thread, thread), OK);
        CHECK_STATUS(sys_resume(thread), OK);
        CHECK(rest_until(&seen[state], 1, 1000));
        rest(1000);
        if (state == 1) {
            CHECK_STATUS(sys_recv(endpoint, reply, &m), OK);
        }
        CHECK_STATUS(sys_cap_delete(thread), OK);
        CHECK(is_empty(thread));
        rest(1000);
        /* Nothing is left of it in the objects. */
        CHECK_STATUS(sys_poll(notification, &m.badge), E_EMPTY);
        if (state == 1) {
            CHECK_STATUS(sys_reply(reply, &m), OK);
        }
        CHECK_STATUS(sys_cap_delete(reply), OK);
        CHECK_STATUS(sys_cap_delete(endpoint), OK);
    }
    CHECK(seen[7] == 0);
}

static void receiver(uint64_t argument)
{
    struct message m = {0};

    seen[argument] = sys_recv(endpoint, reply, &m);
    seen[argument + 1]++;
    for (;;) {
        seen[argument + 2]++;
    }
}

/* A receiver's endpoint goes away, then its Reply: the second time it does not wait any more. */
static void twice_gone(void)
{
    seen[0] = STATUS_COUNT;
    seen[1] = seen[2] = 0;
    endpoint = rig_object(OBJ_ENDPOINT, 0);
    reply = rig_object(OBJ_REPLY, 0);
    CHECK_STATUS(sys_resume(rig_thread(receiver, 0, 50, 0, 0).thread), OK);
    rest(1000);
    CHECK_STATUS(sys_cap_delete(endpoint), OK);
    CHECK_STATUS(sys_cap_delete(reply), OK);
    CHECK(rest_until(&seen[0], E_GONE, 1000));
    rest(1000);
    CHECK(seen[1] == 1 && seen[2] > 0);
}

static void caller(uint64_t argument)
{
    struct message m = {.tag = TAG(0, 0)};

    seen[argument] = sys_call(endpoint, &m);
    park();
}

/* The thread's own slots hold the last capability to something, and get another one. */
static void replaced(void)
{
    uint32_t untyped = rig_untyped(16), slot = rig_slot(), holder = rig_object(OBJ_THREAD, 0);
    struct space_query query;
    void *mapped;

    endpoint = rig_slot();
    CHECK_STATUS(sys_retype(untyped, endpoint, OBJ_ENDPOINT, 0, 0, 1), OK);
    CHECK_STATUS(sys_retype(untyped, slot, OBJ_FRAME, FRAME_4K_BITS, 0, 1), OK);
    mapped = rig_map(slot, 4096);
    CHECK_STATUS(sys_thread_configure(holder, 0, 0, endpoint, slot, 0), OK);
    CHECK_STATUS(sys_cap_delete(slot), OK);
    seen[0] = STATUS_COUNT;
    CHECK_STATUS(sys_resume(rig_thread(caller, 0, PRIORITY_MAX, 0, 0).thread), OK);
    sys_yield();
    CHECK_STATUS(sys_cap_delete(endpoint), OK);
    sys_yield();
    CHECK(seen[0] == STATUS_COUNT);
    CHECK_STATUS(sys_space_query(BOOT_SPACE, (uint64_t)mapped, &query), OK);
    CHECK_STATUS(sys_thread_configure(holder, 0, 0, rig_object(OBJ_ENDPOINT, 0),
                                      rig_object(OBJ_FRAME, FRAME_4K_BITS), 0), OK);
    CHECK(rest_until(&seen[0], E_GONE, 1000));
    CHECK_STATUS(sys_space_query(BOOT_SPACE, (uint64_t)mapped, &query), E_UNMAPPED);
    CHECK(free_bytes(untyped) == 1 << 16);
}

/* More Spaces, one after the other, than there are numbers for them. */
static void numbers(void)
{
    uint32_t untyped = rig_untyped(16), slot = rig_slot(), holder = rig_object(OBJ_THREAD, 0);

    for (unsigned i = 0; i < 5000; i++) {
        CHECK_STATUS(sys_retype(untyped, slot, OBJ_SPACE, PT_X86, 0, 1), OK);
        CHECK_STATUS(sys_thread_configure(holder, 0, slot, 0, 0, 0), OK);
        CHECK_STATUS(sys_cap_delete(slot), OK);
        if (i % 2 == 0) {
            CHECK_STATUS(sys_thread_configure(holder, 0, BOOT_SPACE, 0, 0, 0), OK);
        }
        CHECK_STATUS(sys_cap_revoke(untyped), OK);
    }
}

/* Builds and revokes, with copies of the endpoint that the other CPU revokes. */
static void worker(uint64_t cpu)
{
    uint32_t untyped = (uint32_t)seen[cpu], base = 2000 + (uint32_t)cpu * 100;

    while (!stop) {
        enum status status = sys_retype(untyped, base, OBJ_CNODE, 6, 0, 1);

        status = status == OK ? sys_retype(untyped, CPTR(base, 1), OBJ_ENDPOINT, 0, 0, 16) : status;
        sys_cap_copy(endpoint, CPTR(base, 20), RIGHTS_ALL);
        sys_cap_copy(endpoint, base + 1, EP_CALL);
        sys_cap_mint(endpoint, base + 2, EP_CALL, cpu + 1);
        status = status == OK ? sys_cap_revoke(untyped) : status;
        sys_cap_delete(base + 1);
        sys_cap_delete(base + 2);
        if (status != OK) {
            seen[7] = status;
        }
        seen[6]++;
    }
    seen[5]++;
    park();
}

static void many_cpus(void)
{
    uint32_t cpus = rig_boot->cpu_count < 4 ? rig_boot->cpu_count : 4;

    endpoint = rig_object(OBJ_ENDPOINT, 0);
    stop = false;
    seen[5] = seen[6] = seen[7] = 0;
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        seen[cpu] = rig_untyped(16);
        CHECK_STATUS(sys_resume(rig_thread(worker, cpu, 60, cpu, 0).thread), OK);
    }
    for (unsigned i = 0; i < 300; i++) {
        rest(500);
        CHECK_STATUS(sys_cap_revoke(endpoint), OK);
    }
    stop = true;
    CHECK(rest_until(&seen[5], cpus, 5000));
    CHECK(seen[7] == 0 && seen[6] > 100);
    CHECK_STATUS(sys_cap_revoke(endpoint), OK);
    for (uint32_t slot = 2000; slot < 2400; slot++) {
        CHECK(is_empty(slot));
    }
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        CHECK(free_bytes((uint32_t)seen[cpu]) == 1 << 16);
    }
}

void test_revoke(void)
{
    static const struct rig_test tests[] = {
        {"CAP-11: revoke deletes copies and copies of copies, of an original only", generations},
        {"CAP-12: revoke of a badged capability reaches its copies alone", badged},
        {"CAP-13: revoke of untyped memory takes all that was made from it, wherever it is", tree},
        {"CAP-14: a CNode's contents die with its last capability", contents},
        {"CAP-15: a long deletion lets more urgent threads run", preempted},
        {"CAP-16: CNodes that contain themselves or each other can be revoked", cycles},
        {"CAP-17: untyped memory is used up to the last byte, and is free again", exhausted},
        {"CAP-18: what was made from a deleted Untyped belongs to the one above", orphans},
        {"CAP-19: an Untyped whose capability dies by its own revoke", saw_off_the_branch},
        {"CAP-20: a thread deletes itself, or its time", without_itself},
        {"CAP-21: a thread is deleted in each of its states", every_state},
        {"CAP-22: what a thread held alone dies when it is given something else", replaced},
        {"CAP-23: Spaces that died give their numbers back", numbers},
        {"CAP-24: a receiver loses its endpoint, then its Reply", twice_gone},
        {"CAP-25: CPUs that make, copy and revoke at once lose nothing", many_cpus},
    };

    RIG_RUN(tests);
}
