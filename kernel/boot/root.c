/* root.c: making the root task: its Space, its capabilities, its boot information. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/root.h"

#include "kernel/abi/boot.h"
#include "kernel/boot/boot.h"
#include "kernel/boot/elf.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/obj/sched.h"
#include "kernel/obj/space.h"
#include "kernel/x86/layout.h"
#include "kernel/x86/tsc.h"

static struct slot *slots;      /* of the root CNode */
static struct space *space;
static struct boot_info *info;

static void map_page(uint64_t address, uint64_t physical, unsigned rights)
{
    uint64_t lacking = 0;
    enum status status = ptab_map(&space->ptab, address, physical, rights, 1, &lacking);

    if (status != OK) {
        panic("root task: cannot map 0x%lx: status %u", address, status);
    }
}

/* Fresh memory in the root task's Space; returns where the kernel sees it. */
static char *map_fresh(uint64_t address, uint64_t size, unsigned rights)
{
    char *memory = early_alloc(size, PAGE_SIZE);

    for (uint64_t offset = 0; offset < size; offset += PAGE_SIZE) {
        map_page(address + offset, VIRT_TO_PHYS(memory) + offset, rights);
    }
    return memory;
}

static struct slot *put(unsigned index, enum object_type type, uint8_t bits, void *object)
{
    struct cap cap = {
        .type = (uint8_t)type,
        .rights = RIGHTS_ALL,
        .flags = CAP_ORIGINAL,
        .bits = bits,
        .object = (uint64_t)object,
    };

    slot_insert(&slots[index], cap, NULL);
    return &slots[index];
}

/* Tables for the image, the stack and all modules, page by page: a table and its mapping entries take 3 pages. */
static void make_space(void)
{
    uint64_t bytes = 0, pages;

    for (unsigned i = 0; i < boot_memory.module_count; i++) {
        bytes += boot_memory.modules[i].end - boot_memory.modules[i].start;
    }
    space = early_alloc(1u << SPACE_BITS, 1u << SPACE_BITS);
    if (space_init(space, PT_X86) != OK) {
        panic("root task: no Space");
    }
    pages = (bytes / LARGE_PAGE_SIZE + 16) * 3;
    for (uint64_t i = 0; i < pages; i++) {
        ptab_fund(&space->ptab, VIRT_TO_PHYS(early_alloc(PAGE_SIZE, PAGE_SIZE)));
    }
}

static uint64_t load_image(void)
{
    struct elf_image image;
    struct elf_segment segment;
    const struct boot_range *module = &boot_memory.modules[0];
    bool loaded;

    if (boot_memory.module_count == 0) {
        panic("no boot module: the root task's ELF file must be the first");
    }
    const char *wrong =
        elf_open(&image, PHYS_TO_VIRT(module->start), module->end - module->start);

    for (unsigned i = 0; !wrong && i < image.count; i++) {
        wrong = elf_segment(&image, i, &segment, &loaded);
        if (!wrong && loaded) {
            char *memory = map_fresh(segment.address, segment.memory_size, segment.rights);

            memcpy(memory + segment.skip, segment.data, segment.data_size);
        }
    }
    if (wrong) {
        panic("root task: %s", wrong);
    }
    return image.entry;
}

static void map_modules(void)
{
    uint64_t address = BOOT_MODULE_VA;

    for (unsigned i = 1; i < boot_memory.module_count && i <= BOOT_MODULE_MAX; i++) {
        const struct boot_range *module = &boot_memory.modules[i];
        struct boot_module *told = &info->module[info->module_count++];

        told->address = address;
        told->size = module->end - module->start;
        for (uint64_t at = module->start; at < module->end; at += PAGE_SIZE) {
            map_page(address, at, MAP_READ);
            address += PAGE_SIZE;
        }
    }
}

