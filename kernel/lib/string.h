/* string.h: the memory and string functions that the kernel and its compiler need. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_LIB_STRING_H
#define KERNEL_LIB_STRING_H

#include <stddef.h>

/* As in ISO C. Copying and filling go by eight bytes a step (REP MOVSQ, REP STOSQ). */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);

#endif
