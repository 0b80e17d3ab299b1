/* startup.h: from the memory that init gave to pools and tables. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_STARTUP_H
#define SERVERS_VMSPACE_STARTUP_H

#include "servers/lib/start_info.h"
#include "servers/vmspace/kernel.h"

/*
 * Makes everything that lasts: CNodes, pools, and the objects and stacks of all workers. `*total`
 * is what guests can have, in pages; `*stacks` the number of the stacks' first frame. On an error
 * one line of the log has said what is missing.
 */
enum status startup(const struct start_info *info, uint64_t *total, uint32_t *stacks);

#endif
