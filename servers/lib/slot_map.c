/* slot_map.c: which slots of one's own CNode are free: a bitmap. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/slot_map.h"

#include <stdbool.h>

static bool is_taken(const struct slot_map *map, uint32_t slot)
{
    return (map->taken[slot / 64] >> slot % 64 & 1) != 0;
}

void slot_map_init(struct slot_map *map, uint32_t first, uint32_t end)
{
    *map = (struct slot_map){ .end = end < SLOT_MAP_MAX ? end : SLOT_MAP_MAX, .low = first };
    for (uint32_t slot = 0; slot < SLOT_MAP_MAX; slot++) {
        if (slot < first || slot >= end) {
            map->taken[slot / 64] |= 1ull << slot % 64;
        }
    }
}

uint32_t slot_take(struct slot_map *map, uint32_t count)
{
    uint32_t run = 0;
    for (uint32_t slot = map->low; count != 0 && slot < map->end; slot++) {
        run = is_taken(map, slot) ? 0 : run + 1;
        if (run != count) {
            continue;
        }
        uint32_t first = slot + 1 - count;
        for (uint32_t s = first; s <= slot; s++) {
            map->taken[s / 64] |= 1ull << s % 64;
        }
        while (map->low < map->end && is_taken(map, map->low)) {
            map->low++;
        }
        return first;
    }
    return 0;
}

void slot_give(struct slot_map *map, uint32_t first, uint32_t count)
{
    for (uint32_t slot = first; slot < first + count; slot++) {
        if (slot >= map->end || !is_taken(map, slot)) {
            __builtin_trap();
        }
        map->taken[slot / 64] &= ~(1ull << slot % 64);
    }
    if (first < map->low) {
        map->low = first;
    }
}

uint32_t slot_free(const struct slot_map *map)
{
    uint32_t count = 0;
    for (uint32_t slot = map->low; slot < map->end; slot++) {
        count += is_taken(map, slot) ? 0 : 1;
    }
    return count;
}
