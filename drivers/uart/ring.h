/* ring.h: a queue of bytes in a fixed buffer. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DRIVERS_UART_RING_H
#define DRIVERS_UART_RING_H

#include <stdbool.h>
#include <stdint.h>

/* Both counters only grow, and wrap: their difference is what is in the queue. No lock. */
struct ring {
    char *bytes;
    uint32_t size; /* a power of two */
    uint32_t put, taken;
};

static inline uint32_t ring_count(const struct ring *ring)
{
    return ring->put - ring->taken;
}

static inline uint32_t ring_room(const struct ring *ring)
{
    return ring->size - ring_count(ring);
}

/* False: there was no room. */
static inline bool ring_put(struct ring *ring, char byte)
{
    if (ring_room(ring) == 0) {
        return false;
    }
    ring->bytes[ring->put++ & (ring->size - 1)] = byte;
    return true;
}

/* False: it is empty. */
static inline bool ring_take(struct ring *ring, char *byte)
{
    if (ring_count(ring) == 0) {
        return false;
    }
    *byte = ring->bytes[ring->taken++ & (ring->size - 1)];
    return true;
}

#endif
