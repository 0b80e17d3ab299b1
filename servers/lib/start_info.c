/* start_info.c: finds entries in the table that init gave a process. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/start_info.h"

#include <string.h>

const struct start_entry *start_find(
    const struct start_info *info, enum start_kind kind, const char *name, unsigned nth)
{
    for (uint32_t i = 0; i < info->entry_count && i < START_ENTRY_MAX; i++) {
        const struct start_entry *e = &info->entry[i];
        if (e->kind == kind && (name == NULL || strcmp(e->name, name) == 0) && nth-- == 0) {
            return e;
        }
    }
    return NULL;
}

uint32_t start_cap(const struct start_info *info, enum start_kind kind, const char *name)
{
    const struct start_entry *e = start_find(info, kind, name, 0);
    return e != NULL ? e->cap : 0;
}

uint64_t start_value(const struct start_info *info, const char *name, uint64_t otherwise)
{
    const struct start_entry *e = start_find(info, START_VALUE, name, 0);
    return e != NULL ? e->size : otherwise;
}
