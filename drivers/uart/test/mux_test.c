/* mux_test.c: output of several clients is kept apart, input goes where the focus is. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: drivers/uart/mux.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/uart/mux.h"

static struct mux mux;

static void setup(unsigned guests)
{
    mux_init(&mux);
    mux_add(&mux, 3, "shell", false);
    for (unsigned i = 0; i < guests; i++) {
        static const char *const names[] = { "red", "blue" };
        mux_add(&mux, 5 + i, names[i], true);
    }
}

static void write_text(uint32_t number, const char *text)
{
    assert_int_equal(mux_write(&mux, number, text, strlen(text)), strlen(text));
}

static const char *output(void)
{
    static char text[MUX_OUTPUT_SIZE + 1];
    size_t length = 0;
    while (ring_take(&mux.output, &text[length])) {
        length++;
    }
    text[length] = 0;
    return text;
}

static void type(const char *text)
{
    for (; *text != 0; text++) {
        mux_input(&mux, *text);
    }
}

static const char *input(uint32_t number)
{
    static char text[MUX_INPUT_SIZE + 1];
    text[mux_read(&mux, number, text, MUX_INPUT_SIZE)] = 0;
    return text;
}

static void test_raw(void **state)
{
    (void)state;
    setup(1);
    write_text(5, "login: \x1b[1mx\r\n\r\ny");
    assert_string_equal(output(), "login: \x1b[1mx\r\n\r\ny");
    write_text(3, "hello\nagain\n");
    assert_string_equal(output(), "\r\n[shell] hello\r\n[shell] again\r\n");
    write_text(5, "z\n");
    assert_string_equal(output(), "z\n");
}

static void test_prefix(void **state)
{
    (void)state;
    setup(2);
    write_text(5, "one\r\ntw");
    write_text(5, "o");
    write_text(6, "three");
    write_text(5, "four\r\n");
    write_text(6, "five\r\n");
    assert_string_equal(
        output(), "[red] one\r\n[red] two\r\n[blue] three\r\n[red] four\r\n[blue] five\r\n");
}

static void test_end_line(void **state)
{
    (void)state;
    setup(2);
    write_text(5, "open");
    assert_true(mux_end_line(&mux, 6));
    assert_true(mux_end_line(&mux, 5));
    assert_true(mux_end_line(&mux, 5));
    assert_string_equal(output(), "[red] open\r\n");
}

static void test_focus(void **state)
{
    (void)state;
    setup(2);
    type("to red");
    assert_string_equal(input(5), "to red");
    type("\x01n");
    assert_string_equal(output(), "[console] input goes to blue\r\n");
    type("to blue\x01"
         "a\x01\x01");
    assert_string_equal(input(6), "to blue\x01\x01");
    assert_string_equal(input(5), "");
    type("\x01n");
    assert_string_equal(output(), "[console] input goes to red\r\n");
    mux_listen(&mux, 3);
    type("\x01n\x01n");
    assert_string_equal(
        output(), "[console] input goes to blue\r\n[console] input goes to shell\r\n");
    assert_int_equal(mux_input(&mux, 'q'), 3);
    type("\x01h");
    assert_non_null(strstr(output(), "input goes to shell\r\n"));
    assert_string_equal(input(3), "q");
}

static void test_nobody(void **state)
{
    (void)state;
    setup(0);
    type("lost\x01n");
    assert_string_equal(output(), "[console] nobody listens\r\n");
    mux_listen(&mux, 3);
    type("heard");
    assert_string_equal(input(3), "heard");
    assert_false(mux_knows(&mux, 0));
    assert_false(mux_knows(&mux, 4));
    assert_false(mux_knows(&mux, 1ull << 32 | 3));
    assert_true(mux_knows(&mux, 3));
}

static void test_full_input(void **state)
{
    (void)state;
    setup(1);
    for (unsigned i = 0; i < MUX_INPUT_SIZE; i++) {
        assert_int_equal(mux_input(&mux, 'i'), 5);
    }
    assert_int_equal(mux_input(&mux, 'j'), 0);
    assert_int_equal(mux.client[5].lost, 1);
    assert_int_equal(strspn(input(5), "i"), MUX_INPUT_SIZE);
    /* The keys of the console work also while the guest does not read. */
    type("\x01h");
    assert_non_null(strstr(output(), "Ctrl-A n"));
}

/*
 * Clients that write again what was not taken lose nothing and keep their order, however small the
 * room.
 */
static void test_full_output(void **state)
{
    (void)state;
    static char got[2][400000];
    static size_t length[2], sent[2];
    setup(2);
    srand(5);
    uint32_t from = 0;
    bool in_prefix = false;
    while (sent[0] < 100000 || sent[1] < 100000) {
        unsigned who = (unsigned)rand() % 2;
        char bytes[300];
        size_t count = (size_t)rand() % sizeof(bytes);
        for (size_t i = 0; i < count; i++) {
            size_t n = sent[who] + i;
            bytes[i] = n % 7 == 6 ? '\n' : (char)('a' + n % 26);
        }
        sent[who] += mux_write(&mux, 5 + who, bytes, count);
        char byte;
        for (unsigned i = (unsigned)rand() % 250; i > 0 && ring_take(&mux.output, &byte); i--) {
            /* Takes the prefixes and the console's line ends out again. */
            if (byte == '[') {
                in_prefix = true;
            } else if (in_prefix) {
                from = byte == 'r' ? 0 : byte == 'b' ? 1 : from;
                in_prefix = byte != ' ';
            } else if (byte != '\r') {
                got[from][length[from]++] = byte;
            }
        }
    }
    for (unsigned who = 0; who < 2; who++) {
        size_t n = 0;
        for (size_t i = 0; i < length[who]; i++) {
            if (got[who][i] == '\n' && n % 7 != 6) {
                continue; /* a line that the other one's output ended */
            }
            assert_int_equal(got[who][i], n % 7 == 6 ? '\n' : (char)('a' + n % 26));
            n++;
        }
        assert_true(n + MUX_OUTPUT_SIZE >= sent[who] && n > 50000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "MUX-01: the only guest's bytes go out as they are", test_raw, NULL, NULL, NULL },
        { "MUX-02: lines of several guests begin with their names", test_prefix, NULL, NULL, NULL },
        { "MUX-03: only one's own unfinished line is ended", test_end_line, NULL, NULL, NULL },
        { "MUX-04: Ctrl-A n moves the focus, Ctrl-A a is a Ctrl-A", test_focus, NULL, NULL, NULL },
        { "MUX-05: without a guest, who listens first has the focus", test_nobody, NULL, NULL,
            NULL },
        { "MUX-06: input that nobody reads is counted, keys still work", test_full_input, NULL,
            NULL, NULL },
        { "MUX-07: a full queue loses nothing", test_full_output, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
