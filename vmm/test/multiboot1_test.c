/* multiboot1_test.c: tests of the Multiboot-1 and ELF loaders on images made byte by byte. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/multiboot1.c vmm/multiboot1_info.c vmm/elf.c vmm/image_segment.c */
/* LINK: vmm/guest_ram.c vmm/guest_memory.c vmm/guest_entry.c */
#include "vmm/test/boot_fixture.h"

#include "vmm/elf.h"
#include "vmm/multiboot1.h"

/*
 * The image: a header of its class at 0, two program headers behind it, the Multiboot header at
 * 0x100, and the bytes of the one PT_LOAD segment from 0x100 on.
 */
#define IMAGE_BYTES   0x300
#define MULTIBOOT     0x100
#define CONTENT       0x100
#define CONTENT_BYTES 0x200
#define SEGMENT_GPA   0x100000
#define SEGMENT_BYTES 0x1800
#define HIGH_HALF     0xFFFFFFFF80000000

#define MAGIC 0x1BADB002u

static uint8_t image[IMAGE_BYTES];
static uint8_t initrd[5000];
static struct guest_image_request request;
static struct guest_entry entry;

static void put_multiboot(uint32_t flags)
{
    put(image + MULTIBOOT, 4, MAGIC);
    put(image + MULTIBOOT + 4, 4, flags);
    put(image + MULTIBOOT + 8, 4, 0u - MAGIC - flags);
}

/* Offsets and sizes of the ELF fields that the tests spoil (System V ABI, chapters 4 and 5). */
struct field {
    unsigned offset, size;
};

struct elf_fields {
    struct field e_entry, e_phoff, e_phentsize, e_phnum;
    struct field p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz;
};

/* The second program header is the one that loads: at 52 + 32 and at 64 + 56. */
static const struct elf_fields fields_32 = {
    {24, 4}, {28, 4}, {42, 2}, {44, 2}, {84, 4}, {88, 4}, {92, 4}, {96, 4}, {100, 4}, {104, 4},
};
static const struct elf_fields fields_64 = {
    {24, 8},  {32, 8},  {54, 2},  {56, 2},  {120, 4},
    {128, 8}, {136, 8}, {144, 8}, {152, 8}, {160, 8},
};
static const struct elf_fields *elf = &fields_32;

static void put_field(struct field field, uint64_t value)
{
    put(image + field.offset, field.size, value);
}

static void make_elf(bool is_64)
{
    elf = is_64 ? &fields_64 : &fields_32;
    memset(image, 0, CONTENT);
    for (unsigned i = 0; i < CONTENT_BYTES; i++) {
        image[CONTENT + i] = (uint8_t)(i * 5 + 3);
    }
    memcpy(image, "\177ELF", 4);
    image[4] = is_64 ? 2 : 1;
    image[5] = 1;
    image[6] = 1;
    put(image + 16, 2, 2); /* e_type: executable */
    put(image + 18, 2, is_64 ? 62 : 3);
    put_field(elf->e_entry, SEGMENT_GPA + 0x10);
    put_field(elf->e_phoff, is_64 ? 64 : 52);
    put_field(elf->e_phentsize, is_64 ? 56 : 32);
    put_field(elf->e_phnum, 2);
    put_field(elf->p_type, 1);
    put_field(elf->p_offset, CONTENT);
    put_field(elf->p_vaddr, SEGMENT_GPA);
    put_field(elf->p_paddr, SEGMENT_GPA);
    put_field(elf->p_filesz, CONTENT_BYTES);
    put_field(elf->p_memsz, SEGMENT_BYTES);
    put_multiboot(3);
}

static int setup(void **state)
{
    (void)state;
    make_elf(false);
    memset(initrd, 0xA5, sizeof initrd);
    request = (struct guest_image_request){
        .image = {image, sizeof image},
        .initrd = {initrd, sizeof initrd},
        .initrd_name = "data.img",
        .command_line = "one two",
        .rsdp = 0xE0000,
    };
    fixture_init(16 * MIB);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_end();
    return 0;
}

static enum image_error load(void)
{
    return multiboot1_load(&request, &fixture_memory, &entry);
}

