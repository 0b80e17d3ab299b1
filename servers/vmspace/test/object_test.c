/* object_test.c: tests of memory objects against a flat table, and with memory that runs out. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/vmspace/object.c servers/vmspace/capmap.c */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "servers/vmspace/object.h"
#include "servers/vmspace/test/child.h"

#define TABLES 64u

static unsigned tables_left = TABLES, tables_out;
static uint32_t next_frame;
static unsigned frames_out;
static unsigned char given[1 << 16];
static _Atomic uint32_t *race; /* entry that another worker fills while this one takes a frame */
static uint32_t put_back;

/* What object.c needs of its neighbours. */
uint32_t table_take(void)
{
    if (tables_left == 0) {
        return FRAME_NONE;
    }
    for (uint32_t frame = 1;; frame++) {
        void *at = table_at(frame);
        if (mmap(at, PAGE_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at) {
            tables_left--;
            tables_out++;
            return frame;
        }
    }
}

void table_give(uint32_t frame)
{
    REQUIRE(munmap(table_at(frame), PAGE_SIZE) == 0);
    tables_left++;
    tables_out--;
}

void frames_give(const uint32_t *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        REQUIRE(given[frames[i]]++ == 0);
        frames_out--;
    }
}

uint32_t frame_cache_refill(struct frame_cache *cache)
{
    (void)cache;
    if (race != NULL) {
        *race = 4711;
    }
    frames_out++;
    return ++next_frame;
}

void frame_cache_put(struct frame_cache *cache, uint32_t frame)
{
    (void)cache;
    put_back = frame;
}

static struct frame_cache cache;

static void body_flat(void)
{
    static uint32_t flat[8192];
    static uint64_t page_of[8192];
    struct object object;
    unsigned count = 0;
    srand(11);
    REQUIRE(object_create(&object) == OK);
    for (unsigned step = 0; step < 20000; step++) {
        /* A few regions anywhere, the last page of all too. */
        uint64_t region = (uint64_t)(rand() % 24) * ((OBJECT_PAGES / CHUNK_PAGES - 1) / 23);
        uint64_t page = region * CHUNK_PAGES + (uint64_t)rand() % CHUNK_PAGES;
        struct region *table = object_grow(&object, page);
        REQUIRE(table != NULL && table == object_region(&object, page));
        bool taken;
        uint32_t value = region_fill(table, page % CHUNK_PAGES, &cache, &taken);
        unsigned at = 0;
        while (at < count && page_of[at] != page) {
            at++;
        }
        REQUIRE(taken == (at == count));
        if (taken) {
            page_of[count] = page;
            flat[count++] = value;
            REQUIRE((value & PAGE_FRESH) != 0);
        }
        if (step % 3 == 0) {
            flat[at] = PAGE_FRAME(flat[at]);
            region_settle(&table->page[page % CHUNK_PAGES], value);
        }
        REQUIRE(table->page[page % CHUNK_PAGES] == flat[at]);
        if (count == 8192) {
            break;
        }
    }
    REQUIRE(object_resident(&object) == count && frames_out == count);
    object_destroy(&object);
    REQUIRE(tables_out == 0 && frames_out == 0 && object.root == FRAME_NONE);
}

static void body_failures(void)
{
    struct object object;
    tables_left = 0;
    REQUIRE(object_create(&object) == E_MEMORY);
    tables_left = 1;
    REQUIRE(object_create(&object) == OK);
    REQUIRE(object_grow(&object, 700) == NULL && object_region(&object, 700) == NULL);
    tables_left = 1;
    REQUIRE(object_grow(&object, 700) == NULL && object_region(&object, 700) == NULL);
    REQUIRE(tables_out == 2);
    tables_left = 1;
    REQUIRE(object_grow(&object, 700) != NULL);
    REQUIRE(tables_left == 0 && object_grow(&object, 1023) == object_region(&object, 512));
    REQUIRE(object_region(&object, 1024) == NULL);
    object_destroy(&object);
    REQUIRE(tables_out == 0);
}

static void body_race(void)
{
    struct object object;
    bool taken;
    REQUIRE(object_create(&object) == OK);
    struct region *region = object_grow(&object, 5);
    race = &region->page[5];
    REQUIRE(region_fill(region, 5, &cache, &taken) == 4711);
    REQUIRE(!taken && put_back == next_frame && region->page[5] == 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHILD_TEST("OBJ-01: pages keep their frames, as a flat table says, and give all back",
                   body_flat),
        CHILD_TEST("OBJ-02: without memory for a table nothing changes and nothing is lost",
                   body_failures),
        CHILD_TEST("OBJ-03: who comes second takes the frame of who came first", body_race),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
