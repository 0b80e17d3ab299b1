/* symbols.c: looks up addresses in the kernel's own ELF symbol table. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/x86/symbols.h"

/* ELF-64 object file format, "Symbol Table". */
struct elf64_symbol {
    uint32_t name;
    uint8_t info;
    uint8_t other;
    uint16_t section;
    uint64_t value;
    uint64_t size;
};

_Static_assert(sizeof(struct elf64_symbol) == 24, "Elf64_Sym");

/* Types, in the low half of info: code from C is a function, labels from NASM have no type. */
enum { SYMBOL_NO_TYPE = 0, SYMBOL_FUNCTION = 2 };

/* Sections that are none: what is not defined here, and constants (SHN_UNDEF, SHN_LORESERVE). */
enum { SECTION_NONE = 0, SECTION_RESERVED = 0xff00 };

static const struct elf64_symbol *symbols;
static size_t symbol_count;
static const char *names;
static size_t names_size;

void symbols_set(const void *table, size_t table_size, const char *strings, size_t strings_size)
{
    /* A last byte of zero ends every name, wherever it starts. */
    if (strings_size == 0 || strings[strings_size - 1] != '\0') {
        return;
    }
    symbols = table;
    symbol_count = table_size / sizeof(struct elf64_symbol);
    names = strings;
    names_size = strings_size;
}

const char *symbols_find(uint64_t address, uint64_t *offset)
{
    const struct elf64_symbol *best = NULL;

    for (size_t i = 0; i < symbol_count; i++) {
        const struct elf64_symbol *symbol = &symbols[i];
        uint8_t type = symbol->info & 0xf;

        if ((type == SYMBOL_FUNCTION || type == SYMBOL_NO_TYPE) &&
            symbol->section != SECTION_NONE && symbol->section < SECTION_RESERVED &&
            symbol->value <= address && symbol->name < names_size &&
            (best == NULL || symbol->value > best->value)) {
            best = symbol;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    *offset = address - best->value;
    return names + best->name;
}