static void expect_loaded(void)
{
    memset(guest_bytes(SEGMENT_GPA, 0x2000), 0xCC, 0x2000);
    assert_int_equal(load(), IMAGE_OK);
    assert_memory_equal(guest_bytes(SEGMENT_GPA, CONTENT_BYTES), image + CONTENT, CONTENT_BYTES);
    for (uint64_t i = CONTENT_BYTES; i < SEGMENT_BYTES; i++) {
        assert_int_equal(*guest_bytes(SEGMENT_GPA + i, 1), 0);
    }
    assert_int_equal(*guest_bytes(SEGMENT_GPA + SEGMENT_BYTES, 1), 0xCC);
    assert_int_equal(entry.mode, GUEST_MODE_PROTECTED);
    assert_int_equal(entry.rip, SEGMENT_GPA + 0x10);
    assert_int_equal(entry.rax, 0x2BADB002);
}

static void loads_both_classes(void **state)
{
    (void)state;
    expect_loaded();
    make_elf(true);
    expect_loaded();
    /* 64-bit code in a 32-bit container differs in the machine only. */
    make_elf(false);
    put(image + 18, 2, 62);
    expect_loaded();
}

static void translates_a_virtual_entry(void **state)
{
    (void)state;
    make_elf(true);
    put_field(elf->p_vaddr, HIGH_HALF + SEGMENT_GPA);
    put_field(elf->e_entry, HIGH_HALF + SEGMENT_GPA + 0x10);
    expect_loaded();
    put_field(elf->e_entry, SEGMENT_GPA + 0x10); /* some give a physical one */
    expect_loaded();
    put_field(elf->e_entry, SEGMENT_GPA + SEGMENT_BYTES);
    assert_int_equal(load(), ELF_BAD_ENTRY);
}

static void fills_the_information(void **state)
{
    (void)state;
    memset(guest_bytes(0x90000, 0x10000), 0xCC, 0x10000);
    assert_int_equal(load(), IMAGE_OK);

    const uint8_t *info = guest_bytes(entry.rbx, 116);
    assert_int_equal(get(info, 4), 0x24D); /* memory, command line, modules, map, loader name */
    assert_int_equal(get(info + 4, 4), 636);
    assert_int_equal(get(info + 8, 4), 15 * 1024);
    assert_string_equal((const char *)guest_bytes(get(info + 16, 4), 8), "one two");
    assert_string_equal((const char *)guest_bytes(get(info + 64, 4), 6), "Quire");

    uint64_t map = get(info + 48, 4);
    uint64_t map_end = map + get(info + 44, 4);
    uint64_t ram = 0;
    unsigned count = 0;
    for (; map < map_end; map += guest_get(map, 4) + 4, count++) {
        ram += guest_get(map + 20, 4) == 1 ? guest_get(map + 12, 8) : 0;
    }
    assert_int_equal(map, map_end);
    assert_int_equal(count, 3);
    assert_int_equal(ram, 0x9F000 + 15 * MIB);
}

static void initrd_is_a_module(void **state)
{
    (void)state;
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(guest_get(entry.rbx + 20, 4), 1);
    uint64_t module = guest_get(entry.rbx + 24, 4);
    uint64_t start = guest_get(module, 4);
    assert_int_equal(start, 0x102000); /* the page behind 0x101800 */
    assert_int_equal(guest_get(module + 4, 4), start + sizeof initrd);
    assert_memory_equal(guest_bytes(start, sizeof initrd), initrd, sizeof initrd);
    assert_string_equal((const char *)guest_bytes(guest_get(module + 8, 4), 9), "data.img");

    request.initrd.size = 0;
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(guest_get(entry.rbx + 20, 4), 0);
    request.initrd.size = 16 * MIB;
    assert_int_equal(load(), IMAGE_INITRD_DOES_NOT_FIT);
}

static void address_fields_win_over_elf(void **state)
{
    uint8_t *fields = image + MULTIBOOT + 12;

    (void)state;
    put_multiboot(0x10000);
    put(fields, 4, 0x200020);      /* header_addr: 0x20 behind load_addr */
    put(fields + 4, 4, 0x200000);  /* load_addr */
    put(fields + 8, 4, 0x200100);  /* load_end_addr */
    put(fields + 12, 4, 0x200180); /* bss_end_addr */
    put(fields + 16, 4, 0x200040); /* entry_addr */
    memset(guest_bytes(0x200000, 0x200), 0xCC, 0x200);
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(entry.rip, 0x200040);
    assert_memory_equal(guest_bytes(0x200000, 0x100), image + MULTIBOOT - 0x20, 0x100);
    assert_int_equal(*guest_bytes(0x20017F, 1), 0);
    assert_int_equal(*guest_bytes(0x200180, 1), 0xCC);
    assert_int_equal(guest_get(SEGMENT_GPA, 8), 0); /* what the ELF header says was not done */

    memset(image, 0, 64); /* no ELF file needed at all; to the file's end; no bss */
    put(fields + 8, 4, 0);
    put(fields + 12, 4, 0);
    assert_int_equal(load(), IMAGE_OK);
    assert_memory_equal(guest_bytes(0x200000, 0x220), image + MULTIBOOT - 0x20, 0x220);
}

