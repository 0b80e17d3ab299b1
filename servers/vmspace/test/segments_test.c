/* segments_test.c: tests of a guest's memory map: limits, overlaps, look-up. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/vmspace/segments.c servers/vmspace/capmap.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/abi/syscall.h"
#include "servers/vmspace/segments.h"

#define RW  (MAP_READ | MAP_WRITE)
#define KIB 1024ull
#define GIB (1ull << 30)

/* object.h's inline functions are not used here; frames.h's want this one. */
uint32_t frame_cache_refill(struct frame_cache *cache)
{
    (void)cache;
    return FRAME_NONE;
}

void frame_cache_put(struct frame_cache *cache, uint32_t frame)
{
    (void)cache;
    (void)frame;
}

static struct segments map;

static int clear(void **state)
{
    (void)state;
    memset(&map, 0, sizeof map);
    return 0;
}

static enum status add(uint64_t gpa, uint64_t size, unsigned rights)
{
    enum status status = segments_check(&map, gpa, size, rights);
    if (status == OK) {
        segments_add(&map, gpa, size, rights, (struct object){ 0 });
    }
    return status;
}

static void alignment(void **state)
{
    (void)state;
    assert_int_equal(add(0x800, 4 * KIB, RW), E_ALIGN);
    assert_int_equal(add(0, 4 * KIB + 1, RW), E_ALIGN);
    assert_int_equal(add(~0ull, 4 * KIB, RW), E_ALIGN);
    assert_int_equal(add(0, 0, RW), E_ARGUMENT);
    assert_int_equal(add(0, 4 * KIB, RW), OK);
}

static void rights(void **state)
{
    (void)state;
    assert_int_equal(add(0, 4 * KIB, 0), E_ARGUMENT);
    assert_int_equal(add(0, 4 * KIB, MAP_WRITE), E_ARGUMENT);
    assert_int_equal(add(0, 4 * KIB, MAP_EXEC), E_ARGUMENT);
    assert_int_equal(add(0, 4 * KIB, MAP_RIGHTS + 1), E_ARGUMENT);
    assert_int_equal(add(0, 4 * KIB, MAP_READ | MAP_EXEC), OK);
}

static void limits(void **state)
{
    (void)state;
    assert_int_equal(add(VMS_GPA_LIMIT, 4 * KIB, RW), E_ARGUMENT);
    assert_int_equal(add(VMS_GPA_LIMIT - 4 * KIB, 8 * KIB, RW), E_ARGUMENT);
    assert_int_equal(add(4 * KIB, 0ull - 4 * KIB, RW), E_ARGUMENT);
    assert_int_equal(add(0ull - 4 * KIB, 8 * KIB, RW), E_ARGUMENT);
    assert_int_equal(add(0, VMS_SEGMENT_MAX + 4 * KIB, RW), E_LIMIT);
    assert_int_equal(add(VMS_GPA_LIMIT - 4 * KIB, 4 * KIB, RW), OK);
    assert_int_equal(add(4 * KIB, VMS_SEGMENT_MAX, RW), OK);
    const struct segment *s = segment_find(&map, 4 * KIB + VMS_SEGMENT_MAX - 1);
    assert_non_null(s);
    assert_true(segment_page(s, s->last) < OBJECT_PAGES);
    assert_true(VMS_WINDOW + VMS_GPA_LIMIT <= 0x7ffffffff000ull);
}

static void overlaps(void **state)
{
    (void)state;
    assert_int_equal(add(64 * KIB, 64 * KIB, RW), OK);
    assert_int_equal(add(64 * KIB, 64 * KIB, RW), E_MAPPED);
    assert_int_equal(add(124 * KIB, 4 * KIB, RW), E_MAPPED);
    assert_int_equal(add(60 * KIB, 8 * KIB, RW), E_MAPPED);
    assert_int_equal(add(0, GIB, RW), E_MAPPED);
    assert_int_equal(add(128 * KIB, 4 * KIB, RW), OK);
    assert_int_equal(add(60 * KIB, 4 * KIB, RW), OK);
}

static void full(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < VMS_SEGMENTS; i++) {
        assert_int_equal(add(i * 8 * KIB, 4 * KIB, RW), OK);
    }
    assert_int_equal(add(GIB, 4 * KIB, RW), E_LIMIT);
}

