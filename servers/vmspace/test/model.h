/* model.h: a small model of the kernel, for vmspace's host tests. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_TEST_MODEL_H
#define SERVERS_VMSPACE_TEST_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/lib/start_info.h"
#include "servers/vmspace/kernel.h"

/*
 * Written from kernel/abi alone, and simple: each system call is one step under one lock, a map is
 * an entry in one flat table. Memory is real: a map into vmspace's own Space can be used by the
 * code under test, and one that was undone faults. Worker and service threads are threads of the
 * host.
 */

#define MODEL_FREE_SLOT 100u
#define MODEL_SERVICE   50u /* START_SERVE */
#define MODEL_EVENTS    51u /* START_EVENTS */
#define MODEL_UNTYPED   60u /* the first START_UNTYPED */
#define MODEL_CHILDREN  8u  /* clients 1 to 8 */

/* Sizes (log2 of bytes) of the Untypeds that vmspace gets; 0 ends. */
struct model_setup {
    unsigned untyped_bits[8];
    unsigned cpus;
    uint64_t allowance; /* of each child, bytes */
};

/* Starts vmspace on a fresh kernel; the value is what startup() gave as total. Stops the test if it
 * fails. */
uint64_t model_start(const struct model_setup *setup);

/* Ends all threads and forgets everything. */
void model_stop(void);

/* The start page that vmspace got. */
struct start_info *model_info(void);

/* What a VMM got: numbers of capabilities in the model. */
struct model_guest {
    uint32_t child;
    int space;     /* nested Space, SP_ASSIGN */
    int nested[8]; /* endpoint for nested faults, by CPU */
    int window[8]; /* fault endpoint for threads, by CPU */
};

/* A call to the service as that child; `m` holds the answer. The value is the answer's label. */
enum status model_call(uint32_t child, uint64_t label, uint64_t a, uint64_t b, uint64_t c,
                       struct message *m);

/* VMS_CREATE with the child's own Space, whose capability has those rights; and VMS_ENDPOINTS for
 * each CPU. */
enum status model_create(uint32_t child, uint64_t limit, unsigned rights,
                         struct model_guest *guest);

/* How an access ended. */
enum touch { TOUCH_DONE, TOUCH_DEVICE, TOUCH_STOPPED, TOUCH_WAITS };

/*
 * The guest, on that CPU, reads or writes 8 bytes at an address, with faults served as the kernel
 * would. TOUCH_WAITS: no answer came although all of vmspace rests; the faulter stays where it is,
 * and model_finish() takes it up again.
 */
enum touch model_touch(const struct model_guest *guest, unsigned cpu, uint64_t gpa, unsigned access,
                       uint64_t *value);

/* The same by the VMM in its window. `cpu` -1: its first thread, whose fault endpoint is the
 * service. */
enum touch model_touch_window(const struct model_guest *guest, int cpu, uint64_t address,
                              unsigned access, uint64_t *value);

/*
 * A message to the worker of that CPU, as if through an endpoint with that badge; the value is the
 * answer's label. `tag` without TAG_KERNEL is what any client can send.
 */
uint64_t model_send(unsigned cpu, uint32_t badge, uint64_t tag, uint64_t address, uint64_t access);

/* The badge of the guest's endpoint for nested faults on CPU 0. */
uint32_t model_badge(const struct model_guest *guest);

/* Whether the faulter that waited was answered: as model_touch() would have ended, or TOUCH_WAITS
 * still. */
enum touch model_finish(void);

/* Init says that the child ended; returns when vmspace rests. The VMM's Space dies before, or
 * after. */
void model_end_child(uint32_t child, bool space_first);

/* The physical page mapped there (0: none), in a nested Space or a child's own. */
uint32_t model_mapped_guest(const struct model_guest *guest, uint64_t gpa);
uint32_t model_mapped_window(uint32_t child, uint64_t address);

/* Puts a page of the child's own into its Space. */
void model_map_foreign(uint32_t child, uint64_t address);

struct model_figures {
    uint64_t mapped; /* maps in all Spaces but vmspace's own */
    uint64_t spaces; /* nested Spaces alive */
    uint64_t
        unsafe; /* maps of memory that was mapped nowhere, without clearing it: must stay 0 (I31) */
    uint64_t busy;     /* MAP_FRESH refused */
    uint64_t reports;  /* CTL_DIED */
    uint64_t released; /* CTL_RELEASED */
    uint64_t log_lines;
    uint64_t maps;    /* SYS_MAP and SYS_MAP_REPLY_RECV that succeeded, own Space apart */
    uint64_t lacking; /* E_RESERVE */
};
struct model_figures model_figures(void);

/* The last message that init got of CTL_DIED. */
struct message model_last_report(void);

/* Whether some line of the log since the start has this text. */
bool model_logged(const char *text);

#endif
