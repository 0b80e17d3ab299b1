/* elf.c: reads ELF headers of both classes and loads the segments that they describe. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/elf.h"

#include <elf.h>

#include "vmm/image_segment.h"

bool elf_is_elf(struct byte_span bytes)
{
    return bytes.size >= SELFMAG && memcmp(bytes.data, ELFMAG, SELFMAG) == 0;
}

/* The checks that do not depend on the class. */
static enum image_error check_kind(uint16_t type, uint16_t machine)
{
    if (machine != EM_386 && machine != EM_X86_64) {
        return ELF_NOT_X86;
    }
    return type == ET_EXEC ? IMAGE_OK : ELF_NOT_EXECUTABLE;
}

static enum image_error open_32(struct byte_span bytes, struct elf_file *file)
{
    Elf32_Ehdr header;

    if (!span_read(bytes, 0, &header, sizeof header)) {
        return IMAGE_TRUNCATED;
    }
    if (header.e_phnum > 0 && header.e_phentsize != sizeof(Elf32_Phdr)) {
        return ELF_BAD_HEADER;
    }
    *file = (struct elf_file){bytes, false, header.e_entry, header.e_phoff, header.e_phnum};
    return check_kind(header.e_type, header.e_machine);
}

static enum image_error open_64(struct byte_span bytes, struct elf_file *file)
{
    Elf64_Ehdr header;

    if (!span_read(bytes, 0, &header, sizeof header)) {
        return IMAGE_TRUNCATED;
    }
    if (header.e_phnum > 0 && header.e_phentsize != sizeof(Elf64_Phdr)) {
        return ELF_BAD_HEADER;
    }
    *file = (struct elf_file){bytes, true, header.e_entry, header.e_phoff, header.e_phnum};
    return check_kind(header.e_type, header.e_machine);
}

enum image_error elf_open(struct byte_span bytes, struct elf_file *file)
{
    if (!elf_is_elf(bytes) || bytes.size < EI_NIDENT) {
        return ELF_BAD_HEADER;
    }
    if (bytes.data[EI_DATA] != ELFDATA2LSB || bytes.data[EI_VERSION] != EV_CURRENT) {
        return ELF_BAD_HEADER;
    }

    enum image_error error = ELF_BAD_HEADER;
    if (bytes.data[EI_CLASS] == ELFCLASS32) {
        error = open_32(bytes, file);
    } else if (bytes.data[EI_CLASS] == ELFCLASS64) {
        error = open_64(bytes, file);
    }
    if (error != IMAGE_OK) {
        return error;
    }
    uint64_t entry_size = file->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if (!span_holds(bytes, file->table_offset, file->segment_count * entry_size)) {
        return IMAGE_TRUNCATED;
    }
    return IMAGE_OK;
}

struct elf_segment elf_segment_at(const struct elf_file *file, uint32_t index)
{
    if (file->is_64) {
        Elf64_Phdr header = {0};
        span_read(file->bytes, file->table_offset + index * sizeof header, &header, sizeof header);
        return (struct elf_segment){header.p_type,  header.p_offset, header.p_vaddr,
                                    header.p_paddr, header.p_filesz, header.p_memsz};
    }
    Elf32_Phdr header = {0};
    span_read(file->bytes, file->table_offset + index * sizeof header, &header, sizeof header);
    return (struct elf_segment){header.p_type,  header.p_offset, header.p_vaddr,
                                header.p_paddr, header.p_filesz, header.p_memsz};
}

static enum image_error load_segment(const struct elf_file *file,
                                     const struct guest_memory *memory,
                                     const struct elf_segment *segment)
{
    if (segment->file_size > segment->memory_size) {
        return ELF_BAD_SEGMENT;
    }
    if (!span_holds(file->bytes, segment->offset, segment->file_size)) {
        return IMAGE_TRUNCATED;
    }
    struct byte_span content = span_part(file->bytes, segment->offset, segment->file_size);
    return image_segment_load(memory, content, segment->physical_address, segment->memory_size);
}

/* Finds the segment that the entry point, taken for a virtual or a physical address, lies in. */
static bool find_entry(const struct elf_file *file, bool is_virtual, uint64_t *entry)
{
    for (uint32_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment_at(file, i);
        uint64_t base = is_virtual ? segment.virtual_address : segment.physical_address;
        /* Subtraction that wraps gives a huge number, which is no offset in any segment. */
        uint64_t offset = file->entry - base;

        if (segment.type == PT_LOAD && offset < segment.memory_size) {
            *entry = segment.physical_address + offset;
            return true;
        }
    }
    return false;
}

enum image_error elf_load(const struct elf_file *file, const struct guest_memory *memory,
                          struct elf_loaded *loaded)
{
    *loaded = (struct elf_loaded){0, 0};
    for (uint32_t i = 0; i < file->segment_count; i++) {
        struct elf_segment segment = elf_segment_at(file, i);

        if (segment.type != PT_LOAD || (segment.memory_size | segment.file_size) == 0) {
            continue;
        }
        enum image_error error = load_segment(file, memory, &segment);
        if (error != IMAGE_OK) {
            return error;
        }
        uint64_t end = segment.physical_address + segment.memory_size;
        loaded->end = end > loaded->end ? end : loaded->end;
    }
    if (loaded->end == 0) {
        return ELF_NO_SEGMENTS;
    }
    if (!find_entry(file, true, &loaded->entry) && !find_entry(file, false, &loaded->entry)) {
        return ELF_BAD_ENTRY;
    }
    return IMAGE_OK;
}
