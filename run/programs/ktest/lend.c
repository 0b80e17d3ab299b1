/* lend.c: tests of lent time: who pays, who has it when somebody in the chain dies, changes its mind or answers late. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/rest.h"

#define LINKS 4u

/* Thread i receives at ep[i] with reply[i], and calls ep[i + 1]. */
static uint32_t ep[LINKS + 1], reply[LINKS + 1];
static struct rig_thread thread[LINKS + 1];
static volatile uint64_t calls[LINKS + 1], answers[LINKS + 1];
static volatile uint64_t spin_us;
static volatile uint64_t held[2];

static uint64_t ticks(uint64_t microseconds)
{
    return rig_boot->tsc_hz / 1000 * microseconds / 1000;
}

static void spin(uint64_t microseconds)
{
    uint64_t end = rig_tsc() + ticks(microseconds);

    while (rig_tsc() < end) {
        continue;
    }
}

static void client(uint64_t number)
{
    struct message m = {.tag = TAG(0, 1)};

    for (;;) {
        calls[number]++;
        answers[number] += sys_call(ep[0], &m) == OK;
    }
}

/* Passes each call on, but the last, which works for a while. */
static void server(uint64_t number)
{
    struct message m = {0};
    enum status status = sys_recv(ep[number], reply[number], &m);

    while (status == OK) {
        calls[number]++;
        if (ep[number + 1]) {
            sys_call(ep[number + 1], &m);
        } else {
            spin(spin_us);
        }
        answers[number]++;
        status = sys_reply_recv(ep[number], reply[number], &m);
    }
    park();
}

/* A chain of passive servers, on CPUs in turn, that waits. */
static void make_chain(unsigned links, rig_function *last, uint32_t priority)
{
    for (unsigned i = 0; i <= LINKS; i++) {
        ep[i] = reply[i] = 0;
        calls[i] = answers[i] = 0;
    }
    for (unsigned i = 0; i < links; i++) {
        ep[i] = rig_object(OBJ_ENDPOINT, 0);
        reply[i] = rig_object(OBJ_REPLY, 0);
    }
    for (unsigned i = 0; i < links; i++) {
        uint32_t cpu = i % rig_boot->cpu_count;

        thread[i] = rig_thread(i + 1 == links ? last : server, i, priority, cpu, 0);
        CHECK_STATUS(sys_resume(thread[i].thread), OK);
        /* Until it has run, and waits. */
        for (unsigned n = 0; n < 100 && sys_sched(thread[i].thread, 0, priority, cpu) != OK; n++) {
            rest(1000);
        }
    }
    spin_us = 0;
}

static struct rig_thread start_client(uint64_t number, uint64_t budget_us, uint64_t period_us)
{
    struct rig_thread t = rig_thread(client, number, 50, 0, 0);

    if (budget_us != period_us) {
        CHECK_STATUS(sys_sc_configure(t.sched, ticks(budget_us), ticks(period_us)), OK);
    }
    CHECK_STATUS(sys_resume(t.thread), OK);
    return t;
}

/* Receives, holds the caller, and tells; then waits until it may go on. */
static void holder(uint64_t number)
{
    struct message m = {0};

    sys_recv(ep[number], reply[number], &m);
    held[0] = 1;
    while (held[1] == 0) {
        continue;
    }
    held[0] = 2;
    sys_reply_recv(ep[number], reply[number], &m);
    park();
}

static void hold(void)
{
    held[0] = held[1] = 0;
    make_chain(3, holder, 60);
    start_client(4, 1, 1);
    CHECK(rest_until(&held[0], 1, 1000));
}

static void chain(void)
{
    make_chain(3, server, 60);
    start_client(4, 1, 1);
    rest(20000);
    CHECK(answers[4] > 10 && answers[2] >= answers[4] && calls[2] >= answers[2]);
}

/* Work in the chain's last link is the client's: it has 20 %, of it all. */
static void paid(void)
{
    uint64_t done;

    make_chain(2, server, 60);
    spin_us = 1000;
    start_client(4, 4000, 20000);
    rest(400000);
    done = answers[4];
    /* 400 ms * 20 % = 80 calls of 1 ms; an emulator's hiccups only make them fewer. */
    CHECK(done >= 20 && done <= 90);
    if (done < 20 || done > 90) {
        log_bare("    %lu calls", done);
    }
}

/* A server with time of its own is not its client's expense. */
static void not_paid(void)
{
    struct rig_thread t;

    make_chain(1, server, 60);
    CHECK_STATUS(sys_sched(thread[0].thread, thread[0].sched, 60, 0), OK);
    spin_us = 2000;
    t = start_client(4, 2000, 1000000);
    rest(100000);
    CHECK(answers[4] >= 8);
    CHECK_STATUS(sys_suspend(t.thread), OK);
}

/* Nor is the time that the caller waited in the queue. */
static void not_while_waiting(void)
{
    make_chain(1, holder, 60);
    CHECK_STATUS(sys_suspend(thread[0].thread), OK);
    start_client(4, 5000, 10000000);
    rest(20000);
    held[0] = held[1] = 0;
    thread[1] = rig_thread(holder, 0, 60, 0, 0);
    CHECK_STATUS(sys_resume(thread[1].thread), OK);
    CHECK(rest_until(&held[0], 1, 1000));
    held[1] = 1;
    CHECK(rest_until(&held[0], 2, 1000));
    CHECK(rest_until(&answers[4], 1, 1000));
}

