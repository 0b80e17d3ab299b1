/* kernel.c: the upper layers' start, on each CPU, up to the first user instruction. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/boot.h"
#include "kernel/boot/root.h"
#include "kernel/lib/log.h"
#include "kernel/mem/phys.h"
#include "kernel/obj/fpu.h"
#include "kernel/obj/klock.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"
#include "kernel/obj/virt.h"
#include "kernel/sys/entry.h"

/* One descriptor for each 4 KiB from address 0 to the end of RAM, as far as the direct map reaches. */
static void describe_memory(void)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < boot_memory.region_count; i++) {
        const struct boot_region *region = &boot_memory.regions[i];

        if (region->type == BOOT_REGION_RAM && region->range.end > end) {
            end = region->range.end;
        }
    }
    if (end > DIRECT_SIZE) {
        end = DIRECT_SIZE;
    }
    page_init(early_alloc(end / PAGE_SIZE * sizeof(struct page), PAGE_SIZE), end / PAGE_SIZE);
}

static void empty_cores(void)
{
    for (unsigned cpu = 0; cpu < cpu_count; cpu++) {
        struct core *core = core_of(cpu);

        core->armed = core->slice_end = UINT64_MAX;
        core->top = core->bar = -1;
    }
}

/* What each CPU does for itself; then it runs what is ready. */
static noreturn void start_cpu(struct core *core)
{
    fpu_start(core);
    if (virt->start && !virt->start(core)) {
        klog("kernel: CPU %u cannot run guests\n", core_cpu(core)->id);
    }
    klock_read(core);
    sched_choose(core);
    kernel_leave(core);
    return_to_current();
}

void kernel_main(void)
{
    empty_cores();
    fpu_probe();
    virt_probe();
    describe_memory();
    space_cr3_keep = cpu_features.pcid ? CR3_NO_FLUSH : 0;
    root_start();
    smp_release();
    start_cpu(core_this());
}

void kernel_main_ap(void) { start_cpu(core_this()); }
