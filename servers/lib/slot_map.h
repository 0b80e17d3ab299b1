/* slot_map.h: which slots of one's own CNode are free. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_SLOT_MAP_H
#define SERVERS_LIB_SLOT_MAP_H

#include <stdint.h>

#define SLOT_MAP_MAX 4096u /* slots */

/* No lock: a process with several threads guards it. */
struct slot_map {
    uint32_t end; /* the first slot that does not exist */
    uint32_t low; /* no slot below is free: where a search begins */
    uint64_t taken[SLOT_MAP_MAX / 64];
};

/* Makes the slots `first` to `end` - 1 free, all others taken. `end` is at most SLOT_MAP_MAX. */
void slot_map_init(struct slot_map *map, uint32_t first, uint32_t end);

/*
 * Takes `count` consecutive slots, the lowest there are; the value is the first, or 0 if there are
 * none.
 */
uint32_t slot_take(struct slot_map *map, uint32_t count);

/*
 * Gives slots back, which must hold nothing by now. Giving back a free one is a bug and stops the
 * process (ud2).
 */
void slot_give(struct slot_map *map, uint32_t first, uint32_t count);

/* How many are free. */
uint32_t slot_free(const struct slot_map *map);

#endif
