/* bits.h: bit searches and alignment. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_LIB_BITS_H
#define KERNEL_LIB_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* Number of the lowest bit that is set; the value must not be 0. */
static inline unsigned bit_lowest(uint64_t value)
{
    return (unsigned)__builtin_ctzl(value);
}

/* Number of the highest bit that is set; the value must not be 0. */
static inline unsigned bit_highest(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzl(value);
}

static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Alignments are powers of two. align_up() wraps to 0 past the top of 64 bits. */
static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return align_down(value + alignment - 1, alignment);
}

static inline bool is_aligned(uint64_t value, uint64_t alignment)
{
    return (value & (alignment - 1)) == 0;
}

#endif
