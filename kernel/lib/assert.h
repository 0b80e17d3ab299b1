/* assert.h: checks of the kernel's own rules; the only place that knows of debug builds. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_LIB_ASSERT_H
#define KERNEL_LIB_ASSERT_H

#include "kernel/lib/panic.h"

/* Always active: panics with expression, file and line unless the condition holds. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0)) {                                                   \
            panic("%s:%d: violated: %s", __FILE__, __LINE__, #condition);                          \
        }                                                                                          \
    } while (0)

/*
 * ASSERT is REQUIRE in debug builds (KERNEL_DEBUG defined) and checks nothing otherwise; the
 * condition is compiled, but not evaluated then. DEBUG_ONLY(...) keeps its text in debug builds.
 */
#ifdef KERNEL_DEBUG
#define ASSERT(condition) REQUIRE(condition)
#define DEBUG_ONLY(...) __VA_ARGS__
#else
#define ASSERT(condition) ((void)sizeof(!(condition)))
#define DEBUG_ONLY(...)
#endif

#endif