/* A piece of free memory as an Untyped: the largest power of two that begins here and fits. */
static uint64_t give_piece(uint64_t start, uint64_t end)
{
    unsigned bits = bit_highest(end - start);

    if (start != 0 && bit_lowest(start) < bits) {
        bits = bit_lowest(start);
    }
    if (info->untyped_count < BOOT_UNTYPED_MAX) {
        struct boot_untyped *told = &info->untyped[info->untyped_count];
        struct slot *slot =
            put(BOOT_FREE + info->untyped_count, OBJ_UNTYPED, (uint8_t)bits, (void *)start);

        (void)slot;
        told->physical = start;
        told->bits = (uint8_t)bits;
        info->untyped_count++;
    }
    return start + (1ull << bits);
}

static void give_memory(void)
{
    static struct boot_range ranges[BOOT_MAX_FREE];
    unsigned count = boot_free_regions(ranges);
    uint64_t total = 0;

    for (unsigned i = 0; i < count; i++) {
        total += ranges[i].end - ranges[i].start;
        for (uint64_t at = ranges[i].start; at < ranges[i].end;) {
            at = give_piece(at, ranges[i].end);
        }
    }
    if (info->untyped_count == BOOT_UNTYPED_MAX) {
        klog("kernel: memory is in more than %u pieces: the rest is not used\n", BOOT_UNTYPED_MAX);
    }
    klog("kernel: %lu MiB of memory for user level in %u pieces\n", total >> 20,
         info->untyped_count);
}

static void describe(void)
{
    info->magic = BOOT_MAGIC;
    info->tsc_hz = tsc_hz;
    info->cpu_count = cpu_count;
    info->features = (pt_formats[PT_EPT].name ? BOOT_HAS_VMX : 0u) |
                     (pt_formats[PT_NPT].name ? BOOT_HAS_SVM : 0u);
    info->rsdp = boot_memory.rsdp;
    info->entry_tsc = boot_memory.entry_tsc;
    for (unsigned i = 0; i < sizeof(info->command_line) - 1 && boot_memory.command_line[i]; i++) {
        info->command_line[i] = boot_memory.command_line[i];
    }
}

/* The thread, with all its own parts. */
static void make_thread(uint64_t entry)
{
    struct thread *thread = early_alloc(1u << THREAD_BITS, 1u << THREAD_BITS);
    struct sched *sched = early_alloc(PAGE_SIZE, PAGE_SIZE);
    char *buffer;

    thread_init(thread, THREAD_USER);
    sched_init(sched);
    map_fresh(BOOT_STACK_TOP - BOOT_STACK_SIZE, BOOT_STACK_SIZE, MAP_READ | MAP_WRITE);
    buffer = map_fresh(BOOT_BUFFER_VA, PAGE_SIZE, MAP_READ | MAP_WRITE);
    thread->buffer = (struct ipc_buffer *)buffer;
    put(BOOT_THREAD, OBJ_THREAD, THREAD_BITS, thread);
    thread_set_slot(core_this(), thread, TSLOT_CSPACE,
                    put(BOOT_CNODE, OBJ_CNODE, BOOT_CNODE_BITS + SLOT_BITS, slots), 0);
    thread_set_slot(core_this(), thread, TSLOT_SPACE,
                    put(BOOT_SPACE, OBJ_SPACE, SPACE_BITS, space), 0);
    put(BOOT_SCHED, OBJ_SCHED, SCHED_BITS, sched);
    thread->regs.rip = entry;
    thread->regs.rsp = BOOT_STACK_TOP;
    thread->regs.rdi = BOOT_INFO_VA;
    thread->priority = PRIORITY_MAX;
    sched_bind(sched, thread);
    sched_wake(core_this(), thread);
}

void root_start(void)
{
    uint64_t entry;

    slots = early_alloc(1ull << (BOOT_CNODE_BITS + SLOT_BITS), PAGE_SIZE);
    make_space();
    info = (struct boot_info *)map_fresh(BOOT_INFO_VA, PAGE_SIZE, MAP_READ);
    entry = load_image();
    map_modules();
    make_thread(entry);
    put(BOOT_PLATFORM, OBJ_PLATFORM, 0, NULL);
    put(BOOT_PORTS, OBJ_PORTS, 0, NULL)->cap.badge = 0xffffu << 16;
    describe();
    give_memory();
}
