/* machine.c: memory, descriptors and page walks for the host tests of kernel/mem. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/test/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const struct pt_caps machine_caps = {
    .physical_bits = 40,
    .nx = true,
    .page_1g = true,
    .ept_2m = true,
    .ept_1g = true,
    .ept_ad = true,
    .ept_exec_only = true,
};

static uint64_t next_page;

noreturn void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

unsigned lock_cpu(void)
{
    static unsigned threads;
    static _Thread_local unsigned number;

    if (number == 0) {
        number = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
    }
    return number;
}

void machine_reset(void)
{
    static void *memory;
    static struct page *pages;
    int access = PROT_READ | PROT_WRITE;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

    if (memory != NULL) {
        munmap(memory, MACHINE_RAM);
        munmap(pages, (MACHINE_RAM >> PAGE_SHIFT) * sizeof(*pages));
    }
    memory = mmap(NULL, MACHINE_RAM, access, flags, -1, 0);
    pages = mmap(NULL, (MACHINE_RAM >> PAGE_SHIFT) * sizeof(*pages), access, flags, -1, 0);
    if (memory == MAP_FAILED || pages == MAP_FAILED) {
        panic("no memory for the test");
    }
    memset(page_device, 0, sizeof(page_device));
    page_window = (uint64_t)memory;
    page_init(pages, MACHINE_RAM >> PAGE_SHIFT);
    next_page = MACHINE_TABLES;
}

uint64_t machine_page(void)
{
    uint64_t page = next_page;

    if (page == MACHINE_TABLES_END) {
        panic("the test needs more pages for tables");
    }
    next_page += PAGE_SIZE;
    memset(page_address(page), 0xa5, PAGE_SIZE);
    return page;
}

void machine_space(struct ptab *pt, const struct pt_format *format, unsigned funds)
{
    static uint32_t id;
    uint64_t root = machine_page();

    memset(page_address(root), 0, PAGE_SIZE);
    ptab_init(pt, format, root, ++id);
    while (funds-- > 0) {
        ptab_fund(pt, machine_page());
    }
}

/* Bits 51 to 'low' of an entry; a bit above the 40 of the test's CPU is reserved. */
static uint64_t address_in(uint64_t entry, unsigned low)
{
    uint64_t bits = entry & 0x000ffffffffff000ull;

    if (bits >> 40 != 0 || (bits & ((1ull << low) - 1) & ~0x1000ull) != 0) {
        panic("misconfigured: reserved address bits in entry %lx", entry);
    }
    return bits >> low << low;
}

/* SDM vol. 3, 4.5.4: bits 0 P, 1 R/W, 2 U/S, 3 PWT, 4 PCD, 7 PS, 63 XD. */
bool machine_walk_x86(uint64_t root, uint64_t address, struct machine_view *view)
{
    bool write = true;
    bool user = true;
    bool exec = true;

    for (unsigned low = 39;; low -= 9) {
        uint64_t *entry = (uint64_t *)page_address(root) + (address >> low & 511);
        uint64_t value = *entry;

        if ((value & 1) == 0) {
            return false;
        }
        write = write && (value & 2) != 0;
        user = user && (value & 4) != 0;
        exec = exec && value >> 63 == 0;
        if (low == 39 && (value & 0x80) != 0) {
            panic("misconfigured: PS in a PML4 entry");
        }
        if (low > 12 && (value & 0x80) == 0) {
            root = address_in(value, 12);
            continue;
        }
        view->physical = address_in(value, low) | (address & ((1ull << low) - 1) & ~0xfffull);
        view->level = (low - 12) / 9;
        view->rights = user ? MAP_READ | (write ? MAP_WRITE : 0u) | (exec ? MAP_EXEC : 0u) : 0;
        view->uncached = (value & 0x18) == 0x18;
        view->entry = entry;
        return true;
    }
}

/* SDM vol. 3, 28.3.2: bits 0 to 2 R, W, X, 5 to 3 memory type, 7 page size; 28.3.3.1 errors. */
bool machine_walk_ept(uint64_t root, uint64_t address, struct machine_view *view)
{
    uint64_t rights = 7;

    for (unsigned low = 39;; low -= 9) {
        uint64_t *entry = (uint64_t *)page_address(root) + (address >> low & 511);
        uint64_t value = *entry;
        bool leaf = low == 12 || (low < 39 && (value & 0x80) != 0);

        if ((value & 7) == 0) {
            return false;
        }
        if ((value & 3) == 2 || (!leaf && (value & 0xf8) != 0)) {
            panic("misconfigured: entry %lx", value);
        }
        rights &= value;
        if (!leaf) {
            root = address_in(value, 12);
            continue;
        }
        uint64_t type = value >> 3 & 7;

        if (type != 0 && type != 6) {
            panic("misconfigured: memory type %lu", type);
        }
        view->physical = address_in(value, low) | (address & ((1ull << low) - 1) & ~0xfffull);
        view->level = (low - 12) / 9;
        view->rights = (unsigned)rights;
        view->uncached = type == 0;
        view->entry = entry;
        return true;
    }
}

bool machine_walk(const struct ptab *pt, uint64_t address, struct machine_view *view)
{
    return pt->format->name[0] == 'x' ? machine_walk_x86(pt->root, address, view)
                                      : machine_walk_ept(pt->root, address, view);
}
