/* main.c: the root task: reads the manifest, starts what it lists, then watches over it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "kernel/abi/object.h"
#include "servers/init/canary.h"
#include "servers/init/root.h"
#include "servers/init/rtc.h"
#include "servers/init/watch.h"
#include "servers/lib/bootfs.h"
#include "servers/lib/log.h"
#include "servers/lib/syscall.h"
#include "servers/lib/time.h"

#define MANIFEST_FILE "manifest.dtb"

int main(const struct boot_info *boot);

static struct root root;

/* libfdt wants the tree aligned to 8; files in the archive are aligned to 4. */
static _Alignas(8) char tree[MANIFEST_SIZE_MAX];

static bool need(const char *what, enum status status)
{
    if (status != OK) {
        log_line("%s: %s", what, status_words(status));
    }
    return status == OK;
}

static bool read_manifest(const struct boot_info *boot)
{
    const void *archive = (const void *)boot->module[0].address;
    size_t size = boot->module[0].size;
    char error[MANIFEST_ERROR_SIZE];
    struct bootfs_file file;
    if (!bootfs_find(archive, size, MANIFEST_FILE, &file)) {
        log_line("manifest: no file \"%s\" in the boot image", MANIFEST_FILE);
        return false;
    }
    if (file.size > sizeof(tree)) {
        log_line("manifest: it has %zu bytes, at most %zu are allowed", file.size, sizeof(tree));
        return false;
    }
    memcpy(tree, file.data, file.size);
    if (!need("canary", canary_show())) {
        return false;
    }
    bool done = manifest_read(tree, file.size, &root.manifest, error);
    canary_hide();
    done = done && manifest_check_files(&root.manifest, archive, size, error);
    if (!done) {
        log_line("%s", error);
    }
    return done;
}

static bool prepare(const struct boot_info *boot)
{
    if (boot->magic != BOOT_MAGIC || boot->module_count == 0) {
        log_line("no boot file system was loaded");
        return false;
    }
    root.boot = boot;
    root.epoch = rtc_read(BOOT_PORTS);
    root.epoch_tsc = tsc_read();
    if (!need("memory", memory_init(boot)) || !read_manifest(boot)) {
        return false;
    }
    root.control = memory_object(OBJ_ENDPOINT);
    root.reply = memory_object(OBJ_REPLY);
    return need("control endpoint", root.control != 0 && root.reply != 0 ? OK : E_MEMORY);
}

static void start_all(void)
{
    bool ready[MANIFEST_CHILD_MAX] = { false };
    for (uint32_t i = 0; i < root.manifest.count; i++) {
        ready[i] = child_reserve(&root, i + 1);
    }
    for (uint32_t i = 0; i < root.manifest.count; i++) {
        child_take_rest(&root.child[i]);
    }
    for (uint32_t i = 0; i < root.manifest.count; i++) {
        if (ready[i]) {
            watch_start(&root, &root.child[i]);
        } else {
            watch_give_up(&root.child[i]);
        }
    }
    watch_check_done(&root);
}

int main(const struct boot_info *boot)
{
    log_init("init", BOOT_PLATFORM);
    if (!prepare(boot)) {
        log_line("nothing was started");
        sys_reset(BOOT_PLATFORM, 1);
        return 1;
    }
    start_all();
    need("control endpoint", watch_run(&root));
    return 1;
}
