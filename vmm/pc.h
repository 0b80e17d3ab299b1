/* pc.h: the guest's board: all device models, wired to ports, memory and vCPUs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_PC_H
#define VMM_PC_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/acpi_pm.h"
#include "vmm/bus.h"
#include "vmm/debug_exit.h"
#include "vmm/i8254.h"
#include "vmm/i8259.h"
#include "vmm/ioapic.h"
#include "vmm/lapic.h"
#include "vmm/mc146818.h"
#include "vmm/ns16550.h"
#include "vmm/pci_host.h"
#include "vmm/platform.h"
#include "vmm/reset.h"

/*
 * How a VMM uses it, around each entry of vCPU `cpu`:
 *
 *     pc_tick(pc, now);                     what fell due while the guest ran or slept
 *     handle the exit                       pc_in(), pc_out(), pc_mmio_*(), pc_msr_*()
 *     if (pc->outcome != PC_RUNNING)
 *         end the guest;
 *     if (pc_pending(pc, cpu) != PC_NO_VECTOR and the guest takes interrupts)
 *         inject pc_accept(pc, cpu);
 *     enter the guest, or sleep after HLT, until pc_deadline(pc) at the latest
 *
 * There is no lock in here: one thread at a time. `now` is the guest's TSC; should it step back,
 * from one vCPU to another, the latest value seen counts instead.
 */

/* What a vCPU must be told, in the course of any call below. */
enum pc_event {
    PC_EVENT_INTERRUPT, /* pc_pending() may have a vector for it now: wake it, or kick it out */
    PC_EVENT_NMI,       /* inject an NMI */
    PC_EVENT_INIT,      /* stop, and reset its registers; it waits for PC_EVENT_STARTUP */
    PC_EVENT_STARTUP,   /* start in real mode at vector << 12 (CS selector vector << 8, IP 0) */
};

/* How the machine's run ended. The first end stays. */
enum pc_outcome {
    PC_RUNNING,
    PC_RESET,
    PC_POWER_OFF,
    PC_DEBUG_EXIT, /* with pc->exit_value */
};

enum pc_status {
    PC_OK,
    PC_UNCLAIMED,     /* no device decodes the address; no APIC MSR has this number */
    PC_FAULT,         /* RDMSR or WRMSR raises #GP in the guest */
    PC_BAD_CPU_COUNT, /* not 1 to PLAT_MAX_CPUS */
    PC_BAD_TSC_RATE,  /* not CLOCK_MIN_TSC_HZ to CLOCK_MAX_TSC_HZ */
    PC_BAD_WALL_CLOCK, /* not in the years 1970 to 9999 */
};

#define PC_NO_VECTOR LAPIC_NO_VECTOR

/* The callees must not call into the pc. */
struct pc_config {
    unsigned ncpus;
    uint64_t tsc_hz;
    uint64_t now;       /* guest TSC at power-up */
    int64_t wall_clock; /* seconds since 1970-01-01 UTC at that time */
    void (*serial_put)(void *ctx, uint8_t byte);
    void (*cpu_event)(void *ctx, unsigned cpu, enum pc_event event, uint8_t vector);
    void *ctx;
};

/* Holds pointers into itself: it stays where pc_init() found it. */
struct pc {
    struct pc_config config;
    enum pc_outcome outcome;
    uint32_t exit_value;
    uint64_t latest; /* the highest `now` seen */
    bool waits_for_startup[PLAT_MAX_CPUS];
    unsigned lowest_priority_turn; /* who is asked first for a lowest-priority interrupt */
    uint32_t irq_lines; /* asserted ISA lines */
    struct bus ports, memory; /* they also count what nobody decodes */
    struct lapic lapic[PLAT_MAX_CPUS];
    struct ioapic ioapic;
    struct i8259 pic;
    struct i8254 pit;
    struct mc146818 rtc;
    struct ns16550 com1;
    struct acpi_pm pm;
    struct reset reset;
    struct pci_host pci;
    struct debug_exit debug_exit;
};

