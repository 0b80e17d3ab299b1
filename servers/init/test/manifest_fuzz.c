/* manifest_fuzz.c: any bytes as a manifest, and any tree made from them. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/init/manifest.c servers/init/manifest_property.c servers/lib/bootfs.c */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "servers/init/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t used;

static void check_list(const struct manifest_strings *list)
{
    if (list->count > MANIFEST_LIST_MAX) {
        abort();
    }
    for (uint32_t i = 0; i < list->count; i++) {
        used += strlen(list->item[i]);
    }
}

static void check_text(const char *text)
{
    used += text != NULL ? strlen(text) : 0;
}

static const char *const names[] = { "compatible", "when-done", "program", "args", "cmdline",
    "provides", "uses", "files", "irq", "ports", "capabilities", "untyped-mib", "untyped",
    "heap-kib", "cnode-bits", "priority", "cpu", "cpus", "budget-us", "period-us", "restart",
    "watch-clients", "kernel", "initrd", "console", "mem-mib", "vcpus", "on-reset", "runs" };
static const char *const values[] = { "quire,manifest", "quire,server", "quire,guest", "vmspace",
    "stay", "restart", "rest", "thread" };
#define COUNT(table) (sizeof(table) / sizeof(table[0]))

/*
 * Makes a well-formed tree from the bytes, so that more than the header's checks is reached: each
 * operation is a byte that says what, and for a property a name, and a value from the table or from
 * the bytes.
 */
static size_t build(const uint8_t *data, size_t size, char *tree, size_t room)
{
    unsigned depth = 1, nodes = 0;
    fdt_create(tree, (int)room);
    fdt_finish_reservemap(tree);
    fdt_begin_node(tree, "");
    for (size_t at = 0; at + 2 < size;) {
        uint8_t what = data[at], which = data[at + 1];
        at += 2;
        if (what < 40 && depth < 4) {
            char name[40];
            snprintf(name, sizeof(name), "n%u%.*s", nodes++ % 50, which % 30,
                "abcdefghijklmnopqrstuvwxyzabcdef");
            fdt_begin_node(tree, name);
            depth++;
        } else if (what < 80 && depth > 1) {
            fdt_end_node(tree);
            depth--;
        } else if (what < 150) {
            fdt_property_string(tree, names[which % COUNT(names)], values[what % COUNT(values)]);
        } else {
            size_t length = what % 33 < size - at ? what % 33 : size - at;
            fdt_property(tree, names[which % COUNT(names)], data + at, (int)length);
            at += length;
        }
    }
    while (depth-- > 0) {
        fdt_end_node(tree);
    }
    return fdt_finish(tree) == 0 ? fdt_totalsize(tree) : 0;
}

static void read_tree(const char *tree, size_t size)
{
    static struct manifest manifest;
    char error[MANIFEST_ERROR_SIZE] = "";
    if (!manifest_read(tree, size, &manifest, error)) {
        if (memchr(error, 0, sizeof(error)) == NULL || strncmp(error, "manifest: ", 10) != 0) {
            abort();
        }
        return;
    }
    for (uint32_t i = 0; i < manifest.count; i++) {
        const struct manifest_child *child = &manifest.child[i];
        check_text(child->name);
        check_text(child->program);
        check_text(child->args);
        check_text(child->kernel);
        check_text(child->initrd);
        check_text(child->console);
        check_list(&child->provides);
        check_list(&child->uses);
        check_list(&child->files);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(8) char built[16384];
    char *tree = aligned_alloc(8, (size + 8) & ~(size_t)7);
    memcpy(tree, data, size);
    read_tree(tree, size);
    free(tree);
    read_tree(built, build(data, size, built, sizeof(built)));
    return 0;
}
