/* ipc.c: tests of messages: call, receive, reply, transfer, Reply objects, notifications. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/rest.h"

static uint32_t endpoint, reply, notification;
static volatile uint64_t seen[8];

/* Answers each call with its words plus one, and its badge in word 3. */
static void echo(uint64_t argument)
{
    struct message m = {0};
    enum status status = sys_recv(endpoint, reply, &m);

    (void)argument;
    while (status == OK) {
        m.word[0]++;
        m.word[1]++;
        m.word[2]++;
        m.word[3] = m.badge;
        m.tag = TAG(tag_label(m.tag) + 1, 4);
        status = sys_reply_recv(endpoint, reply, &m);
    }
    seen[7] = status;
    sys_wait(notification, &(uint64_t){0});
}

static void make_objects(void)
{
    endpoint = rig_object(OBJ_ENDPOINT, 0);
    reply = rig_object(OBJ_REPLY, 0);
    notification = rig_object(OBJ_NOTIFICATION, 0);
}

static void check_echo(uint32_t priority, uint32_t cpu, bool process)
{
    uint32_t badged = rig_slot();
    struct rig_thread t;

    make_objects();
    t = process ? rig_process(echo, 0, priority, cpu, 0) : rig_thread(echo, 0, priority, cpu, 0);
    CHECK_STATUS(sys_cap_mint(endpoint, badged, EP_CALL, 77), OK);
    CHECK_STATUS(sys_resume(t.thread), OK);
    for (uint64_t i = 0; i < 1000; i++) {
        struct message m = {.tag = TAG(i, 3), .word = {i, 2 * i, 3 * i, 0}};

        CHECK_STATUS(sys_call(badged, &m), OK);
        CHECK(tag_label(m.tag) == i + 1 && m.word[0] == i + 1 && m.word[1] == 2 * i + 1 &&
              m.word[2] == 3 * i + 1 && m.word[3] == 77);
    }
}

static void same_space(void) { check_echo(PRIORITY_MAX, 0, false); }
static void cross_space(void) { check_echo(PRIORITY_MAX, 0, true); }
static void lower_server(void) { check_echo(10, 0, false); }
static void other_cpu(void) { check_echo(50, rig_boot->cpu_count - 1, true); }

static void passive_server(void)
{
    struct rig_thread t;
    struct message m = {.tag = TAG(1, 1)};

    make_objects();
    t = rig_thread(echo, 0, PRIORITY_MAX, 0, 0);
    CHECK_STATUS(sys_resume(t.thread), OK);
    CHECK_STATUS(sys_call(endpoint, &m), OK);
    CHECK_STATUS(sys_sched(t.thread, 0, PRIORITY_MAX, 0), OK); /* it waits now, and has no time */
    m.word[0] = 41;
    CHECK_STATUS(sys_call(endpoint, &m), OK);
    CHECK(m.word[0] == 42);
}

/* Sends from the queue: the callers come before the receiver. */
static void caller_waits(uint64_t argument)
{
    struct message m = {.tag = TAG(argument, 1), .word = {argument}};

    seen[argument] = sys_call(endpoint, &m) == OK ? m.word[0] : 0;
    sys_wait(notification, &(uint64_t){0});
}

static void queue_order(void)
{
    struct message m = {0};

    make_objects();
    for (uint64_t i = 0; i < 4; i++) {
        seen[i] = 0;
        CHECK_STATUS(sys_resume(rig_thread(caller_waits, i, PRIORITY_MAX, 0, 0).thread), OK);
        sys_yield();
    }
    for (uint64_t i = 0; i < 4; i++) {
        CHECK_STATUS(sys_recv(endpoint, reply, &m), OK);
        CHECK(m.word[0] == i);
        m.tag = TAG(0, 1);
        m.word[0] = 100 + i;
        CHECK_STATUS(sys_reply(reply, &m), OK);
    }
    sys_yield();
    for (uint64_t i = 0; i < 4; i++) {
        CHECK(seen[i] == 100 + i);
    }
}

