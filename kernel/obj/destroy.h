/* destroy.h: deleting capabilities, and taking apart objects that have lost their last one. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_OBJ_DESTROY_H
#define KERNEL_OBJ_DESTROY_H

#include "kernel/obj/core.h"

/*
 * An object dies with its last capability. Those that hold capabilities or page tables themselves
 * (CNode, Thread, VCpu, Space) are taken apart step by step: the last capability moves into the
 * object's own memory, its grave, so that the untyped memory below it stays in use, and the object
 * joins the list of the dying. So nothing here recurses, and a long deletion is work in small
 * pieces: a system call does some of it, and starts again if more is left.
 * All here: kernel lock held for writing. Spaces that were narrowed are marked: the caller ends
 * with space_shootdown_dirty().
 */

/* Pieces of work in one system call, before it starts again and so lets interrupts in. */
#define DESTROY_BUDGET 64u

/*
 * Empties a slot; its object begins to die if this was its last capability. Returns false if that
 * takes longer (a big Frame that is mapped): call again.
 */
bool destroy_slot(struct core *core, struct slot *slot);

/* Does a piece of work on the dying; returns whether more is left. */
bool destroy_step(struct core *core);

/* Does as many of them as one system call may. */
bool destroy_steps(struct core *core);

/*
 * Deletes one descendant of the slot, or a piece of it; when none is left, and it is a Frame's, some of the
 * Frame's mappings. Returns whether more is left.
 */
bool revoke_step(struct core *core, struct slot *slot);

#endif
