/* console.c: where the log's characters go: the debug port 0xE9, and the first serial port. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/x86/console.h"

#include "kernel/lib/log.h"
#include "kernel/x86/asm.h"

/* Emulators' debug port: takes a character in one instruction, and reads back its own number. */
enum { DEBUG_PORT = 0xe9 };

/* 16550 at the address of COM1. */
enum com1 {
    COM1_DATA = 0x3f8,
    COM1_INTERRUPT_ENABLE = 0x3f9,
    COM1_FIFO_CONTROL = 0x3fa,
    COM1_LINE_CONTROL = 0x3fb,
    COM1_MODEM_CONTROL = 0x3fc,
    COM1_LINE_STATUS = 0x3fd,
    COM1_DIVISOR_LOW = 0x3f8,
    COM1_DIVISOR_HIGH = 0x3f9,
};

enum {
    LINE_8N1 = 0x03,
    LINE_DIVISOR = 0x80,
    FIFO_ENABLE_CLEAR = 0x07,
    MODEM_DTR_RTS = 0x03,
    STATUS_HOLDING_EMPTY = 0x20,
};

/* More than a character's time at 115200 baud, however fast the CPU reads the port. */
enum { STATUS_READS_MAX = 100000 };

static bool serial_enabled;

void console_init(void)
{
    /*
     * Where there is a debug port, it alone has the log until someone asks for more: an emulated
     * UART that keeps real time would cost thousands of instructions a character.
     */
    log_serial_enable(in8(DEBUG_PORT) != DEBUG_PORT);
}

void log_serial_enable(bool enable)
{
    if (enable && !serial_enabled) {
        out8(COM1_INTERRUPT_ENABLE, 0);
        out8(COM1_LINE_CONTROL, LINE_DIVISOR);
        out8(COM1_DIVISOR_LOW, 1);
        out8(COM1_DIVISOR_HIGH, 0);
        out8(COM1_LINE_CONTROL, LINE_8N1);
        out8(COM1_FIFO_CONTROL, FIFO_ENABLE_CLEAR);
        out8(COM1_MODEM_CONTROL, MODEM_DTR_RTS);
    }
    serial_enabled = enable;
}

/* An absent port reads as all ones, that is ready; one that never gets ready is given up. */
static void serial_put(char c)
{
    unsigned reads = 0;

    while ((in8(COM1_LINE_STATUS) & STATUS_HOLDING_EMPTY) == 0) {
        if (++reads == STATUS_READS_MAX) {
            serial_enabled = false;
            return;
        }
    }
    out8(COM1_DATA, (uint8_t)c);
}

void console_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        out8(DEBUG_PORT, (uint8_t)text[i]);
        if (serial_enabled && text[i] == '\n') {
            serial_put('\r');
        }
        if (serial_enabled) {
            serial_put(text[i]);
        }
    }
}
