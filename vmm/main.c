/* main.c: starts the guest that the manifest describes, and tells init how it ended. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/console.h"
#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/lib/start_info.h"
#include "servers/lib/time.h"
#include "servers/lib/vmspace.h"
#include "vmm/acpi.h"
#include "vmm/guest_image.h"
#include "vmm/guest_window.h"
#include "vmm/machine.h"
#include "vmm/objects.h"
#include "vmm/vcpu_thread.h"
#include "vmm/vmm_memory.h"

int main(const struct start_info *info);

static struct machine machine;
static struct guest_window window;

static _Noreturn void refuse(void)
{
    process_end(END_REFUSED, 0);
}

static struct byte_span file(const struct start_info *info, const char *name)
{
    const struct start_entry *entry = start_find(info, START_FILE, name, 0);

    if (entry == NULL) {
        return (struct byte_span){0};
    }
    return (struct byte_span){(const uint8_t *)entry->address, entry->size};
}

/* RAM, and what vmspace gives with it. */
static void make_memory(const struct start_info *info, uint64_t size)
{
    const struct vmm_memory_slots slots = {
        .own_space = own(info, OWN_SPACE),
        .guest_space = own(info, OWN_GUEST_SPACE),
        .endpoints = own(info, OWN_ENDPOINTS),
    };

    if (size < GUEST_IMAGE_MEMORY_MIN) {
        log_line("can't start: mem-mib is too small: %llu at least", GUEST_IMAGE_MEMORY_MIN >> 20);
        refuse();
    }
    if (!vmm_memory_create(start_cap(info, START_USE, "vmspace"), size, info->cpu, &slots)) {
        refuse();
    }
    guest_window_init(&window, (void *)VMS_WINDOW, size);
}

/* Seconds since 1970 when the TSC is `now`. */
static int64_t wall_clock(const struct start_info *info, uint64_t now)
{
    return info->epoch == 0 ? 0
                            : (int64_t)(info->epoch + (now - info->epoch_tsc) / info->tsc_hz);
}

static void make_machine(const struct start_info *info)
{
    uint64_t now = tsc_read();
    struct machine_config config = {
        .memory = guest_window_memory(&window),
        .ncpus = 1,
        .tsc_hz = info->tsc_hz,
        .now = now,
        .wall_clock = wall_clock(info, now),
    };

    vcpu_thread_operations(info, &config);
    machine.vcpu[0].state = objects_state();
    enum pc_status status = machine_init(&machine, &config);

    if (status != PC_OK) {
        log_line("can't start: the board refuses its clock: TSC of %lu Hz, %ld s since 1970",
                 config.tsc_hz, config.wall_clock);
        refuse();
    }
}

static void load(const struct start_info *info)
{
    struct guest_image_request request = {
        .image = file(info, "kernel"),
        .initrd = file(info, "initrd"),
        .initrd_name = "initrd",
        .command_line = info->args,
    };
    enum acpi_error tables = acpi_write(&machine.memory, machine.ncpus, &request.rsdp);
    struct guest_entry entry;

    if (tables != ACPI_OK) {
        log_line("can't start: ACPI tables: %s", acpi_error_text(tables));
        refuse();
    }
    enum image_error error = guest_image_load(&request, &machine.memory, &entry);

    if (error != IMAGE_OK) {
        log_line("can't start: kernel: %s", image_error_text(error));
        refuse();
    }
    machine_enter_at(&machine, &entry);
}

int main(const struct start_info *info)
{
    log_init(info->name, SLOT_LOG);
    if (start_value(info, "vcpus", 1) != 1) {
        log_line("can't start: vcpus: this VMM runs guests of one virtual CPU");
        refuse();
    }
    if (!objects_make(info)) {
        refuse();
    }
    make_memory(info, start_value(info, "mem", 0));
    make_machine(info);
    load(info);
    if (!objects_configure(info)) {
        refuse();
    }
    /* Benches count from here. */
    log_line("starts at TSC %lu", tsc_read());
    if (!vcpu_thread_run(info, &machine)) {
        refuse();
    }
    terminal_flush(&machine.terminal);
    console_flush(start_cap(info, START_USE, "console"));
    process_end(machine.reason, machine.value);
}
