/* boot_fixture.h: a guest's memory for the boot code's tests, and raw access to bytes. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_BOOT_FIXTURE_H
#define VMM_TEST_BOOT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "vmm/guest_image.h"
#include "vmm/guest_ram.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* All loaders reach guest memory through these two. Backed on demand: gigabytes cost nothing. */
static struct guest_ram fixture_ram;
static struct guest_memory fixture_memory;

static inline void fixture_init(uint64_t size)
{
    void *host = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(host, MAP_FAILED);
    guest_ram_init(&fixture_ram, host, size);
    fixture_memory = guest_ram_memory(&fixture_ram);
}

static inline void fixture_end(void)
{
    munmap(fixture_ram.host, fixture_memory.size);
}

/* The bytes at GPA, for which the guest must have RAM. */
static inline uint8_t *guest_bytes(uint64_t gpa, uint64_t length)
{
    uint8_t *bytes = fixture_memory.at(fixture_memory.ctx, gpa, length);
    assert_non_null(bytes);
    return bytes;
}

/* SIZE (up to 8) little-endian bytes as a number. */
static inline uint64_t get(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)bytes[i] << 8 * i;
    }
    return value;
}

static inline void put(uint8_t *bytes, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

static inline uint64_t guest_get(uint64_t gpa, unsigned size)
{
    return get(guest_bytes(gpa, size), size);
}

#endif
