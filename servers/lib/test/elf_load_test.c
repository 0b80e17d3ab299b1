/* elf_load_test.c: a good program is planned as it says, each kind of bad one is named. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/elf_load.c */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/abi/syscall.h"
#include "servers/lib/elf_load.h"
#include "servers/lib/layout.h"

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segment[3];
    char bytes[4096];
};

static struct image good(void)
{
    struct image image = { 0 };
    memcpy(image.header.e_ident, ELFMAG, SELFMAG);
    image.header.e_ident[EI_CLASS] = ELFCLASS64;
    image.header.e_ident[EI_DATA] = ELFDATA2LSB;
    image.header.e_type = ET_EXEC;
    image.header.e_machine = EM_X86_64;
    image.header.e_phoff = offsetof(struct image, segment);
    image.header.e_phentsize = sizeof(Elf64_Phdr);
    image.header.e_phnum = 3;
    image.header.e_entry = 0x401010;
    image.segment[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
        .p_flags = PF_R,
        .p_vaddr = 0x400000,
        .p_offset = 512,
        .p_filesz = 100,
        .p_memsz = 100 };
    image.segment[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
        .p_flags = PF_R | PF_X,
        .p_vaddr = 0x401000,
        .p_offset = 612,
        .p_filesz = 200,
        .p_memsz = 200 };
    image.segment[2] = (Elf64_Phdr){ .p_type = PT_LOAD,
        .p_flags = PF_R | PF_W,
        .p_vaddr = 0x402000,
        .p_offset = 812,
        .p_filesz = 10,
        .p_memsz = 0x3001 };
    return image;
}

static enum elf_error plan_of(const struct image *image, struct elf_plan *plan)
{
    return elf_plan(image, sizeof(*image), plan);
}

static void test_good(void **state)
{
    (void)state;
    struct image image = good();
    struct elf_plan plan;
    assert_int_equal(plan_of(&image, &plan), ELF_OK);
    assert_int_equal(plan.entry, 0x401010);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.pages, 1 + 1 + 4);
    assert_int_equal(plan.segment[2].file_size, 10);
    assert_int_equal(plan.segment[2].offset, 812);
    assert_int_equal(plan.segment[0].rights, MAP_READ);
    assert_int_equal(plan.segment[1].rights, MAP_READ | MAP_EXEC);
    assert_int_equal(plan.segment[2].rights, MAP_READ | MAP_WRITE);
}

#define REFUSED(error, change) \
    do { \
        struct image image = good(); \
        struct elf_plan plan; \
        change; \
        assert_string_equal(elf_words(plan_of(&image, &plan)), elf_words(error)); \
    } while (0)

static void test_bad(void **state)
{
    (void)state;
    REFUSED(ELF_MAGIC, image.header.e_ident[1] = 'e');
    REFUSED(ELF_CLASS, image.header.e_ident[EI_CLASS] = ELFCLASS32);
    REFUSED(ELF_CLASS, image.header.e_ident[EI_DATA] = ELFDATA2MSB);
    REFUSED(ELF_CLASS, image.header.e_machine = EM_AARCH64);
    REFUSED(ELF_TYPE, image.header.e_type = ET_DYN);
    REFUSED(ELF_TYPE, image.segment[0].p_type = PT_INTERP);
    REFUSED(ELF_HEADERS, image.header.e_phoff = sizeof(image) - 100);
    REFUSED(ELF_HEADERS, image.header.e_phoff = UINT64_MAX);
    REFUSED(ELF_HEADERS, image.header.e_phentsize = 32);
    REFUSED(ELF_SEGMENTS, image.header.e_phnum = 0);
    REFUSED(ELF_OUTSIDE, image.segment[0].p_filesz = 101);
    REFUSED(ELF_OUTSIDE, image.segment[1].p_offset = UINT64_MAX - 100);
    REFUSED(ELF_OUTSIDE, image.segment[2].p_filesz = sizeof(struct image));
    REFUSED(ELF_ADDRESS, image.segment[0].p_vaddr = 0x3ff000);
    REFUSED(ELF_ADDRESS, image.segment[2].p_vaddr = LAYOUT_IMAGE_END);
    REFUSED(ELF_ADDRESS, image.segment[2].p_memsz = UINT64_MAX - 0x1000);
    REFUSED(ELF_ADDRESS, image.segment[2].p_vaddr = UINT64_MAX & ~0xfffull);
    REFUSED(ELF_ALIGNMENT, image.segment[1].p_vaddr = 0x401100);
    REFUSED(ELF_OVERLAP, image.segment[2].p_vaddr = 0x401000);
    REFUSED(ELF_OVERLAP, image.segment[0].p_vaddr = 0x410000);
    REFUSED(ELF_RIGHTS, image.segment[1].p_flags |= PF_W);
    REFUSED(ELF_ENTRY, image.header.e_entry = 0x402000);
    REFUSED(ELF_ENTRY, image.header.e_entry = 0x400010);
}

static void test_short(void **state)
{
    (void)state;
    struct image image = good();
    for (size_t size = 0; size < sizeof(image.header) + sizeof(image.segment); size++) {
        char *copy = malloc(size + 1);
        struct elf_plan plan;
        memcpy(copy, &image, size);
        assert_int_not_equal(elf_plan(copy, size, &plan), ELF_OK);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "ELF-01: a good program is planned as it says", test_good, NULL, NULL, NULL },
        { "ELF-02: each kind of bad program is refused by its own words", test_bad, NULL, NULL,
            NULL },
        { "ELF-03: a program cut short is refused", test_short, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
