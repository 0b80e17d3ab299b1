/* devices_fuzz.c: random accesses, messages and time steps at the whole board. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/acpi_pm.c vmm/bus.c vmm/calendar.c vmm/debug_exit.c vmm/i8254.c vmm/i8254_channel.c */
/* LINK: vmm/i8259.c vmm/ioapic.c vmm/lapic.c vmm/lapic_msr.c vmm/lapic_regs.c vmm/lapic_timer.c */
/* LINK: vmm/mc146818.c vmm/ns16550.c vmm/pc.c vmm/pc_route.c vmm/pci_host.c vmm/reset.c */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "vmm/clock.h"
#include "vmm/pc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input, taken byte by byte; zeros after its end. */
struct input {
    const uint8_t *data;
    size_t left;
};

static uint8_t next(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->data++;
}

static uint32_t next32(struct input *in)
{
    uint32_t value = next(in);

    value |= (uint32_t)next(in) << 8;
    value |= (uint32_t)next(in) << 16;
    return value | (uint32_t)next(in) << 24;
}

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void on_byte(void *ctx, uint8_t byte)
{
    (void)ctx, (void)byte;
}

static void on_event(void *ctx, unsigned cpu, enum pc_event event, uint8_t vector)
{
    (void)vector;
    require(ctx == NULL && cpu < PLAT_MAX_CPUS && event <= PC_EVENT_STARTUP);
}

/* Mostly ports and registers that exist, so that the input gets somewhere. */
static uint16_t pick_port(struct input *in)
{
    static const uint16_t bases[] = {0x20, 0x40,  0x60,  0x70,  0xA0,
                                     0xF4, 0x3F8, 0x4D0, 0x600, 0xCF8};
    uint8_t which = next(in), offset = next(in);

    if (which >= 200) {
        return (uint16_t)(which << 8 | offset);
    }
    return (uint16_t)(bases[which % 10] + offset % 12);
}

static uint64_t pick_gpa(struct input *in)
{
    uint8_t which = next(in);
    uint32_t offset = next32(in);

    switch (which % 8) {
    case 0: return offset;
    case 1: return PLAT_IOAPIC_BASE;
    case 2: return PLAT_IOAPIC_BASE + 0x10;
    case 3: return PLAT_IOAPIC_BASE + offset % 0x1008;
    case 4: return PLAT_LAPIC_BASE + offset % 0x1008;
    default: return PLAT_LAPIC_BASE + offset % 0x40 * 0x10;
    }
}

static uint32_t pick_msr(struct input *in)
{
    uint8_t which = next(in), offset = next(in);

    return which % 4 == 0 ? 0x1B : which % 4 == 1 ? 0x6E0 : 0x800U + offset;
}

/* What is pending is what is taken; its handler ends it at both controllers. */
static void take_and_end(struct pc *pc, unsigned cpu, uint64_t now)
{
    int vector = pc_pending(pc, cpu);

    require(vector >= -1 && vector <= 255);
    require(pc_accept(pc, cpu) == vector);
    if (vector != PC_NO_VECTOR) {
        pc_mmio_write(pc, cpu, PLAT_LAPIC_BASE + LAPIC_EOI, 4, now, 0);
        pc_out(pc, 0x20, 1, 0x20, now);
    }
}

static uint64_t step_time(struct pc *pc, struct input *in, uint64_t now)
{
    uint8_t how = next(in);

    if (how % 4 == 0 && pc_deadline(pc) != CLOCK_NEVER && pc_deadline(pc) >> 56 == 0) {
        return pc_deadline(pc);
    }
    return now + ((uint64_t)next(in) << (how % 40));
}

static void access_memory(struct pc *pc, struct input *in, unsigned cpu, uint64_t now, bool write)
{
    unsigned size = 1U << next(in) % 4;
    uint64_t gpa = pick_gpa(in), value = next32(in);

    if (write) {
        pc_mmio_write(pc, cpu, gpa, size, now, value);
    } else {
        pc_mmio_read(pc, cpu, gpa, size, now, &value);
        require(size == 8 || value >> (8 * size) == 0);
    }
}

static void access_msr(struct pc *pc, struct input *in, unsigned cpu, uint64_t now, bool write)
{
    uint32_t msr = pick_msr(in);
    uint64_t value = next32(in);

    if (msr == 0x6E0) {
        value <<= 8;
    }
    value |= msr == 0x1B ? PLAT_LAPIC_BASE & ~0xFFFULL : 0;
    if (write) {
        pc_msr_write(pc, cpu, msr, now, value);
    } else {
        pc_msr_read(pc, cpu, msr, now, &value);
    }
}

/* A whole redirection entry, which single random accesses seldom make; then a change of its pin. */
static void use_ioapic(struct pc *pc, struct input *in, uint64_t now)
{
    uint8_t irq = next(in);
    uint32_t entry = next32(in);

    pc_mmio_write(pc, 0, PLAT_IOAPIC_BASE, 1, now, 0x10 + irq % 16 * 2);
    pc_mmio_write(pc, 0, PLAT_IOAPIC_BASE + 0x10, 4, now, entry & 0x1FFFF);
    pc_mmio_write(pc, 0, PLAT_IOAPIC_BASE, 1, now, 0x11 + irq % 16 * 2);
    pc_mmio_write(pc, 0, PLAT_IOAPIC_BASE + 0x10, 4, now, entry);
    if (irq % 16 != PLAT_PIC_CASCADE_IRQ) {
        pc_set_irq(pc, irq % 16, irq >= 128);
    }
}

static void one_operation(struct pc *pc, struct input *in, uint64_t *now)
{
    uint8_t op = next(in);
    unsigned cpu = op / 16 % pc->config.ncpus;
    unsigned size = 1U << op / 16 % 3;

    switch (op % 16) {
    case 0:
    case 1:
    case 2:
        pc_in(pc, pick_port(in), size, *now);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        pc_out(pc, pick_port(in), op & 0x40 ? 1 : size, next32(in), *now);
        break;
    case 7:
    case 8:
        access_memory(pc, in, cpu, *now, op % 16 != 7);
        break;
    case 9:
        use_ioapic(pc, in, *now);
        break;
    case 10:
    case 11:
        access_msr(pc, in, cpu, *now, op % 16 == 10);
        break;
    case 12:
        take_and_end(pc, cpu, *now);
        break;
    case 13:
        pc_serial_receive(pc, next(in), *now);
        require(pc_serial_room(pc) <= NS16550_FIFO_SIZE);
        break;
    case 14:
        pc_set_cr8(pc, cpu, next(in) % 16);
        break;
    default:
        *now = step_time(pc, in, *now);
        pc_tick(pc, *now);
        require(pc_deadline(pc) > pc->latest);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pc pc;
    struct input in = {data, size};
    struct pc_config config = {
        .ncpus = 1 + next(&in) % PLAT_MAX_CPUS,
        .tsc_hz = CLOCK_MIN_TSC_HZ + next32(&in),
        .now = next32(&in),
        .wall_clock = next32(&in),
        .serial_put = on_byte,
        .cpu_event = on_event,
    };
    uint64_t now = config.now;

    require(pc_init(&pc, &config) == PC_OK);
    while (in.left > 0 && now >> 60 == 0) {
        one_operation(&pc, &in, &now);
    }
    return 0;
}