static void time_dies(void)
{
    struct rig_thread t;
    struct cap_identity id;

    held[0] = held[1] = 0;
    make_chain(3, holder, 60);
    t = start_client(4, 1, 1);
    CHECK(rest_until(&held[0], 1, 1000));
    CHECK_STATUS(sys_cap_delete(t.sched), OK);
    held[1] = 1;
    rest(2000);
    CHECK(held[0] == 1);
    /* Given other time, the last link goes on; its answer wakes nobody who has none. */
    CHECK_STATUS(sys_suspend(thread[2].thread), OK);
    CHECK_STATUS(sys_sched(thread[2].thread, thread[2].sched, 60, 0), OK);
    CHECK_STATUS(sys_resume(thread[2].thread), OK);
    CHECK(rest_until(&held[0], 2, 1000));
    rest(2000);
    CHECK(answers[1] == 0 && answers[4] == 0);
    CHECK_STATUS(sys_cap_identify(t.sched, &id), E_CAP);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_STATUS(sys_cap_delete(thread[i].thread), OK);
    }
    CHECK_STATUS(sys_cap_delete(t.thread), OK);
}

/* Only who runs on the lent time can answer; when the Reply dies the time goes home. */
static void late_answer(void)
{
    struct message m = {.tag = TAG(0, 0)};

    hold();
    CHECK_STATUS(sys_reply(reply[2], &m), E_BUSY);
    CHECK_STATUS(sys_reply(reply[0], &m), E_BUSY);
    CHECK_STATUS(sys_reply_recv(ep[0], reply[0], &m), E_BUSY);
    CHECK_STATUS(sys_cap_delete(reply[1]), OK); /* link 0's call ends, and it answers */
    CHECK(rest_until(&answers[0], 1, 1000));
    CHECK(answers[4] <= 1 && held[0] == 1);
    rest(2000);
    CHECK(answers[4] >= 1);
}

static void caller_dies(void)
{
    for (unsigned i = 0; i < 3; i++) {
        hold();
        /* The second link is the one before the last, which runs on time lent twice. */
        CHECK_STATUS(sys_cap_delete(thread[i].thread), OK);
        held[1] = 1;
        rest(2000);
        CHECK(i == 2 || held[0] == 1 + (i == 1 ? 0 : 1) || held[0] == 1);
    }
}

/* A caller that waits for an answer cannot be given other time: its own is lent. */
static void no_other_time(void)
{
    uint32_t other = rig_object(OBJ_SCHED, 0);

    hold();
    CHECK_STATUS(sys_sched(thread[0].thread, other, 60, 0), E_STATE);
    CHECK_STATUS(sys_sched(thread[1].thread, 0, 60, 0), E_STATE);
    held[1] = 1;
    CHECK(rest_until(&held[0], 2, 1000));
}

/* Holds two callers; each one's time is its own while it is held. */
static void two_callers(uint64_t number)
{
    struct message m = {0};

    sys_recv(ep[number], reply[number], &m);
    held[0] = 1;
    sys_recv(ep[number], reply[LINKS], &m);
    held[0] = 2;
    sys_reply_recv(ep[number], reply[LINKS], &m);
    park();
}

static void parked(void)
{
    struct message m = {.tag = TAG(0, 0)};

    held[0] = 0;
    make_chain(1, two_callers, 60);
    reply[LINKS] = rig_object(OBJ_REPLY, 0);
    start_client(1, 1, 1);
    CHECK(rest_until(&held[0], 1, 1000));
    start_client(2, 1, 1);
    CHECK(rest_until(&held[0], 2, 1000));
    CHECK(rest_until(&answers[2], 1, 1000));
    CHECK(answers[1] == 0);
    /* Its time was not lent while it waited: anybody may answer. */
    CHECK_STATUS(sys_reply(reply[0], &m), OK);
    CHECK(rest_until(&answers[1], 1, 1000));
}

/* Small budgets that run out on all CPUs while they are lent here and there. */
static void restless(void)
{
    uint64_t before[3];

    make_chain(LINKS, server, 60);
    spin_us = 30;
    for (unsigned i = 0; i < 3; i++) {
        struct rig_thread t = rig_thread(client, i, 50, i % rig_boot->cpu_count, 0);

        CHECK_STATUS(sys_sc_configure(t.sched, ticks(100 + 50 * i), ticks(500)), OK);
        CHECK_STATUS(sys_resume(t.thread), OK);
    }
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 3; i++) {
            before[i] = answers[i];
        }
        rest(100000);
        for (unsigned i = 0; i < 3; i++) {
            CHECK(answers[i] > before[i]);
        }
    }
}

void test_lend(void)
{
    static const struct rig_test tests[] = {
        {"LND-01: a chain of passive servers runs on its client's time, over CPUs", chain},
        {"LND-02: a client pays for what passive servers do for it", paid},
        {"LND-03: a client does not pay for a server that has time of its own", not_paid},
        {"LND-04: a client does not pay for its time in the queue", not_while_waiting},
        {"LND-05: lent time dies: who runs on it stops, who gets it back has none", time_dies},
        {"LND-06: only who runs on the lent time can answer; the Reply's death sends it home",
         late_answer},
        {"LND-07: any thread of the chain dies", caller_dies},
        {"LND-08: who waits for an answer cannot be given other time", no_other_time},
        {"LND-09: a caller that is put off keeps its time, and anybody may answer it", parked},
        {"LND-10: small budgets run out all over the chain, and nobody is forgotten", restless},
    };

    RIG_RUN(tests);
}
