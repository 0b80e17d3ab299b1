/* bootfs_test.c: the archive reader finds what cpio packed, and survives what is no archive. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/bootfs.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/lib/bootfs.h"

static char *archive;
static size_t archive_size;

/* The oracle is cpio itself, on files of sizes around the alignment. */
static int pack(void **state)
{
    (void)state;
    FILE *pipe = popen("d=$(mktemp -d) && cd $d && mkdir sub && for n in 0 1 2 3 4 5 4097; do "
                       "head -c $n /dev/zero | tr '\\0' x >f$n; done && echo deep >sub/file && "
                       "find . | cpio -o -H newc --quiet && rm -rf $d",
        "r");
    if (pipe == NULL) {
        return 1;
    }
    archive = malloc(1 << 16);
    archive_size = fread(archive, 1, 1 << 16, pipe);
    return pclose(pipe) != 0;
}

static int drop(void **state)
{
    (void)state;
    free(archive);
    return 0;
}

static void test_find(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 2, 3, 4, 5, 4097 };
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        char name[16];
        struct bootfs_file file;
        snprintf(name, sizeof(name), "f%zu", sizes[i]);
        assert_true(bootfs_find(archive, archive_size, name, &file));
        assert_int_equal(file.size, sizes[i]);
        for (size_t b = 0; b < file.size; b++) {
            assert_int_equal(((const char *)file.data)[b], 'x');
        }
    }
    struct bootfs_file file;
    assert_true(bootfs_find(archive, archive_size, "sub/file", &file));
    assert_memory_equal(file.data, "deep\n", 5);
    assert_false(bootfs_find(archive, archive_size, "f", &file));
    assert_false(bootfs_find(archive, archive_size, "TRAILER!!!", &file));
}

/*
 * Cut at every length, in memory of exactly that length: a read outside is seen by the sanitizer.
 */
static void test_cut(void **state)
{
    (void)state;
    for (size_t size = 0; size < archive_size; size += size < 2000 ? 1 : 97) {
        char *copy = malloc(size + 1);
        memcpy(copy, archive, size);
        struct bootfs_file file;
        size_t offset = 0;
        enum bootfs_result result;
        while ((result = bootfs_next(copy, size, &offset, &file)) == BOOTFS_FILE) {
            assert_true((const char *)file.data + file.size <= copy + size);
        }
        free(copy);
    }
}

static void test_broken(void **state)
{
    (void)state;
    char *copy = malloc(archive_size);
    static const size_t fields[] = { 54, 94 }; /* file size, name size */
    for (unsigned f = 0; f < 2; f++) {
        static const char *const values[] = { "ffffffff", "0000000g", "00000000", "7fffffff" };
        for (unsigned v = 0; v < 4; v++) {
            memcpy(copy, archive, archive_size);
            memcpy(copy + fields[f], values[v], 8);
            struct bootfs_file file;
            size_t offset = 0;
            enum bootfs_result result = bootfs_next(copy, archive_size, &offset, &file);
            assert_true(result == BOOTFS_BROKEN || (f == 0 && v == 2));
        }
    }
    /* A name without its zero byte. */
    memcpy(copy, archive, archive_size);
    size_t name_size = strtoul((char[]){ copy[98], copy[99], copy[100], copy[101], 0 }, NULL, 16);
    copy[110 + name_size - 1] = 'x';
    struct bootfs_file file;
    size_t offset = 0;
    assert_int_equal(bootfs_next(copy, archive_size, &offset, &file), BOOTFS_BROKEN);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "BOOTFS-01: files that cpio packed are found", test_find, NULL, NULL, NULL },
        { "BOOTFS-02: a cut archive is never read beyond its end", test_cut, NULL, NULL, NULL },
        { "BOOTFS-03: sizes that can't be are refused", test_broken, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, pack, drop);
}
