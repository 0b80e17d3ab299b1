/* platform.h: where the guest finds things: memory windows, ports, interrupt lines. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PLATFORM_H
#define VMM_PLATFORM_H

/*
 * Plain numbers without suffixes, so that assembler and ASL sources can include this file too.
 *
 * Guest-physical memory:
 *
 *   0x0000000000 +--------------------------+
 *                | RAM, with the usual hole |  0xA0000..0xFFFFF: no RAM that an e820 map may offer
 *   0x00C0000000 +--------------------------+  PLAT_LOW_RAM_END (less if the guest has less)
 *                | PCI memory window        |
 *   0x00FEC00000 +--------------------------+  IOAPIC, 4 KiB
 *   0x00FEE00000 +--------------------------+  local APIC, 4 KiB; also where MSIs are written to
 *   0x0100000000 +--------------------------+  PLAT_HIGH_RAM_BASE
 *                | the rest of the RAM      |
 *                +--------------------------+
 */
#define PLAT_LOW_RAM_END 0xC0000000
#define PLAT_HIGH_RAM_BASE 0x100000000

#define PLAT_PCI_MMIO_BASE 0xC0000000
#define PLAT_PCI_MMIO_SIZE 0x3EC00000
#define PLAT_PCI_IO_BASE 0xC000
#define PLAT_PCI_IO_SIZE 0x4000

#define PLAT_IOAPIC_BASE 0xFEC00000
#define PLAT_IOAPIC_SIZE 0x1000
#define PLAT_LAPIC_BASE 0xFEE00000
#define PLAT_LAPIC_SIZE 0x1000

/* CPUs: local APIC id = ACPI processor id = vCPU number. */
#define PLAT_MAX_CPUS 4
/* The IOAPIC's id follows the highest local APIC id that can exist here. */
#define PLAT_IOAPIC_ID 4
#define PLAT_IOAPIC_PINS 24
#define PLAT_GSI_BASE 0

/* The rate that a local APIC's timer counts at with divider 1 (CPUID.15H: core crystal clock). */
#define PLAT_LAPIC_TIMER_HZ 100000000

/* The two i8259 and their edge/level registers (ELCR). */
#define PLAT_PIC1_PORT 0x20
#define PLAT_PIC2_PORT 0xA0
#define PLAT_ELCR_PORT 0x4D0
#define PLAT_PIC_CASCADE_IRQ 2

/*
 * i8254. ISA IRQ 0 arrives at i8259 line 0 and at IOAPIC pin 2: the MADT needs the override
 * "source 0, GSI 2, conforms to the bus". No other ISA line moves.
 */
#define PLAT_PIT_PORT 0x40
#define PLAT_PIT_IRQ 0
#define PLAT_PIT_GSI 2
/* System control port B: gate and output of PIT channel 2. */
#define PLAT_PORT_B 0x61

/* MC146818. The century is in CMOS register PLAT_RTC_CENTURY (FADT field "Century"). */
#define PLAT_RTC_PORT 0x70
#define PLAT_RTC_IRQ 8
#define PLAT_RTC_CENTURY 0x32

/* 16550A, ttyS0. */
#define PLAT_COM1_PORT 0x3F8
#define PLAT_COM1_IRQ 4

/*
 * ACPI fixed hardware: PM1a event block (4 bytes), PM1a control block (2 bytes), 32-bit PM timer.
 * No SMI command port: ACPI mode is always on (FADT SMI_CMD = 0, SCI_EN reads 1). The SCI is
 * level-triggered, active high: the MADT needs the override "source 9, GSI 9, 0x000D". The timer
 * has 32 bits (FADT flag TMR_VAL_EXT). No GPE block. Power and sleep buttons: not there (FADT
 * flags PWR_BUTTON and SLP_BUTTON set).
 */
#define PLAT_PM_BASE 0x600
#define PLAT_PM1_EVT_PORT 0x600
#define PLAT_PM1_EVT_LEN 4
#define PLAT_PM1_CNT_PORT 0x604
#define PLAT_PM1_CNT_LEN 2
#define PLAT_PM_TMR_PORT 0x608
#define PLAT_PM_TMR_LEN 4
#define PLAT_PM_TMR_HZ 3579545
#define PLAT_SCI_IRQ 9
/* The value of SLP_TYPa for soft-off: the first two elements of \_S5. */
#define PLAT_PM_SLP_TYP_S5 5

/*
 * Resets: the PCI reset register (FADT RESET_REG = I/O 0xCF9, RESET_VALUE = 0x06, flag
 * RESET_REG_SUP), the keyboard controller's pulse (0xFE to port 0x64), port 0x92 bit 0.
 * There is no keyboard: FADT IAPC_BOOT_ARCH has LEGACY_DEVICES set, 8042 clear, and so on.
 */
#define PLAT_RESET_PORT 0xCF9
#define PLAT_RESET_VALUE 0x06
#define PLAT_KBC_DATA_PORT 0x60
#define PLAT_KBC_PORT 0x64
#define PLAT_PORT_A 0x92

/* PCI configuration mechanism #1. */
#define PLAT_PCI_ADDR_PORT 0xCF8
#define PLAT_PCI_DATA_PORT 0xCFC

/* A write of v here ends the run with "guest exit v". */
#define PLAT_DEBUG_EXIT_PORT 0xF4

#endif
