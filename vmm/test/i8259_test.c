/* i8259_test.c: the interrupt controller pair: priorities, cascade, EOIs and special modes. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/i8259.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "vmm/i8259.h"

static struct i8259 pic;
static bool intr;

static void on_intr(void *ctx, unsigned line, bool level)
{
    (void)ctx;
    assert_int_equal(line, 0);
    intr = level;
}

static const struct bus_ops *chip_of(unsigned port)
{
    return port >= 0x4D0 ? &i8259_elcr_ports : port >= 0xA0 ? &i8259_slave_ports
                                                            : &i8259_master_ports;
}

static void out(unsigned port, uint8_t value)
{
    chip_of(port)->write(&pic, &(struct bus_access){.offset = port & 1, .size = 1}, value);
}

static uint8_t in(unsigned port)
{
    return (uint8_t)chip_of(port)->read(&pic, &(struct bus_access){.offset = port & 1, .size = 1});
}

/* As an operating system sets the pair up: vectors 0x30 and 0x38, everything unmasked. */
static void program(uint8_t icw4)
{
    out(0x20, 0x11);
    out(0x21, 0x30);
    out(0x21, 0x04);
    out(0x21, icw4);
    out(0xA0, 0x11);
    out(0xA1, 0x38);
    out(0xA1, 0x02);
    out(0xA1, icw4 & 0x01);
    out(0x21, 0);
    out(0xA1, 0);
}

static int setup(void **state)
{
    (void)state;
    intr = false;
    i8259_init(&pic, &(struct irq_line){on_intr, NULL});
    program(0x01);
    return 0;
}

static void raise(unsigned irq)
{
    i8259_set_line(&pic, irq, true);
}

static void lower(unsigned irq)
{
    i8259_set_line(&pic, irq, false);
}

static void take(uint8_t vector)
{
    assert_true(intr);
    assert_int_equal(i8259_vector(&pic), vector);
    assert_int_equal(i8259_acknowledge(&pic), vector);
}

static void probe(void **state)
{
    (void)state;
    out(0xA1, 0xFF);
    out(0x21, 0xFB);
    assert_int_equal(in(0x21), 0xFB);
    assert_int_equal(in(0xA1), 0xFF);
    raise(4);
    assert_false(intr);
    assert_int_equal(in(0x20), 0x10);
    out(0x21, 0xEF);
    take(0x34);
    out(0x20, 0x0B);
    assert_int_equal(in(0x20), 0x10);
    out(0x20, 0x0A);
    assert_int_equal(in(0x20), 0);
}

static void nesting(void **state)
{
    (void)state;
    raise(6);
    raise(3);
    take(0x33);
    assert_false(intr); /* 6 is below 3 */
    raise(1);
    take(0x31);
    out(0x20, 0x20);
    assert_false(intr);
    out(0x20, 0x63); /* specific EOI of 3 */
    take(0x36);
    out(0x20, 0x20);
    assert_false(intr);
}

static void edge_needs_to_fall(void **state)
{
    (void)state;
    raise(5);
    take(0x35);
    out(0x20, 0x20);
    raise(5);
    assert_false(intr);
    lower(5);
    raise(5);
    take(0x35);
}

static void withdrawn_is_spurious(void **state)
{
    (void)state;
    raise(5);
    lower(5);
    assert_false(intr);
    assert_int_equal(i8259_acknowledge(&pic), 0x37);
    out(0x20, 0x0B);
    assert_int_equal(in(0x20), 0); /* not in service */
}

static void level_stays(void **state)
{
    (void)state;
    out(0x4D0, 0xFF);
    assert_int_equal(in(0x4D0), 0xF8);
    out(0x4D1, 0xFF);
    assert_int_equal(in(0x4D1), 0xDE);
    raise(5);
    take(0x35);
    assert_false(intr);
    out(0x20, 0x20);
    take(0x35);
    lower(5);
    out(0x20, 0x20);
    assert_false(intr);
}

