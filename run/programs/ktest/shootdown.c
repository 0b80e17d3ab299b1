/* shootdown.c: tests of Spaces in use: narrowing under running threads, and taking apart what is large or busy. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/faulter.h"

#define RW (MAP_READ | MAP_WRITE)
#define HERE 0x400000000000ull
#define LARGE (2ull << 20)
#define ROUNDS 300u

static volatile uint64_t looks, last_value;
static uint32_t endpoint, reply;

static struct space_query query(uint32_t space, uint64_t address)
{
    struct space_query q;

    sys_space_query(space, address, &q);
    return q;
}

static void reader(uint64_t address)
{
    volatile uint64_t *word = (volatile uint64_t *)address;

    for (;;) {
        last_value = *word;
        looks++;
    }
}

static void writer(uint64_t address)
{
    volatile uint64_t *word = (volatile uint64_t *)address;

    for (;;) {
        *word = *word + 1;
        looks++;
    }
}

static void wait_for_looks(void)
{
    uint64_t before = looks;

    while (looks < before + 2) {
        rest(50);
    }
}

/* A thread on the last CPU that runs 'function' on a page at HERE; its faults come to us. */
static struct rig_thread begin(rig_function *function)
{
    struct rig_thread t;

    endpoint = rig_object(OBJ_ENDPOINT, 0);
    reply = rig_object(OBJ_REPLY, 0);
    t = rig_thread(function, HERE, 100, rig_boot->cpu_count - 1, endpoint);
    CHECK_STATUS(sys_resume(t.thread), OK);
    return t;
}

static void expect_fault(struct message *m, uint64_t access)
{
    CHECK_STATUS(sys_recv(endpoint, reply, m), OK);
    CHECK(tag_label(m->tag) == KL_PAGE_FAULT && m->word[0] == HERE);
    CHECK((m->word[1] & ~(uint64_t)FAULT_READ) == (access & ~(uint64_t)FAULT_READ));
}

static void retry(void)
{
    struct message m = {.tag = TAG(FR_RETRY, 0)};

    CHECK_STATUS(sys_reply(reply, &m), OK);
}

/* The reader sees the old value until the unmap, and never the new one. */
static void unmapped(void)
{
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    volatile uint64_t *alias = rig_map(frame, 4096);
    struct message m = {0};

    *alias = 0;
    begin(reader);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        expect_fault(&m, FAULT_READ);
        CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, HERE | RW, 1, NULL), OK);
        retry();
        wait_for_looks();
        CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE, 1, NULL), OK);
        *alias = i + 1;
        CHECK(last_value == i);
    }
    expect_fault(&m, FAULT_READ);
    CHECK(last_value == ROUNDS - 1);
}

static void protected(void)
{
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    volatile uint64_t *alias = rig_map(frame, 4096);
    struct message m = {0};

    begin(writer);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        expect_fault(&m, i == 0 ? FAULT_READ : FAULT_WRITE | FAULT_PRESENT);
        CHECK_STATUS(sys_unmap(BOOT_SPACE, HERE, 1, NULL), OK);
        CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, HERE | RW, 1, NULL), OK);
        retry();
        wait_for_looks();
        CHECK_STATUS(sys_protect(BOOT_SPACE, HERE | MAP_READ, 1), OK);
        uint64_t value = *alias;

        for (unsigned n = 0; n < 1000; n++) {
            CHECK(*alias == value);
        }
    }
}

/* The same by revoking the frame, which is another one each time. */
static void revoked(void)
{
    uint32_t untyped = rig_untyped(16), frame = rig_slot();
    struct message m = {0};
    struct cap_identity id;

    begin(reader);
    for (unsigned i = 0; i < ROUNDS; i++) {
        expect_fault(&m, FAULT_READ);
        CHECK_STATUS(sys_retype(untyped, frame, OBJ_FRAME, FRAME_4K_BITS, 0, 1), OK);
        CHECK_STATUS(sys_map(BOOT_SPACE, frame, 0, HERE | RW, 1, NULL), OK);
        *(volatile uint64_t *)HERE = i;
        retry();
        wait_for_looks();
        if (i % 2 == 0) {
            CHECK_STATUS(sys_cap_revoke(untyped), OK);
        } else {
            CHECK_STATUS(sys_cap_delete(frame), OK);
        }
        CHECK_STATUS(sys_cap_identify(untyped, &id), OK);
        CHECK(id.free == 1 << 16 && last_value == i);
    }
}

/* 20 * 512 pages, of 2 MiB of memory. */
#define TIMES 20u

static uint32_t big_space(uint32_t untyped, uint32_t fund)
{
    uint32_t space = rig_slot(), frame = rig_object(OBJ_FRAME, FRAME_2M_BITS);

    CHECK_STATUS(sys_retype(untyped, space, OBJ_SPACE, PT_X86, 0, 1), OK);
    CHECK_STATUS(sys_space_fund(space, fund, NULL), OK);
    for (uint64_t i = 0; i < TIMES; i++) {
        CHECK_STATUS(sys_map(space, frame, 0, (HERE + i * LARGE) | RW, 512, NULL), OK);
    }
    CHECK(query(space, HERE).mapped == 512 * TIMES);
    return space;
}

