/* ns16550_test.c: the driver against a model of the chip, with FIFOs and interrupt edges. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: drivers/uart/ns16550.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/uart/ns16550.h"

#define FIFO 16

/* The chip, from the data sheet: what the driver may not assume is checked here. */
struct model {
    bool there;
    uint8_t ier, lcr, mcr, scr, divisor[2];
    bool fifo;
    bool thre_pending; /* the transmitter-empty interrupt, until IIR is read or THR is written */
    uint8_t in[FIFO], out[FIFO];
    unsigned in_count, out_count;
    bool break_next;
    bool line, edge; /* the interrupt line, and whether it rose since the driver was called */
    char sent[1 << 20];
    size_t sent_count;
    unsigned lost; /* bytes written to a full FIFO */
};

static struct model chip;
static struct ns16550 driver;
static char queue_bytes[4096];
static struct ring queue;
static char heard[8192];
static size_t heard_count;

static void update_line(void)
{
    bool line = (chip.mcr & NS_MCR_OUT2) != 0 &&
                (((chip.ier & NS_IER_RECEIVED) != 0 && chip.in_count > 0) ||
                    ((chip.ier & NS_IER_EMPTY) != 0 && chip.thre_pending));
    chip.edge |= line && !chip.line;
    chip.line = line;
}

static uint8_t read_iir(void)
{
    if ((chip.ier & NS_IER_RECEIVED) != 0 && chip.in_count > 0) {
        return 0xc4;
    }
    if ((chip.ier & NS_IER_EMPTY) != 0 && chip.thre_pending) {
        chip.thre_pending = false;
        return 0xc2;
    }
    return 0xc1;
}

static uint8_t read_rbr(void)
{
    assert_true(chip.in_count > 0);
    uint8_t byte = chip.in[0];
    memmove(chip.in, chip.in + 1, --chip.in_count);
    return byte;
}

static uint8_t model_in(void *context, enum ns16550_register which)
{
    (void)context;
    uint8_t value = 0xff;
    if (chip.there && which == NS_RBR_THR) {
        value = read_rbr();
    } else if (chip.there && which == NS_IIR_FCR) {
        value = read_iir();
    } else if (chip.there && which == NS_LSR) {
        value = (uint8_t)((chip.in_count > 0 ? NS_LSR_READY : 0) |
                          (chip.out_count == 0 ? 0x60 : 0) |
                          (chip.break_next && chip.in_count > 0 ? NS_LSR_BREAK : 0));
        chip.break_next = false;
    } else if (chip.there && which == NS_SCR) {
        value = chip.scr;
    }
    update_line();
    return value;
}

static void write_thr(uint8_t value)
{
    if (chip.out_count == FIFO) {
        chip.lost++;
        return;
    }
    chip.out[chip.out_count++] = value;
    chip.thre_pending = false;
}

static void write_ier(uint8_t value)
{
    if ((value & ~chip.ier & NS_IER_EMPTY) != 0 && chip.out_count == 0) {
        chip.thre_pending = true;
    }
    chip.ier = value;
}

static void model_out(void *context, enum ns16550_register which, uint8_t value)
{
    (void)context;
    bool latch = (chip.lcr & NS_LCR_DLAB) != 0;
    if (latch && which <= NS_IER) {
        chip.divisor[which] = value;
    } else if (which == NS_RBR_THR) {
        write_thr(value);
    } else if (which == NS_IER) {
        write_ier(value);
    } else if (which == NS_IIR_FCR) {
        chip.fifo = (value & NS_FCR_ENABLE) != 0;
        chip.in_count = (value & NS_FCR_CLEAR_IN) != 0 ? 0 : chip.in_count;
        chip.out_count = (value & NS_FCR_CLEAR_OUT) != 0 ? 0 : chip.out_count;
    } else if (which == NS_LCR) {
        chip.lcr = value;
    } else if (which == NS_MCR) {
        chip.mcr = value;
    } else if (which == NS_SCR) {
        chip.scr = value;
    }
    update_line();
}

static void on_received(void *context, char byte)
{
    (void)context;
    heard[heard_count++ % sizeof(heard)] = byte;
}

/* One character time passes on the line. */
static void shift_out(void)
{
    if (chip.out_count > 0) {
        chip.sent[chip.sent_count++ % sizeof(chip.sent)] = (char)chip.out[0];
        memmove(chip.out, chip.out + 1, --chip.out_count);
        chip.thre_pending |= chip.out_count == 0;
    }
    update_line();
}

static void arrive(uint8_t byte)
{
    if (chip.in_count < FIFO) {
        chip.in[chip.in_count++] = byte;
    }
    update_line();
}

/* The interrupt controller: only an edge of the line calls the driver. */
static void deliver(void)
{
    while (chip.edge) {
        chip.edge = false;
        ns16550_serve(&driver);
    }
}

