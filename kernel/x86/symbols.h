/* symbols.h: names for addresses in the kernel, for backtraces. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_X86_SYMBOLS_H
#define KERNEL_X86_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Gives the ELF64 symbol table and its strings, both in memory that stays. Only the name of a
 * symbol is lost when they are wrong or missing.
 */
void symbols_set(const void *table, size_t table_size, const char *strings, size_t strings_size);

/*
 * Name of the function that has the address, and the distance from its start; null if there is
 * none.
 */
const char *symbols_find(uint64_t address, uint64_t *offset);

#endif
