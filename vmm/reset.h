/* reset.h: how a PC resets itself: port 0xCF9, the keyboard controller, port 0x92. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_RESET_H
#define VMM_RESET_H

#include <stdint.h>

#include "vmm/bus.h"

/* Bits of the reset control register (PIIX3, section 2.3.3 "RC"). */
enum reset_control {
    RESET_HARD = 1 << 1,
    RESET_CPU = 1 << 2, /* setting it resets */
};

/* Called when the guest resets the machine. */
struct reset_out {
    void (*reset)(void *ctx);
    void *ctx;
};

struct reset {
    struct reset_out out;
    uint8_t control;
};

/* Handlers for ports 0x60, 0x64 and 0x92, one byte each; `dev` is the struct reset. */
extern const struct bus_ops reset_kbc_data_port;
extern const struct bus_ops reset_kbc_port;
extern const struct bus_ops reset_port_a;

void reset_init(struct reset *reset, const struct reset_out *out);

/* Port 0xCF9, which lies inside the PCI address register. */
uint8_t reset_read_control(const struct reset *reset);
void reset_write_control(struct reset *reset, uint8_t value);

#endif
