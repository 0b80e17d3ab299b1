/* main.c: brings the machine from the boot loader to kernel_main(). */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdnoreturn.h>

#include "kernel/boot/acpi.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/direct_map.h"
#include "kernel/boot/main.h"
#include "kernel/boot/memory.h"
#include "kernel/boot/multiboot2.h"
#include "kernel/boot/smp.h"
#include "kernel/lib/log.h"
#include "kernel/x86/console.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/ioapic.h"
#include "kernel/x86/lapic.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/traps.h"
#include "kernel/x86/tsc.h"

/* The boot CPU's memory is in the image; boot.asm starts on its stack. */
static struct cpu_area boot_area;
void *const boot_stack_top = &boot_area + 1;

/* In boot.asm. */
extern const uint64_t boot_entry_tsc;

static void start_this_cpu(void)
{
    cpu_adopt(&boot_area, 0);
    cpus[0] = &boot_area.cpu;
    cpu_count = 1;
    traps_init();
    traps_load();
}

void boot_main(uint64_t information)
{
    struct acpi_cpus found = {.count = 0};

    /* From here on a fault shows where it was. */
    start_this_cpu();
    console_init();
    cpu_probe();

    /* Memory. */
    boot_memory.entry_tsc = boot_entry_tsc;
    memory_reserve_image();
    multiboot2_read(information);
    direct_map_build();
    cpu_enable_features();

    /* Interrupts and time. */
    acpi_init();
    pic_disable();
    lapic_init();
    madt_read(&found);
    tsc_calibrate(acpi_pm_timer());
    lapic_timer_calibrate();

    /* The other CPUs; they wait for smp_release(). */
    smp_start(&found);
    klog("boot: %u CPU%s, %u I/O APICs\n", cpu_count, cpu_count == 1 ? "" : "s", ioapic_count());
    kernel_main();
}
