/* manifest_property.h: the properties that a manifest may have, and how a value is read. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_MANIFEST_PROPERTY_H
#define SERVERS_INIT_MANIFEST_PROPERTY_H

#include "servers/init/manifest.h"

/* The kinds of node. */
enum { NODE_ROOT = 1 << 0, NODE_SERVER = 1 << 1, NODE_GUEST = 1 << 2 };

/* A node or property at fault, for one line of error. */
struct manifest_place {
    const char *node;
    const char *property; /* NULL: the node as a whole */
    char *error;          /* MANIFEST_ERROR_SIZE bytes */
};

/* Writes "manifest: NODE: PROPERTY: text" into place->error. The value is false. */
__attribute__((format(printf, 2, 3))) bool manifest_fail(
    const struct manifest_place *place, const char *format, ...);

/*
 * Reads the property place->property of a node of kind `node` into `target`: struct manifest for
 * the root, else struct manifest_child. False: an unknown property or a bad value; place->error
 * says so.
 */
bool manifest_property(const struct manifest_place *place, unsigned node, const void *value,
    size_t size, void *target);

/* Puts the values of properties that a node of kind `node` leaves out into `child`. */
void manifest_defaults(unsigned node, struct manifest_child *child);

#endif