static void unmap_much(void)
{
    uint32_t space = big_space(rig_untyped(14), rig_untyped(19));
    uint64_t count, reserve = query(space, 0).reserve;

    CHECK_STATUS(sys_protect(space, HERE | MAP_READ, 512 * TIMES), OK);
    CHECK((query(space, HERE + (TIMES - 1) * LARGE).mapping & MAP_RIGHTS) == MAP_READ);
    CHECK_STATUS(sys_unmap(space, HERE - LARGE, 512 * TIMES + 1024, &count), OK);
    CHECK(count == 512 * TIMES && query(space, 0).mapped == 0);
    CHECK(query(space, 0).reserve == reserve + 3 * TIMES + 2);
}

static void delete_much(void)
{
    uint32_t objects = rig_untyped(14), fund = rig_untyped(19);
    uint32_t space = big_space(objects, fund);
    struct cap_identity id;

    CHECK_STATUS(sys_cap_delete(space), OK);
    CHECK_STATUS(sys_cap_identify(objects, &id), OK);
    CHECK(id.free == 1 << 14);
    CHECK_STATUS(sys_cap_identify(fund, &id), OK);
    CHECK(id.free == 1 << 19);
}

static void delete_many_mappings(void)
{
    uint32_t space = rig_object(OBJ_SPACE, PT_X86), frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);

    CHECK_STATUS(sys_space_fund(space, rig_untyped(19), NULL), OK);
    for (uint64_t i = 0; i < 10000; i++) {
        CHECK_STATUS(sys_map(space, frame, 0, (HERE + i * 4096) | RW, 1, NULL), OK);
    }
    CHECK_STATUS(sys_cap_delete(frame), OK);
    CHECK(query(space, HERE).mapped == 0);
}

static volatile uint64_t taken;

static void taker(uint64_t fund)
{
    taken = 1;
    CHECK_STATUS(sys_cap_revoke((uint32_t)fund), OK);
    taken = 2;
    park();
}

/* While the Space loses its memory piece by piece, somebody goes on mapping into it. */
static void taken_back(void)
{
    uint32_t fund = rig_untyped(19), other = rig_untyped(14), objects = rig_untyped(14);
    uint32_t space = big_space(objects, fund), frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    uint64_t tries = 0;
    struct cap_identity id;

    CHECK_STATUS(sys_space_fund(space, other, NULL), OK);
    taken = 0;
    CHECK_STATUS(sys_resume(rig_thread(taker, fund, 60, rig_boot->cpu_count - 1, 0).thread), OK);
    while (taken != 2) {
        sys_map(space, frame, 0, (0x1000 + tries++ * 4096) | RW, 1, NULL);
        rest(20);
    }
    CHECK(query(space, 0).mapped == 0 && query(space, 0).reserve == 0);
    CHECK_STATUS(sys_map(space, frame, 0, HERE | RW, 1, NULL), E_STATE);
    CHECK_STATUS(sys_space_fund(space, fund, NULL), E_BUSY);
    CHECK_STATUS(sys_cap_identify(fund, &id), OK);
    CHECK(id.free == 1 << 19);
    CHECK_STATUS(sys_cap_identify(other, &id), OK);
    CHECK(id.free == 1 << 14);
    CHECK_STATUS(sys_cap_delete(space), OK);
    CHECK_STATUS(sys_cap_identify(objects, &id), OK);
    CHECK(id.free == 1 << 14);
}

static void spinner(uint64_t argument)
{
    (void)argument;
    for (;;) {
        looks++;
    }
}

/* Its Space is taken away under a thread that runs in it. */
static void space_gone(void)
{
    for (uint32_t cpu = 0; cpu < rig_boot->cpu_count; cpu++) {
        struct rig_thread t = rig_process(spinner, 0, 60, cpu, 0);
        struct thread_state before, after;

        CHECK_STATUS(sys_resume(t.thread), OK);
        rest(2000);
        CHECK_STATUS(sys_thread_read(t.thread, &before), E_STATE);
        CHECK_STATUS(sys_cap_revoke(t.space), OK);
        CHECK_STATUS(sys_thread_read(t.thread, &before), OK);
        rest(2000);
        CHECK_STATUS(sys_thread_read(t.thread, &after), OK);
        CHECK(before.rip == after.rip && before.rax == after.rax);
        CHECK_STATUS(sys_resume(t.thread), E_STATE);
    }
}

void test_shootdown(void)
{
    static const struct rig_test tests[] = {
        {"SPC-09: after an unmap nobody reads the page, on any CPU", unmapped},
        {"SPC-10: after a protect nobody writes the page, on any CPU", protected},
        {"SPC-11: after a revoke the page's memory is nobody's", revoked},
        {"SPC-12: 10240 pages are protected and unmapped in one call", unmap_much},
        {"SPC-13: a Space with 10240 mappings dies and leaves nothing", delete_much},
        {"SPC-14: a Frame with 10000 mappings dies and leaves none", delete_many_mappings},
        {"SPC-15: memory taken back empties the Space for good, also one that is being filled",
         taken_back},
        {"SPC-16: a thread whose Space is gone does not run", space_gone},
    };

    RIG_RUN(tests);
}
