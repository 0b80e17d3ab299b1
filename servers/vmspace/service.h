/* service.h: the service thread: what VMMs ask of vmspace, and the end of those that die. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_SERVICE_H
#define SERVERS_VMSPACE_SERVICE_H

#include "servers/lib/server.h"
#include "servers/lib/start_info.h"

/*
 * Serves for ever; returns only if the endpoint fails, with the status that says why. `buffer` is
 * the thread's IPC buffer, `total` the pages that there are for guests. workers[0] is the thread's
 * own.
 */
enum status service_run(const struct start_info *info, struct ipc_buffer *buffer, uint64_t total);

#endif
