/* log.c: formats the kernel's log, and keeps the messages of the CPUs apart. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/log.h"

#include <stdint.h>

#include "kernel/lib/lock.h"
#include "kernel/lib/string.h"

static struct lock log_lock;
static bool lock_broken;

/* Collects characters, so that the console gets them in pieces of some size. */
struct sink {
    size_t used;
    char buffer[80];
};

/* One conversion, as parsed: %[0][width][l]type. */
struct conversion {
    unsigned width;
    char pad;
    bool is_long;
    char type;
};

static void flush(struct sink *sink)
{
    console_write(sink->buffer, sink->used);
    sink->used = 0;
}

static void put(struct sink *sink, char c)
{
    if (sink->used == sizeof(sink->buffer)) {
        flush(sink);
    }
    sink->buffer[sink->used++] = c;
}

static void put_padded(struct sink *sink, const struct conversion *how, const char *text,
                       size_t length)
{
    for (size_t i = length; i < how->width; i++) {
        put(sink, how->pad);
    }
    for (size_t i = 0; i < length; i++) {
        put(sink, text[i]);
    }
}

static void put_number(struct sink *sink, const struct conversion *how, uint64_t value,
                       unsigned base, const char *prefix)
{
    char text[24];
    size_t at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    for (size_t i = strlen(prefix); i > 0; i--) {
        text[--at] = prefix[i - 1];
    }
    put_padded(sink, how, text + at, sizeof(text) - at);
}

static void put_text(struct sink *sink, const struct conversion *how, const char *text)
{
    if (text == NULL) {
        text = "(null)";
    }
    put_padded(sink, how, text, strlen(text));
}

/* Reads the conversion behind a '%'; returns where it ends. */
static const char *parse(const char *at, struct conversion *how)
{
    *how = (struct conversion){.pad = ' '};
    if (*at == '0') {
        how->pad = '0';
    }
    while (*at >= '0' && *at <= '9') {
        how->width = how->width * 10 + (unsigned)(*at++ - '0');
    }
    if (*at == 'l') {
        how->is_long = true;
        at++;
    }
    how->type = *at;
    return *at == '\0' ? at : at + 1;
}

static uint64_t fetch_unsigned(va_list *arguments, bool is_long)
{
    return is_long ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned int);
}

static void put_signed(struct sink *sink, const struct conversion *how, va_list *arguments)
{
    int64_t value = how->is_long ? va_arg(*arguments, long) : va_arg(*arguments, int);

    if (value < 0) {
        put_number(sink, how, -(uint64_t)value, 10, "-");
    } else {
        put_number(sink, how, (uint64_t)value, 10, "");
    }
}

/* Prints one argument; false if the conversion is not known. */
static bool convert(struct sink *sink, const struct conversion *how, va_list *arguments)
{
    switch (how->type) {
    case 's':
        put_text(sink, how, va_arg(*arguments, const char *));
        return true;
    case 'c':
        put(sink, (char)va_arg(*arguments, int));
        return true;
    case 'u':
        put_number(sink, how, fetch_unsigned(arguments, how->is_long), 10, "");
        return true;
    case 'x':
        put_number(sink, how, fetch_unsigned(arguments, how->is_long), 16, "");
        return true;
    case 'p':
        put_number(sink, how, (uintptr_t)va_arg(*arguments, void *), 16, "0x");
        return true;
    case 'd':
        put_signed(sink, how, arguments);
        return true;
    case '%':
        put(sink, '%');
        return true;
    default:
        return false;
    }
}

static void format_all(struct sink *sink, const char *format, va_list *arguments)
{
    while (*format != '\0') {
        const char *start = format;
        struct conversion how;

        if (*format++ != '%') {
            put(sink, *start);
            continue;
        }
        format = parse(format, &how);
        if (!convert(sink, &how, arguments)) {
            put_padded(sink, &(struct conversion){0}, start, (size_t)(format - start));
        }
    }
    flush(sink);
}

void klog_v(const char *format, va_list arguments)
{
    struct sink sink = {.used = 0};
    bool locked = !__atomic_load_n(&lock_broken, __ATOMIC_RELAXED);
    va_list list;

    va_copy(list, arguments);
    if (locked) {
        lock_take(&log_lock);
    }
    format_all(&sink, format, &list);
    if (locked) {
        lock_release(&log_lock);
    }
    va_end(list);
}

void klog(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    klog_v(format, arguments);
    va_end(arguments);
}

void log_break_lock(void)
{
    __atomic_store_n(&lock_broken, true, __ATOMIC_RELAXED);
}
