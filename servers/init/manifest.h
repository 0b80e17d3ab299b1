/* manifest.h: what the manifest (doc/manifest.md) says, checked, in plain structs. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_MANIFEST_H
#define SERVERS_INIT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "servers/lib/control.h"

#define MANIFEST_SIZE_MAX   65536u
#define MANIFEST_CHILD_MAX  CHILD_NUMBER_MAX
#define MANIFEST_LIST_MAX   8u
#define MANIFEST_ERROR_SIZE 160u
#define MANIFEST_VMSPACE    "vmspace" /* the service that all guests use */

/* What happens when the last guest has ended for good. */
enum when_done { DONE_STAY, DONE_RESET, DONE_HALT };

/* What happens when a guest resets itself. */
enum on_reset { RESET_STOP, RESET_RESTART };

/* Rights beyond the ordinary: the words of the property "capabilities". */
enum manifest_capability {
    CAPABILITY_SPACE = 1 << 0,    /* "space": its own Space, all rights */
    CAPABILITY_THREAD = 1 << 1,   /* "thread": its own thread, all rights */
    CAPABILITY_COUNTERS = 1 << 2, /* "counters": PL_COUNTERS */
    CAPABILITY_RESET = 1 << 3,    /* "reset": PL_RESET */
    CAPABILITY_RAW = 1 << 4       /* "raw": UT_RAW in its Untypeds */
};

struct manifest_strings {
    uint32_t count;
    const char *item[MANIFEST_LIST_MAX];
};

struct manifest_numbers {
    uint32_t count;
    uint32_t item[MANIFEST_LIST_MAX];
};

/* A server, driver or guest. Strings lie in the manifest's memory; NULL where nothing was said. */
struct manifest_child {
    const char *name;
    uint32_t guest;   /* 1: a guest, which a VMM runs */
    const char *program;
    const char *args; /* `cmdline` of a guest */
    struct manifest_strings provides;
    struct manifest_strings uses; /* each is provided by a child before this one */
    struct manifest_strings files;
    struct manifest_numbers irq;
    struct manifest_numbers ports; /* pairs: first port, number of ports */
    uint32_t capabilities;         /* CAPABILITY_ bits */
    uint32_t untyped_mib;
    uint32_t untyped_rest; /* 1: all memory that is left over */
    uint32_t heap_kib;
    uint32_t cnode_bits;
    uint32_t priority;
    uint32_t cpu;                  /* of its first thread */
    uint32_t cpus;                 /* mask */
    uint32_t budget_us, period_us; /* equal: no limit */
    uint32_t restart;              /* 1: start it again when it dies */
    uint32_t watch_clients;        /* 1: hears of ended clients, and init waits for it */
    const char *kernel, *initrd;
    const char *console; /* service that the guest's console is */
    uint32_t mem_mib;
    uint32_t vcpus;
    uint32_t on_reset; /* enum on_reset */
    uint32_t runs;     /* how often the guest is run in all */
};

struct manifest {
    uint32_t when_done; /* enum when_done */
    uint32_t count;
    struct manifest_child child[MANIFEST_CHILD_MAX];
};

/*
 * Reads a flattened device tree of `size` bytes, which may be anything, at an address aligned to 8.
 * False: `error` has one line that names node and property, and `manifest` is not to be used.
 */
bool manifest_read(
    const void *tree, size_t size, struct manifest *manifest, char error[MANIFEST_ERROR_SIZE]);

/* Checks that all programs and files named are in the boot file system. False: as above. */
bool manifest_check_files(const struct manifest *manifest, const void *archive, size_t size,
    char error[MANIFEST_ERROR_SIZE]);

/* The child that provides a service, or NULL. */
const struct manifest_child *manifest_provider(
    const struct manifest *manifest, const char *service);

#endif
