/* ioapic_test.c: the I/O APIC: edges, levels, remote IRR and its registers. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/ioapic.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "vmm/ioapic.h"

static struct ioapic ioapic;
static unsigned sent;
static struct irq_message last;
static bool taken;

static bool on_message(void *ctx, const struct irq_message *msg)
{
    (void)ctx;
    sent++;
    last = *msg;
    return taken;
}

static int setup(void **state)
{
    (void)state;
    sent = 0;
    taken = true;
    ioapic_init(&ioapic, &(struct ioapic_out){on_message, NULL});
    return 0;
}

static void mmio(unsigned offset, uint32_t value)
{
    ioapic_mmio.write(&ioapic, &(struct bus_access){.offset = offset, .size = 4}, value);
}

static void write_reg(uint8_t reg, uint32_t value)
{
    mmio(IOAPIC_SELECT, reg);
    mmio(IOAPIC_DATA, value);
}

static uint32_t read_reg(uint8_t reg)
{
    mmio(IOAPIC_SELECT, reg);
    return (uint32_t)ioapic_mmio.read(&ioapic, &(struct bus_access){.offset = 0x10, .size = 4});
}

static void set(unsigned pin, bool level)
{
    ioapic_set_line(&ioapic, pin, level);
}

static void registers(void **state)
{
    (void)state;
    assert_int_equal(read_reg(0), 4U << 24);
    assert_int_equal(read_reg(1), 0x00170020);
    for (uint8_t pin = 0; pin < 24; pin++) {
        assert_int_equal(read_reg(0x10 + 2 * pin), 0x10000);
        assert_int_equal(read_reg(0x11 + 2 * pin), 0);
        write_reg(0x10 + 2 * pin, 0xFFFFFFFF);
        write_reg(0x11 + 2 * pin, 0xFFFFFFFF);
        assert_int_equal(read_reg(0x10 + 2 * pin), 0x1AFFF);
        assert_int_equal(read_reg(0x11 + 2 * pin), 0xFF000000);
    }
    assert_int_equal(read_reg(0x40), 0);
    write_reg(0, 0x0F000000);
    assert_int_equal(read_reg(0), 0x0F000000);
}

static void edge(void **state)
{
    (void)state;
    write_reg(0x19, 0x03000000);
    set(4, true); /* masked: lost */
    set(4, false);
    write_reg(0x18, 0x0941);
    assert_int_equal(sent, 0);
    set(4, true);
    set(4, true);
    assert_int_equal(sent, 1);
    assert_int_equal(last.vector, 0x41);
    assert_int_equal(last.mode, IRQ_LOWEST);
    assert_int_equal(last.dest, 3);
    assert_true(last.logical);
    assert_false(last.level);
    set(4, false);
    set(4, true);
    assert_int_equal(sent, 2);
}

static void level(void **state)
{
    (void)state;
    write_reg(0x10 + 18, 0x8051);
    set(9, true);
    assert_int_equal(sent, 1);
    assert_true(last.level);
    assert_int_equal(read_reg(0x10 + 18), 0xC051);
    set(9, false);
    set(9, true);
    assert_int_equal(sent, 1); /* waits for the EOI */
    ioapic_eoi(&ioapic, 0x50);
    assert_int_equal(sent, 1);
    ioapic_eoi(&ioapic, 0x51); /* still asserted: again */
    assert_int_equal(sent, 2);
    set(9, false);
    ioapic_eoi(&ioapic, 0x51);
    assert_int_equal(sent, 2);
    assert_int_equal(read_reg(0x10 + 18), 0x8051);
}

static void unmasking_a_level_sends(void **state)
{
    (void)state;
    set(9, true);
    write_reg(0x10 + 18, 0x18051);
    assert_int_equal(sent, 0);
    write_reg(0x10 + 18, 0x8051);
    assert_int_equal(sent, 1);
}

static void nobody_took_it(void **state)
{
    (void)state;
    taken = false;
    write_reg(0x10 + 18, 0x8051);
    set(9, true);
    assert_int_equal(read_reg(0x10 + 18), 0x8051);
    taken = true;
    write_reg(0x11 + 18, 0x01000000);
    assert_int_equal(sent, 2);
    assert_int_equal(last.dest, 1);
}

static void other_ways_to_end(void **state)
{
    (void)state;
    write_reg(0x10 + 18, 0x8051);
    set(9, true);
    mmio(IOAPIC_EOI, 0x51);
    assert_int_equal(sent, 2);
    write_reg(0x10 + 18, 0x10051); /* to edge, masked */
    assert_int_equal(read_reg(0x10 + 18), 0x10051);
    write_reg(0x10 + 18, 0x8051);
    assert_int_equal(sent, 3);
}

static void broadcast(void **state)
{
    (void)state;
    write_reg(0x11 + 8, 0xFF000000);
    write_reg(0x10 + 8, 0x0041);
    set(4, true);
    assert_true(last.dest == IRQ_BROADCAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"IOAPIC-01: registers keep their bits", registers, setup, 0, 0},
        {"IOAPIC-02: an edge sends once; masked, it is lost", edge, setup, 0, 0},
        {"IOAPIC-03: a level waits for its EOI and sends again", level, setup, 0, 0},
        {"IOAPIC-04: unmasking an asserted level sends", unmasking_a_level_sends, setup, 0, 0},
        {"IOAPIC-05: remote IRR needs a taker", nobody_took_it, setup, 0, 0},
        {"IOAPIC-06: the EOI register and the switch to edge end it", other_ways_to_end, setup, 0,
         0},
        {"IOAPIC-07: destination 0xFF is everyone", broadcast, setup, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
