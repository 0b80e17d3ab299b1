/* ns16550.c: a 16550A serial port: FIFO, interrupts, modem status and loopback. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/ns16550.h"

#include "vmm/clock.h"

/* Sections in this file are those of the PC16550D data sheet. */

#define LCR_DLAB 0x80
#define MCR_BITS 0x1F
#define MSR_RI_ENDED (1 << 2)
#define MSR_STATES 0xF0

enum {
    FCR_ENABLE = 1 << 0,
    FCR_CLEAR_RX = 1 << 1,
    FCR_TRIGGER_SHIFT = 6,
};

/* The crystal behind the divisor: 1.8432 MHz / 16. */
#define BAUD_BASE 115200

static unsigned capacity(const struct ns16550 *uart)
{
    return uart->fifo_on ? NS16550_FIFO_SIZE : 1;
}

static bool loops(const struct ns16550 *uart)
{
    return (uart->mcr & NS16550_MCR_LOOP) != 0;
}

/* The pending source with the highest priority, as the IIR names it without the FIFO bits. */
static uint8_t source(const struct ns16550 *uart)
{
    if ((uart->ier & NS16550_IER_RLS) != 0 && uart->overrun) {
        return NS16550_IIR_RLS;
    }
    if ((uart->ier & NS16550_IER_RDA) != 0 && uart->count >= uart->trigger) {
        return NS16550_IIR_RDA;
    }
    if ((uart->ier & NS16550_IER_RDA) != 0 && uart->timed_out) {
        return NS16550_IIR_TIMEOUT;
    }
    if ((uart->ier & NS16550_IER_THRE) != 0 && uart->thre_pending) {
        return NS16550_IIR_THRE;
    }
    if ((uart->ier & NS16550_IER_MSR) != 0 && (uart->msr & ~MSR_STATES) != 0) {
        return NS16550_IIR_MSR;
    }
    return NS16550_IIR_NONE;
}

/* A PC passes the interrupt through a gate that OUT2 opens; in loopback the pin OUT2 is off. */
static void update(struct ns16550 *uart)
{
    bool gate = (uart->mcr & NS16550_MCR_OUT2) != 0 && !loops(uart);

    uart->irq.set(uart->irq.ctx, uart->irq_number, gate && source(uart) != NS16550_IIR_NONE);
}

void ns16550_init(struct ns16550 *uart, uint64_t tsc_hz, const struct ns16550_out *out,
                  const struct irq_line *irq, unsigned irq_number)
{
    *uart = (struct ns16550){
        .out = *out,
        .irq = *irq,
        .irq_number = irq_number,
        .tsc_hz = tsc_hz,
        .deadline = CLOCK_NEVER,
        .divisor = 1,
        .msr = NS16550_MSR_CTS | NS16550_MSR_DSR | NS16550_MSR_DCD,
        .trigger = 1,
        .thre_pending = true,
    };
}

unsigned ns16550_room(const struct ns16550 *uart)
{
    return loops(uart) ? 0 : capacity(uart) - uart->count;
}

/* Bits on the line for one character: start, data, parity, stop. */
static unsigned character_bits(const struct ns16550 *uart)
{
    return 1 + 5 + (uart->lcr & 3) + (uart->lcr >> 3 & 1) + 1 + (uart->lcr >> 2 & 1);
}

/*
 * "FIFO Interrupt Mode Operation": four characters' time after the last access to a FIFO with
 * data.
 */
static void restart_timeout(struct ns16550 *uart, uint64_t now)
{
    uint64_t bits = 4ULL * character_bits(uart) * (uart->divisor != 0 ? uart->divisor : 0x10000);

    uart->timed_out = false;
    uart->deadline = CLOCK_NEVER;
    if (uart->fifo_on && uart->count > 0) {
        uart->deadline = now + clock_tsc(bits, uart->tsc_hz, BAUD_BASE);
    }
}

static void receive(struct ns16550 *uart, uint8_t byte, uint64_t now)
{
    if (uart->count == capacity(uart)) {
        uart->overrun = true;
        if (!uart->fifo_on) {
            uart->fifo[uart->first] = byte; /* the receiver buffer is overwritten */
        }
    } else {
        uart->fifo[(uart->first + uart->count) % NS16550_FIFO_SIZE] = byte;
        uart->count++;
    }
    restart_timeout(uart, now);
    update(uart);
}

void ns16550_receive(struct ns16550 *uart, uint8_t byte, uint64_t now)
{
    /* In loopback the receiver is not connected to the line. */
    if (!loops(uart)) {
        receive(uart, byte, now);
    }
}

void ns16550_tick(struct ns16550 *uart, uint64_t now)
{
    if (now >= uart->deadline) {
        uart->deadline = CLOCK_NEVER;
        uart->timed_out = true;
        update(uart);
    }
}

static uint8_t read_buffer(struct ns16550 *uart, uint64_t now)
{
    uint8_t byte = uart->fifo[uart->first];

    if (uart->count == 0) {
        return 0;
    }
    uart->first = (uart->first + 1) % NS16550_FIFO_SIZE;
    uart->count--;
    restart_timeout(uart, now);
    return byte;
}

/*
 * The transmitter takes a byte at once. Writing it ended a THRE interrupt, and the register being
 * empty again is a new one: the line must show both, because it is edge-triggered.
 */
static void transmit(struct ns16550 *uart, uint8_t byte, uint64_t now)
{
    uart->thre_pending = false;
    update(uart);
    uart->thre_pending = true;
    if (loops(uart)) {
        receive(uart, byte, now);
    } else {
        uart->out.put(uart->out.ctx, byte);
    }
}

