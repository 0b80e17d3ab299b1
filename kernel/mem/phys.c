/* phys.c: the descriptors of physical memory, and those that device memory shares. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mem/phys.h"

uint64_t page_window = DIRECT_BASE;
struct page *page_array;
uint64_t page_count;
struct page page_device[1u << PAGE_DEVICE_BITS];

void page_init(struct page *array, uint64_t count)
{
    page_array = array;
    page_count = count;
}

struct page *page_of_device(uint64_t physical)
{
    /* Fibonacci hashing: neighbours, as BARs are, go to different chains. */
    return &page_device[(physical >> PAGE_SHIFT) * 0x9e3779b97f4a7c15ull >>
                        (64 - PAGE_DEVICE_BITS)];
}
