/* server_test.c: a server's dispatch reaches the right handler, and answers what is wrong. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/server.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "servers/lib/server.h"

static uint64_t signals;

static enum server_verdict on_add(struct server *server, struct message *m)
{
    m->word[0] += m->word[1] + *(uint64_t *)server->context;
    return server_answer(m, OK, 1);
}

static enum server_verdict on_wait(struct server *server, struct message *m)
{
    (void)m;
    assert_int_equal(server_hold(server, 8), 7);
    return SERVER_HOLD;
}

static void on_signal(struct server *server, uint64_t bits)
{
    (void)server;
    signals |= bits;
}

static const struct server_operation operations[] = { { 1, 2, on_add }, { 5, 0, on_wait } };
static uint64_t base = 100;

static struct server make_server(void)
{
    return (struct server){
        .reply = 7, .operation = operations, .operation_count = 2, .context = &base
    };
}

static void test_dispatch(void **state)
{
    (void)state;
    struct server server = make_server();
    struct message m = { .tag = TAG(1, 2), .word = { 20, 3 } };
    assert_int_equal(server_dispatch(&server, &m), SERVER_ANSWER);
    assert_int_equal(m.tag, TAG(OK, 1));
    assert_int_equal(m.word[0], 123);
    m.tag = TAG(5, 0);
    assert_int_equal(server_dispatch(&server, &m), SERVER_HOLD);
    assert_int_equal(server.reply, 8);
}

static void test_wrong(void **state)
{
    (void)state;
    struct server server = make_server();
    struct message m = { .tag = TAG(1, 1) };
    assert_int_equal(server_dispatch(&server, &m), SERVER_ANSWER);
    assert_int_equal(tag_label(m.tag), E_ARGUMENT);
    m.tag = TAG(2, 4);
    assert_int_equal(server_dispatch(&server, &m), SERVER_ANSWER);
    assert_int_equal(tag_label(m.tag), E_CALL);
    /* A label that differs in its highest bits only is another label. */
    m.tag = TAG(1 | 1ull << 46, 2);
    server_dispatch(&server, &m);
    assert_int_equal(tag_label(m.tag), E_CALL);
}

static void test_kernel(void **state)
{
    (void)state;
    struct server server = make_server();
    struct message m = { .badge = 6, .tag = TAG(KL_NOTIFICATION, 0) | TAG_KERNEL };
    assert_int_equal(server_dispatch(&server, &m), SERVER_HOLD);
    server.notified = on_signal;
    assert_int_equal(server_dispatch(&server, &m), SERVER_HOLD);
    assert_int_equal(signals, 6);
    /* The kernel's label 5 is not the protocol's: a fault is left stopped, and always answered. */
    m.tag = TAG(KL_EXIT, 4) | TAG_KERNEL;
    assert_int_equal(server_dispatch(&server, &m), SERVER_ANSWER);
    assert_int_equal(m.tag, TAG(FR_STOP, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "SERVER-01: a label reaches its handler", test_dispatch, NULL, NULL, NULL },
        { "SERVER-02: unknown labels and short messages are answered", test_wrong, NULL, NULL,
            NULL },
        { "SERVER-03: kernel messages are kept apart", test_kernel, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
