/* guest_image_test.c: tests the choice of a loader and the words for its errors. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/guest_image.c vmm/image_error.c vmm/bzimage.c vmm/multiboot1.c */
/* LINK: vmm/multiboot1_info.c vmm/elf.c vmm/image_segment.c vmm/guest_ram.c */
/* LINK: vmm/guest_memory.c vmm/guest_entry.c */
#include "vmm/test/boot_fixture.h"

static uint8_t image[1024];

static enum image_error load(size_t size)
{
    struct guest_image_request request = {{image, size}, {NULL, 0}, "", "", 0};
    struct guest_entry entry;

    return guest_image_load(&request, &fixture_memory, &entry);
}

static void tells_the_kinds_apart(void **state)
{
    (void)state;
    fixture_init(4 * MIB);
    assert_int_equal(load(0), IMAGE_EMPTY);
    assert_int_equal(load(1), IMAGE_UNKNOWN);
    assert_int_equal(load(sizeof image), IMAGE_UNKNOWN);

    put(image + 0x1FE, 2, 0xAA55);
    assert_int_equal(load(sizeof image), IMAGE_UNKNOWN); /* any boot sector */
    memcpy(image + 0x202, "HdrS", 4);
    assert_int_equal(load(sizeof image), BZIMAGE_OLD_PROTOCOL);

    memset(image, 0, sizeof image);
    memcpy(image, "\177ELF", 4);
    assert_int_equal(load(sizeof image), ELF_NO_MULTIBOOT);
    put(image + 64, 4, 0x1BADB002);
    put(image + 72, 4, 0u - 0x1BADB002u);
    assert_int_equal(load(sizeof image), ELF_BAD_HEADER);
    memset(image, 0, 4);
    assert_int_equal(load(sizeof image), MULTIBOOT_NOT_ELF);
    fixture_end();
}

static void a_tiny_guest_is_refused(void **state)
{
    (void)state;
    fixture_init(2 * MIB - 4096);
    assert_int_equal(load(sizeof image), IMAGE_NO_LOW_MEMORY);
    fixture_end();
}

static void each_error_has_its_own_line(void **state)
{
    (void)state;
    for (int i = 0; i < IMAGE_ERROR_COUNT; i++) {
        const char *text = image_error_text((enum image_error)i);
        assert_null(strchr(text, '\n'));
        assert_in_range(strlen(text), 10, 100);
        for (int j = i + 1; j <= IMAGE_ERROR_COUNT; j++) {
            assert_string_not_equal(text, image_error_text((enum image_error)j));
        }
    }
    assert_non_null(image_error_text((enum image_error)-1));
}

#define TEST(name, function) {name, function, NULL, NULL, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST("IMAGE-01: an image goes to the loader of its kind", tells_the_kinds_apart),
        TEST("IMAGE-02: a guest without room for boot data is refused", a_tiny_guest_is_refused),
        TEST("IMAGE-03: each error has a line of its own", each_error_has_its_own_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
