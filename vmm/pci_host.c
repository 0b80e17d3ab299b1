/* pci_host.c: PCI configuration mechanism #1 and a bus with nothing but its host bridge. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/pci_host.h"

#define ADDRESS_BITS (PCI_HOST_ENABLE | PCI_HOST_FUNCTION | PCI_HOST_REGISTER)

/* The bridge's header (PCI 3.0 section 6.1), all read only: it has no BARs and no choices. */
static const uint32_t bridge[] = {
    PCI_HOST_DEVICE << 16 | PCI_HOST_VENDOR,
    0x00000006, /* command: memory and bus master; status: no capabilities */
    0x06000002, /* class: host bridge; revision */
};

#define BRIDGE_WORDS (sizeof(bridge) / sizeof(bridge[0]))

void pci_host_init(struct pci_host *host)
{
    *host = (struct pci_host){0};
}

uint32_t pci_host_read_address(const struct pci_host *host)
{
    return host->address;
}

void pci_host_write_address(struct pci_host *host, uint32_t value)
{
    host->address = value & ADDRESS_BITS;
}

static uint64_t data_read(void *dev, const struct bus_access *access)
{
    const struct pci_host *host = dev;
    unsigned word = (host->address & PCI_HOST_REGISTER) / 4;

    if ((host->address & PCI_HOST_ENABLE) == 0 || (host->address & PCI_HOST_FUNCTION) != 0) {
        return UINT32_MAX;
    }
    return word < BRIDGE_WORDS ? bridge[word] >> (8 * access->offset) : 0;
}

static void data_write(void *dev, const struct bus_access *access, uint64_t value)
{
    (void)dev;
    (void)access;
    (void)value;
}

const struct bus_ops pci_host_data = {.width = 4, .read = data_read, .write = data_write};
