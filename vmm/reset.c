/* reset.c: how a PC resets itself: port 0xCF9, the keyboard controller, port 0x92. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/reset.h"

/*
 * Commands 0xF0 to 0xFF pulse the output lines whose bits are 0; line 0 is the CPU's reset
 * (8042).
 */
#define KBC_PULSE 0xF0
#define KBC_PULSE_NOT_RESET 1

enum {
    PORT_A_RESET = 1 << 0,
    PORT_A_A20 = 1 << 1,
};

void reset_init(struct reset *reset, const struct reset_out *out)
{
    *reset = (struct reset){.out = *out};
}

uint8_t reset_read_control(const struct reset *reset)
{
    return reset->control;
}

void reset_write_control(struct reset *reset, uint8_t value)
{
    reset->control = value & (RESET_HARD | RESET_CPU);
    if ((value & RESET_CPU) != 0) {
        reset->out.reset(reset->out.ctx);
    }
}

/* No keyboard: nothing to read, and always ready for a command, so that a reset does not wait. */
static uint64_t kbc_read(void *dev, const struct bus_access *access)
{
    (void)dev;
    (void)access;
    return 0;
}

static void kbc_data_write(void *dev, const struct bus_access *access, uint64_t value)
{
    (void)dev;
    (void)access;
    (void)value;
}

static void kbc_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct reset *reset = dev;

    (void)access;
    if (value >= KBC_PULSE && (value & KBC_PULSE_NOT_RESET) == 0) {
        reset->out.reset(reset->out.ctx);
    }
}

/* The A20 gate is always open here. */
static uint64_t port_a_read(void *dev, const struct bus_access *access)
{
    (void)dev;
    (void)access;
    return PORT_A_A20;
}

static void port_a_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct reset *reset = dev;

    (void)access;
    if ((value & PORT_A_RESET) != 0) {
        reset->out.reset(reset->out.ctx);
    }
}

const struct bus_ops reset_kbc_data_port = {.width = 1, .read = kbc_read, .write = kbc_data_write};
const struct bus_ops reset_kbc_port = {.width = 1, .read = kbc_read, .write = kbc_write};
const struct bus_ops reset_port_a = {.width = 1, .read = port_a_read, .write = port_a_write};
