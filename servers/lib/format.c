/* format.c: a small printf: text, integers and pointers. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/format.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct output {
    char *text;
    size_t size;
    size_t length; /* of the whole text, also what did not fit */
};

/* One conversion: what stands between '%' and its letter. */
struct conversion {
    bool left, zero, alternate;
    char positive; /* '+', ' ' or 0: the sign of a number that is not negative */
    int width;
    int precision; /* -1: none given */
    int length;    /* bytes of the integer */
};

static void put(struct output *o, char c)
{
    if (o->length + 1 < o->size) {
        o->text[o->length] = c;
    }
    o->length++;
}

static void put_many(struct output *o, char c, int count)
{
    while (count-- > 0) {
        put(o, c);
    }
}

static void put_bytes(struct output *o, const char *bytes, int count)
{
    for (int i = 0; i < count; i++) {
        put(o, bytes[i]);
    }
}

static void put_padded(struct output *o, const struct conversion *c, const char *bytes, int count)
{
    put_many(o, ' ', c->left ? 0 : c->width - count);
    put_bytes(o, bytes, count);
    put_many(o, ' ', c->left ? c->width - count : 0);
}

/* Writes sign or base prefix, zeroes and digits, padded as asked. */
static void put_number(struct output *o, const struct conversion *c, const char *prefix,
    uint64_t value, unsigned base, bool upper)
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[24];
    int count = 0;
    for (uint64_t rest = value; rest != 0; rest /= base) {
        count++;
        digits[sizeof(digits) - count] = set[rest % base];
    }
    int wanted = c->precision < 0 ? 1 : c->precision;
    if (base == 8 && c->alternate && wanted <= count) {
        wanted = count + 1;
    }
    int before = (int)strlen(prefix);
    int zeroes = wanted > count ? wanted - count : 0;
    int padding = c->width - before - zeroes - count;
    bool pad_zero = c->zero && !c->left && c->precision < 0;
    put_many(o, ' ', c->left || pad_zero ? 0 : padding);
    put_bytes(o, prefix, before);
    put_many(o, '0', (pad_zero && padding > 0 ? padding : 0) + zeroes);
    put_bytes(o, digits + sizeof(digits) - count, count);
    put_many(o, ' ', c->left ? padding : 0);
}

static const char *read_flags(const char *f, struct conversion *c)
{
    for (;; f++) {
        if (*f == '-') {
            c->left = true;
        } else if (*f == '0') {
            c->zero = true;
        } else if (*f == '#') {
            c->alternate = true;
        } else if (*f == '+') {
            c->positive = '+';
        } else if (*f == ' ') {
            c->positive = c->positive == '+' ? '+' : ' ';
        } else {
            return f;
        }
    }
}

static const char *read_number(const char *f, int *number)
{
    for (*number = 0; *f >= '0' && *f <= '9'; f++) {
        *number = *number > INT_MAX / 10 - 10 ? INT_MAX / 10 : *number * 10 + (*f - '0');
    }
    return f;
}

static const char *read_length(const char *f, int *length)
{
    *length = sizeof(int);
    if (*f == 'h') {
        *length = f[1] == 'h' ? sizeof(char) : sizeof(short);
        return f[1] == 'h' ? f + 2 : f + 1;
    }
    if (*f == 'l') {
        *length = sizeof(long);
        return f[1] == 'l' ? f + 2 : f + 1;
    }
    if (*f == 'z' || *f == 'j' || *f == 't') {
        *length = sizeof(size_t);
        return f + 1;
    }
    return f;
}

/* In a struct, because the address of a va_list that is a parameter is not that of a va_list. */
struct arguments {
    va_list list;
};

static const char *read_conversion(const char *f, struct conversion *c, struct arguments *a)
{
    *c = (struct conversion){ .precision = -1 };
    f = read_flags(f, c);
    if (*f == '*') {
        c->width = va_arg(a->list, int);
        f++;
        if (c->width < 0) {
            c->left = true;
            c->width = c->width == INT_MIN ? INT_MAX : -c->width;
        }
    } else {
        f = read_number(f, &c->width);
    }
    if (*f == '.' && f[1] == '*') {
        c->precision = va_arg(a->list, int);
        f += 2;
    } else if (*f == '.') {
        f = read_number(f + 1, &c->precision);
    }
    return read_length(f, &c->length);
}

static uint64_t take_unsigned(const struct conversion *c, struct arguments *a)
{
    if (c->length == sizeof(uint64_t)) {
        return va_arg(a->list, uint64_t);
    }
    return va_arg(a->list, unsigned) & (UINT64_MAX >> (64 - 8 * c->length));
}

static void put_signed(struct output *o, const struct conversion *c, struct arguments *a)
{
    uint64_t value = take_unsigned(c, a);
    uint64_t sign = 1ull << (8 * c->length - 1);
    if ((value & sign) != 0) {
        put_number(o, c, "-", ((value ^ sign) - sign) * -1ull, 10, false);
    } else {
        char prefix[2] = { c->positive, 0 };
        put_number(o, c, prefix, value, 10, false);
    }
}

static void put_string(struct output *o, const struct conversion *c, const char *text)
{
    if (text == NULL) {
        text = "(null)";
    }
    /* With a precision the text need not end with a zero byte. */
    int length = 0;
    while ((c->precision < 0 || length < c->precision) && text[length] != 0) {
        length++;
    }
    put_padded(o, c, text, length);
}

static void put_hexadecimal(
    struct output *o, const struct conversion *c, uint64_t value, bool upper)
{
    bool prefix = c->alternate && value != 0;
    put_number(o, c, !prefix ? "" : upper ? "0X" : "0x", value, 16, upper);
}

/* Writes the argument of one conversion. False: its letter is unknown. */
static bool put_conversion(struct output *o, char letter, struct conversion *c, struct arguments *a)
{
    char one;
    switch (letter) {
    case 'd':
    case 'i':
        put_signed(o, c, a);
        return true;
    case 'u':
        put_number(o, c, "", take_unsigned(c, a), 10, false);
        return true;
    case 'o':
        put_number(o, c, "", take_unsigned(c, a), 8, false);
        return true;
    case 'x':
    case 'X':
        put_hexadecimal(o, c, take_unsigned(c, a), letter == 'X');
        return true;
    case 'p':
        put_number(o, c, "0x", (uintptr_t)va_arg(a->list, void *), 16, false);
        return true;
    case 'c':
        one = (char)va_arg(a->list, int);
        put_padded(o, c, &one, 1);
        return true;
    case 's':
        put_string(o, c, va_arg(a->list, const char *));
        return true;
    case '%':
        put(o, '%');
        return true;
    default:
        return false;
    }
}

int format_text(char *out, size_t size, const char *format, va_list arguments)
{
    struct output o = { .text = out, .size = size };
    struct arguments a;
    va_copy(a.list, arguments);
    while (*format != 0) {
        const char *next = format + 1;
        if (*format == '%') {
            struct conversion c;
            next = read_conversion(format + 1, &c, &a);
            if (*next != 0 && put_conversion(&o, *next, &c, &a)) {
                format = next + 1;
                continue;
            }
        }
        put_bytes(&o, format, (int)(next - format));
        format = next;
    }
    va_end(a.list);
    if (size > 0) {
        out[o.length < size ? o.length : size - 1] = 0;
    }
    return o.length > INT_MAX ? INT_MAX : (int)o.length;
}
