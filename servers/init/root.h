/* root.h: all that the root task knows: the machine, the manifest, the children, the services. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_ROOT_H
#define SERVERS_INIT_ROOT_H

#include <stdint.h>
#include "kernel/abi/boot.h"
#include "servers/init/child.h"
#include "servers/init/manifest.h"

#define SERVICE_MAX 32u

/* A service outlives its provider: who uses it never sees another endpoint. */
struct service {
    const char *name;
    uint32_t endpoint; /* slot: an Endpoint of init's own */
    uint32_t provider; /* child number */
};

struct root {
    const struct boot_info *boot;
    struct manifest manifest;
    uint32_t control; /* Endpoint: faults of children, and servers/lib/control.h */
    uint32_t reply;
    uint64_t epoch, epoch_tsc; /* see struct start_info */
    uint32_t service_count;
    struct service service[SERVICE_MAX];
    struct child child[MANIFEST_CHILD_MAX]; /* child number less 1 */
};

/* The service of that name, or NULL. */
const struct service *root_service(const struct root *root, const char *name);

/* Whether `child` uses a service that child `provider` provides. */
bool root_uses(const struct root *root, const struct child *child, uint32_t provider);

/* The child of that number, or NULL. */
struct child *root_child(struct root *root, uint64_t number);

#endif
