/* log_test.c: the log's formats against the C library's. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: kernel/lib/log.c */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/lock.h"
#include "kernel/lib/log.h"

static char written[1000];
static size_t used;

noreturn void panic(const char *format, ...)
{
    (void)format;
    abort();
}

unsigned lock_cpu(void)
{
    return 0;
}

void console_write(const char *text, size_t length)
{
    assert_true(used + length < sizeof(written));
    memcpy(written + used, text, length);
    used += length;
    written[used] = '\0';
}

#define SAME(...)                                                                                  \
    do {                                                                                           \
        char expected[sizeof(written)];                                                            \
                                                                                                   \
        snprintf(expected, sizeof(expected), __VA_ARGS__);                                         \
        used = 0;                                                                                  \
        written[0] = '\0';                                                                         \
        klog(__VA_ARGS__);                                                                         \
        assert_string_equal(written, expected);                                                    \
    } while (0)

static void formats_match(void **state)
{
    (void)state;
    SAME("plain text");
    SAME("%s|%5s|%c|%%", "word", "ab", 'z');
    SAME("%d %d %d", 0, INT_MIN, INT_MAX);
    SAME("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
    SAME("%u %x %08x %3u %16lx", UINT_MAX, 0xabcu, 0x12u, 7u, 1ul);
    SAME("%p", (void *)written);
}

static void unknown_conversions_stand(void **state)
{
    char format[] = "a %i %05q %";

    (void)state;
    used = 0;
    klog_v(format, (va_list){0});
    assert_string_equal(written, "a %i %05q %");
}

static void long_messages_are_whole(void **state)
{
    char text[500];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    SAME("<%s>", text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"LOG-01: each known conversion prints what printf prints", formats_match, NULL, NULL,
         NULL},
        {"LOG-02: a conversion that is not known is printed as it stands",
         unknown_conversions_stand, NULL, NULL, NULL},
        {"LOG-03: a message longer than the buffer is whole", long_messages_are_whole, NULL, NULL,
         NULL},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
