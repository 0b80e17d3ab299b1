/* manifest_property.c: the table of properties that a manifest may have, and how they are read. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/manifest_property.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "servers/lib/layout.h"
#include "servers/lib/start_info.h"

enum property_kind {
    KIND_TEXT,    /* one string of `low` to `high` bytes */
    KIND_TEXTS,   /* strings, each of `low` to `high` bytes */
    KIND_NUMBER,  /* one cell from `low` to `high` */
    KIND_NUMBERS, /* cells, each from `low` to `high` */
    KIND_FLAG,    /* no value */
    KIND_CHOICE,  /* one of `words`: its index */
    KIND_SET,     /* some of `words`: a bit for each */
    KIND_IGNORED  /* looked at elsewhere */
};

struct property {
    const char *name;
    uint16_t nodes; /* NODE_ bits: where it may be */
    uint16_t kind;
    uint32_t offset; /* of its field in the target */
    uint32_t low, high;
    uint32_t otherwise;       /* KIND_NUMBER: the value if it is left out */
    const char *const *words; /* KIND_CHOICE, KIND_SET: ends with NULL */
};

static const char *const done_words[] = { "stay", "reset", "halt", NULL };
static const char *const reset_words[] = { "stop", "restart", NULL };
static const char *const rest_words[] = { "rest", NULL };
static const char *const capability_words[] = { "space", "thread", "counters", "reset", "raw",
    NULL };

#define FIELD(name)     offsetof(struct manifest_child, name)
#define ANY_CHILD       (NODE_SERVER | NODE_GUEST)
#define NAME_MAX_LENGTH (START_NAME_SIZE - 1)
#define PATH_MAX_LENGTH 200

static const struct property properties[] = {
    { "compatible", NODE_ROOT | ANY_CHILD, KIND_IGNORED, 0, 0, 0, 0, NULL },
    { "when-done", NODE_ROOT, KIND_CHOICE, offsetof(struct manifest, when_done), 0, 0, 0,
        done_words },
    { "program", ANY_CHILD, KIND_TEXT, FIELD(program), 1, PATH_MAX_LENGTH, 0, NULL },
    { "args", NODE_SERVER, KIND_TEXT, FIELD(args), 0, START_ARGS_SIZE - 1, 0, NULL },
    { "cmdline", NODE_GUEST, KIND_TEXT, FIELD(args), 0, START_ARGS_SIZE - 1, 0, NULL },
    { "provides", NODE_SERVER, KIND_TEXTS, FIELD(provides), 1, NAME_MAX_LENGTH, 0, NULL },
    { "uses", ANY_CHILD, KIND_TEXTS, FIELD(uses), 1, NAME_MAX_LENGTH, 0, NULL },
    { "files", ANY_CHILD, KIND_TEXTS, FIELD(files), 1, NAME_MAX_LENGTH, 0, NULL },
    { "irq", NODE_SERVER, KIND_NUMBERS, FIELD(irq), 0, 255, 0, NULL },
    { "ports", NODE_SERVER, KIND_NUMBERS, FIELD(ports), 0, 0x10000, 0, NULL },
    { "capabilities", NODE_SERVER, KIND_SET, FIELD(capabilities), 0, 0, 0, capability_words },
    { "untyped-mib", ANY_CHILD, KIND_NUMBER, FIELD(untyped_mib), 1, 1 << 20, 0, NULL },
    { "untyped", NODE_SERVER, KIND_CHOICE, FIELD(untyped_rest), 1, 0, 0, rest_words },
    { "heap-kib", ANY_CHILD, KIND_NUMBER, FIELD(heap_kib), 0, LAYOUT_HEAP_MAX >> 10, 256, NULL },
    { "cnode-bits", ANY_CHILD, KIND_NUMBER, FIELD(cnode_bits), 7, 16, 8, NULL },
    { "priority", NODE_SERVER, KIND_NUMBER, FIELD(priority), 1, 126, 100, NULL },
    { "priority", NODE_GUEST, KIND_NUMBER, FIELD(priority), 1, 126, 50, NULL },
    { "cpu", ANY_CHILD, KIND_NUMBER, FIELD(cpu), 0, 31, 0, NULL },
    { "cpus", ANY_CHILD, KIND_NUMBER, FIELD(cpus), 1, UINT32_MAX, UINT32_MAX, NULL },
    { "budget-us", ANY_CHILD, KIND_NUMBER, FIELD(budget_us), 1, 60000000, 0, NULL },
    { "period-us", ANY_CHILD, KIND_NUMBER, FIELD(period_us), 1, 60000000, 0, NULL },
    { "restart", ANY_CHILD, KIND_FLAG, FIELD(restart), 0, 0, 0, NULL },
    { "watch-clients", NODE_SERVER, KIND_FLAG, FIELD(watch_clients), 0, 0, 0, NULL },
    { "kernel", NODE_GUEST, KIND_TEXT, FIELD(kernel), 1, PATH_MAX_LENGTH, 0, NULL },
    { "initrd", NODE_GUEST, KIND_TEXT, FIELD(initrd), 1, PATH_MAX_LENGTH, 0, NULL },
    { "console", NODE_GUEST, KIND_TEXT, FIELD(console), 1, NAME_MAX_LENGTH, 0, NULL },
    { "mem-mib", NODE_GUEST, KIND_NUMBER, FIELD(mem_mib), 1, 1 << 20, 0, NULL },
    { "vcpus", NODE_GUEST, KIND_NUMBER, FIELD(vcpus), 1, 4, 1, NULL },
    { "on-reset", NODE_GUEST, KIND_CHOICE, FIELD(on_reset), 0, 0, 0, reset_words },
    { "runs", NODE_GUEST, KIND_NUMBER, FIELD(runs), 1, 1000000, 1, NULL },
};
#define PROPERTY_COUNT (sizeof(properties) / sizeof(properties[0]))

