/* format.h: a small printf: text, integers and pointers, no floating point, no locale. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_FORMAT_H
#define SERVERS_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * As vsnprintf: at most `size` bytes with the ending zero byte are written (nothing if `size` is
 * 0); the value is the length that the whole text has. Conversions: d i u x X o c s p %, flags - 0
 * + space #, width and precision (also *), lengths hh h l ll z j t. Anything else is copied as it
 * stands, so that a mistake shows.
 *
 * servers/lib/snprintf.c puts snprintf and vsnprintf on top of it: musl's need a stream, a locale
 * and a stack canary behind FS, which our threads don't have.
 */
__attribute__((format(printf, 3, 0))) int format_text(
    char *out, size_t size, const char *format, va_list arguments);

#endif