static int start(void **state)
{
    (void)state;
    const struct ns16550_host host = { model_in, model_out, on_received, NULL };
    memset(&chip, 0, sizeof(chip));
    chip.there = true;
    queue = (struct ring){ .bytes = queue_bytes, .size = sizeof(queue_bytes) };
    heard_count = 0;
    return !ns16550_start(&driver, host, &queue);
}

static void put(const char *text)
{
    for (; *text != 0; text++) {
        assert_true(ring_put(&queue, *text));
    }
    if (driver.idle) {
        ns16550_serve(&driver);
    }
}

static void test_start(void **state)
{
    (void)state;
    assert_true(chip.fifo && chip.lcr == NS_LCR_8_BITS && chip.ier == NS_IER_RECEIVED);
    assert_true(chip.divisor[0] == 1 && chip.divisor[1] == 0);
    assert_int_equal(chip.mcr & NS_MCR_OUT2, NS_MCR_OUT2);
    chip.there = false;
    assert_false(ns16550_start(&driver, driver.host, &queue));
}

static void test_send(void **state)
{
    (void)state;
    static const char text[] =
        "A text that is longer than what the FIFO of the chip can take at once.";
    put(text);
    assert_int_equal(chip.out_count, FIFO - 1);
    for (unsigned i = 0; i < 200; i++) {
        shift_out();
        deliver();
    }
    assert_int_equal(chip.sent_count, strlen(text));
    assert_memory_equal(chip.sent, text, strlen(text));
    assert_true(driver.idle && chip.ier == NS_IER_RECEIVED);
}

static void test_receive(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        arrive((uint8_t)('0' + i));
    }
    chip.break_next = true;
    arrive('!');
    deliver();
    /* The model reports the break with the first byte. */
    assert_int_equal(heard_count, 10);
    assert_memory_equal(heard, "123456789!", 10);
}

/*
 * Everything at random times: also the kernel, which writes a byte of its log when it sees the FIFO
 * empty.
 */
static void test_random(void **state)
{
    (void)state;
    size_t given = 0, arrived = 0, kernel = 0;
    srand(6);
    for (unsigned i = 0; i < 400000; i++) {
        switch (rand() % 8) {
        case 0:
            for (unsigned n = (unsigned)rand() % 40;
                 n > 0 && ring_put(&queue, (char)('a' + given % 26)); n--) {
                given++;
            }
            if (driver.idle) {
                ns16550_serve(&driver);
            }
            break;
        case 1:
            arrive((uint8_t)('A' + arrived++ % 26));
            break;
        case 2:
            if (chip.out_count == 0) {
                model_out(NULL, NS_RBR_THR, '.');
                kernel++;
            }
            break;
        default:
            shift_out();
        }
        deliver();
    }
    for (unsigned i = 0; i < 10000; i++) {
        shift_out();
        deliver();
    }
    size_t letters = 0, dots = 0;
    for (size_t i = 0; i < chip.sent_count; i++) {
        if (chip.sent[i] == '.') {
            dots++;
        } else {
            assert_int_equal(chip.sent[i], (char)('a' + letters++ % 26));
        }
    }
    assert_int_equal(letters, given);
    assert_int_equal(dots, kernel);
    assert_int_equal(heard_count, arrived);
    assert_int_equal(chip.lost, 0);
    assert_true(driver.idle);
}

/*
 * The race that the free place in the FIFO is for: the kernel's byte comes right after the driver's
 * look.
 */
static struct ns16550_host inner;

static uint8_t racing_in(void *context, enum ns16550_register which)
{
    uint8_t value = inner.in(context, which);
    if (which == NS_LSR && (value & NS_LSR_EMPTY) != 0) {
        inner.out(context, NS_RBR_THR, '.');
    }
    return value;
}

static void test_race(void **state)
{
    (void)state;
    inner = driver.host;
    driver.host.in = racing_in;
    put("0123456789012345678901234567890123456789");
    driver.host.in = inner.in;
    for (unsigned i = 0; i < 100; i++) {
        shift_out();
        deliver();
    }
    assert_int_equal(chip.lost, 0);
    assert_int_equal(ring_count(&queue), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "UART-01: the chip is set up; where there is none, that is seen", test_start, start, NULL,
            NULL },
        { "UART-02: a long text goes out by interrupts alone", test_send, start, NULL, NULL },
        { "UART-03: what arrives is heard, a break is not a byte", test_receive, start, NULL,
            NULL },
        { "UART-04: nothing is lost at random times, the kernel's log neither", test_random, start,
            NULL, NULL },
        { "UART-05: a byte of the kernel's log fits behind the driver's look", test_race, start,
            NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
