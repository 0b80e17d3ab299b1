/* model.c: the kernel's model: starts vmspace on it, and plays its guests, VMMs and init. */
/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "servers/vmspace/test/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/abi/boot.h"
#include "servers/lib/log.h"
#include "servers/lib/slots.h"
#include "servers/vmspace/service.h"
#include "servers/vmspace/startup.h"
#include "servers/vmspace/test/model_state.h"
#include "servers/vmspace/worker.h"

#define RAM_BYTES (1ull << 27)

static struct start_info info;
static pthread_t threads[WORKER_MAX];
int model_service;
static uint64_t total;
int model_own_space[MODEL_CHILDREN + 1]; /* capability of each child to its Space; -1 */
static char log_text[1 << 16];

void log_line(const char *format, ...)
{
    va_list arguments;
    pthread_mutex_lock(&model_lock);
    size_t length = strlen(log_text);
    va_start(arguments, format);
    vsnprintf(log_text + length, sizeof log_text - length, format, arguments);
    va_end(arguments);
    model_numbers.log_lines++;
    pthread_mutex_unlock(&model_lock);
}

const char *status_words(uint64_t status)
{
    static char text[16];
    snprintf(text, sizeof text, "%llu", (unsigned long long)status);
    return text;
}

bool model_logged(const char *text)
{
    pthread_mutex_lock(&model_lock);
    bool found = strstr(log_text, text) != NULL;
    pthread_mutex_unlock(&model_lock);
    return found;
}

static void add_entry(const char *name, enum start_kind kind, uint32_t cap, uint64_t address,
                      uint64_t size)
{
    struct start_entry *entry = &info.entry[info.entry_count++];
    snprintf(entry->name, sizeof entry->name, "%s", name);
    entry->kind = kind;
    entry->cap = cap;
    entry->address = address;
    entry->size = size;
}

static void fill_info(const struct model_setup *setup)
{
    uint64_t page = 4096; /* physical memory begins at 16 MiB: page 0 means "none" */
    info = (struct start_info){
        .magic = START_INFO_MAGIC,
        .name = "vmspace",
        .number = 9,
        .free_slot = MODEL_FREE_SLOT,
        .cnode_bits = 10,
        .priority = 100,
        .cpus = (1ull << setup->cpus) - 1,
        .features = BOOT_HAS_VMX,
    };
    add_entry("vmspace", START_SERVE, MODEL_SERVICE, 0, 0);
    add_entry("events", START_EVENTS, MODEL_EVENTS, 0, 0);
    for (unsigned i = 0; setup->untyped_bits[i] != 0; i++) {
        uint64_t size = 1ull << (setup->untyped_bits[i] - 12);
        int object = model_new_object(OBJ_UNTYPED, setup->untyped_bits[i], -1);
        page = (page + size - 1) & ~(size - 1);
        model_objects[object].base = page;
        page += size;
        model_new_cap(MODEL_UNTYPED + i, object, -1, RIGHTS_ALL, 0);
        add_entry("memory", START_UNTYPED, MODEL_UNTYPED + i, 0, size << 12);
    }
    if (page << 12 > RAM_BYTES) {
        abort();
    }
    for (unsigned i = 1; i <= MODEL_CHILDREN; i++) {
        add_entry("guest", START_CLIENT, 0, i, setup->allowance);
        model_own_space[i] = -1;
    }
}

static void *run_worker(void *context)
{
    worker_run(context);
    return NULL;
}

static void *run_service(void *context)
{
    (void)context;
    service_run(&info, &model_buffer, total);
    return NULL;
}

static void wait_for_rest(void)
{
    while (!model_rests()) {
        pthread_cond_wait(&model_change, &model_lock);
    }
}

uint64_t model_start(const struct model_setup *setup)
{
    uint32_t stacks;
    model_cap_reset();
    model_map_reset();
    log_text[0] = '\0';
    model_ram_file = memfd_create("ram", 0);
    if (model_ram_file < 0 || ftruncate(model_ram_file, RAM_BYTES) != 0) {
        abort();
    }
    model_ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, model_ram_file, 0);
    /* What was in memory before: nobody may ever see it. */
    memset(model_ram, 0xa5, RAM_BYTES);
    int own = model_new_object(OBJ_SPACE, SPACE_BITS, -1);
    model_objects[own].own = true;
    model_new_cap(SLOT_SPACE, own, -1, RIGHTS_ALL, 0);
    model_service = model_new_object(OBJ_ENDPOINT, ENDPOINT_BITS, -1);
    model_new_cap(MODEL_SERVICE, model_service, -1, EP_RECV, 0);
    fill_info(setup);
    enum status status = startup(&info, &total, &stacks);
    if (status != OK) {
        fprintf(stderr, "startup: %s\n", log_text);
        exit(1);
    }
    for (unsigned i = 1; i < worker_count; i++) {
        pthread_create(&threads[i], NULL, run_worker, &workers[i]);
    }
    pthread_create(&threads[0], NULL, run_service, NULL);
    pthread_mutex_lock(&model_lock);
    wait_for_rest();
    pthread_mutex_unlock(&model_lock);
    return total;
}

