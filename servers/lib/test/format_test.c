/* format_test.c: the small formatter says what the C library's says. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/format.c */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/lib/format.h"

static int ours(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = format_text(out, size, format, arguments);
    va_end(arguments);
    return length;
}

/* The host's C library is the oracle: same text, same length. */
#define SAME(...) \
    do { \
        char expected[300], got[300]; \
        int length = snprintf(expected, sizeof(expected), __VA_ARGS__); \
        assert_int_equal(ours(got, sizeof(got), __VA_ARGS__), length); \
        assert_string_equal(got, expected); \
    } while (0)

static void test_texts(void **state)
{
    (void)state;
    const char open_ended[3] = { 'a', 'b', 'c' };
    SAME("plain");
    SAME("%%");
    SAME("<%s> <%10s> <%-10s> <%.2s>", "abc", "abc", "abc", "abc");
    SAME("%.*s", 3, open_ended);
    SAME("%*s|%-*s|%*s", 7, "x", 7, "y", -7, "z");
    SAME("%c%5c%-5c|", 'a', 'b', 'c');
    SAME("%p", (void *)(uintptr_t)0xdeadbeef);
}

/* Every flag, width, precision and length, with values from the edges: made, not listed. */
static void test_numbers(void **state)
{
    (void)state;
    static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z", "j", "t" };
    static const char letters[] = "diuxXo";
    static const int64_t values[] = { 0, 1, -1, 9, 10, 127, -128, 255, 4096, INT_MAX, INT_MIN,
        INT64_MAX, INT64_MIN, 0x123456789abcdefll };
    srand(1);
    for (unsigned i = 0; i < 200000; i++) {
        char format[40] = "<%";
        for (unsigned flag = 0; flag < 5; flag++) {
            /* '+' and ' ' mean nothing for unsigned conversions; '#' none for d and u. */
            strncat(format,
                rand() % 3 == 0 ? &"-\0"
                                   "0\0"
                                   "+\0"
                                   " \0"
                                   "#"[2 * flag]
                                : "",
                1);
        }
        if (rand() % 2 != 0) {
            sprintf(format + strlen(format), "%d", 1 + rand() % 25);
        }
        if (rand() % 3 == 0) {
            sprintf(format + strlen(format), ".%d", rand() % 25);
        }
        const char *length = lengths[rand() % 8];
        sprintf(format + strlen(format), "%s%c>", length, letters[rand() % 6]);
        int64_t value = values[rand() % 14];
        char expected[100], got[100];
        int size_e, size_g;
        if (strchr("lzjt", length[0]) != NULL && length[0] != 0) {
            size_e = snprintf(expected, sizeof(expected), format, value);
            size_g = ours(got, sizeof(got), format, value);
        } else {
            size_e = snprintf(expected, sizeof(expected), format, (int)value);
            size_g = ours(got, sizeof(got), format, (int)value);
        }
        if (size_e != size_g || strcmp(expected, got) != 0) {
            fail_msg("%s of %lld: expected %s, got %s", format, (long long)value, expected, got);
        }
    }
}

static void test_sizes(void **state)
{
    (void)state;
    for (size_t size = 0; size < 12; size++) {
        char expected[16], got[16];
        memset(expected, '#', sizeof(expected));
        memset(got, '#', sizeof(got));
        assert_int_equal(
            snprintf(expected, size, "ab%dcd", 12345), ours(got, size, "ab%dcd", 12345));
        assert_memory_equal(expected, got, sizeof(got));
    }
}

static void test_mistakes(void **state)
{
    (void)state;
    char got[40];
    const char *unknown = "a %q b %";
    ours(got, sizeof(got), unknown);
    assert_string_equal(got, unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "FORMAT-01: texts are as the C library's", test_texts, NULL, NULL, NULL },
        { "FORMAT-02: numbers are as the C library's, in 200000 formats", test_numbers, NULL, NULL,
            NULL },
        { "FORMAT-03: nothing is written beyond the size", test_sizes, NULL, NULL, NULL },
        { "FORMAT-04: an unknown conversion is shown as it stands", test_mistakes, NULL, NULL,
            NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