static void windows(void **state)
{
    (void)state;
    assert_int_equal(add(0, 64 * KIB, RW), OK);
    assert_int_equal(segments_check_window(&map, 0x800, 0x1fff), E_ALIGN);
    assert_int_equal(segments_check_window(&map, GIB, GIB + 0x1000), E_ALIGN);
    assert_int_equal(segments_check_window(&map, GIB + 0x1000, GIB + 0xfff), E_ARGUMENT);
    assert_int_equal(segments_check_window(&map, GIB, VMS_GPA_LIMIT + 0xfff), E_ARGUMENT);
    assert_int_equal(segments_check_window(&map, 60 * KIB, GIB - 1), E_MAPPED);
    assert_int_equal(segments_check_window(&map, GIB, GIB + 0xfff), OK);
    segments_add_window(&map, GIB, GIB + 0xfff);
    assert_int_equal(add(GIB, 4 * KIB, RW), E_MAPPED);
    assert_int_equal(add(GIB + 4 * KIB, 4 * KIB, RW), OK);
    assert_null(segment_find(&map, GIB));
    for (uint64_t i = 1; i < VMS_WINDOWS; i++) {
        uint64_t first = (i + 4) * GIB;
        assert_int_equal(segments_check_window(&map, first, first + GIB - 1), OK);
        segments_add_window(&map, first, first + GIB - 1);
    }
    assert_int_equal(segments_check_window(&map, 3 * GIB, 3 * GIB + 0xfff), E_LIMIT);
}

static void lookup(void **state)
{
    (void)state;
    assert_int_equal(add(0, 640 * KIB, RW | MAP_EXEC), OK);
    assert_int_equal(add(0x101000, 3 * GIB - 0x101000, RW), OK);
    assert_ptr_equal(segment_find(&map, 0), &map.segment[0]);
    assert_ptr_equal(segment_find(&map, 640 * KIB - 1), &map.segment[0]);
    assert_null(segment_find(&map, 640 * KIB));
    assert_null(segment_find(&map, 0x100fff));
    assert_ptr_equal(segment_find(&map, 0x101000), &map.segment[1]);
    assert_ptr_equal(segment_find(&map, 3 * GIB - 1), &map.segment[1]);
    assert_null(segment_find(&map, 3 * GIB));
    assert_null(segment_find(&map, ~0ull));
    /* Object and address agree in all bits below 2 MiB: a superpage of one can be one of the other.
     */
    assert_int_equal(segment_page(&map.segment[1], 0x101000), 0x101);
    assert_int_equal(segment_page(&map.segment[1], 0x400123), 0x400);
}

/* What a flat array says about the first 256 pages. */
static void random_maps(void **state)
{
    (void)state;
    srand(3);
    for (unsigned round = 0; round < 2000; round++) {
        signed char owner[256];
        memset(owner, -1, sizeof owner);
        clear(NULL);
        for (signed char n = 0; n < 12;) {
            uint64_t first = (uint64_t)rand() % 256, pages = 1 + (uint64_t)rand() % 40;
            bool taken = false;
            if (first + pages > 256) {
                continue;
            }
            for (uint64_t i = first; i < first + pages; i++) {
                taken |= owner[i] >= 0;
            }
            assert_int_equal(add(first * 4096, pages * 4096, RW), taken ? E_MAPPED : OK);
            if (!taken) {
                memset(owner + first, (signed char)map.count - 1, pages);
            }
            n++;
        }
        for (unsigned i = 0; i < 256; i++) {
            const struct segment *s = segment_find(&map, i * 4096ull + (uint64_t)rand() % 4096);
            assert_int_equal(s == NULL ? -1 : (int)(s - map.segment), owner[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "SEG-01: whole pages only, and at least one", alignment, clear, NULL, NULL },
        { "SEG-02: rights include read and nothing unknown", rights, clear, NULL, NULL },
        { "SEG-03: no segment reaches beyond the limits, whatever overflows", limits, clear, NULL,
          NULL },
        { "SEG-04: segments may touch and not overlap", overlaps, clear, NULL, NULL },
        { "SEG-05: the map has room for so many and no more", full, clear, NULL, NULL },
        { "SEG-06: device windows and segments keep apart", windows, clear, NULL, NULL },
        { "SEG-07: an address is found in its segment alone", lookup, clear, NULL, NULL },
        { "SEG-08: random maps agree with a flat array", random_maps, clear, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
