/* elf_load.c: checks an ELF64 program and says which bytes go where. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/elf_load.h"

#include <elf.h>
#include <string.h>

#include "kernel/abi/syscall.h"
#include "servers/lib/layout.h"

static enum elf_error check_header(const Elf64_Ehdr *header, size_t size)
{
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
        return ELF_MAGIC;
    }
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != EM_X86_64) {
        return ELF_CLASS;
    }
    if (header->e_type != ET_EXEC) {
        return ELF_TYPE;
    }
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff > size ||
        header->e_phnum > (size - header->e_phoff) / sizeof(Elf64_Phdr)) {
        return ELF_HEADERS;
    }
    return ELF_OK;
}

static enum elf_error check_segment(const Elf64_Phdr *p, size_t size, uint64_t lowest)
{
    if (p->p_filesz > p->p_memsz || p->p_offset > size || p->p_filesz > size - p->p_offset) {
        return ELF_OUTSIDE;
    }
    if (p->p_vaddr < LAYOUT_IMAGE || p->p_vaddr >= LAYOUT_IMAGE_END ||
        p->p_memsz > LAYOUT_IMAGE_END - p->p_vaddr) {
        return ELF_ADDRESS;
    }
    if (p->p_vaddr % PAGE_SIZE != 0) {
        return ELF_ALIGNMENT;
    }
    if (p->p_vaddr < lowest) {
        return ELF_OVERLAP;
    }
    return (p->p_flags & PF_W) != 0 && (p->p_flags & PF_X) != 0 ? ELF_RIGHTS : ELF_OK;
}

static void add_segment(struct elf_plan *plan, const Elf64_Phdr *p)
{
    plan->segment[plan->count++] = (struct elf_segment){
        .address = p->p_vaddr,
        .pages = (p->p_memsz + PAGE_SIZE - 1) / PAGE_SIZE,
        .offset = p->p_offset,
        .file_size = p->p_filesz,
        .rights = MAP_READ | ((p->p_flags & PF_W) != 0 ? MAP_WRITE : 0u) |
                  ((p->p_flags & PF_X) != 0 ? MAP_EXEC : 0u),
    };
    plan->pages += plan->segment[plan->count - 1].pages;
}

static enum elf_error check_entry(const struct elf_plan *plan)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_segment *s = &plan->segment[i];
        if ((s->rights & MAP_EXEC) != 0 && plan->entry >= s->address &&
            plan->entry - s->address < s->pages * PAGE_SIZE) {
            return ELF_OK;
        }
    }
    return ELF_ENTRY;
}

enum elf_error elf_plan(const void *file, size_t size, struct elf_plan *plan)
{
    Elf64_Ehdr header;
    if (size < sizeof(header)) {
        return ELF_SHORT;
    }
    memcpy(&header, file, sizeof(header));
    enum elf_error error = check_header(&header, size);
    *plan = (struct elf_plan){ .entry = header.e_entry };
    uint64_t lowest = 0;
    for (unsigned i = 0; error == ELF_OK && i < header.e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, (const char *)file + header.e_phoff + i * sizeof(p), sizeof(p));
        if (p.p_type == PT_INTERP || p.p_type == PT_DYNAMIC) {
            return ELF_TYPE;
        }
        if (p.p_type != PT_LOAD || p.p_memsz == 0) {
            continue;
        }
        if (plan->count == ELF_SEGMENT_MAX) {
            return ELF_SEGMENTS;
        }
        error = check_segment(&p, size, lowest);
        if (error == ELF_OK) {
            add_segment(plan, &p);
            lowest = p.p_vaddr + plan->segment[plan->count - 1].pages * PAGE_SIZE;
        }
    }
    if (error != ELF_OK) {
        return error;
    }
    return plan->count == 0 ? ELF_SEGMENTS : check_entry(plan);
}

const char *elf_words(enum elf_error error)
{
#define ELF_ERROR_WORDS(name, words) words,
    static const char *const table[] = { ELF_ERROR_LIST(ELF_ERROR_WORDS) };
#undef ELF_ERROR_WORDS
    return error < ELF_ERROR_COUNT ? table[error] : "unknown error";
}
