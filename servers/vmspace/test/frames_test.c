/* frames_test.c: tests of the frame pool against a plain bitmap. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/vmspace/frames.c servers/vmspace/capmap.c */
#include <stdlib.h>
#include <string.h>

#include "servers/vmspace/frames.h"
#include "servers/vmspace/test/child.h"

#define LIMIT 6u /* chunks */

struct lock memory_lock;
static struct chunk table[LIMIT + 1];
static unsigned char in_use[(LIMIT + 1) * CHUNK_PAGES];
static uint32_t chunks_left;

/* What frames.c needs of its neighbours. */
bool source_take_chunk(uint32_t slot, enum object_type type)
{
    REQUIRE(type == OBJ_FRAME);
    REQUIRE(memory_lock.held == 1);
    REQUIRE((slot & 0xffff) == LIMIT - chunks_left + 1);
    return chunks_left > 0 && chunks_left--;
}

uint64_t source_frames_left(void)
{
    return (uint64_t)chunks_left * CHUNK_PAGES;
}

void kernel_yield(void)
{
    REQUIRE(!"one thread never waits for a lock");
}

void log_line(const char *format, ...)
{
    (void)format;
}

static void begin(uint32_t made, uint32_t used)
{
    chunks_left = LIMIT - made;
    frames_init(table, LIMIT, made, used);
}

static void mark(const uint32_t *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        REQUIRE(frames[i] >= CHUNK_PAGES && frames[i] < sizeof in_use);
        REQUIRE(in_use[frames[i]] == 0);
        in_use[frames[i]] = 1;
    }
}

static void body_all_once(void)
{
    static uint32_t frames[LIMIT * CHUNK_PAGES + 1];
    begin(1, 10);
    unsigned count = frames_take(FRAMES_GUEST, frames, LIMIT * CHUNK_PAGES + 1);
    REQUIRE(count == LIMIT * CHUNK_PAGES - 10);
    mark(frames, count);
    for (uint32_t i = 0; i < 10; i++) {
        REQUIRE(in_use[CHUNK_PAGES + i] == 0);
    }
    REQUIRE(frames_free() == 0 && chunks_left == 0);
    REQUIRE(frames_take(FRAMES_TABLE, frames, 1) == 0);
    frames_give(frames, count);
    REQUIRE(frames_free() == count);
    REQUIRE(frames_take(FRAMES_TABLE, frames, LIMIT * CHUNK_PAGES) == count);
}

static void body_random(void)
{
    uint32_t held[2048], frames[64];
    unsigned holds = 0;
    uint64_t expected = 0;
    begin(1, 100);
    expected = frames_free();
    srand(7);
    for (unsigned step = 0; step < 100000; step++) {
        uint64_t before = expected;
        if (rand() % 2 == 0 && holds < 1900) {
            uint32_t left = chunks_left;
            unsigned want = 1 + (unsigned)rand() % 64;
            unsigned count =
                frames_take(rand() % 4 == 0 ? FRAMES_TABLE : FRAMES_GUEST, frames, want);
            mark(frames, count);
            memcpy(held + holds, frames, count * sizeof frames[0]);
            holds += count;
            expected = before + (uint64_t)(left - chunks_left) * CHUNK_PAGES - count;
            REQUIRE(count == want);
        } else if (holds > 0) {
            unsigned at = (unsigned)rand() % holds, count = 1 + (unsigned)rand() % 64;
            count = count < holds - at ? count : holds - at;
            frames_give(held + at, count);
            for (unsigned i = at; i < at + count; i++) {
                in_use[held[i]] = 0;
            }
            memmove(held + at, held + at + count, (holds - at - count) * sizeof held[0]);
            holds -= count;
            expected += count;
        }
        REQUIRE(frames_free() == expected);
    }
}

static void body_apart(void)
{
    uint32_t guest[2], own[2], more[2];
    begin(0, 0);
    REQUIRE(frames_take(FRAMES_GUEST, guest, 2) == 2);
    REQUIRE(frames_take(FRAMES_TABLE, own, 2) == 2);
    REQUIRE(frames_take(FRAMES_GUEST, more, 2) == 2);
    REQUIRE(guest[0] / CHUNK_PAGES != own[0] / CHUNK_PAGES);
    REQUIRE(guest[0] / CHUNK_PAGES == more[0] / CHUNK_PAGES);
    REQUIRE(guest[1] == guest[0] + 1 && more[0] == guest[1] + 1);
}

static void body_cache(void)
{
    struct frame_cache cache = { 0 };
    uint32_t last = 0;
    begin(0, 0);
    for (unsigned i = 0; i < 500; i++) {
        uint32_t frame = frame_cache_take(&cache);
        mark(&frame, 1);
        REQUIRE(last == 0 || frame == last + 1);
        last = frame;
        REQUIRE(frame_cache_count(&cache) <= FRAME_CACHE_SIZE);
    }
    uint64_t before = frames_free() + frame_cache_count(&cache);
    frame_cache_put(&cache, last);
    REQUIRE(frames_free() + frame_cache_count(&cache) == before + 1);
    REQUIRE(frame_cache_take(&cache) == last);
}

static void body_share(void)
{
    static uint32_t frames[LIMIT * CHUNK_PAGES];
    struct frame_cache cache = { 0 };
    begin(0, 0);
    REQUIRE(frames_take(FRAMES_GUEST, frames, LIMIT * CHUNK_PAGES - 5) == LIMIT * CHUNK_PAGES - 5);
    for (unsigned i = 0; i < 5; i++) {
        REQUIRE(frame_cache_take(&cache) != FRAME_NONE);
        REQUIRE(frame_cache_count(&cache) == 0);
    }
    REQUIRE(frame_cache_take(&cache) == FRAME_NONE);
}

static void body_twice(void)
{
    uint32_t frame;
    begin(0, 0);
    REQUIRE(frames_take(FRAMES_GUEST, &frame, 1) == 1);
    frames_give(&frame, 1);
    frames_give(&frame, 1);
}

static void body_foreign(void)
{
    uint32_t frame = 2 * CHUNK_PAGES;
    begin(1, 0);
    frames_give(&frame, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHILD_TEST("FRM-01: every frame is handed out once, and all can come back", body_all_once),
        CHILD_TEST("FRM-02: 100000 random operations agree with a bitmap", body_random),
        CHILD_TEST("FRM-03: tables and guest memory lie in different chunks", body_apart),
        CHILD_TEST("FRM-04: a cache hands out frames in order and puts back what is not used",
                   body_cache),
        CHILD_TEST("FRM-05: where little is left a cache takes no more than it needs", body_share),
        CHILD_TRAP_TEST("FRM-06: a frame given back twice stops vmspace", body_twice),
        CHILD_TRAP_TEST("FRM-07: a frame that was never made stops vmspace", body_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
