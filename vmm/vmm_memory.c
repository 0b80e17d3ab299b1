/* vmm_memory.c: has vmspace make the guest's memory, and get what its virtual CPUs need of it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/vmm_memory.h"

#include "kernel/abi/object.h"
#include "servers/lib/layout.h"
#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/lib/syscall.h"
#include "servers/lib/vmspace.h"
#include "vmm/guest_ram.h"
#include "vmm/platform.h"

static struct ipc_buffer *buffer(void)
{
    return (struct ipc_buffer *)LAYOUT_IPC_BUFFER;
}

/* `caps` of the answer go to the slots from `receive` on. */
static bool ask(uint32_t vmspace, struct message *m, uint32_t receive, unsigned caps,
                const char *what)
{
    buffer()->receive_slot = receive;
    enum status status = sys_call(vmspace, m);

    if (status == OK) {
        status = (enum status)tag_label(m->tag);
    }
    if (status == OK && tag_caps(m->tag) != caps) {
        status = E_SLOT;
    }
    buffer()->receive_slot = 0;
    if (status != OK) {
        log_line("can't start: %s: %s", what, status_words(status));
    }
    return status == OK;
}

static bool create(uint32_t vmspace, uint64_t size, const struct vmm_memory_slots *slots)
{
    struct message m = {.tag = TAG(VMS_CREATE, 1) | TAG_CAPS(1), .word = {size}};
    enum status status = sys_cap_copy(SLOT_SPACE, slots->own_space, SP_MAP | SP_FUND);

    if (status != OK) {
        log_line("can't start: own space: %s", status_words(status));
        return false;
    }
    buffer()->cap[0] = slots->own_space;
    return ask(vmspace, &m, slots->guest_space, 1, "guest memory");
}

static bool add_segment(uint32_t vmspace, uint64_t base, uint64_t size)
{
    struct message m = {
        .tag = TAG(VMS_ADD_SEGMENT, 3),
        .word = {base, size, MAP_READ | MAP_WRITE | MAP_EXEC},
    };

    return size == 0 || ask(vmspace, &m, 0, 0, "memory segment");
}

static bool add_devices(uint32_t vmspace, uint64_t first)
{
    struct message m = {
        .tag = TAG(VMS_DEVICE_WINDOW, 2), .word = {first, PLAT_HIGH_RAM_BASE - 1}};

    return ask(vmspace, &m, 0, 0, "device window");
}

bool vmm_memory_create(uint32_t vmspace, uint64_t size, uint32_t cpu,
                       const struct vmm_memory_slots *slots)
{
    struct message m = {.tag = TAG(VMS_ENDPOINTS, 1), .word = {cpu}};
    uint64_t low = guest_ram_low_end(size);

    return create(vmspace, size, slots) && add_segment(vmspace, 0, low) &&
           add_segment(vmspace, PLAT_HIGH_RAM_BASE, size - low) && add_devices(vmspace, low) &&
           ask(vmspace, &m, slots->endpoints, 2, "fault endpoints");
}
