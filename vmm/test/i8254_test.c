/* i8254_test.c: the interval timer against a counter that is stepped clock by clock. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/i8254.c vmm/i8254_channel.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "vmm/clock.h"
#include "vmm/i8254.h"
#include "vmm/test/i8254_oracle.h"

#define TICKS_PER_CLK 10
#define TSC_HZ ((uint64_t)I8254_HZ * TICKS_PER_CLK)
#define START 12345

struct recorder {
    bool level;
    unsigned rises;
};

static void record(void *ctx, unsigned line, bool level)
{
    struct recorder *r = ctx;

    assert_int_equal(line, 0);
    r->rises += level && !r->level;
    r->level = level;
}

struct rig {
    struct i8254 pit;
    struct recorder irq;
    uint64_t clk;
};

static uint64_t now(const struct rig *rig)
{
    return START + rig->clk * TICKS_PER_CLK;
}

static void rig_init(struct rig *rig)
{
    *rig = (struct rig){.clk = 0};
    i8254_init(&rig->pit, TSC_HZ, START, &(struct irq_line){record, &rig->irq}, 0);
}

static void out(struct rig *rig, unsigned offset, uint8_t value)
{
    i8254_ports.write(&rig->pit, &(struct bus_access){offset, now(rig), 1, 0}, value);
}

static uint8_t in(struct rig *rig, unsigned offset)
{
    return (uint8_t)i8254_ports.read(&rig->pit, &(struct bus_access){offset, now(rig), 1, 0});
}

static void gate2(struct rig *rig, bool gate)
{
    i8254_port_b.write(&rig->pit, &(struct bus_access){0, now(rig), 1, 0}, gate ? 1 : 0);
}

static uint8_t port_b(struct rig *rig)
{
    return (uint8_t)i8254_port_b.read(&rig->pit, &(struct bus_access){0, now(rig), 1, 0});
}

static uint16_t latched(struct rig *rig, unsigned channel)
{
    uint16_t low;

    out(rig, 3, (uint8_t)(channel << 6));
    low = in(rig, channel);
    return (uint16_t)(low | in(rig, channel) << 8);
}

static void compare(struct rig *rig, const struct oracle *o)
{
    uint8_t status;

    out(rig, 3, 0xE8); /* read back the status of channel 2 */
    status = in(rig, 2);
    assert_int_equal(status >> 7, o->out);
    assert_int_equal(port_b(rig) >> 5 & 1, o->out);
    assert_int_equal(status & 0x3F, 0x30 | o->mode << 1);
    if (o->known && !o->load) {
        assert_int_equal(latched(rig, 2), o->ce % 65536);
    }
}

static uint32_t random_count(void)
{
    return 2 + (uint32_t)rand() % (rand() % 8 == 0 ? 300 : 12);
}

static void random_operation(struct rig *rig, struct oracle *o)
{
    uint32_t count = random_count();

    switch (rand() % 8) {
    case 0:
        oracle_control(o, (unsigned)rand() % 6);
        out(rig, 3, (uint8_t)(0xB0 | o->mode << 1));
        oracle_write(o, count);
        out(rig, 2, (uint8_t)count);
        out(rig, 2, (uint8_t)(count >> 8));
        break;
    case 1:
    case 2:
        oracle_write(o, count);
        out(rig, 2, (uint8_t)count);
        out(rig, 2, (uint8_t)(count >> 8));
        break;
    default:
        oracle_gate(o, !o->gate);
        gate2(rig, o->gate);
        break;
    }
}

static void steps_as_oracle(void **state)
{
    struct rig rig;
    struct oracle o = {.gate = false};

    (void)state;
    rig_init(&rig);
    srand(8254);
    oracle_control(&o, 0);
    out(&rig, 3, 0xB0);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned gap = 2 + (unsigned)rand() % 40;

        random_operation(&rig, &o);
        for (unsigned j = 0; j < gap; j++) {
            rig.clk++;
            oracle_clk(&o);
            compare(&rig, &o);
        }
    }
}

/* Channel 0, driven by nothing but its deadline: it must see each rising edge of the oracle. */
static void interrupts_as_oracle(void **state)
{
    struct rig rig;
    struct oracle o = {.gate = true};
    unsigned rises = 1; /* the output is high after the first control word */
    bool before = true;

    (void)state;
    rig_init(&rig);
    srand(40);
    oracle_control(&o, 2);
    out(&rig, 3, 0x34);
    for (unsigned i = 0; i < 200000; i++) {
        if (rand() % 50 == 0) {
            uint32_t count = random_count();
            bool control = rand() % 2 == 0;

            if (control) {
                oracle_control(&o, (unsigned[]){0, 2, 3, 4}[rand() % 4]);
                out(&rig, 3, (uint8_t)(0x30 | o.mode << 1));
            }
            rises += control && o.out && !before;
            before = control ? o.out : before;
            oracle_write(&o, count);
            before = before && o.out;
            out(&rig, 0, (uint8_t)count);
            out(&rig, 0, (uint8_t)(count >> 8));
        }
        rig.clk++;
        oracle_clk(&o);
        rises += o.out && !before;
        before = o.out;
        if (now(&rig) >= i8254_deadline(&rig.pit)) {
            assert_int_equal(now(&rig), i8254_deadline(&rig.pit));
            i8254_tick(&rig.pit, now(&rig));
        }
        assert_true(i8254_deadline(&rig.pit) > now(&rig));
        assert_int_equal(rig.irq.rises, rises);
    }
}

