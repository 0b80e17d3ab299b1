/* bzimage_test.c: tests of the bzImage loader on images that the test makes byte by byte. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/bzimage.c vmm/image_segment.c vmm/guest_ram.c vmm/guest_memory.c vmm/guest_entry.c */
#include "vmm/test/boot_fixture.h"

#include "vmm/bzimage.h"

/* Offsets in the file and in the zero page, from the Linux/x86 boot protocol. */
#define SETUP_SECTS   0x1F1
#define SYSSIZE       0x1F4
#define BOOT_FLAG     0x1FE
#define JUMP          0x200
#define MAGIC         0x202
#define VERSION       0x206
#define LOADER        0x210
#define LOADFLAGS     0x211
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE  0x21C
#define CMD_LINE_PTR  0x228
#define INITRD_MAX    0x22C
#define ALIGNMENT     0x230
#define RELOCATABLE   0x234
#define XLOADFLAGS    0x236
#define CMDLINE_SIZE  0x238
#define PREF_ADDRESS  0x258
#define INIT_SIZE     0x260
#define KERNEL_INFO   0x268

#define SETUP_BYTES  (3 * 512) /* the boot sector and two more */
#define KERNEL_BYTES 4096
#define IMAGE_BYTES  (SETUP_BYTES + KERNEL_BYTES)

static uint8_t image[IMAGE_BYTES];
static uint8_t initrd[10000];
static struct guest_image_request request;
static struct guest_entry entry;

/* A good image, which each test then spoils in its own way. */
static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof image; i++) {
        image[i] = i < SETUP_BYTES ? 0 : (uint8_t)(i * 7 + 1);
    }
    memset(initrd, 0xA5, sizeof initrd);
    put(image + SETUP_SECTS, 1, 2);
    put(image + SYSSIZE, 4, KERNEL_BYTES / 16);
    put(image + BOOT_FLAG, 2, 0xAA55);
    put(image + JUMP, 2, 0x6AEB); /* the header ends at 0x26C */
    memcpy(image + MAGIC, "HdrS", 4);
    put(image + VERSION, 2, 0x020F);
    put(image + LOADFLAGS, 1, 1);
    put(image + INITRD_MAX, 4, 0x7FFFFFFF);
    put(image + ALIGNMENT, 4, 0x200000);
    put(image + RELOCATABLE, 1, 1);
    put(image + XLOADFLAGS, 2, 1);
    put(image + CMDLINE_SIZE, 4, 2047);
    put(image + PREF_ADDRESS, 8, 16 * MIB);
    put(image + INIT_SIZE, 4, 0x1000000);
    put(image + KERNEL_INFO, 4, 0x1234);
    request = (struct guest_image_request){
        .image = {image, sizeof image},
        .initrd = {initrd, sizeof initrd},
        .initrd_name = "initrd",
        .command_line = "console=ttyS0 quiet",
        .rsdp = 0xE0000,
    };
    fixture_init(64 * MIB);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_end();
    return 0;
}

static void resize_memory(uint64_t size)
{
    fixture_end();
    fixture_init(size);
}

static enum image_error load(void)
{
    return bzimage_load(&request, &fixture_memory, &entry);
}

static void goes_to_preferred_address(void **state)
{
    (void)state;
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(entry.mode, GUEST_MODE_LONG);
    assert_int_equal(entry.rip, 16 * MIB + 0x200);
    assert_memory_equal(guest_bytes(16 * MIB, KERNEL_BYTES), image + SETUP_BYTES, KERNEL_BYTES);
    assert_int_equal(guest_get(16 * MIB + KERNEL_BYTES, 8), 0);
}

static void zero_page_is_filled(void **state)
{
    (void)state;
    memset(guest_bytes(0x90000, 0x10000), 0xCC, 0x10000); /* what a previous run left */
    assert_int_equal(load(), IMAGE_OK);

    const uint8_t *page = guest_bytes(entry.rsi, 4096);
    assert_memory_equal(page + MAGIC, "HdrS", 4);
    assert_int_equal(page[LOADER], 0xFF);
    assert_int_equal(get(page + 0x070, 8), 0xE0000);
    assert_int_equal(get(page + RAMDISK_SIZE, 4), sizeof initrd);
    assert_int_equal(get(page + KERNEL_INFO, 4), 0x1234);
    assert_int_equal(page[0x1EF], 0); /* the sentinel */
    assert_string_equal((const char *)guest_bytes(get(page + CMD_LINE_PTR, 4), 20),
                        "console=ttyS0 quiet");
    /* e820: 20 bytes an entry */
    assert_int_equal(page[0x1E8], 3);
    assert_int_equal(get(page + 0x2D0, 8), 0);
    assert_int_equal(get(page + 0x2D8, 8), 0x9F000);
    assert_int_equal(get(page + 0x2E0, 4), 1);
    assert_int_equal(get(page + 0x2F4, 4), 2);
    assert_int_equal(get(page + 0x2F8, 8), 0x100000);
    assert_int_equal(get(page + 0x300, 8), 63 * MIB);
    assert_int_equal(get(page + 0x308, 4), 1);
}

