/* check.h: walks everything that the page-table code keeps and compares it, for tests. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_CHECK_H
#define KERNEL_MEM_CHECK_H

#include "kernel/mem/ptab.h"

/*
 * Checks one tree: every entry is one that the CPU accepts (I11, I6), entries that lead nowhere are
 * zero (I28), leaf entries and mapping entries are the same set (I19), and all counts match.
 * Returns NULL, or a sentence about the first thing that is wrong. Takes the Space's lock, and
 * time in proportion to its size.
 */
const char *ptab_check(struct ptab *pt);

/*
 * Checks the chains of all frames: each mapping entry leads to a leaf of this frame, and the counts
 * of superpages match. '*mappings' becomes the number of mapping entries: the sum of what all
 * Spaces have mapped. Nothing may change meanwhile; no lock is taken.
 */
const char *page_check_all(uint64_t *mappings);

#endif