bool manifest_fail(const struct manifest_place *place, const char *format, ...)
{
    int length = snprintf(place->error, MANIFEST_ERROR_SIZE, "manifest: %.40s: %.40s%s",
        place->node, place->property != NULL ? place->property : "",
        place->property != NULL ? ": " : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place->error + length, MANIFEST_ERROR_SIZE - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

/* Device-tree cells are big-endian and aligned to 4 at best. */
static uint32_t cell(const void *value, size_t index)
{
    const uint8_t *byte = (const uint8_t *)value + 4 * index;
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static bool check_number(
    const struct manifest_place *place, const struct property *p, uint32_t number)
{
    if (number < p->low) {
        return manifest_fail(place, "%u is too small: %u at least", number, p->low);
    }
    if (number > p->high) {
        return manifest_fail(place, "%u is too large: %u at most", number, p->high);
    }
    return true;
}

static bool read_number(const struct manifest_place *place, const struct property *p,
    const void *value, size_t size, uint32_t *number)
{
    if (size != 4) {
        return manifest_fail(place, "must be one number of 32 bits");
    }
    *number = cell(value, 0);
    return check_number(place, p, *number);
}

static bool read_numbers(const struct manifest_place *place, const struct property *p,
    const void *value, size_t size, struct manifest_numbers *list)
{
    if (size == 0 || size % 4 != 0 || size / 4 > MANIFEST_LIST_MAX) {
        return manifest_fail(place, "must be 1 to %u numbers of 32 bits", MANIFEST_LIST_MAX);
    }
    list->count = (uint32_t)(size / 4);
    for (uint32_t i = 0; i < list->count; i++) {
        list->item[i] = cell(value, i);
        if (!check_number(place, p, list->item[i])) {
            return false;
        }
    }
    return true;
}

/*
 * Splits a property into strings, each ended by a zero byte and printable, and checks their
 * lengths.
 */
static bool read_texts(const struct manifest_place *place, const struct property *p,
    const char *value, size_t size, struct manifest_strings *list)
{
    if (size == 0 || value[size - 1] != 0) {
        return manifest_fail(place, "must be text");
    }
    *list = (struct manifest_strings){ 0 };
    for (size_t at = 0; at < size; at += strlen(value + at) + 1) {
        const char *text = value + at;
        size_t length = strlen(text);
        if (list->count == MANIFEST_LIST_MAX) {
            return manifest_fail(place, "has more than %u entries", MANIFEST_LIST_MAX);
        }
        if (length < p->low || length > p->high) {
            return manifest_fail(
                place, "a text has %zu bytes, must have %u to %u", length, p->low, p->high);
        }
        for (const char *c = text; *c != 0; c++) {
            if (*c < 0x20 || *c > 0x7e) {
                return manifest_fail(place, "has a byte that is not printable ASCII");
            }
        }
        list->item[list->count++] = text;
    }
    return true;
}

static bool read_text(const struct manifest_place *place, const struct property *p,
    const void *value, size_t size, const char **text)
{
    struct manifest_strings list;
    if (!read_texts(place, p, value, size, &list)) {
        return false;
    }
    *text = list.item[0];
    return list.count == 1 || manifest_fail(place, "must be one text");
}

/* Finds each text among p->words: a set of bits, or for KIND_CHOICE p->low plus the index. */
static bool read_words(const struct manifest_place *place, const struct property *p,
    const void *value, size_t size, uint32_t *result)
{
    static const struct property any = { .low = 0, .high = UINT32_MAX };
    struct manifest_strings list;
    if (!read_texts(place, &any, value, size, &list)) {
        return false;
    }
    if (p->kind == KIND_CHOICE && list.count != 1) {
        return manifest_fail(place, "must be one word");
    }
    *result = 0;
    for (uint32_t i = 0; i < list.count; i++) {
        uint32_t word = 0;
        while (p->words[word] != NULL && strcmp(p->words[word], list.item[i]) != 0) {
            word++;
        }
        if (p->words[word] == NULL) {
            return manifest_fail(
                place, "\"%.40s\" is none of the words that it may be", list.item[i]);
        }
        *result |= p->kind == KIND_SET ? 1u << word : p->low + word;
    }
    return true;
}

static bool read_flag(const struct manifest_place *place, size_t size, uint32_t *flag)
{
    *flag = 1;
    return size == 0 || manifest_fail(place, "takes no value");
}

static bool read_value(const struct manifest_place *place, const struct property *p,
    const void *value, size_t size, void *field)
{
    switch ((enum property_kind)p->kind) {
    case KIND_TEXT:
        return read_text(place, p, value, size, field);
    case KIND_TEXTS:
        return read_texts(place, p, value, size, field);
    case KIND_NUMBER:
        return read_number(place, p, value, size, field);
    case KIND_NUMBERS:
        return read_numbers(place, p, value, size, field);
    case KIND_FLAG:
        return read_flag(place, size, field);
    case KIND_CHOICE:
    case KIND_SET:
        return read_words(place, p, value, size, field);
    case KIND_IGNORED:
        return true;
    }
    return false;
}

bool manifest_property(
    const struct manifest_place *place, unsigned node, const void *value, size_t size, void *target)
{
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        const struct property *p = &properties[i];
        if (strcmp(p->name, place->property) == 0 && (p->nodes & node) != 0) {
            return read_value(place, p, value, size, (char *)target + p->offset);
        }
    }
    return manifest_fail(place, "unknown property");
}

void manifest_defaults(unsigned node, struct manifest_child *child)
{
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        const struct property *p = &properties[i];
        if (p->kind == KIND_NUMBER && (p->nodes & node) != 0) {
            memcpy((char *)child + p->offset, &p->otherwise, sizeof(p->otherwise));
        }
    }
}
