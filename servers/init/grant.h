/* grant.h: gives a child exactly the capabilities that the manifest lists, and names them. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_GRANT_H
#define SERVERS_INIT_GRANT_H

#include <stdbool.h>
#include "servers/lib/start_info.h"

struct root;
struct child;

/*
 * Fills the child's CNode (the slots of servers/lib/slots.h first) and its start page `info`, which
 * is all zero. The child's objects exist; it does not run. False: something is not possible, a line
 * in the log says what.
 */
bool grant_all(const struct root *root, const struct child *child, struct start_info *info);

#endif
