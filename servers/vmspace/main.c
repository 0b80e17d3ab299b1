/* main.c: starts vmspace, the server that owns guest memory. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/layout.h"
#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/lib/start_info.h"
#include "servers/vmspace/service.h"
#include "servers/vmspace/startup.h"
#include "servers/vmspace/threads.h"
#include "servers/vmspace/worker.h"

int main(const struct start_info *info);

/* The ends of children are to arrive where the service receives. */
static enum status bind_events(const struct start_info *info)
{
    uint32_t events = start_cap(info, START_EVENTS, NULL);
    return events != CPTR_NONE ? sys_thread_bind(SLOT_THREAD, events) : E_CAP;
}

int main(const struct start_info *info)
{
    uint64_t total = 0;
    uint32_t stacks = 0;
    log_init(info->name, SLOT_LOG);
    if (startup(info, &total, &stacks) != OK) {
        return 1;
    }
    enum status status = bind_events(info);
    if (status != OK) {
        log_line("can't hear of children that end: %s", status_words(status));
        return 1;
    }
    status = threads_start(info, stacks);
    if (status != OK) {
        log_line("can't start its threads: %s", status_words(status));
        return 1;
    }
    log_line("%llu MiB for guests, %u workers", (unsigned long long)(total >> 8), worker_count - 1);
    status = service_run(info, (struct ipc_buffer *)LAYOUT_IPC_BUFFER, total);
    log_line("service ends: %s", status_words(status));
    return 1;
}
