/* lapic.c: the local APIC of each CPU, as xAPIC or x2APIC. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/x86/lapic.h"

#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/msr.h"
#include "kernel/x86/tsc.h"

/* Registers by their offset in the xAPIC page, SDM 3A 10.4.1; in x2APIC mode 10.12.1.2. */
enum lapic_register {
    LAPIC_ID = 0x20,
    LAPIC_VERSION = 0x30,
    LAPIC_TPR = 0x80,
    LAPIC_EOI = 0xb0,
    LAPIC_SPURIOUS = 0xf0,
    LAPIC_ICR_LOW = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_PERFORMANCE = 0x340,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0,
};

enum {
    BASE_X2APIC = 1 << 10,
    BASE_ENABLE = 1 << 11,
    SPURIOUS_ENABLE = 1 << 8,
    LVT_MASKED = 1 << 16,
    LVT_TSC_DEADLINE = 2 << 17,
    TIMER_DIVIDE_BY_1 = 0xb,
    ICR_FIXED = 0 << 8,
    ICR_NMI = 4 << 8,
    ICR_INIT = 5 << 8,
    ICR_STARTUP = 6 << 8,
    ICR_PENDING = 1 << 12,
    ICR_ASSERT = 1 << 14,
    ICR_ALL_BUT_SELF = 3 << 18,
};

/* An IPI is accepted at once on a working machine; this bounds the wait on a broken one. */
enum { ICR_READS_MAX = 100000 };

enum { TIMER_CALIBRATION_US = 200 };

static volatile uint32_t *xapic; /* null in x2APIC mode, and before lapic_init() */
static bool x2apic;

/* Timer ticks for 2^32 TSC ticks; 0 in TSC-deadline mode. */
static uint64_t timer_ratio;

static uint32_t lapic_read(enum lapic_register reg)
{
    if (x2apic) {
        return (uint32_t)msr_read(MSR_X2APIC_FIRST + reg / 16);
    }
    return xapic[reg / 4];
}

static void lapic_write(enum lapic_register reg, uint32_t value)
{
    if (x2apic) {
        msr_write(MSR_X2APIC_FIRST + reg / 16, value);
    } else {
        xapic[reg / 4] = value;
    }
}

static void enable(void)
{
    uint64_t base = msr_read(MSR_APIC_BASE) | BASE_ENABLE;

    /* From xAPIC to x2APIC in two steps: SDM 3A 10.12.5. */
    msr_write(MSR_APIC_BASE, base);
    if (cpu_features.x2apic) {
        msr_write(MSR_APIC_BASE, base | BASE_X2APIC);
        x2apic = true;
        return;
    }
    base = base & ((1ull << cpu_features.physical_bits) - 1) & ~(PAGE_SIZE - 1);
    if (base >= 1ull << 32) {
        panic("the local APIC is at %lx, out of reach", base);
    }
    xapic = PHYS_TO_VIRT(base);
}

void lapic_init(void)
{
    enable();
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    lapic_write(LAPIC_LVT_PERFORMANCE, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, LVT_MASKED);
    lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
    lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    lapic_write(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_BY_1);
    if (cpu_features.tsc_deadline) {
        lapic_write(LAPIC_LVT_TIMER, LVT_TSC_DEADLINE | VECTOR_TIMER);
        /* The mode must have reached the APIC before the first deadline: SDM 3A 10.5.4.1. */
        __asm__ volatile("mfence" : : : "memory");
    } else {
        lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
    }
    cpu_this()->lapic_id = lapic_id();
}

uint32_t lapic_id(void)
{
    uint32_t id = lapic_read(LAPIC_ID);

    return x2apic ? id : id >> 24;
}

void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

static void send(uint32_t id, uint32_t command)
{
    if (x2apic) {
        /* Writing this MSR waits for no earlier store, which the other CPU is to see: 10.12.3. */
        __asm__ volatile("mfence\n\tlfence" : : : "memory");
        msr_write(MSR_X2APIC_FIRST + LAPIC_ICR_LOW / 16, (uint64_t)id << 32 | command);
        return;
    }
    for (unsigned i = 0; i < ICR_READS_MAX && (xapic[LAPIC_ICR_LOW / 4] & ICR_PENDING) != 0; i++) {
        cpu_relax();
    }
    lapic_write(LAPIC_ICR_HIGH, id << 24);
    lapic_write(LAPIC_ICR_LOW, command);
}

void lapic_send_ipi(unsigned cpu, unsigned vector)
{
    send(cpus[cpu]->lapic_id, ICR_FIXED | ICR_ASSERT | vector);
}

void lapic_send_nmi(unsigned cpu)
{
    send(cpus[cpu]->lapic_id, ICR_NMI | ICR_ASSERT);
}

void lapic_send_nmi_others(void)
{
    if (x2apic || xapic != NULL) {
        send(0, ICR_ALL_BUT_SELF | ICR_NMI | ICR_ASSERT);
    }
}

void lapic_send_init(uint32_t id)
{
    send(id, ICR_INIT | ICR_ASSERT);
}

void lapic_send_startup(uint32_t id, uint8_t page)
{
    send(id, ICR_STARTUP | ICR_ASSERT | page);
}

void lapic_timer_calibrate(void)
{
    uint64_t start, passed;
    uint32_t count;

    if (cpu_features.tsc_deadline) {
        return;
    }
    lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
    start = rdtsc();
    lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
    tsc_wait_us(TIMER_CALIBRATION_US);
    count = UINT32_MAX - lapic_read(LAPIC_TIMER_CURRENT);
    passed = rdtsc() - start;
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
    timer_ratio = ((uint64_t)count << 32) / passed;
    if (timer_ratio == 0) {
        panic("the local APIC's timer does not count");
    }
    klog("lapic: timer at %lu kHz\n", tsc_hz / 1000 * timer_ratio >> 32);
}

/* What to load the counter with for a deadline: at least 1, as 0 would stop it. */
static uint32_t timer_count(uint64_t deadline)
{
    uint64_t now = rdtsc();
    unsigned __int128 count;

    if (deadline <= now) {
        return 1;
    }
    count = ((unsigned __int128)(deadline - now) * timer_ratio >> 32) + 1;
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

void lapic_timer_arm(uint64_t deadline)
{
    if (cpu_features.tsc_deadline) {
        msr_write(MSR_TSC_DEADLINE, deadline != 0 ? deadline : 1);
    } else {
        lapic_write(LAPIC_TIMER_INITIAL, timer_count(deadline));
    }
}

void lapic_timer_disarm(void)
{
    if (cpu_features.tsc_deadline) {
        msr_write(MSR_TSC_DEADLINE, 0);
    } else {
        lapic_write(LAPIC_TIMER_INITIAL, 0);
    }
}