static void gone(void)
{
    make_objects();
    seen[0] = 99;
    CHECK_STATUS(sys_resume(rig_thread(caller_waits, 0, PRIORITY_MAX, 0, 0).thread), OK);
    sys_yield();
    CHECK_STATUS(sys_cap_delete(endpoint), OK);
    sys_yield();
    CHECK(seen[0] == 0);
}

/* 100 words and a capability through the buffers. */
static struct ipc_buffer *server_buffer;

static void sum_server(uint64_t argument)
{
    struct message m = {0};

    (void)argument;
    server_buffer->receive_slot = (uint32_t)argument;
    if (sys_recv(endpoint, reply, &m) == OK) {
        uint64_t sum = m.word[0] + m.word[1] + m.word[2] + m.word[3];

        for (unsigned i = 4; i < tag_words(m.tag); i++) {
            sum += server_buffer->word[i];
        }
        seen[0] = tag_caps(m.tag);
        m.word[0] = sum;
        m.tag = TAG(0, 1);
        sys_reply(reply, &m);
    }
    sys_wait(notification, &(uint64_t){0});
}

static void long_message(void)
{
    struct ipc_buffer *mine = (struct ipc_buffer *)BOOT_BUFFER_VA;
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS), target = rig_slot();
    struct message m = {.tag = TAG(0, 100) | TAG_CAPS(1), .word = {1, 2, 3, 4}};
    struct rig_thread t;
    struct cap_identity id;

    make_objects();
    server_buffer = rig_map(frame, 4096);
    t = rig_thread(sum_server, target, PRIORITY_MAX, 0, 0);
    CHECK_STATUS(sys_thread_configure(t.thread, 0, 0, 0, frame, 0), OK);
    CHECK_STATUS(sys_resume(t.thread), OK);
    sys_yield();
    for (unsigned i = 4; i < 100; i++) {
        mine->word[i] = i + 1;
    }
    mine->cap[0] = notification;
    CHECK_STATUS(sys_call(endpoint, &m), OK);
    CHECK(m.word[0] == 100 * 101 / 2);
    CHECK(seen[0] == 1);
    CHECK_STATUS(sys_cap_identify(target, &id), OK);
    CHECK(id.type == OBJ_NOTIFICATION);
}

static void grant_right(void)
{
    uint32_t weak = rig_slot(), frame = rig_object(OBJ_FRAME, FRAME_4K_BITS), target = rig_slot();
    struct message m = {.tag = TAG(0, 1) | TAG_CAPS(1)};
    struct rig_thread t;
    struct cap_identity id;

    make_objects();
    server_buffer = rig_map(frame, 4096);
    CHECK_STATUS(sys_cap_copy(endpoint, weak, EP_CALL), OK);
    t = rig_thread(sum_server, target, PRIORITY_MAX, 0, 0);
    CHECK_STATUS(sys_thread_configure(t.thread, 0, 0, 0, frame, 0), OK);
    CHECK_STATUS(sys_resume(t.thread), OK);
    sys_yield();
    ((struct ipc_buffer *)BOOT_BUFFER_VA)->cap[0] = notification;
    CHECK_STATUS(sys_call(weak, &m), OK);
    CHECK(seen[0] == 0);
    CHECK_STATUS(sys_cap_identify(target, &id), E_CAP);
}

static void forged(void)
{
    struct message m = {.tag = TAG(KL_EXIT, 1) | TAG_KERNEL};

    make_objects();
    CHECK_STATUS(sys_resume(rig_thread(echo, 0, PRIORITY_MAX, 0, 0).thread), OK);
    CHECK_STATUS(sys_call(endpoint, &m), OK);
    CHECK(!(m.tag & TAG_KERNEL) && tag_label(m.tag) == KL_EXIT + 1);
}