static void cascade(void **state)
{
    (void)state;
    raise(12);
    raise(8);
    take(0x38);
    assert_false(intr);
    out(0xA0, 0x20);
    out(0x20, 0x20);
    take(0x3C);
    raise(1); /* above the cascade */
    take(0x31);
    out(0x20, 0x20);
    out(0xA0, 0x20);
    raise(7);
    assert_false(intr); /* the cascade is still in service */
    out(0x20, 0x20);
    take(0x37);
}

static void automatic_eoi(void **state)
{
    (void)state;
    program(0x03);
    raise(4);
    raise(6);
    take(0x34);
    take(0x36);
    assert_false(intr);
}

/* The slave's INT never falls between its requests here: an edge would be missed. */
static void automatic_eoi_in_slave(void **state)
{
    (void)state;
    out(0xA0, 0x11);
    out(0xA1, 0x38);
    out(0xA1, 0x02);
    out(0xA1, 0x03);
    raise(10);
    raise(11);
    take(0x3A);
    out(0x20, 0x20);
    take(0x3B);
}

static void rotation(void **state)
{
    (void)state;
    out(0x20, 0xC2); /* 2 becomes the lowest: 3 is the highest */
    raise(1);
    raise(4);
    take(0x34);
    out(0x20, 0xA0); /* rotate on non-specific EOI: 4 becomes the lowest */
    raise(4);
    take(0x31);
    raise(5);
    take(0x35); /* above 1 now */
}

static void special_mask(void **state)
{
    (void)state;
    raise(3);
    take(0x33);
    raise(6);
    assert_false(intr);
    out(0x20, 0x68);
    out(0x21, 0x08);
    take(0x36);
    out(0x20, 0x20); /* ends 6: 3 is masked */
    out(0x20, 0x0B);
    assert_int_equal(in(0x20), 0x08);
    out(0x20, 0x48);
    raise(7);
    assert_false(intr);
}

static void special_fully_nested(void **state)
{
    (void)state;
    program(0x11);
    raise(12);
    take(0x3C);
    raise(9); /* higher within the slave: comes through the cascade in service */
    take(0x39);
}

static void poll(void **state)
{
    (void)state;
    out(0x20, 0x0C);
    assert_int_equal(in(0x20), 0);
    raise(4);
    out(0x20, 0x0C);
    assert_int_equal(in(0x20), 0x84);
    assert_false(intr);
    out(0x20, 0x0B);
    assert_int_equal(in(0x20), 0x10);
}

static void icw1_forgets(void **state)
{
    (void)state;
    raise(3);
    take(0x33);
    raise(4);
    program(0x01);
    assert_false(intr);
    out(0x20, 0x0B);
    assert_int_equal(in(0x20), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"I8259-01: masks read back; a masked request waits", probe, setup, 0, 0},
        {"I8259-02: fully nested priorities and both EOIs", nesting, setup, 0, 0},
        {"I8259-03: an edge-triggered input must fall first", edge_needs_to_fall, setup, 0, 0},
        {"I8259-04: a request that went away is spurious", withdrawn_is_spurious, setup, 0, 0},
        {"I8259-05: ELCR makes inputs level-triggered", level_stays, setup, 0, 0},
        {"I8259-06: the slave interrupts through input 2", cascade, setup, 0, 0},
        {"I8259-07: automatic EOI", automatic_eoi, setup, 0, 0},
        {"I8259-08: the cascade follows the slave's level", automatic_eoi_in_slave, setup, 0, 0},
        {"I8259-09: priorities rotate", rotation, setup, 0, 0},
        {"I8259-10: special mask mode lets lower ones in", special_mask, setup, 0, 0},
        {"I8259-11: special fully nested mode", special_fully_nested, setup, 0, 0},
        {"I8259-12: the poll command acknowledges", poll, setup, 0, 0},
        {"I8259-13: ICW1 clears masks, service and edges", icw1_forgets, setup, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
