/* ns16550_test.c: the serial port: FIFO, interrupts, loopback, and how a driver finds a 16550A. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/ns16550.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/clock.h"
#include "vmm/ns16550.h"

#define TSC_HZ 115200000 /* 1000 ticks a bit at divisor 1 */

static struct ns16550 uart;
static uint64_t now;
static bool irq;
static unsigned edges;
static char sent[64];
static unsigned sent_count;

static void on_irq(void *ctx, unsigned line, bool level)
{
    (void)ctx;
    assert_int_equal(line, 4);
    edges += level && !irq;
    irq = level;
}

static void on_byte(void *ctx, uint8_t byte)
{
    (void)ctx;
    sent[sent_count++ % sizeof(sent)] = (char)byte;
}

static int setup(void **state)
{
    (void)state;
    irq = false;
    edges = sent_count = 0;
    now = 100;
    ns16550_init(&uart, TSC_HZ, &(struct ns16550_out){on_byte, NULL},
                 &(struct irq_line){on_irq, NULL}, 4);
    return 0;
}

static void out(unsigned reg, uint8_t value)
{
    ns16550_ports.write(&uart, &(struct bus_access){reg, now, 1, 0}, value);
}

static uint8_t in(unsigned reg)
{
    return (uint8_t)ns16550_ports.read(&uart, &(struct bus_access){reg, now, 1, 0});
}

/* What drivers do to tell an 8250 from a 16450, 16550, 16550A, 16650, 16750 and others. */
static void driver_finds_16550a(void **state)
{
    (void)state;
    out(1, 0);
    assert_int_equal(in(1) & 0x0F, 0);
    out(1, 0x0F);
    assert_int_equal(in(1) & 0x0F, 0x0F);
    out(1, 0);
    out(4, 0x1A); /* loopback with OUT2 and RTS: DCD and CTS */
    assert_int_equal(in(6) & 0xF0, 0x90);
    out(4, 0x08);
    out(7, 0xA5);
    assert_int_equal(in(7), 0xA5);
    out(3, 0);
    out(2, 1);
    assert_int_equal(in(2) >> 6, 3);
    out(3, 0x80);
    assert_int_not_equal(in(2), 0); /* an EFR that reads 0 would make it a 16650 */
    out(3, 0xBF);
    assert_int_not_equal(in(2), 0);
    out(3, 0x03);
    out(2, 0x21);
    assert_int_equal(in(2) & 0x20, 0); /* no 64-byte FIFO */
    out(1, 0x4F);
    assert_int_equal(in(1), 0x0F); /* no XScale unit-enable bit */
    out(2, 0);
    assert_int_equal(in(2) >> 6, 0);
}

static void divisor_latch(void **state)
{
    (void)state;
    out(3, 0x83);
    out(0, 0x0C);
    out(1, 0x01);
    assert_int_equal(in(0), 0x0C);
    assert_int_equal(in(1), 0x01);
    out(3, 0x03);
    assert_int_equal(in(1), 0);
    assert_int_equal(sent_count, 0);
    assert_int_equal(in(3), 0x03);
}

static void transmits(void **state)
{
    (void)state;
    for (const char *c = "Hello"; *c != '\0'; c++) {
        assert_int_equal(in(5) & 0x60, 0x60);
        out(0, (uint8_t)*c);
    }
    assert_int_equal(sent_count, 5);
    assert_memory_equal(sent, "Hello", 5);
}

static void thre_interrupt(void **state)
{
    (void)state;
    out(4, 0x08);
    out(1, 0x02);
    assert_true(irq);
    assert_int_equal(in(2), 0x02);
    assert_false(irq); /* reading the IIR reset it */
    assert_int_equal(in(2), 0x01);
    out(0, 'x');
    assert_true(irq);
    assert_int_equal(edges, 2);
    out(0, 'y'); /* without reading the IIR: the line falls and rises */
    assert_true(irq);
    assert_int_equal(edges, 3);
    in(2);
    out(1, 0x00);
    out(1, 0x02); /* enabling it again raises it again */
    assert_true(irq);
}

static void out2_gates(void **state)
{
    (void)state;
    out(1, 0x02);
    assert_false(irq);
    out(4, 0x08);
    assert_true(irq);
    out(4, 0x18);
    assert_false(irq);
}