static void expect_address_error(unsigned offset, uint32_t value, enum image_error error)
{
    uint8_t *field = image + MULTIBOOT + offset;
    uint64_t good = get(field, 4);

    put(field, 4, value);
    assert_int_equal(load(), error);
    put(field, 4, good);
    assert_int_equal(load(), IMAGE_OK);
}

static void address_fields_are_checked(void **state)
{
    uint8_t *fields = image + MULTIBOOT + 12;

    (void)state;
    put_multiboot(0x10000);
    put(fields, 4, 0x200020);
    put(fields + 4, 4, 0x200000);
    put(fields + 8, 4, 0x200100);
    put(fields + 12, 4, 0x200180);
    put(fields + 16, 4, 0x200040);
    assert_int_equal(load(), IMAGE_OK);
    expect_address_error(12, 0x1FFFFF, MULTIBOOT_BAD_ADDRESSES); /* header before the image */
    expect_address_error(12, 0x200200, MULTIBOOT_BAD_ADDRESSES); /* header before the file */
    expect_address_error(20, 0x200000, MULTIBOOT_BAD_ADDRESSES); /* nothing to load */
    expect_address_error(20, 0x200181, MULTIBOOT_BAD_ADDRESSES); /* the end behind the bss' */
    expect_address_error(24, 0xFFFFFFFF, IMAGE_DOES_NOT_FIT);
    expect_address_error(28, 0x200180, ELF_BAD_ENTRY);
    expect_address_error(28, 0x1FFFFF, ELF_BAD_ENTRY);
    put(fields + 12, 4, 0);
    expect_address_error(20, 0x200221, IMAGE_TRUNCATED);
    request.image.size = MULTIBOOT + 31;
    assert_int_equal(load(), IMAGE_TRUNCATED);
}

static void expect_flag_error(uint32_t flags, enum image_error error)
{
    put_multiboot(flags);
    assert_true(multiboot1_is_multiboot1(request.image));
    assert_int_equal(load(), error);
}

static void demands_are_met_or_refused(void **state)
{
    (void)state;
    expect_flag_error(0, IMAGE_OK);
    expect_flag_error(3, IMAGE_OK);
    expect_flag_error(0xFFFE0000, IMAGE_OK); /* optional flags that nobody defined */
    expect_flag_error(7, MULTIBOOT_WANTS_VIDEO);
    for (unsigned bit = 3; bit < 16; bit++) {
        expect_flag_error(1u << bit, MULTIBOOT_UNKNOWN_FLAG);
    }
    memset(image, 0, 4);
    expect_flag_error(0, MULTIBOOT_NOT_ELF);
}

static void header_is_found_by_the_rules(void **state)
{
    static uint8_t file[3 * 8192];

    (void)state;
    struct byte_span span = {file, sizeof file};
    assert_false(multiboot1_is_multiboot1(span));
    memcpy(file + 8192 - 12, image + MULTIBOOT, 12);
    assert_true(multiboot1_is_multiboot1(span));
    file[8192 - 1] ^= 1; /* the checksum */
    assert_false(multiboot1_is_multiboot1(span));
    memset(file, 0, sizeof file);
    memcpy(file + 8192 - 8, image + MULTIBOOT, 12); /* reaches out of the first 8 KiB */
    assert_false(multiboot1_is_multiboot1(span));
    memset(file, 0, sizeof file);
    memcpy(file + 66, image + MULTIBOOT, 12); /* not aligned */
    assert_false(multiboot1_is_multiboot1(span));
    memcpy(file + 64, image + MULTIBOOT, 12);
    span.size = 75;
    assert_false(multiboot1_is_multiboot1(span));
    span.size = 76;
    assert_true(multiboot1_is_multiboot1(span));
}

static void expect_elf_error(struct field field, uint64_t value, enum image_error error)
{
    uint64_t good = get(image + field.offset, field.size);

    put_field(field, value);
    assert_int_equal(load(), error);
    put_field(field, good);
    assert_int_equal(load(), IMAGE_OK);
}

