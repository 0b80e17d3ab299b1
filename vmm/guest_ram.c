/* guest_ram.c: splits guest RAM around the device hole below 4 GiB and describes it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/guest_ram.h"

#include <stddef.h>

#include "vmm/boot_layout.h"
#include "vmm/platform.h"

uint64_t guest_ram_low_end(uint64_t size)
{
    return size < PLAT_LOW_RAM_END ? size : PLAT_LOW_RAM_END;
}

void guest_ram_init(struct guest_ram *ram, void *host, uint64_t size)
{
    ram->host = host;
    ram->low_size = guest_ram_low_end(size);
    ram->high_size = size - ram->low_size;
}

static void *guest_ram_at(void *ctx, uint64_t gpa, uint64_t length)
{
    const struct guest_ram *ram = ctx;

    if (gpa <= ram->low_size && length <= ram->low_size - gpa) {
        return ram->host + gpa;
    }
    if (gpa < PLAT_HIGH_RAM_BASE) {
        return NULL;
    }
    uint64_t offset = gpa - PLAT_HIGH_RAM_BASE;
    if (offset <= ram->high_size && length <= ram->high_size - offset) {
        return ram->host + ram->low_size + offset;
    }
    return NULL;
}

struct guest_memory guest_ram_memory(struct guest_ram *ram)
{
    return (struct guest_memory){
        .size = ram->low_size + ram->high_size,
        .at = guest_ram_at,
        .ctx = ram,
    };
}

unsigned guest_ram_map(uint64_t size, struct guest_range ranges[GUEST_RANGES_MAX])
{
    uint64_t low_end = guest_ram_low_end(size);
    unsigned count = 0;

    ranges[count++] = (struct guest_range){0, BOOT_CONVENTIONAL_END, GUEST_RANGE_RAM};
    ranges[count++] = (struct guest_range){
        BOOT_CONVENTIONAL_END, BOOT_EXTENDED_BASE - BOOT_CONVENTIONAL_END, GUEST_RANGE_RESERVED};
    if (low_end > BOOT_EXTENDED_BASE) {
        ranges[count++] = (struct guest_range){
            BOOT_EXTENDED_BASE, low_end - BOOT_EXTENDED_BASE, GUEST_RANGE_RAM};
    }
    if (size > low_end) {
        ranges[count++] =
            (struct guest_range){PLAT_HIGH_RAM_BASE, size - low_end, GUEST_RANGE_RAM};
    }
    return count;
}
