/* i8259.c: the pair of cascaded 8259A interrupt controllers of a PC, with ELCR. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/i8259.h"

#include "vmm/platform.h"

/* Section names in this file are those of the Intel 8259A data sheet. */
enum {
    ICW1 = 1 << 4,       /* in a write to the command port: this is ICW1 */
    ICW1_IC4 = 1 << 0,
    ICW1_SNGL = 1 << 1,
    ICW4_AEOI = 1 << 1,
    ICW4_SFNM = 1 << 4,
    OCW3 = 1 << 3,       /* in a write to the command port: OCW3, not OCW2 */
    OCW3_RIS = 1 << 0,
    OCW3_RR = 1 << 1,
    OCW3_POLL = 1 << 2,
    OCW3_SMM = 1 << 5,
    OCW3_ESMM = 1 << 6,
};

#define NONE (-1)
#define SPURIOUS 7
#define CASCADE_BIT (1 << PLAT_PIC_CASCADE_IRQ)

/* Inputs that ELCR can make level-triggered: not 0, 1, 2, 8 and 13 (PIIX, section 2.5.2). */
#define ELCR1_BITS 0xF8
#define ELCR2_BITS 0xDE

static uint8_t bit(unsigned n)
{
    return (uint8_t)(1U << n);
}

/*
 * The input that the chip would interrupt for, or NONE: the first requested one in order of
 * priority before one in service ("Fully Nested Mode"). In special mask mode a masked input in
 * service does not stand in the way; in special fully nested mode the cascade input does not.
 */
static int pending(const struct i8259_chip *chip)
{
    uint8_t requests = chip->irr & (uint8_t)~chip->imr;
    uint8_t blockers = chip->isr;

    if (chip->special_mask) {
        blockers &= (uint8_t)~chip->imr;
    }
    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (chip->lowest + i) % 8;
        bool nested = chip->fully_nested && n == PLAT_PIC_CASCADE_IRQ;

        if ((blockers & bit(n)) != 0 && !nested) {
            return NONE;
        }
        if ((requests & bit(n)) != 0) {
            return (int)n;
        }
    }
    return NONE;
}

/* An input changes. A request must stay until it is acknowledged ("Interrupt Sequence"). */
static void set_input(struct i8259_chip *chip, unsigned n, bool level)
{
    bool rises = level && (chip->lines & bit(n)) == 0;

    if (!level) {
        chip->lines &= (uint8_t)~bit(n);
        chip->irr &= (uint8_t)~bit(n);
        return;
    }
    chip->lines |= bit(n);
    if (rises || (chip->level & bit(n)) != 0) {
        chip->irr |= bit(n);
    }
}

/* Passes the slave's INT to the master, and the master's to the CPU. */
static void update(struct i8259 *pic)
{
    set_input(&pic->master, PLAT_PIC_CASCADE_IRQ, pending(&pic->slave) != NONE);
    pic->out.set(pic->out.ctx, 0, pending(&pic->master) != NONE);
}

void i8259_init(struct i8259 *pic, const struct irq_line *out)
{
    struct i8259_chip chip = {.imr = 0xFF, .lowest = 7};

    *pic = (struct i8259){.master = chip, .slave = chip, .out = *out};
    pic->master.base = 0x08;
    /* The slave holds its INT until it is served, so the cascade input follows a level. */
    pic->master.level = CASCADE_BIT;
    pic->slave.base = 0x70;
}

void i8259_set_line(void *ctx, unsigned irq, bool level)
{
    struct i8259 *pic = ctx;

    set_input(irq < 8 ? &pic->master : &pic->slave, irq % 8, level);
    update(pic);
}

bool i8259_output(const struct i8259 *pic)
{
    return pending(&pic->master) != NONE;
}

uint8_t i8259_vector(const struct i8259 *pic)
{
    int n = pending(&pic->master);

    if (n == PLAT_PIC_CASCADE_IRQ) {
        n = pending(&pic->slave);
        return (uint8_t)(pic->slave.base | (n == NONE ? SPURIOUS : n));
    }
    return (uint8_t)(pic->master.base | (n == NONE ? SPURIOUS : n));
}

/* Puts input `n` in service, or ends it at once ("Automatic End of Interrupt Mode"). */
static void serve(struct i8259_chip *chip, unsigned n)
{
    if (!chip->auto_eoi) {
        chip->isr |= bit(n);
    } else if (chip->rotate_auto) {
        chip->lowest = (uint8_t)n;
    }
    if ((chip->level & bit(n)) == 0) {
        chip->irr &= (uint8_t)~bit(n);
    }
}

uint8_t i8259_acknowledge(struct i8259 *pic)
{
    uint8_t vector = i8259_vector(pic);
    int n = pending(&pic->master);

    if (n != NONE) {
        serve(&pic->master, (unsigned)n);
    }
    if (n == PLAT_PIC_CASCADE_IRQ && pending(&pic->slave) != NONE) {
        serve(&pic->slave, (unsigned)pending(&pic->slave));
    }
    update(pic);
    return vector;
}

