/* pci_host.h: PCI configuration mechanism #1 and a bus with nothing but its host bridge. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PCI_HOST_H
#define VMM_PCI_HOST_H

#include <stdint.h>

#include "vmm/bus.h"

/* CONFIG_ADDRESS (PCI 3.0 section 3.2.2.3.2). */
enum pci_host_address {
    PCI_HOST_REGISTER = 0xFC,
    PCI_HOST_FUNCTION = 0xFFFF00, /* bus, device, function */
};

#define PCI_HOST_ENABLE 0x80000000U

/* The bridge says that it is an Intel 440FX: every guest's probe accepts that one. */
#define PCI_HOST_VENDOR 0x8086
#define PCI_HOST_DEVICE 0x1237

struct pci_host {
    uint32_t address;
};

/*
 * Handlers for 0xCFC to 0xCFF; `dev` is the struct pci_host. Slots without a device read all
 * ones.
 */
extern const struct bus_ops pci_host_data;

void pci_host_init(struct pci_host *host);

/* CONFIG_ADDRESS, which takes 32-bit accesses to 0xCF8 only. */
uint32_t pci_host_read_address(const struct pci_host *host);
void pci_host_write_address(struct pci_host *host, uint32_t value);

#endif
