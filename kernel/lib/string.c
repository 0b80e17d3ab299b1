/* string.c: memory and string functions without the C library. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/string.h"

#include <stdint.h>

/* The direction flag is clear everywhere in the kernel. */

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *at = to;
    size_t words = size / 8;
    size_t rest = size % 8;

    __asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(rest) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        return memcpy(to, from, size);
    }
    char *last_to = (char *)to + size - 1;
    const char *last_from = (const char *)from + size - 1;

    __asm__ volatile("std\n\trep movsb\n\tcld"
                     : "+D"(last_to), "+S"(last_from), "+c"(size)
                     :
                     : "memory");
    return to;
}

void *memset(void *to, int value, size_t size)
{
    void *at = to;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101ull;
    size_t words = size / 8;
    size_t rest = size % 8;

    __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(rest) : "a"(pattern) : "memory");
    return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const uint8_t *l = left;
    const uint8_t *r = right;

    for (size_t i = 0; i < size; i++) {
        if (l[i] != r[i]) {
            return l[i] < r[i] ? -1 : 1;
        }
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;

    /* The empty statement keeps gcc from making a call of strlen() out of the loop. */
    while (text[length] != '\0') {
        length++;
        __asm__ volatile("");
    }
    return length;
}