static void write_ier(struct ns16550 *uart, uint8_t value)
{
    /* Enabling the interrupt while the transmitter is empty raises it. */
    if ((value & ~uart->ier & NS16550_IER_THRE) != 0) {
        uart->thre_pending = true;
    }
    uart->ier = value & 0x0F;
}

static void clear_receiver(struct ns16550 *uart)
{
    uart->first = 0;
    uart->count = 0;
    uart->timed_out = false;
    uart->deadline = CLOCK_NEVER;
}

static void write_fcr(struct ns16550 *uart, uint8_t value)
{
    static const uint8_t triggers[4] = {1, 4, 8, 14};
    bool on = (value & FCR_ENABLE) != 0;

    /* Changing the mode empties the FIFOs; the other bits count only with the enable bit. */
    if (on != uart->fifo_on || (on && (value & FCR_CLEAR_RX) != 0)) {
        clear_receiver(uart);
    }
    uart->fifo_on = on;
    uart->trigger = on ? triggers[value >> FCR_TRIGGER_SHIFT] : 1;
}

/* New states of the modem inputs, and which of them changed ("Modem Status Register"). */
static void set_modem_inputs(struct ns16550 *uart, uint8_t states)
{
    uint8_t changed = (uart->msr ^ states) & MSR_STATES;
    uint8_t deltas = changed >> 4 & (uint8_t)~MSR_RI_ENDED;

    if ((changed & NS16550_MSR_RI) != 0 && (states & NS16550_MSR_RI) == 0) {
        deltas |= MSR_RI_ENDED;
    }
    uart->msr = states | (uart->msr & (uint8_t)~MSR_STATES) | deltas;
}

/*
 * In loopback the modem outputs feed the inputs: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD.
 */
static void write_mcr(struct ns16550 *uart, uint8_t value)
{
    uint8_t states = NS16550_MSR_CTS | NS16550_MSR_DSR | NS16550_MSR_DCD;

    uart->mcr = value & MCR_BITS;
    if (loops(uart)) {
        states = (value & NS16550_MCR_DTR) != 0 ? NS16550_MSR_DSR : 0;
        states |= (value & NS16550_MCR_RTS) != 0 ? NS16550_MSR_CTS : 0;
        states |= (value & NS16550_MCR_OUT1) != 0 ? NS16550_MSR_RI : 0;
        states |= (value & NS16550_MCR_OUT2) != 0 ? NS16550_MSR_DCD : 0;
    }
    set_modem_inputs(uart, states);
}

static uint8_t read_iir(struct ns16550 *uart)
{
    uint8_t value = source(uart);

    if (value == NS16550_IIR_THRE) {
        uart->thre_pending = false; /* reading it is what resets this source */
    }
    return value | (uart->fifo_on ? NS16550_IIR_FIFO : 0);
}

static uint8_t read_lsr(struct ns16550 *uart)
{
    uint8_t value = NS16550_LSR_THRE | NS16550_LSR_TEMT;

    value |= uart->count > 0 ? NS16550_LSR_DR : 0;
    value |= uart->overrun ? NS16550_LSR_OE : 0;
    uart->overrun = false;
    return value;
}

static uint8_t read_msr(struct ns16550 *uart)
{
    uint8_t value = uart->msr;

    uart->msr &= MSR_STATES;
    return value;
}

static uint8_t read_register(struct ns16550 *uart, unsigned reg, uint64_t now)
{
    bool dlab = (uart->lcr & LCR_DLAB) != 0;

    switch (reg) {
    case NS16550_RBR: return dlab ? (uint8_t)uart->divisor : read_buffer(uart, now);
    case NS16550_IER: return dlab ? (uint8_t)(uart->divisor >> 8) : uart->ier;
    case NS16550_IIR: return read_iir(uart);
    case NS16550_LCR: return uart->lcr;
    case NS16550_MCR: return uart->mcr;
    case NS16550_LSR: return read_lsr(uart);
    case NS16550_MSR: return read_msr(uart);
    default: return uart->scr;
    }
}

static uint64_t port_read(void *dev, const struct bus_access *access)
{
    struct ns16550 *uart = dev;
    uint8_t value;

    ns16550_tick(uart, access->now);
    value = read_register(uart, (unsigned)access->offset, access->now);
    update(uart);
    return value;
}

static void write_divisor(struct ns16550 *uart, unsigned reg, uint8_t value)
{
    if (reg == 0) {
        uart->divisor = (uint16_t)((uart->divisor & 0xFF00) | value);
    } else {
        uart->divisor = (uint16_t)((uart->divisor & 0x00FF) | value << 8);
    }
}

static void write_register(struct ns16550 *uart, unsigned reg, uint8_t value, uint64_t now)
{
    switch (reg) {
    case NS16550_THR: transmit(uart, value, now); break;
    case NS16550_IER: write_ier(uart, value); break;
    case NS16550_FCR: write_fcr(uart, value); break;
    case NS16550_LCR: uart->lcr = value; break;
    case NS16550_MCR: write_mcr(uart, value); break;
    case NS16550_SCR: uart->scr = value; break;
    default: break; /* LSR and MSR are read only */
    }
}

static void port_write(void *dev, const struct bus_access *access, uint64_t value)
{
    struct ns16550 *uart = dev;
    unsigned reg = (unsigned)access->offset;

    ns16550_tick(uart, access->now);
    if ((uart->lcr & LCR_DLAB) != 0 && reg <= NS16550_IER) {
        write_divisor(uart, reg, (uint8_t)value);
    } else {
        write_register(uart, reg, (uint8_t)value, access->now);
    }
    update(uart);
}

const struct bus_ops ns16550_ports = {.width = 1, .read = port_read, .write = port_write};
