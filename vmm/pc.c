/* pc.c: the guest's board: all device models, wired to ports, memory and vCPUs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/pc.h"

#include "vmm/clock.h"

/* 31 December 9999, 23:59:59. */
#define LAST_WALL_CLOCK 253402300799LL

/* The latest time that any vCPU has seen. */
static uint64_t advance(struct pc *pc, uint64_t now)
{
    if (now > pc->latest) {
        pc->latest = now;
    }
    return pc->latest;
}

static void end(struct pc *pc, enum pc_outcome outcome)
{
    if (pc->outcome == PC_RUNNING) {
        pc->outcome = outcome;
    }
}

static void on_reset(void *ctx)
{
    end(ctx, PC_RESET);
}

static void on_power_off(void *ctx)
{
    end(ctx, PC_POWER_OFF);
}

static void on_debug_exit(void *ctx, uint32_t value)
{
    struct pc *pc = ctx;

    if (pc->outcome == PC_RUNNING) {
        pc->exit_value = value;
    }
    end(pc, PC_DEBUG_EXIT);
}

static void on_interrupt(void *ctx, unsigned cpu)
{
    struct pc *pc = ctx;

    pc->config.cpu_event(pc->config.ctx, cpu, PC_EVENT_INTERRUPT, 0);
}

static void on_nmi(void *ctx, unsigned cpu)
{
    struct pc *pc = ctx;

    pc->config.cpu_event(pc->config.ctx, cpu, PC_EVENT_NMI, 0);
}

static void on_eoi(void *ctx, uint8_t vector)
{
    struct pc *pc = ctx;

    ioapic_eoi(&pc->ioapic, vector);
}

/* INTR of the i8259 pair is wired to LINT0 of the BSP. */
static void on_intr(void *ctx, unsigned line, bool level)
{
    struct pc *pc = ctx;

    lapic_set_lint(&pc->lapic[0], line, level);
}

void pc_set_irq(void *ctx, unsigned irq, bool level)
{
    struct pc *pc = ctx;

    /* Devices say their level at each access; most of the time it is the old one. */
    if ((pc->irq_lines >> irq & 1) == level) {
        return;
    }
    pc->irq_lines ^= 1U << irq;
    i8259_set_line(&pc->pic, irq, level);
    ioapic_set_line(&pc->ioapic, irq == PLAT_PIT_IRQ ? PLAT_PIT_GSI : irq, level);
}

/*
 * Ports 0xCF8 to 0xCFB: 32 bits wide they are the PCI address, otherwise only the reset register in
 * their middle is there.
 */
static uint64_t pci_address_read(void *dev, const struct bus_access *access)
{
    const struct pc *pc = dev;

    if (access->size == 4) {
        return pci_host_read_address(&pc->pci);
    }
    if (access->offset == PLAT_RESET_PORT - PLAT_PCI_ADDR_PORT) {
        return reset_read_control(&pc->reset);
    }
    return UINT32_MAX;
}

static void pci_address_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct pc *pc = dev;

    if (access->size == 4) {
        pci_host_write_address(&pc->pci, (uint32_t)value);
    } else if (access->offset == PLAT_RESET_PORT - PLAT_PCI_ADDR_PORT) {
        reset_write_control(&pc->reset, (uint8_t)value);
    }
}

static const struct bus_ops pci_address = {
    .width = 4,
    .read = pci_address_read,
    .write = pci_address_write,
};

/* The same window leads each CPU to its own local APIC. */
static uint64_t own_lapic_read(void *dev, const struct bus_access *access)
{
    struct pc *pc = dev;

    return lapic_mmio.read(&pc->lapic[access->cpu], access);
}

static void own_lapic_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct pc *pc = dev;

    lapic_mmio.write(&pc->lapic[access->cpu], access, value);
}

static const struct bus_ops own_lapic = {
    .width = 4,
    .read = own_lapic_read,
    .write = own_lapic_write,
};

