/* heap_test.c: pieces of a heap never overlap, and all of it comes back. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/lib/heap.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "servers/lib/heap.h"

#define SIZE   65536
#define PIECES 200

static _Alignas(16) char memory[SIZE];

struct piece {
    unsigned char *at;
    size_t size;
    unsigned char pattern;
};

static void check(const struct piece *piece)
{
    for (size_t i = 0; i < piece->size; i++) {
        assert_int_equal(piece->at[i], piece->pattern);
    }
}

/* The oracle is the content: a piece that overlaps another or the list damages a pattern. */
static void test_random(void **state)
{
    (void)state;
    static struct piece pieces[PIECES];
    struct heap heap;
    heap_init(&heap, memory, sizeof(memory));
    size_t all = heap_free(&heap);
    srand(2);
    for (unsigned i = 0; i < 100000; i++) {
        struct piece *piece = &pieces[rand() % PIECES];
        if (piece->at != NULL) {
            check(piece);
            heap_give(&heap, piece->at);
            *piece = (struct piece){ 0 };
            continue;
        }
        size_t size = 1 + (size_t)rand() % 1500;
        unsigned char *at = heap_take(&heap, size);
        if (at != NULL) {
            assert_int_equal((uintptr_t)at % HEAP_ALIGN, 0);
            assert_true(
                at >= (unsigned char *)memory && at + size <= (unsigned char *)memory + SIZE);
            *piece = (struct piece){ at, size, (unsigned char)i };
            memset(at, piece->pattern, size);
        }
    }
    for (unsigned i = 0; i < PIECES; i++) {
        check(&pieces[i]);
        heap_give(&heap, pieces[i].at);
    }
    assert_int_equal(heap_free(&heap), all);
    assert_non_null(heap_take(&heap, all));
}

static void test_limits(void **state)
{
    (void)state;
    struct heap heap;
    heap_init(&heap, memory, sizeof(memory));
    assert_null(heap_take(&heap, 0));
    assert_null(heap_take(&heap, SIZE));
    assert_null(heap_take(&heap, SIZE_MAX));
    assert_null(heap_take(&heap, SIZE_MAX - 8));
    heap_give(&heap, NULL);
    void *one = heap_take(&heap, heap_free(&heap));
    assert_non_null(one);
    assert_null(heap_take(&heap, 1));
    heap_give(&heap, one);
    heap_init(&heap, memory, 16);
    assert_null(heap_take(&heap, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "HEAP-01: pieces keep their content, and all comes back", test_random, NULL, NULL, NULL },
        { "HEAP-02: what does not fit is refused", test_limits, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
