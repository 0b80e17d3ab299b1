/* manifest.c: reads the manifest, a flattened device tree, into plain structs and checks it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/manifest.h"

#include <libfdt.h>
#include <string.h>

#include "servers/init/manifest_property.h"
#include "servers/lib/bootfs.h"
#include "servers/lib/start_info.h"

#define VMM_PROGRAM     "vmm.elf"
#define VMM_UNTYPED_MIB 1u

/* Reads all properties of one node into `target`. */
static bool read_properties(
    const void *tree, int node, unsigned kind, struct manifest_place *place, void *target)
{
    int property;
    fdt_for_each_property_offset(property, tree, node)
    {
        int size;
        const void *value = fdt_getprop_by_offset(tree, property, &place->property, &size);
        if (value == NULL || size < 0) {
            place->property = NULL;
            return manifest_fail(place, "a property can't be read");
        }
        if (!manifest_property(place, kind, value, (size_t)size, target)) {
            return false;
        }
    }
    place->property = NULL;
    return true;
}

static bool compatible(const void *tree, int node, const char *word)
{
    return fdt_node_check_compatible(tree, node, word) == 0;
}

static bool check_ports(struct manifest_place *place, const struct manifest_numbers *ports)
{
    place->property = "ports";
    if (ports->count % 2 != 0) {
        return manifest_fail(place, "must be pairs of first port and number of ports");
    }
    for (uint32_t i = 0; i < ports->count; i += 2) {
        uint32_t first = ports->item[i], count = ports->item[i + 1];
        if (count == 0 || first + count > 0x10000) {
            return manifest_fail(place, "%u ports from 0x%x on: ports end at 0xffff", count, first);
        }
    }
    place->property = NULL;
    return true;
}

static bool check_budget(struct manifest_place *place, struct manifest_child *child)
{
    place->property = "budget-us";
    if ((child->budget_us == 0) != (child->period_us == 0)) {
        return manifest_fail(place, "budget-us and period-us go together");
    }
    if (child->budget_us > child->period_us) {
        return manifest_fail(place, "is larger than period-us");
    }
    place->property = NULL;
    return true;
}

/* What any server or guest must fulfil by itself. */
static bool check_child(struct manifest_place *place, struct manifest_child *child)
{
    size_t length = strlen(child->name);
    if (length >= START_NAME_SIZE) {
        return manifest_fail(
            place, "the name has %zu bytes, at most %u are allowed", length, START_NAME_SIZE - 1);
    }
    if (child->program == NULL) {
        return manifest_fail(place, "program is missing");
    }
    if (child->untyped_mib != 0 && child->untyped_rest != 0) {
        return manifest_fail(place, "untyped and untyped-mib exclude each other");
    }
    if (child->cpu < 32 && (child->cpus & 1u << child->cpu) == 0) {
        return manifest_fail(place, "cpu %u is not one of its cpus", child->cpu);
    }
    return check_ports(place, &child->ports) && check_budget(place, child);
}