/* All ranges of the board. They are fixed, disjoint and fit: no error can occur. */
static void wire(struct pc *pc)
{
    struct bus *io = &pc->ports;

    bus_init(io);
    bus_add(io, PLAT_PIC1_PORT, 2, &i8259_master_ports, &pc->pic);
    bus_add(io, PLAT_PIC2_PORT, 2, &i8259_slave_ports, &pc->pic);
    bus_add(io, PLAT_ELCR_PORT, 2, &i8259_elcr_ports, &pc->pic);
    bus_add(io, PLAT_PIT_PORT, 4, &i8254_ports, &pc->pit);
    bus_add(io, PLAT_PORT_B, 1, &i8254_port_b, &pc->pit);
    bus_add(io, PLAT_RTC_PORT, 2, &mc146818_ports, &pc->rtc);
    bus_add(io, PLAT_COM1_PORT, 8, &ns16550_ports, &pc->com1);
    bus_add(io, PLAT_PM_BASE, ACPI_PM_SIZE, &acpi_pm_ports, &pc->pm);
    bus_add(io, PLAT_KBC_DATA_PORT, 1, &reset_kbc_data_port, &pc->reset);
    bus_add(io, PLAT_KBC_PORT, 1, &reset_kbc_port, &pc->reset);
    bus_add(io, PLAT_PORT_A, 1, &reset_port_a, &pc->reset);
    bus_add(io, PLAT_PCI_ADDR_PORT, 4, &pci_address, pc);
    bus_add(io, PLAT_PCI_DATA_PORT, 4, &pci_host_data, &pc->pci);
    bus_add(io, PLAT_DEBUG_EXIT_PORT, 4, &debug_exit_port, &pc->debug_exit);

    bus_init(&pc->memory);
    bus_add(&pc->memory, PLAT_IOAPIC_BASE, PLAT_IOAPIC_SIZE, &ioapic_mmio, &pc->ioapic);
    bus_add(&pc->memory, PLAT_LAPIC_BASE, PLAT_LAPIC_SIZE, &own_lapic, pc);
}

static enum pc_status check(const struct pc_config *config)
{
    if (config->ncpus < 1 || config->ncpus > PLAT_MAX_CPUS) {
        return PC_BAD_CPU_COUNT;
    }
    if (config->tsc_hz < CLOCK_MIN_TSC_HZ || config->tsc_hz > CLOCK_MAX_TSC_HZ) {
        return PC_BAD_TSC_RATE;
    }
    if (config->wall_clock < 0 || config->wall_clock > LAST_WALL_CLOCK) {
        return PC_BAD_WALL_CLOCK;
    }
    return PC_OK;
}

static void init_interrupts(struct pc *pc)
{
    const struct lapic_out lapic_out = {on_interrupt, on_nmi, on_eoi, pc_deliver_ipi, pc};

    for (unsigned cpu = 0; cpu < pc->config.ncpus; cpu++) {
        lapic_init(&pc->lapic[cpu], cpu, cpu == 0, pc->config.tsc_hz, &lapic_out);
        pc->waits_for_startup[cpu] = cpu != 0;
    }
    ioapic_init(&pc->ioapic, &(struct ioapic_out){pc_deliver, pc});
    i8259_init(&pc->pic, &(struct irq_line){on_intr, pc});
}

static void init_devices(struct pc *pc)
{
    const struct irq_line isa = {pc_set_irq, pc};
    const struct ns16550_out serial = {pc->config.serial_put, pc->config.ctx};
    uint64_t hz = pc->config.tsc_hz, now = pc->config.now;

    i8254_init(&pc->pit, hz, now, &isa, PLAT_PIT_IRQ);
    mc146818_init(&pc->rtc, hz, now, pc->config.wall_clock, &isa, PLAT_RTC_IRQ);
    ns16550_init(&pc->com1, hz, &serial, &isa, PLAT_COM1_IRQ);
    acpi_pm_init(&pc->pm, hz, now, &(struct acpi_pm_out){on_power_off, pc}, &isa, PLAT_SCI_IRQ);
    reset_init(&pc->reset, &(struct reset_out){on_reset, pc});
    pci_host_init(&pc->pci);
    pc->debug_exit = (struct debug_exit){on_debug_exit, pc};
}

enum pc_status pc_init(struct pc *pc, const struct pc_config *config)
{
    enum pc_status status = check(config);

    if (status != PC_OK) {
        return status;
    }
    *pc = (struct pc){.config = *config, .latest = config->now};
    init_interrupts(pc);
    init_devices(pc);
    wire(pc);
    /* Firmware's part: the SCI is level-triggered. */
    pc_out(pc, PLAT_ELCR_PORT + PLAT_SCI_IRQ / 8, 1, 1U << PLAT_SCI_IRQ % 8, config->now);
    return PC_OK;
}

uint32_t pc_in(struct pc *pc, uint16_t port, unsigned size, uint64_t now)
{
    const struct bus_access access = {.now = advance(pc, now), .size = size};
    uint64_t value;

    bus_read(&pc->ports, port, &access, &value);
    return (uint32_t)value;
}

void pc_out(struct pc *pc, uint16_t port, unsigned size, uint32_t value, uint64_t now)
{
    const struct bus_access access = {.now = advance(pc, now), .size = size};

    bus_write(&pc->ports, port, &access, value);
}

/* A local APIC that is off or in x2APIC mode does not decode its window. */
static bool lapic_hidden(const struct pc *pc, unsigned cpu, uint64_t gpa)
{
    return gpa - PLAT_LAPIC_BASE < PLAT_LAPIC_SIZE && !lapic_in_xapic_mode(&pc->lapic[cpu]);
}