static void header_ends_where_it_says(void **state)
{
    (void)state;
    put(image + VERSION, 2, 0x020C);
    put(image + JUMP, 2, 0x66EB); /* ends at 0x268: kernel_info_offset is code */
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(guest_get(entry.rsi + KERNEL_INFO, 4), 0);
    assert_int_equal(guest_get(entry.rsi + INIT_SIZE, 4), 0x1000000);
}

static void initrd_lies_high_and_clear(void **state)
{
    (void)state;
    assert_int_equal(load(), IMAGE_OK);
    uint64_t gpa = guest_get(entry.rsi + RAMDISK_IMAGE, 4);
    assert_int_equal(gpa, 64 * MIB - 0x3000);
    assert_memory_equal(guest_bytes(gpa, sizeof initrd), initrd, sizeof initrd);
}

static void initrd_keeps_below_its_limit(void **state)
{
    (void)state;
    put(image + INITRD_MAX, 4, 0x37FFFFFF);
    resize_memory(5 * GIB);
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(guest_get(entry.rsi + RAMDISK_IMAGE, 4), 0x38000000 - 0x3000);
    put(image + INITRD_MAX, 4, 0xFFFFFFFF); /* as new kernels have it: then RAM is the limit */
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(guest_get(entry.rsi + RAMDISK_IMAGE, 4), 3 * GIB - 0x3000);
}

static void initrd_does_not_touch_the_kernel(void **state)
{
    (void)state;
    resize_memory(32 * MIB + 0x3000);
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(guest_get(entry.rsi + RAMDISK_IMAGE, 4), 32 * MIB);
    resize_memory(32 * MIB + 0x2000);
    assert_int_equal(load(), IMAGE_INITRD_DOES_NOT_FIT);
    request.initrd.size = UINT64_MAX;
    assert_int_equal(load(), IMAGE_INITRD_DOES_NOT_FIT);
}

static void runs_without_initrd(void **state)
{
    (void)state;
    request.initrd = (struct byte_span){NULL, 0};
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(guest_get(entry.rsi + RAMDISK_IMAGE, 4), 0);
    assert_int_equal(guest_get(entry.rsi + RAMDISK_SIZE, 4), 0);
}

static void needs_all_of_init_size(void **state)
{
    (void)state;
    request.initrd.size = 0;
    resize_memory(32 * MIB);
    assert_int_equal(load(), IMAGE_OK);
    resize_memory(32 * MIB - 4096);
    assert_int_equal(load(), IMAGE_DOES_NOT_FIT);
    put(image + PREF_ADDRESS, 8, UINT64_MAX);
    assert_int_equal(load(), IMAGE_DOES_NOT_FIT);
    put(image + PREF_ADDRESS, 8, 0x10000);
    assert_int_equal(load(), IMAGE_OVERLAPS_BOOT_AREA);
}

static void without_preference_it_fits_where_it_can(void **state)
{
    (void)state;
    put(image + PREF_ADDRESS, 8, 0);
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(entry.rip, 16 * MIB + 0x200);
    resize_memory(20 * MIB);
    assert_int_equal(load(), IMAGE_OK);
    assert_int_equal(entry.rip, 2 * MIB + 0x200);
    put(image + RELOCATABLE, 1, 0);
    assert_int_equal(load(), BZIMAGE_BAD_HEADER);
    put(image + RELOCATABLE, 1, 1);
    put(image + ALIGNMENT, 4, 0x300000);
    assert_int_equal(load(), BZIMAGE_BAD_HEADER);
    put(image + ALIGNMENT, 4, 0);
    assert_int_equal(load(), BZIMAGE_BAD_HEADER);
}