static void late_tick_is_one_interrupt(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    out(&rig, 3, 0x34);
    out(&rig, 0, 100);
    out(&rig, 0, 0);
    assert_int_equal(rig.irq.rises, 1);
    rig.clk = 1 + 100 * 7 + 30;
    i8254_tick(&rig.pit, now(&rig));
    assert_int_equal(rig.irq.rises, 2);
    assert_int_equal(i8254_deadline(&rig.pit), START + (1 + 100 * 8) * TICKS_PER_CLK);
}

static void counts_in_bcd(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    out(&rig, 3, 0x31); /* channel 0, both bytes, mode 0, BCD */
    out(&rig, 0, 0x00);
    out(&rig, 0, 0x10); /* 1000 */
    rig.clk = 1 + 1;
    assert_int_equal(latched(&rig, 0), 0x0999);
    rig.clk = 1 + 1001;
    assert_int_equal(latched(&rig, 0), 0x9999);
}

static void zero_is_the_largest(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    out(&rig, 3, 0x34);
    out(&rig, 0, 0);
    out(&rig, 0, 0);
    assert_int_equal(i8254_deadline(&rig.pit), START + (1 + 65536) * TICKS_PER_CLK);
}

static void latch_holds(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    out(&rig, 3, 0x34);
    out(&rig, 0, 0x34);
    out(&rig, 0, 0x12);
    rig.clk = 1;
    out(&rig, 3, 0x00);
    rig.clk = 100;
    out(&rig, 3, 0x00); /* ignored until the first one is read */
    assert_int_equal(in(&rig, 0), 0x34);
    rig.clk = 200;
    assert_int_equal(in(&rig, 0), 0x12);
    assert_int_equal(latched(&rig, 0), 0x1234 - 199);
}

static void one_byte_orders(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    out(&rig, 3, 0x14); /* low byte only */
    out(&rig, 0, 200);
    rig.clk = 1 + 10;
    assert_int_equal(in(&rig, 0), 190);
    assert_int_equal(in(&rig, 0), 190);
    out(&rig, 3, 0x24); /* high byte only */
    out(&rig, 0, 2);
    rig.clk += 1 + 0x10;
    assert_int_equal(in(&rig, 0), 1);
}

static void null_count_until_loaded(void **state)
{
    struct rig rig;

    (void)state;
    rig_init(&rig);
    out(&rig, 3, 0x34);
    out(&rig, 3, 0xE2);
    assert_int_equal(in(&rig, 0) & 0x40, 0x40);
    out(&rig, 0, 10);
    out(&rig, 0, 0);
    out(&rig, 3, 0xE2);
    assert_int_equal(in(&rig, 0) & 0x40, 0x40);
    rig.clk = 1;
    out(&rig, 3, 0xE2);
    assert_int_equal(in(&rig, 0) & 0x40, 0);
}

/* What an operating system does to learn the TSC's rate: 50 ms of channel 2 in mode 0. */
static void calibration_loop(void **state)
{
    struct rig rig;
    unsigned count = I8254_HZ / 20;

    (void)state;
    rig_init(&rig);
    gate2(&rig, true);
    out(&rig, 3, 0xB0);
    out(&rig, 2, (uint8_t)count);
    out(&rig, 2, (uint8_t)(count >> 8));
    while ((port_b(&rig) & 0x20) == 0) {
        rig.clk++;
    }
    assert_int_equal(rig.clk, count + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"I8254-01: all modes count and drive OUT as the data sheet steps", steps_as_oracle, 0, 0,
         0},
        {"I8254-02: deadlines alone catch every rising edge", interrupts_as_oracle, 0, 0, 0},
        {"I8254-03: edges missed by a late tick become one interrupt", late_tick_is_one_interrupt,
         0, 0, 0},
        {"I8254-04: a BCD counter counts and wraps in decimal", counts_in_bcd, 0, 0, 0},
        {"I8254-05: a count of 0 is 65536", zero_is_the_largest, 0, 0, 0},
        {"I8254-06: a latched count holds until it is read", latch_holds, 0, 0, 0},
        {"I8254-07: one-byte access orders", one_byte_orders, 0, 0, 0},
        {"I8254-08: null count is set until the count is loaded", null_count_until_loaded, 0, 0, 0},
        {"I8254-09: channel 2 calibrates a TSC through port 0x61", calibration_loop, 0, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