enum pc_status pc_mmio_read(struct pc *pc, unsigned cpu, uint64_t gpa, unsigned size, uint64_t now,
                            uint64_t *value)
{
    const struct bus_access access = {.now = advance(pc, now), .size = size, .cpu = cpu};

    if (lapic_hidden(pc, cpu, gpa)) {
        *value = UINT64_MAX >> (64 - 8 * size);
        pc->memory.unclaimed_reads++;
        return PC_UNCLAIMED;
    }
    return bus_read(&pc->memory, gpa, &access, value) == BUS_OK ? PC_OK : PC_UNCLAIMED;
}

enum pc_status pc_mmio_write(struct pc *pc, unsigned cpu, uint64_t gpa, unsigned size, uint64_t now,
                             uint64_t value)
{
    const struct bus_access access = {.now = advance(pc, now), .size = size, .cpu = cpu};

    if (lapic_hidden(pc, cpu, gpa)) {
        pc->memory.unclaimed_writes++;
        return PC_UNCLAIMED;
    }
    return bus_write(&pc->memory, gpa, &access, value) == BUS_OK ? PC_OK : PC_UNCLAIMED;
}

static enum pc_status from_lapic(enum lapic_status status)
{
    switch (status) {
    case LAPIC_OK:
        return PC_OK;
    case LAPIC_FAULT:
        return PC_FAULT;
    default:
        return PC_UNCLAIMED;
    }
}

enum pc_status pc_msr_read(struct pc *pc, unsigned cpu, uint32_t msr, uint64_t now,
                           uint64_t *value)
{
    return from_lapic(lapic_read_msr(&pc->lapic[cpu], msr, advance(pc, now), value));
}

enum pc_status pc_msr_write(struct pc *pc, unsigned cpu, uint32_t msr, uint64_t now,
                            uint64_t value)
{
    return from_lapic(lapic_write_msr(&pc->lapic[cpu], msr, advance(pc, now), value));
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t pc_deadline(const struct pc *pc)
{
    uint64_t deadline = earlier(i8254_deadline(&pc->pit), mc146818_deadline(&pc->rtc));

    deadline = earlier(deadline, ns16550_deadline(&pc->com1));
    deadline = earlier(deadline, acpi_pm_deadline(&pc->pm));
    for (unsigned cpu = 0; cpu < pc->config.ncpus; cpu++) {
        deadline = earlier(deadline, lapic_deadline(&pc->lapic[cpu]));
    }
    return deadline;
}

void pc_tick(struct pc *pc, uint64_t now)
{
    now = advance(pc, now);
    if (now < pc_deadline(pc)) {
        return;
    }
    i8254_tick(&pc->pit, now);
    mc146818_tick(&pc->rtc, now);
    ns16550_tick(&pc->com1, now);
    acpi_pm_tick(&pc->pm, now);
    for (unsigned cpu = 0; cpu < pc->config.ncpus; cpu++) {
        lapic_tick(&pc->lapic[cpu], now);
    }
}

/* Whether the i8259 pair interrupts `cpu` through LINT0, which the TPR does not hold back. */
static bool extint(const struct pc *pc, unsigned cpu)
{
    return lapic_extint(&pc->lapic[cpu]) && i8259_output(&pc->pic);
}

int pc_pending(const struct pc *pc, unsigned cpu)
{
    return extint(pc, cpu) ? i8259_vector(&pc->pic) : lapic_pending(&pc->lapic[cpu]);
}

int pc_accept(struct pc *pc, unsigned cpu)
{
    int vector;

    if (extint(pc, cpu)) {
        return i8259_acknowledge(&pc->pic);
    }
    vector = lapic_pending(&pc->lapic[cpu]);
    if (vector != PC_NO_VECTOR) {
        lapic_accept(&pc->lapic[cpu], (uint8_t)vector);
    }
    return vector;
}

bool pc_eoi_is_simple(const struct pc *pc, unsigned cpu)
{
    return lapic_eoi_is_simple(&pc->lapic[cpu]);
}

void pc_end_of_interrupt(struct pc *pc, unsigned cpu)
{
    lapic_end_of_interrupt(&pc->lapic[cpu]);
}

uint8_t pc_cr8(const struct pc *pc, unsigned cpu)
{
    return lapic_cr8(&pc->lapic[cpu]);
}

void pc_set_cr8(struct pc *pc, unsigned cpu, uint8_t cr8)
{
    lapic_set_cr8(&pc->lapic[cpu], cr8);
}

unsigned pc_serial_room(const struct pc *pc)
{
    return ns16550_room(&pc->com1);
}

void pc_serial_receive(struct pc *pc, uint8_t byte, uint64_t now)
{
    ns16550_receive(&pc->com1, byte, advance(pc, now));
}