/* Whether `text` is among the first `count` of a list. */
static bool lists(const struct manifest_strings *list, uint32_t count, const char *text)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list->item[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_use(struct manifest_place *place, struct manifest_child *child, const char *service)
{
    if (lists(&child->uses, child->uses.count, service)) {
        return true;
    }
    if (child->uses.count == MANIFEST_LIST_MAX) {
        return manifest_fail(place, "uses more than %u services", MANIFEST_LIST_MAX);
    }
    child->uses.item[child->uses.count++] = service;
    return true;
}

/* A guest is a VMM with certain things given: fills those in. */
static bool complete_guest(struct manifest_place *place, struct manifest_child *child)
{
    if (child->kernel == NULL) {
        return manifest_fail(place, "kernel is missing");
    }
    if (child->mem_mib == 0) {
        return manifest_fail(place, "mem-mib is missing");
    }
    if (child->program == NULL) {
        child->program = VMM_PROGRAM;
    }
    if (child->untyped_mib == 0) {
        child->untyped_mib = VMM_UNTYPED_MIB;
    }
    child->capabilities |= CAPABILITY_SPACE | CAPABILITY_THREAD;
    return add_use(place, child, MANIFEST_VMSPACE) &&
           (child->console == NULL || add_use(place, child, child->console));
}

const struct manifest_child *manifest_provider(const struct manifest *manifest, const char *service)
{
    for (uint32_t i = 0; i < manifest->count; i++) {
        const struct manifest_child *child = &manifest->child[i];
        if (lists(&child->provides, child->provides.count, service)) {
            return child;
        }
    }
    return NULL;
}

/*
 * Checks names and services of a child against those before it, which are all that `manifest`
 * counts.
 */
static bool check_against_others(struct manifest_place *place, const struct manifest *manifest,
    const struct manifest_child *child)
{
    for (uint32_t i = 0; i < manifest->count; i++) {
        if (strcmp(manifest->child[i].name, child->name) == 0) {
            return manifest_fail(place, "the name is there twice");
        }
        if (manifest->child[i].untyped_rest != 0 && child->untyped_rest != 0) {
            return manifest_fail(place, "only one can have the rest of the memory");
        }
    }
    for (uint32_t s = 0; s < child->uses.count; s++) {
        if (manifest_provider(manifest, child->uses.item[s]) == NULL) {
            return manifest_fail(place, "nobody before it provides the service \"%s\" that it uses",
                child->uses.item[s]);
        }
    }
    for (uint32_t s = 0; s < child->provides.count; s++) {
        const char *service = child->provides.item[s];
        if (manifest_provider(manifest, service) != NULL || lists(&child->provides, s, service)) {
            return manifest_fail(place, "the service \"%s\" is provided twice", service);
        }
    }
    return true;
}

static bool read_child(const void *tree, int node, struct manifest *manifest, char *error)
{
    struct manifest_place place = { .node = fdt_get_name(tree, node, NULL), .error = error };
    if (place.node == NULL || place.node[0] == 0) {
        place.node = "?";
    }
    if (manifest->count == MANIFEST_CHILD_MAX) {
        return manifest_fail(&place, "more than %u servers and guests", MANIFEST_CHILD_MAX);
    }
    bool guest = compatible(tree, node, "quire,guest");
    if (!guest && !compatible(tree, node, "quire,server")) {
        return manifest_fail(&place, "compatible must be \"quire,server\" or \"quire,guest\"");
    }
    if (fdt_first_subnode(tree, node) >= 0) {
        return manifest_fail(&place, "has a node inside, which means nothing here");
    }
    struct manifest_child *child = &manifest->child[manifest->count];
    *child = (struct manifest_child){ .name = place.node, .guest = guest };
    manifest_defaults(guest ? NODE_GUEST : NODE_SERVER, child);
    if (!read_properties(tree, node, guest ? NODE_GUEST : NODE_SERVER, &place, child) ||
        (guest && !complete_guest(&place, child)) || !check_child(&place, child) ||
        !check_against_others(&place, manifest, child)) {
        return false;
    }
    manifest->count++;
    return true;
}

bool manifest_read(
    const void *tree, size_t size, struct manifest *manifest, char error[MANIFEST_ERROR_SIZE])
{
    struct manifest_place place = { .node = "/", .error = error };
    *manifest = (struct manifest){ 0 };
    if (size > MANIFEST_SIZE_MAX) {
        return manifest_fail(
            &place, "has %zu bytes, at most %u are allowed", size, MANIFEST_SIZE_MAX);
    }
    int broken = fdt_check_full(tree, size);
    if (broken != 0) {
        return manifest_fail(&place, "not a device tree: %s", fdt_strerror(broken));
    }
    if (!compatible(tree, 0, "quire,manifest")) {
        return manifest_fail(&place, "compatible must be \"quire,manifest\"");
    }
    if (!read_properties(tree, 0, NODE_ROOT, &place, manifest)) {
        return false;
    }
    int node;
    fdt_for_each_subnode(node, tree, 0)
    {
        if (!read_child(tree, node, manifest, error)) {
            return false;
        }
    }
    return manifest->count > 0 || manifest_fail(&place, "there is nothing to start");
}

bool manifest_check_files(const struct manifest *manifest, const void *archive, size_t size,
    char error[MANIFEST_ERROR_SIZE])
{
    for (uint32_t i = 0; i < manifest->count; i++) {
        const struct manifest_child *child = &manifest->child[i];
        struct manifest_strings names = child->files;
        const char *more[] = { child->program, child->kernel, child->initrd };
        const struct manifest_place place = { .node = child->name, .error = error };
        struct bootfs_file file;
        for (uint32_t n = 0; n < names.count; n++) {
            if (!bootfs_find(archive, size, names.item[n], &file)) {
                return manifest_fail(&place, "no file \"%.60s\" in the boot image", names.item[n]);
            }
        }
        for (size_t n = 0; n < sizeof(more) / sizeof(more[0]); n++) {
            if (more[n] != NULL && !bootfs_find(archive, size, more[n], &file)) {
                return manifest_fail(&place, "no file \"%.60s\" in the boot image", more[n]);
            }
        }
    }
    return true;
}
