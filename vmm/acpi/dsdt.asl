// dsdt.asl: the devices of a guest that no bus can enumerate.
// SPDX-License-Identifier: BSD-2-Clause

#include "vmm/platform.h"

// iasl does no arithmetic in resource templates: the last addresses of the PCI windows, which
// test ACPI-07 compares with platform.h.
#define PCI_IO_LAST 0xFFFF
#define PCI_MMIO_LAST 0xFEBFFFFF

DefinitionBlock ("", "DSDT", 2, "QUIRE ", "QUIREVMM", 1)
{
    // Soft-off is the only sleep state. No GPE, no buttons: nothing can wake this machine.
    Name (_S5, Package () { PLAT_PM_SLP_TYP_S5, PLAT_PM_SLP_TYP_S5, 0, 0 })

    Scope (_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0, 0, 0xFF, 0, 0x100)
                IO (Decode16, PLAT_PCI_ADDR_PORT, PLAT_PCI_ADDR_PORT, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, PLAT_PCI_IO_BASE, PCI_IO_LAST, 0, PLAT_PCI_IO_SIZE)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
                    ReadWrite, 0, PLAT_PCI_MMIO_BASE, PCI_MMIO_LAST, 0, PLAT_PCI_MMIO_SIZE)
            })
        }

        // i8259 pair
        Device (PIC)
        {
            Name (_HID, EisaId ("PNP0000"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLAT_PIC1_PORT, PLAT_PIC1_PORT, 1, 2)
                IO (Decode16, PLAT_PIC2_PORT, PLAT_PIC2_PORT, 1, 2)
                IO (Decode16, PLAT_ELCR_PORT, PLAT_ELCR_PORT, 1, 2)
                IRQNoFlags () { PLAT_PIC_CASCADE_IRQ }
            })
        }

        // i8254
        Device (PIT)
        {
            Name (_HID, EisaId ("PNP0100"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLAT_PIT_PORT, PLAT_PIT_PORT, 1, 4)
                IRQNoFlags () { PLAT_PIT_IRQ }
            })
        }

        // MC146818
        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLAT_RTC_PORT, PLAT_RTC_PORT, 1, 2)
                IRQNoFlags () { PLAT_RTC_IRQ }
            })
        }

        // 16550A
        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLAT_COM1_PORT, PLAT_COM1_PORT, 1, 8)
                IRQNoFlags () { PLAT_COM1_IRQ }
            })
        }

        // Ports that no driver may take for free: the PM block, port B and the debug exit.
        Device (MISC)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PLAT_PM_BASE, PLAT_PM_BASE, 1, 12)
                IO (Decode16, PLAT_PORT_B, PLAT_PORT_B, 1, 1)
                IO (Decode16, PLAT_DEBUG_EXIT_PORT, PLAT_DEBUG_EXIT_PORT, 1, 1)
            })
        }
    }
}