static void bounds_the_command_line(void **state)
{
    (void)state;
    put(image + CMDLINE_SIZE, 4, 19);
    assert_int_equal(load(), IMAGE_OK);
    put(image + CMDLINE_SIZE, 4, 18);
    assert_int_equal(load(), IMAGE_COMMAND_LINE_TOO_LONG);

    /* However much the kernel takes, no more than has room. */
    static char line[0x4001];
    put(image + CMDLINE_SIZE, 4, 0xFFFFFFFF);
    memset(line, 'x', sizeof line - 1);
    request.command_line = line;
    assert_int_equal(load(), IMAGE_COMMAND_LINE_TOO_LONG);
    request.command_line = line + 1;
    assert_int_equal(load(), IMAGE_OK);
}

static void recognises_only_its_own(void **state)
{
    (void)state;
    assert_true(bzimage_is_bzimage(request.image));
    request.image.size = MAGIC + 3;
    assert_false(bzimage_is_bzimage(request.image));
    request.image.size = sizeof image;
    put(image + BOOT_FLAG, 2, 0);
    assert_false(bzimage_is_bzimage(request.image));
    put(image + BOOT_FLAG, 2, 0xAA55);
    image[MAGIC] = 'h';
    assert_false(bzimage_is_bzimage(request.image));
}

/* One field of the good image, spoilt. */
static void expect_error(unsigned offset, unsigned size, uint64_t value, enum image_error error)
{
    uint64_t good = get(image + offset, size);

    put(image + offset, size, value);
    assert_int_equal(load(), error);
    put(image + offset, size, good);
    assert_int_equal(load(), IMAGE_OK);
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    expect_error(VERSION, 2, 0x020B, BZIMAGE_OLD_PROTOCOL);
    expect_error(LOADFLAGS, 1, 0, BZIMAGE_LOW_IMAGE);
    expect_error(XLOADFLAGS, 2, 0xFFFE, BZIMAGE_NO_64BIT_ENTRY);
    expect_error(INIT_SIZE, 4, KERNEL_BYTES - 1, BZIMAGE_BAD_HEADER);
    expect_error(SYSSIZE, 4, 0, BZIMAGE_BAD_HEADER);
    expect_error(SYSSIZE, 4, KERNEL_BYTES / 16 + 1, IMAGE_TRUNCATED);
    expect_error(SYSSIZE, 4, 0xFFFFFFFF, IMAGE_TRUNCATED);
    expect_error(SETUP_SECTS, 1, 255, IMAGE_TRUNCATED);
    expect_error(SETUP_SECTS, 1, 0, IMAGE_TRUNCATED); /* 0 means 4 */
}

static void survives_every_length(void **state)
{
    (void)state;
    for (uint64_t size = 0; size < sizeof image - 15; size++) {
        request.image.size = size;
        assert_int_equal(load(), IMAGE_TRUNCATED);
    }
    request.image.size = sizeof image - 15; /* within the unit in which syssize counts */
    assert_int_equal(load(), IMAGE_OK);
}

#define TEST(name, function) {name, function, setup, teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("BZIMAGE-01: a kernel goes to the address it prefers", goes_to_preferred_address),
        TEST("BZIMAGE-02: the zero page holds what the protocol wants", zero_page_is_filled),
        TEST("BZIMAGE-03: bytes behind a short header are no fields", header_ends_where_it_says),
        TEST("BZIMAGE-04: the initrd lies at the end of RAM", initrd_lies_high_and_clear),
        TEST("BZIMAGE-05: the initrd keeps below initrd_addr_max", initrd_keeps_below_its_limit),
        TEST("BZIMAGE-06: the initrd keeps clear of init_size", initrd_does_not_touch_the_kernel),
        TEST("BZIMAGE-07: no initrd is no error", runs_without_initrd),
        TEST("BZIMAGE-08: a kernel that lacks memory is refused", needs_all_of_init_size),
        TEST("BZIMAGE-09: a kernel without preference goes where it fits",
             without_preference_it_fits_where_it_can),
        TEST("BZIMAGE-10: a command line that is too long is refused", bounds_the_command_line),
        TEST("BZIMAGE-11: only a bzImage is taken for one", recognises_only_its_own),
        TEST("BZIMAGE-12: each bad header field has its error", names_what_is_wrong),
        TEST("BZIMAGE-13: an image cut off anywhere is refused", survives_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