static void receives_without_fifo(void **state)
{
    (void)state;
    out(4, 0x08);
    out(1, 0x01);
    assert_int_equal(ns16550_room(&uart), 1);
    ns16550_receive(&uart, 'a', now);
    assert_int_equal(ns16550_room(&uart), 0);
    assert_true(irq);
    assert_int_equal(in(2), 0x04);
    assert_int_equal(in(5), 0x61);
    ns16550_receive(&uart, 'b', now); /* overruns: the newer byte stays */
    assert_int_equal(in(5), 0x63);
    assert_int_equal(in(5), 0x61);
    assert_int_equal(in(0), 'b');
    assert_int_equal(in(5), 0x60);
    assert_false(irq);
}

static void fifo_trigger(void **state)
{
    static const unsigned levels[4] = {1, 4, 8, 14};

    (void)state;
    out(4, 0x08);
    out(1, 0x01);
    for (unsigned i = 0; i < 4; i++) {
        out(2, (uint8_t)(i << 6 | 3));
        for (unsigned n = 1; n <= 16; n++) {
            assert_int_equal(ns16550_room(&uart), 17 - n);
            ns16550_receive(&uart, (uint8_t)n, now);
            assert_int_equal(irq, n >= levels[i]);
        }
        ns16550_receive(&uart, 99, now); /* lost; what is in the FIFO stays */
        assert_int_equal(in(5) & 0x03, 0x03);
        for (unsigned n = 1; n <= 16; n++) {
            assert_int_equal(in(2), 16 - n + 1 >= levels[i] ? 0xC4 : 0xC1);
            assert_int_equal(in(0), n);
        }
        assert_int_equal(in(0), 0);
    }
}

static void timeout(void **state)
{
    (void)state;
    out(3, 0x03); /* 8N1: 10 bits a character */
    out(4, 0x08);
    out(1, 0x01);
    out(2, 0xC1);
    ns16550_receive(&uart, 'a', now);
    assert_int_equal(ns16550_deadline(&uart), 100 + 4 * 10 * 1000);
    now = 20000;
    ns16550_receive(&uart, 'b', now);
    assert_int_equal(ns16550_deadline(&uart), 20000 + 40000);
    ns16550_tick(&uart, 59999);
    assert_false(irq);
    ns16550_tick(&uart, 60000);
    assert_true(irq);
    now = 60000;
    assert_int_equal(in(2), 0xCC);
    assert_int_equal(in(0), 'a');
    assert_false(irq);
    assert_int_equal(ns16550_deadline(&uart), 60000 + 40000);
    assert_int_equal(in(0), 'b');
    assert_true(ns16550_deadline(&uart) == CLOCK_NEVER);
}

static void priorities(void **state)
{
    (void)state;
    out(4, 0x18);
    out(4, 0x08); /* changes modem inputs: delta bits */
    out(1, 0x0F);
    ns16550_receive(&uart, 'a', now);
    ns16550_receive(&uart, 'b', now);
    assert_int_equal(in(2), 0x06);
    in(5);
    assert_int_equal(in(2), 0x04);
    in(0);
    assert_int_equal(in(2), 0x02);
    assert_int_equal(in(2), 0x00);
    assert_int_not_equal(in(6) & 0x0F, 0);
    assert_int_equal(in(2), 0x01);
    assert_false(irq);
}

static void loopback(void **state)
{
    (void)state;
    out(4, 0x10);
    assert_int_equal(in(6) & 0xF0, 0);
    assert_int_equal(in(6) & 0x0F, 0);
    out(4, 0x14);
    assert_int_equal(in(6), 0x40);
    out(4, 0x10);
    assert_int_equal(in(6), 0x04); /* ring indicator ended */
    out(0, 'z');
    assert_int_equal(sent_count, 0);
    assert_int_equal(in(0), 'z');
    ns16550_receive(&uart, 'q', now); /* the line is not connected */
    assert_int_equal(in(5) & 1, 0);
    assert_int_equal(ns16550_room(&uart), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"NS16550-01: a driver's probe finds a 16550A", driver_finds_16550a, setup, 0, 0},
        {"NS16550-02: DLAB shows the divisor", divisor_latch, setup, 0, 0},
        {"NS16550-03: written bytes are sent in order", transmits, setup, 0, 0},
        {"NS16550-04: THRE interrupts on enabling and after each byte", thre_interrupt, setup, 0,
         0},
        {"NS16550-05: OUT2 gates the interrupt", out2_gates, setup, 0, 0},
        {"NS16550-06: without FIFO a second byte overruns", receives_without_fifo, setup, 0, 0},
        {"NS16550-07: the FIFO interrupts at its trigger level", fifo_trigger, setup, 0, 0},
        {"NS16550-08: four characters of silence interrupt", timeout, setup, 0, 0},
        {"NS16550-09: sources in order of priority", priorities, setup, 0, 0},
        {"NS16550-10: loopback of data and modem lines", loopback, setup, 0, 0},
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