void model_stop(void)
{
    pthread_mutex_lock(&model_lock);
    model_ending = true;
    pthread_cond_broadcast(&model_change);
    pthread_mutex_unlock(&model_lock);
    for (unsigned i = 0; i < worker_count; i++) {
        pthread_join(threads[i], NULL);
    }
}

struct start_info *model_info(void)
{
    return &info;
}

void model_call_at(int endpoint, struct model_caller *caller)
{
    pthread_mutex_lock(&model_lock);
    model_enqueue(endpoint, caller);
    while (!caller->answered) {
        pthread_cond_wait(&model_change, &model_lock);
    }
    pthread_mutex_unlock(&model_lock);
}

struct model_caller model_new_caller(uint32_t badge, uint64_t tag, uint64_t a, uint64_t b,
                                     uint64_t c)
{
    return (struct model_caller){
        .m = { .badge = badge, .tag = tag, .word = { a, b, c, 0 } },
        .give = -1,
        .got = { -1, -1, -1, -1 },
    };
}

enum status model_call(uint32_t child, uint64_t label, uint64_t a, uint64_t b, uint64_t c,
                       struct message *m)
{
    struct model_caller caller = model_new_caller(child, TAG(label, 4), a, b, c);
    model_call_at(model_service, &caller);
    if (m != NULL) {
        *m = caller.m;
    }
    return (enum status)tag_label(caller.m.tag);
}

enum status model_create(uint32_t child, uint64_t limit, unsigned rights, struct model_guest *guest)
{
    *guest = (struct model_guest){ .child = child };
    pthread_mutex_lock(&model_lock);
    if (model_own_space[child] < 0) {
        int object = model_new_object(OBJ_SPACE, SPACE_BITS, -1);
        model_objects[object].reserve = 1;
        model_own_space[child] = model_new_cap(0, object, -1, RIGHTS_ALL, 0);
    }
    model_caps[model_own_space[child]].rights = rights;
    pthread_mutex_unlock(&model_lock);
    struct model_caller caller = model_new_caller(child, TAG(VMS_CREATE, 1), limit, 0, 0);
    caller.give = model_own_space[child];
    model_call_at(model_service, &caller);
    guest->space = caller.got[0];
    enum status status = (enum status)tag_label(caller.m.tag);
    for (unsigned cpu = 0; cpu + 1 < worker_count && status == OK; cpu++) {
        caller = model_new_caller(child, TAG(VMS_ENDPOINTS, 1), cpu, 0, 0);
        model_call_at(model_service, &caller);
        guest->nested[cpu] = caller.got[0];
        guest->window[cpu] = caller.got[1];
        status = (enum status)tag_label(caller.m.tag);
    }
    return status;
}

static void kill_model_own_space(uint32_t child)
{
    if (model_own_space[child] >= 0) {
        model_drop_children(model_own_space[child]);
        model_drop_cap(model_own_space[child]);
        model_own_space[child] = -1;
    }
}

void model_end_child(uint32_t child, bool space_first)
{
    struct model_caller *caller = malloc(sizeof *caller);
    *caller = model_new_caller(1u << child, TAG(KL_NOTIFICATION, 0) | TAG_KERNEL, 0, 0, 0);
    caller->notification = true;
    pthread_mutex_lock(&model_lock);
    if (space_first) {
        kill_model_own_space(child);
    }
    model_enqueue(model_service, caller);
    wait_for_rest();
    kill_model_own_space(child);
    pthread_mutex_unlock(&model_lock);
}

uint32_t model_mapped_guest(const struct model_guest *guest, uint64_t gpa)
{
    pthread_mutex_lock(&model_lock);
    uint64_t page = model_lookup(model_caps[guest->space].object, gpa, NULL);
    pthread_mutex_unlock(&model_lock);
    return (uint32_t)page;
}

uint32_t model_mapped_window(uint32_t child, uint64_t address)
{
    pthread_mutex_lock(&model_lock);
    uint64_t page = model_lookup(model_caps[model_own_space[child]].object, address, NULL);
    pthread_mutex_unlock(&model_lock);
    return (uint32_t)page;
}

void model_map_foreign(uint32_t child, uint64_t address)
{
    uint64_t lacking;
    pthread_mutex_lock(&model_lock);
    /* Page 1 is outside of what vmspace got. */
    if (model_map_page(model_caps[model_own_space[child]].object, address >> 12, 1,
                       MAP_READ | MAP_WRITE, &lacking) != OK) {
        abort();
    }
    model_numbers.unsafe = 0;
    pthread_mutex_unlock(&model_lock);
}

struct model_figures model_figures(void)
{
    pthread_mutex_lock(&model_lock);
    struct model_figures figures = model_numbers;
    figures.spaces = 0;
    for (unsigned i = 0; i < MODEL_OBJECTS; i++) {
        figures.spaces += model_objects[i].type == OBJ_SPACE && model_objects[i].alive &&
                          model_objects[i].origin >= 0;
    }
    pthread_mutex_unlock(&model_lock);
    return figures;
}