/* "Initialization Command Words": edges seen before ICW1 are forgotten. */
static void write_icw1(struct i8259_chip *chip, uint8_t value)
{
    chip->irr &= chip->level;
    chip->imr = 0;
    chip->isr = 0;
    chip->lowest = 7;
    chip->auto_eoi = false;
    chip->rotate_auto = false;
    chip->special_mask = false;
    chip->fully_nested = false;
    chip->read_isr = false;
    chip->poll = false;
    chip->want_icw4 = (value & ICW1_IC4) != 0;
    chip->single = (value & ICW1_SNGL) != 0;
    chip->next_icw = 2;
}

/* The input in service with the highest priority that a non-specific EOI ends, or NONE. */
static int in_service(const struct i8259_chip *chip)
{
    uint8_t isr = chip->isr;

    if (chip->special_mask) {
        isr &= (uint8_t)~chip->imr;
    }
    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (chip->lowest + i) % 8;

        if ((isr & bit(n)) != 0) {
            return (int)n;
        }
    }
    return NONE;
}

/* OCW2: bits 7 to 5 are R (rotate), SL (the level is given in bits 2 to 0) and EOI. */
static void write_ocw2(struct i8259_chip *chip, uint8_t value)
{
    bool rotate = (value & 0x80) != 0;
    bool specific = (value & 0x40) != 0;
    bool eoi = (value & 0x20) != 0;
    int n = specific ? value & 7 : in_service(chip);

    if (!eoi && !specific) {
        chip->rotate_auto = rotate;
        return;
    }
    if (n == NONE) {
        return;
    }
    if (eoi) {
        chip->isr &= (uint8_t)~bit((unsigned)n);
    }
    if (rotate) {
        chip->lowest = (uint8_t)n;
    }
}

static void write_ocw3(struct i8259_chip *chip, uint8_t value)
{
    if ((value & OCW3_ESMM) != 0) {
        chip->special_mask = (value & OCW3_SMM) != 0;
    }
    if ((value & OCW3_RR) != 0) {
        chip->read_isr = (value & OCW3_RIS) != 0;
    }
    chip->poll = (value & OCW3_POLL) != 0;
}

static void write_command(struct i8259_chip *chip, uint8_t value)
{
    if ((value & ICW1) != 0) {
        write_icw1(chip, value);
    } else if ((value & OCW3) != 0) {
        write_ocw3(chip, value);
    } else {
        write_ocw2(chip, value);
    }
}

static void write_data(struct i8259_chip *chip, uint8_t value)
{
    switch (chip->next_icw) {
    case 0: /* OCW1 */
        chip->imr = value;
        break;
    case 2:
        chip->base = value & 0xF8;
        chip->next_icw = !chip->single ? 3 : chip->want_icw4 ? 4 : 0;
        break;
    case 3: /* where the slave sits is fixed on this board */
        chip->next_icw = chip->want_icw4 ? 4 : 0;
        break;
    default:
        chip->auto_eoi = (value & ICW4_AEOI) != 0;
        chip->fully_nested = (value & ICW4_SFNM) != 0;
        chip->next_icw = 0;
        break;
    }
}

/* A read after the poll command acknowledges: bit 7 "there was one", bits 2 to 0 which. */
static uint8_t read_poll(struct i8259_chip *chip)
{
    int n = pending(chip);

    chip->poll = false;
    if (n == NONE) {
        return 0;
    }
    serve(chip, (unsigned)n);
    return (uint8_t)(0x80 | n);
}

static uint64_t chip_read(struct i8259 *pic, struct i8259_chip *chip, uint64_t port)
{
    uint8_t value;

    if (chip->poll) {
        value = read_poll(chip);
        update(pic);
        return value;
    }
    if (port == 1) {
        return chip->imr;
    }
    return chip->read_isr ? chip->isr : chip->irr;
}

static void chip_write(struct i8259 *pic, struct i8259_chip *chip, uint64_t port, uint64_t value)
{
    if (port == 0) {
        write_command(chip, (uint8_t)value);
    } else {
        write_data(chip, (uint8_t)value);
    }
    update(pic);
}

static uint64_t master_read(void *dev, const struct bus_access *access)
{
    struct i8259 *pic = dev;

    return chip_read(pic, &pic->master, access->offset);
}

static void master_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct i8259 *pic = dev;

    chip_write(pic, &pic->master, access->offset, value);
}

static uint64_t slave_read(void *dev, const struct bus_access *access)
{
    struct i8259 *pic = dev;

    return chip_read(pic, &pic->slave, access->offset);
}

static void slave_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct i8259 *pic = dev;

    chip_write(pic, &pic->slave, access->offset, value);
}

static uint64_t elcr_read(void *dev, const struct bus_access *access)
{
    struct i8259 *pic = dev;

    return access->offset == 0 ? pic->master.level & ELCR1_BITS : pic->slave.level;
}

static void elcr_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct i8259 *pic = dev;

    if (access->offset == 0) {
        pic->master.level = (uint8_t)((value & ELCR1_BITS) | CASCADE_BIT);
        pic->master.irr |= pic->master.lines & pic->master.level;
    } else {
        pic->slave.level = value & ELCR2_BITS;
        pic->slave.irr |= pic->slave.lines & pic->slave.level;
    }
    update(pic);
}

const struct bus_ops i8259_master_ports = {.width = 1, .read = master_read, .write = master_write};
const struct bus_ops i8259_slave_ports = {.width = 1, .read = slave_read, .write = slave_write};
const struct bus_ops i8259_elcr_ports = {.width = 1, .read = elcr_read, .write = elcr_write};