/*
 * Powers the board up: vCPU 0 is the BSP, the others wait for a start-up IPI.
 * Errors: PC_BAD_CPU_COUNT, PC_BAD_TSC_RATE, PC_BAD_WALL_CLOCK.
 */
enum pc_status pc_init(struct pc *pc, const struct pc_config *config);

/* IN and OUT of 1, 2 or 4 bytes. A port that nobody decodes reads all ones and drops writes. */
uint32_t pc_in(struct pc *pc, uint16_t port, unsigned size, uint64_t now);
void pc_out(struct pc *pc, uint16_t port, unsigned size, uint32_t value, uint64_t now);

/*
 * A memory access of `cpu` to guest-physical `gpa`, 1, 2, 4 or 8 bytes. Errors: PC_UNCLAIMED:
 * nobody decodes it; a read then gives all ones in *value.
 */
enum pc_status pc_mmio_read(struct pc *pc, unsigned cpu, uint64_t gpa, unsigned size, uint64_t now,
                            uint64_t *value);
enum pc_status pc_mmio_write(struct pc *pc, unsigned cpu, uint64_t gpa, unsigned size, uint64_t now,
                             uint64_t value);

/*
 * RDMSR and WRMSR of the local APIC's MSRs: 0x1B, 0x6E0, 0x800-0x8FF. Errors: PC_UNCLAIMED,
 * PC_FAULT.
 */
enum pc_status pc_msr_read(struct pc *pc, unsigned cpu, uint32_t msr, uint64_t now,
                           uint64_t *value);
enum pc_status pc_msr_write(struct pc *pc, unsigned cpu, uint32_t msr, uint64_t now,
                            uint64_t value);

/*
 * The TSC tick at which pc_tick() has something to do, or CLOCK_NEVER. After a tick it lies
 * ahead.
 */
uint64_t pc_deadline(const struct pc *pc);

/* Lets all timers do what is due up to `now`. */
void pc_tick(struct pc *pc, uint64_t now);

/* The vector that `cpu` would take now, from the i8259 or its local APIC, or PC_NO_VECTOR. */
int pc_pending(const struct pc *pc, unsigned cpu);

/*
 * `cpu` takes what pc_pending() says, which is in service from now on. Returns the vector or
 * PC_NO_VECTOR.
 */
int pc_accept(struct pc *pc, unsigned cpu);

/*
 * Whether the end of the interrupt that `cpu` has in service would change nothing but its local
 * APIC's ISR: it is edge-triggered, and no other one waits. False if none is in service.
 */
bool pc_eoi_is_simple(const struct pc *pc, unsigned cpu);

/* The same as a write to the EOI register of `cpu`. */
void pc_end_of_interrupt(struct pc *pc, unsigned cpu);

/* CR8 of `cpu`, 0 to 15. */
uint8_t pc_cr8(const struct pc *pc, unsigned cpu);
void pc_set_cr8(struct pc *pc, unsigned cpu, uint8_t cr8);

/*
 * Input for the serial port: how many bytes it can take now, and one byte. More than it takes is
 * lost.
 */
unsigned pc_serial_room(const struct pc *pc);
void pc_serial_receive(struct pc *pc, uint8_t byte, uint64_t now);

/* ISA interrupt line `irq` (0 to 15) of the board; a struct irq_line.set with the struct pc. */
void pc_set_irq(void *pc, unsigned irq, bool level);

/*
 * Sends an interrupt message to the local APICs that its destination names; one of them if its
 * mode is "lowest priority". Returns whether anyone took it. A struct ioapic_out.deliver with the
 * struct pc.
 */
bool pc_deliver(void *pc, const struct irq_message *msg);

/* Sends an IPI of `cpu`; the struct lapic_out.ipi with the struct pc. */
void pc_deliver_ipi(void *pc, unsigned cpu, const struct irq_message *msg, enum lapic_shorthand to);

#endif
