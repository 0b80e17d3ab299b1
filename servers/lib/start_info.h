/* start_info.h: the page in which init tells a process its name, arguments and capabilities. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_START_INFO_H
#define SERVERS_LIB_START_INFO_H

#include <stddef.h>
#include <stdint.h>

#define START_INFO_MAGIC 0x5155495245535441ull /* "QUIRESTA" */
#define START_NAME_SIZE  24
#define START_ARGS_SIZE  1024
#define START_ENTRY_MAX  52

/* What an entry of the table is. `cap` is 0 in those that are not capabilities. */
enum start_kind {
    START_NONE = 0,
    START_SERVE,   /* cap: Endpoint of the service `name` that this process provides, EP_RECV */
    START_USE,     /* cap: Endpoint of the service `name` that it uses, EP_CALL | EP_GRANT,
                      badge = its child number */
    START_UNTYPED, /* cap: Untyped; address = physical address, size = bytes */
    START_IRQ,     /* cap: IrqHandler; address = global system interrupt */
    START_PORTS,   /* cap: IoPorts; address = first port, size = number of ports */
    START_EVENTS,  /* cap: Notification, NT_SIGNAL | NT_WAIT: its bit n says that child n ended
                      (control.h) */
    START_FILE,    /* a file, mapped read-only: address and size in bytes */
    START_CLIENT,  /* who may call the services provided here: name, address = its child number (the
                      badge), size = bytes of guest memory that the manifest allows it (0: not a
                      guest) */
    START_VALUE    /* a number of the manifest: name, size = the number */
};

struct start_entry {
    char name[START_NAME_SIZE]; /* always ends with a zero byte */
    uint32_t kind;              /* enum start_kind */
    uint32_t cap;
    uint64_t address;
    uint64_t size;
};

struct start_info {
    uint64_t magic;
    char name[START_NAME_SIZE]; /* of this process, as in the manifest */
    uint32_t number;            /* child number: its badge everywhere */
    uint32_t entry_count;
    uint32_t free_slot; /* this and all higher slots of SLOT_CNODE are free */
    uint32_t cnode_bits;
    uint32_t priority; /* of its first thread */
    uint32_t cpu;      /* of its first thread */
    uint64_t cpus;     /* mask of CPUs that it may use */
    uint64_t tsc_hz;
    uint64_t epoch; /* seconds since 1970 when the TSC was `epoch_tsc`; 0: unknown */
    uint64_t epoch_tsc;
    uint64_t heap_size; /* bytes from LAYOUT_HEAP */
    uint32_t features;  /* BOOT_HAS_ (kernel/abi/boot.h) */
    uint32_t reserved;
    char args[START_ARGS_SIZE]; /* `args` of a server, `cmdline` of a guest; ends with a zero */
    struct start_entry entry[START_ENTRY_MAX];
};
_Static_assert(sizeof(struct start_info) <= 4096, "start information fits a page");

/* The nth (from 0) entry of that kind and name (any, if `name` is NULL). NULL: there is none. */
const struct start_entry *start_find(
    const struct start_info *info, enum start_kind kind, const char *name, unsigned nth);

/* The capability of the first entry of that kind and name, or 0 (CPTR_NONE). */
uint32_t start_cap(const struct start_info *info, enum start_kind kind, const char *name);

/* The number called `name` (START_VALUE), or `otherwise` if the manifest gave none. */
uint64_t start_value(const struct start_info *info, const char *name, uint64_t otherwise);

#endif
