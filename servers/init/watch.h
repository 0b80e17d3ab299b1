/* watch.h: hears of children's faults and ends, and does what the manifest says. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_WATCH_H
#define SERVERS_INIT_WATCH_H

#include "servers/init/root.h"

/* Starts a child that is reserved. If that fails, the log says why and it has ended. */
void watch_start(struct root *root, struct child *child);

/* Counts a child as ended that can't be started. */
void watch_give_up(struct child *child);

/* Resets or halts the machine if all guests have ended and the manifest asks for it. */
void watch_check_done(struct root *root);

/* Watches for ever; returns only if the control endpoint fails, with the status that says why. */
enum status watch_run(struct root *root);

#endif
