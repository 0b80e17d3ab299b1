/* smp.c: starts the other CPUs, one after the other. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/smp.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernel/boot/boot.h"
#include "kernel/boot/direct_map.h"
#include "kernel/boot/memory.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/x86/asm.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/traps.h"
#include "kernel/x86/tsc.h"

/*
 * Times in microseconds. SDM 3A 8.4.4 has 10 ms between INIT and the first start-up, which CPUs
 * of this century do not need. The last is long, for a CPU that is just slow, as those of an
 * emulator can be, must not be given up: see give_up().
 */
enum { INIT_US = 20, FIRST_STARTUP_US = 10000, SECOND_STARTUP_US = 1000000, GIVE_UP_US = 10000 };

extern const char trampoline_start[], trampoline_end[];

/* For the CPU that is being started: trampoline.asm loads the first, smp_enter() the second. */
uint64_t smp_starting_stack;
static struct cpu_area *starting;

static bool released;

/* Waits for the CPU to be ready, at most so long. */
static bool came_up(const struct cpu_area *area, uint64_t microseconds)
{
    uint64_t start = rdtsc();
    uint64_t ticks = microseconds * tsc_hz / 1000000;

    do {
        if (__atomic_load_n(&area->cpu.online, __ATOMIC_ACQUIRE)) {
            return true;
        }
        cpu_relax();
    } while (rdtsc() - start < ticks);
    return false;
}

/* The second start-up is for a CPU that missed the first; one that runs ignores it. */
static bool start(uint32_t id, uint8_t page)
{
    lapic_send_init(id);
    tsc_wait_us(INIT_US);
    lapic_send_startup(id, page);
    if (came_up(starting, FIRST_STARTUP_US)) {
        return true;
    }
    lapic_send_startup(id, page);
    return came_up(starting, SECOND_STARTUP_US);
}

/* A CPU that came too late must not run on: it is back in its wait for a start-up after INIT. */
static void give_up(uint32_t id)
{
    lapic_send_init(id);
    tsc_wait_us(GIVE_UP_US);
    klog("smp: the CPU with APIC %u does not start, left out\n", id);
}

/* The area of a CPU that did not come up serves the next one. */
static void prepare_area(void)
{
    if (starting == NULL || starting->cpu.online) {
        starting = direct_map_cpu_area(cpu_count);
    }
    memset(&starting->cpu, 0, sizeof(starting->cpu));
    smp_starting_stack = (uint64_t)(starting->stack + sizeof(starting->stack));
}

void smp_start(const struct acpi_cpus *found)
{
    uint32_t self = cpu_this()->lapic_id;
    uint64_t page;

    if (found->count <= 1) {
        return;
    }
    page = memory_low_page();
    memcpy(PHYS_TO_VIRT(page), trampoline_start, (size_t)(trampoline_end - trampoline_start));
    for (unsigned i = 0; i < found->count; i++) {
        if (found->lapic_ids[i] == self) {
            continue;
        }
        prepare_area();
        if (start(found->lapic_ids[i], (uint8_t)(page / PAGE_SIZE))) {
            cpus[cpu_count++] = &starting->cpu;
        } else {
            give_up(found->lapic_ids[i]);
        }
    }
}

void smp_release(void)
{
    direct_map_drop_low();
    __atomic_store_n(&released, true, __ATOMIC_RELEASE);
}

void smp_enter(void)
{
    struct cpu *cpu = &starting->cpu;

    cpu_adopt(starting, cpu_count);
    traps_load();
    cpu_enable_features();
    lapic_init();
    __atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE)) {
        cpu_relax();
    }
    write_cr3(IMAGE_TO_PHYS(kernel_pml4)); /* forgets the low mapping, which is gone */
    kernel_main_ap();
}
