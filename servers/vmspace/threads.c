/* threads.c: vmspace's threads: their objects, their stacks, their start. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/threads.h"

#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/vmspace/tables.h"
#include "servers/vmspace/worker.h"

void threads_plan(uint64_t cpus)
{
    worker_count = 1;
    for (unsigned cpu = 0; cpu < 64 && worker_count < WORKER_MAX; cpu++) {
        if ((cpus >> cpu & 1) != 0) {
            workers[worker_count].index = worker_count;
            workers[worker_count++].cpu = cpu;
        }
    }
}

static enum status make_thread(unsigned i)
{
    workers[i].endpoint = worker_cap(i, WORKER_ENDPOINT);
    enum status status = source_make(OBJ_ENDPOINT, 0, workers[i].endpoint, 1);
    if (status == OK) {
        status = source_make(OBJ_SCHED, 0, worker_cap(i, WORKER_SCHED), 1);
    }
    if (status == OK) {
        status = source_make(OBJ_THREAD, 0, worker_cap(i, WORKER_THREAD), 1);
    }
    return status;
}

enum status threads_make(uint32_t service)
{
    enum status status = OK;
    workers[0].endpoint = service;
    for (unsigned i = 0; i < worker_count && status == OK; i++) {
        workers[i].reply = worker_cap(i, WORKER_REPLY);
        status = source_make(OBJ_REPLY, 0, workers[i].reply, 1);
        if (status == OK && i > 0) {
            status = make_thread(i);
        }
    }
    return status;
}

enum status threads_map_stacks(uint32_t first)
{
    enum status status = OK;
    for (uint32_t page = 0; page < (worker_count - 1) * THREAD_PAGES && status == OK; page++) {
        if (page % THREAD_PAGES != 0) {
            status = table_map(first + page, 1);
        }
    }
    return status;
}

static _Noreturn void run(struct worker *worker)
{
    enum status status = worker_run(worker);
    log_line("worker %u ends: %s", worker->index, status_words(status));
    for (;;) {
        __builtin_trap();
    }
}

static enum status start(const struct start_info *info, unsigned i, uint32_t first)
{
    uint32_t thread = worker_cap(i, WORKER_THREAD);
    uint32_t buffer = first + (i - 1) * THREAD_PAGES + 1 + STACK_PAGES;
    /* The ABI's stack at a function's entry: 8 below a multiple of 16. */
    uint64_t stack = (uint64_t)table_at(buffer) - 8;
    enum status status = sys_thread_configure(thread, SLOT_CNODE, SLOT_SPACE, SLOT_CONTROL,
                                              frame_cap(buffer), frame_offset(buffer));
    if (status == OK) {
        status = sys_thread_regs(thread, (uint64_t)run, stack, (uint64_t)&workers[i], 0, 0);
    }
    if (status == OK) {
        status = sys_sched(thread, worker_cap(i, WORKER_SCHED), info->priority, workers[i].cpu);
    }
    return status == OK ? sys_resume(thread) : status;
}

enum status threads_start(const struct start_info *info, uint32_t first)
{
    enum status status = OK;
    for (unsigned i = 1; i < worker_count && status == OK; i++) {
        status = start(info, i, first);
    }
    return status;
}
