/* bus_test.c: ranges are found, kept apart and split for narrow devices; clocks are exact. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/bus.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "vmm/bus.h"
#include "vmm/clock.h"

/* A device that is plain memory, and remembers the widest access. */
struct ram {
    uint8_t byte[16];
    unsigned widest;
};

static uint64_t ram_read(void *dev, const struct bus_access *access)
{
    struct ram *ram = dev;
    uint64_t value = 0;

    ram->widest = access->size > ram->widest ? access->size : ram->widest;
    for (unsigned i = 0; i < access->size; i++) {
        value |= (uint64_t)ram->byte[access->offset + i] << (8 * i);
    }
    return value;
}

static void ram_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct ram *ram = dev;

    ram->widest = access->size > ram->widest ? access->size : ram->widest;
    for (unsigned i = 0; i < access->size; i++) {
        ram->byte[access->offset + i] = (uint8_t)(value >> (8 * i));
    }
}

static const struct bus_ops narrow = {1, ram_read, ram_write};
static const struct bus_ops wide = {4, ram_read, ram_write};

static const struct bus_access four = {.size = 4};
static const struct bus_access one = {.size = 1};

static void ranges_do_not_overlap(void **state)
{
    struct bus bus;

    (void)state;
    bus_init(&bus);
    assert_int_equal(bus_add(&bus, 0x40, 4, &wide, NULL), BUS_OK);
    assert_int_equal(bus_add(&bus, 0x43, 1, &wide, NULL), BUS_OVERLAP);
    assert_int_equal(bus_add(&bus, 0x3E, 3, &wide, NULL), BUS_OVERLAP);
    assert_int_equal(bus_add(&bus, 0x40, 1, &wide, NULL), BUS_OVERLAP);
    assert_int_equal(bus_add(&bus, 0x44, 1, &wide, NULL), BUS_OK);
    assert_int_equal(bus_add(&bus, 0x3F, 1, &wide, NULL), BUS_OK);
    assert_int_equal(bus.count, 3);
}

static void full_or_empty_is_refused(void **state)
{
    struct bus bus;

    (void)state;
    bus_init(&bus);
    assert_int_equal(bus_add(&bus, 0, 0, &wide, NULL), BUS_FULL);
    for (unsigned i = 0; i < BUS_MAX_RANGES; i++) {
        assert_int_equal(bus_add(&bus, 100 - 2 * i, 1, &wide, NULL), BUS_OK);
    }
    assert_int_equal(bus_add(&bus, 500, 1, &wide, NULL), BUS_FULL);
}

static void every_range_is_found(void **state)
{
    struct ram ram[BUS_MAX_RANGES] = {0};
    struct bus bus;
    uint64_t value;

    (void)state;
    bus_init(&bus);
    for (unsigned i = 0; i < BUS_MAX_RANGES; i++) {
        unsigned at = i * 7 % BUS_MAX_RANGES; /* out of order; 7 and 24 share no factor */

        ram[at].byte[2] = (uint8_t)at;
        assert_int_equal(bus_add(&bus, 0x1000 + 16 * at, 8, &wide, &ram[at]), BUS_OK);
    }
    for (unsigned i = 0; i < BUS_MAX_RANGES; i++) {
        assert_int_equal(bus_read(&bus, 0x1000 + 16 * i, &one, &value), BUS_OK);
        assert_int_equal(bus_read(&bus, 0x1000 + 16 * i + 2, &one, &value), BUS_OK);
        assert_int_equal(value, i);
        assert_int_equal(bus_read(&bus, 0x1000 + 16 * i + 8, &one, &value), BUS_UNCLAIMED);
    }
}

static void nobody_answers_all_ones(void **state)
{
    struct bus bus;
    uint64_t value;

    (void)state;
    bus_init(&bus);
    assert_int_equal(bus_read(&bus, 0x300, &four, &value), BUS_UNCLAIMED);
    assert_int_equal(value, 0xFFFFFFFF);
    assert_int_equal(bus_read(&bus, 0x300, &(struct bus_access){.size = 8}, &value), BUS_UNCLAIMED);
    assert_true(value == UINT64_MAX);
    assert_int_equal(bus_write(&bus, 0x300, &four, 0), BUS_UNCLAIMED);
    assert_int_equal(bus.unclaimed_reads, 2);
    assert_int_equal(bus.unclaimed_writes, 1);
}

static void wide_access_is_split(void **state)
{
    struct ram ram = {0};
    struct bus bus;
    uint64_t value;

    (void)state;
    bus_init(&bus);
    bus_add(&bus, 0x100, 4, &narrow, &ram);
    assert_int_equal(bus_write(&bus, 0x100, &four, 0x44332211), BUS_OK);
    assert_int_equal(ram.widest, 1);
    assert_int_equal(ram.byte[3], 0x44);
    assert_int_equal(bus_read(&bus, 0x102, &four, &value), BUS_OK);
    assert_int_equal(value, 0xFFFF4433);
    assert_int_equal(bus.unclaimed_reads, 0);
}

static void wide_device_gets_it_whole(void **state)
{
    struct ram ram = {0};
    struct bus bus;

    (void)state;
    bus_init(&bus);
    bus_add(&bus, 0x100, 4, &wide, &ram);
    bus_write(&bus, 0x100, &four, 0x44332211);
    assert_int_equal(ram.widest, 4);
}

/* clock_ticks() and clock_tsc() against 128-bit arithmetic, for all rates that the devices use. */
static void clocks_are_exact(void **state)
{
    static const uint64_t rates[] = {1, 32768, 115200, 1193182, 3579545, 100000000};

    (void)state;
    srand(128);
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t hz = rates[rand() % 6];
        uint64_t tsc_hz = CLOCK_MIN_TSC_HZ +
                          ((uint64_t)rand() << 20 ^ (uint64_t)rand()) %
                              (CLOCK_MAX_TSC_HZ - CLOCK_MIN_TSC_HZ + 1);
        uint64_t n = ((uint64_t)rand() << 31 ^ (uint64_t)rand()) >> (rand() % 56);
        unsigned __int128 up = ((unsigned __int128)n * tsc_hz + hz - 1) / hz;

        assert_true(clock_ticks(n, tsc_hz, hz) == (uint64_t)((unsigned __int128)n * hz / tsc_hz));
        if (up >> 64 == 0) {
            assert_true(clock_tsc(n, tsc_hz, hz) == (uint64_t)up);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"BUS-01: ranges that meet are refused", ranges_do_not_overlap, 0, 0, 0},
        {"BUS-02: a full table and an empty range are refused", full_or_empty_is_refused, 0, 0, 0},
        {"BUS-03: every range is found at its place", every_range_is_found, 0, 0, 0},
        {"BUS-04: what nobody decodes reads all ones and is counted", nobody_answers_all_ones, 0,
         0, 0},
        {"BUS-05: a narrow device gets bytes", wide_access_is_split, 0, 0, 0},
        {"BUS-06: a wide device gets the access whole", wide_device_gets_it_whole, 0, 0, 0},
        {"CLOCK-01: conversions equal 128-bit arithmetic", clocks_are_exact, 0, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