static void reply_busy(void)
{
    struct message m = {0};

    make_objects();
    CHECK_STATUS(sys_resume(rig_thread(caller_waits, 1, PRIORITY_MAX, 0, 0).thread), OK);
    CHECK_STATUS(sys_recv(endpoint, reply, &m), OK);
    CHECK_STATUS(sys_recv(endpoint, reply, &m), E_BUSY);
    CHECK_STATUS(sys_recv(endpoint, endpoint, &m), E_TYPE);
    CHECK_STATUS(sys_recv(0, reply, &m), E_CAP);
    CHECK_STATUS(sys_recv(60000, reply, &m), E_CAP);
}

static void waiter(uint64_t argument)
{
    uint64_t bits = 0;

    sys_wait(notification, &bits);
    seen[argument] = bits;
    park();
}

static void signals(void)
{
    uint32_t four = rig_slot(), one = rig_slot();
    uint64_t bits;

    make_objects();
    CHECK_STATUS(sys_cap_mint(notification, four, NT_SIGNAL, 4), OK);
    CHECK_STATUS(sys_cap_mint(notification, one, NT_SIGNAL | NT_WAIT, 1), OK);
    CHECK_STATUS(sys_poll(notification, &bits), E_EMPTY);
    CHECK_STATUS(sys_signal(four), OK);
    CHECK_STATUS(sys_signal(one), OK);
    CHECK_STATUS(sys_poll(notification, &bits), OK);
    CHECK(bits == 5);
    CHECK_STATUS(sys_poll(four, &bits), E_RIGHT);
    seen[0] = 0;
    CHECK_STATUS(sys_resume(rig_thread(waiter, 0, PRIORITY_MAX, 0, 0).thread), OK);
    sys_yield();
    CHECK_STATUS(sys_signal(four), OK);
    sys_yield();
    CHECK(seen[0] == 4);
    uint64_t deadline = rig_tsc() + rig_boot->tsc_hz / 1000;

    CHECK_STATUS(sys_timer(one, deadline), OK);
    while (sys_poll(one, &bits) == E_EMPTY) {
        continue;
    }
    CHECK(rig_tsc() >= deadline);
    CHECK(bits == 1);
}

static void bound_server(uint64_t argument)
{
    struct message m = {0};

    (void)argument;
    if (sys_recv(endpoint, reply, &m) == OK) {
        seen[0] = m.tag;
        seen[1] = m.badge;
    }
    for (;;) {
        sys_wait(notification, &m.badge);
    }
}

static void bound(void)
{
    uint32_t eight = rig_slot();
    struct rig_thread t;

    make_objects();
    seen[0] = seen[1] = 0;
    CHECK_STATUS(sys_cap_mint(notification, eight, NT_SIGNAL, 8), OK);
    t = rig_thread(bound_server, 0, PRIORITY_MAX, 0, 0);
    CHECK_STATUS(sys_thread_bind(t.thread, notification), OK);
    CHECK_STATUS(sys_resume(t.thread), OK);
    sys_yield();
    CHECK_STATUS(sys_signal(eight), OK);
    sys_yield();
    CHECK(seen[0] == (TAG_KERNEL | TAG(KL_NOTIFICATION, 0)) && seen[1] == 8);
}

void test_ipc(void)
{
    static const struct rig_test tests[] = {
        {"IPC-01: a call comes back with words, label and badge, in one address space", same_space},
        {"IPC-02: the same between two address spaces", cross_space},
        {"IPC-03: a server of low priority is still answered", lower_server},
        {"IPC-04: a server on the last CPU answers", other_cpu},
        {"IPC-05: a server without time of its own runs on its caller's", passive_server},
        {"IPC-06: callers that wait are served in order", queue_order},
        {"IPC-07: deleting the endpoint ends a wait with an error", gone},
        {"IPC-08: 100 words and a capability arrive", long_message},
        {"IPC-09: no capability passes without the right to grant", grant_right},
        {"IPC-10: user level cannot forge a kernel message", forged},
        {"IPC-11: a Reply that holds a caller is refused, as is a wrong type", reply_busy},
        {"NTF-01: signals add up, wake a waiter, and a timer signals", signals},
        {"NTF-02: a bound notification arrives as a message", bound},
    };

    RIG_RUN(tests);
}
