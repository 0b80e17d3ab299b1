/* snprintf.c: the C library's snprintf and vsnprintf, on our own small formatter. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "servers/lib/format.h"

int vsnprintf(char *out, size_t size, const char *format, va_list arguments)
{
    return format_text(out, size, format, arguments);
}

int snprintf(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = format_text(out, size, format, arguments);
    va_end(arguments);
    return length;
}