static void check_elf_errors(bool is_64)
{
    uint64_t huge = is_64 ? UINT64_MAX : UINT32_MAX;

    make_elf(is_64);
    expect_elf_error((struct field){4, 1}, 3, ELF_BAD_HEADER);        /* class */
    expect_elf_error((struct field){5, 1}, 2, ELF_BAD_HEADER);        /* big-endian */
    expect_elf_error((struct field){6, 1}, 0, ELF_BAD_HEADER);        /* version */
    expect_elf_error((struct field){16, 2}, 1, ELF_NOT_EXECUTABLE);   /* an object file */
    expect_elf_error((struct field){18, 2}, 183, ELF_NOT_X86);        /* AArch64 */
    expect_elf_error(elf->e_phentsize, 24, ELF_BAD_HEADER);
    expect_elf_error(elf->e_phnum, 0, ELF_NO_SEGMENTS);
    expect_elf_error(elf->e_phnum, 0xFFFF, IMAGE_TRUNCATED);
    expect_elf_error(elf->e_phoff, huge, IMAGE_TRUNCATED);
    expect_elf_error(elf->e_phoff, huge - 55, IMAGE_TRUNCATED);
    expect_elf_error(elf->p_type, 2, ELF_NO_SEGMENTS);
    expect_elf_error(elf->p_offset, huge, IMAGE_TRUNCATED);
    expect_elf_error(elf->p_filesz, SEGMENT_BYTES, IMAGE_TRUNCATED);
    expect_elf_error(elf->p_filesz, SEGMENT_BYTES + 1, ELF_BAD_SEGMENT);
    expect_elf_error(elf->p_filesz, huge, ELF_BAD_SEGMENT);
    expect_elf_error(elf->p_memsz, huge, IMAGE_DOES_NOT_FIT);
    expect_elf_error(elf->p_memsz, 15 * MIB + 1, IMAGE_DOES_NOT_FIT);
    expect_elf_error(elf->p_memsz, 0, ELF_BAD_SEGMENT);
    expect_elf_error(elf->p_paddr, huge, IMAGE_DOES_NOT_FIT);
    expect_elf_error(elf->p_paddr, 0x90000 - SEGMENT_BYTES + 1, IMAGE_OVERLAPS_BOOT_AREA);
    expect_elf_error(elf->p_paddr, 0xFFFFF, IMAGE_OVERLAPS_BOOT_AREA);
    expect_elf_error(elf->p_paddr, 0x90000 - SEGMENT_BYTES, IMAGE_OK);
    expect_elf_error(elf->e_entry, SEGMENT_GPA - 1, ELF_BAD_ENTRY);
    expect_elf_error(elf->e_entry, huge, ELF_BAD_ENTRY);
}

static void elf_errors_have_names(void **state)
{
    (void)state;
    request.initrd.size = 0;
    check_elf_errors(false);
    check_elf_errors(true);
}

static void high_ram_is_no_place_for_a_segment(void **state)
{
    (void)state;
    fixture_end();
    fixture_init(5 * GIB);
    make_elf(true);
    put_field(elf->p_paddr, 4 * GIB);
    assert_int_equal(load(), IMAGE_DOES_NOT_FIT);
}

static void strings_are_bounded(void **state)
{
    static char line[0x4000];

    (void)state;
    memset(line, 'x', sizeof line - 1);
    request.command_line = line;
    assert_int_equal(load(), IMAGE_COMMAND_LINE_TOO_LONG);
    request.command_line = "";
    request.initrd_name = line;
    assert_int_equal(load(), IMAGE_COMMAND_LINE_TOO_LONG);
}

#define TEST(name, function) {name, function, setup, teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("MULTIBOOT-01: ELF files of both classes are loaded", loads_both_classes),
        TEST("MULTIBOOT-02: the entry point is translated by its segment",
             translates_a_virtual_entry),
        TEST("MULTIBOOT-03: the information structure is complete", fills_the_information),
        TEST("MULTIBOOT-04: the initrd is the one module", initrd_is_a_module),
        TEST("MULTIBOOT-05: address fields win over the ELF header", address_fields_win_over_elf),
        TEST("MULTIBOOT-06: address fields are checked", address_fields_are_checked),
        TEST("MULTIBOOT-07: demands that cannot be met are refused", demands_are_met_or_refused),
        TEST("MULTIBOOT-08: the header is found where the rules allow it",
             header_is_found_by_the_rules),
        TEST("MULTIBOOT-09: strings that are too long are refused", strings_are_bounded),
        TEST("ELF-01: each fault of an ELF file has its error", elf_errors_have_names),
        TEST("ELF-02: no segment goes above 4 GiB", high_ram_is_no_place_for_a_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
