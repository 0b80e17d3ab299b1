/* watch.c: hears of children's faults and ends, and does what the manifest says. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernel/abi/object.h"
#include "servers/lib/log.h"
#include "servers/lib/server.h"
#include "servers/lib/time.h"

#define DEATH_TEXT_SIZE 80

static uint64_t now_ns(const struct root *root)
{
    struct tsc_clock clock = tsc_clock(root->boot->tsc_hz);
    return tsc_to_ns(&clock, tsc_read());
}

/* Sets the bit of child `number` in the Notification of one who watches it. */
static void tell(const struct child *watcher, uint32_t number)
{
    uint32_t slot = watcher->slots + CHILD_SIGNAL;
    if (sys_cap_mint(watcher->events, slot, NT_SIGNAL, 1u << number) == OK) {
        sys_signal(slot);
        sys_cap_delete(slot);
    }
}

/* Tells all that watch `child` that it is no more; the value has a bit for each of them. */
static uint32_t tell_watchers(struct root *root, const struct child *child)
{
    uint32_t watchers = 0;
    for (uint32_t n = 1; n <= root->manifest.count; n++) {
        const struct child *watcher = root_child(root, n);
        if (watcher->events != 0 && watcher->life.state == LIFE_RUNNING &&
            root_uses(root, child, n)) {
            tell(watcher, child->number);
            watchers |= 1u << n;
        }
    }
    return watchers;
}

static void act(struct root *root, struct child *child, enum life_action action);

/* What a dead watcher held is gone, or lost with it: nobody waits for it. */
static void forget_watcher(struct root *root, const struct child *watcher)
{
    for (uint32_t n = 1; n <= root->manifest.count; n++) {
        struct child *child = root_child(root, n);
        act(root, child, life_released(&child->life, watcher->number));
    }
}

static void act(struct root *root, struct child *child, enum life_action action)
{
    switch (action) {
    case LIFE_NOTHING:
        return;
    case LIFE_LEAVE:
        forget_watcher(root, child);
        return;
    case LIFE_DESTROY:
        child_destroy(child);
        action = life_destroyed(&child->life, tell_watchers(root, child));
        forget_watcher(root, child);
        act(root, child, action);
        return;
    case LIFE_START:
        watch_start(root, child);
        return;
    }
}

void watch_start(struct root *root, struct child *child)
{
    log_line("starting %s%s", child->wish->guest != 0 ? "guest " : "", child->wish->name);
    if (child_start(root, child)) {
        life_started(&child->life, now_ns(root));
        return;
    }
    watch_give_up(child);
}

void watch_give_up(struct child *child)
{
    child->life.state = LIFE_ENDED;
    if (child->wish->guest != 0) {
        log_line("guest %s ended: not started", child->wish->name);
    }
}

void watch_check_done(struct root *root)
{
    uint32_t guests = 0;
    for (uint32_t n = 1; n <= root->manifest.count; n++) {
        const struct child *child = root_child(root, n);
        if (child->wish->guest != 0) {
            guests++;
            if (!life_over(&child->life)) {
                return;
            }
        }
    }
    if (guests == 0 || root->manifest.when_done == DONE_STAY) {
        return;
    }
    bool halt = root->manifest.when_done == DONE_HALT;
    log_line("all guests have ended: %s", halt ? "halting" : "resetting the machine");
    sys_reset(BOOT_PLATFORM, halt);
}

/* --- faults --- */

static void die(struct root *root, struct child *child, const char *text)
{
    enum life_action action = life_dies(&child->life, child->wish, now_ns(root));
    if (action == LIFE_NOTHING) {
        return;
    }
    log_line("%s died: %s", child->wish->name, text);
    if (child->wish->restart != 0 && !child->life.again) {
        log_line("%s died too often: not started again", child->wish->name);
    }
    if (child->wish->guest != 0) {
        log_line("guest %s ended: its VMM died", child->wish->name);
    }
    act(root, child, action);
    watch_check_done(root);
}

static const char *access_words(uint64_t access)
{
    if ((access & FAULT_EXEC) != 0) {
        return "execute";
    }
    return (access & FAULT_WRITE) != 0 ? "write" : "read";
}

/* A message of the kernel: a thread whose fault endpoint is ours faulted. */
static enum server_verdict on_fault(struct server *server, struct message *m)
{
    struct root *root = server->context;
    struct child *child = root_child(root, m->badge);
    char text[DEATH_TEXT_SIZE];
    uint64_t label = tag_label(m->tag);
    if (label == KL_PAGE_FAULT) {
        snprintf(text, sizeof(text), "page fault at 0x%" PRIx64 " (%s), rip 0x%" PRIx64, m->word[0],
            access_words(m->word[1]), m->word[2]);
    } else {
        snprintf(text, sizeof(text),
            "exception %" PRIu64 " (error code 0x%" PRIx64 "), rip 0x%" PRIx64, m->word[0],
            m->word[1], m->word[2]);
    }
    if (child != NULL && (label == KL_PAGE_FAULT || label == KL_EXCEPTION)) {
        die(root, child, text);
    }
    /* If the faulter was destroyed meanwhile, there is nobody to hear this. */
    return server_answer(m, (enum status)FR_STOP, 0);
}

/* --- what children say --- */

static enum server_verdict on_end(struct server *server, struct message *m)
{
    struct root *root = server->context;
    struct child *child = root_child(root, m->badge);
    uint64_t reason = m->word[0], value = m->word[1];
    if (child == NULL || reason >= END_REASON_COUNT) {
        return server_answer(m, E_ARGUMENT, 0);
    }
    enum life_action action = life_ends(&child->life, child->wish, (enum end_reason)reason);
    if (action == LIFE_NOTHING) {
        return server_answer(m, E_STATE, 0);
    }
    char number[24] = "";
    if (reason == END_EXIT || reason == END_DEBUG_EXIT) {
        snprintf(number, sizeof(number), " %" PRId64, (int64_t)value);
    }
    log_line("%s%s ended: %s%s", child->wish->guest != 0 ? "guest " : "", child->wish->name,
        end_words(reason), number);
    if (reason == END_DEBUG_EXIT) {
        log_bare("guest exit %" PRIu64, value);
    }
    act(root, child, action);
    watch_check_done(root);
    return SERVER_HOLD;
}

static enum server_verdict on_free(struct server *server, struct message *m)
{
    (void)server;
    m->word[0] = memory_free();
    return server_answer(m, OK, 1);
}

static enum server_verdict on_released(struct server *server, struct message *m)
{
    struct root *root = server->context;
    struct child *child = root_child(root, m->word[0]);
    if (child == NULL || m->badge > CHILD_NUMBER_MAX) {
        return server_answer(m, E_ARGUMENT, 0);
    }
    act(root, child, life_released(&child->life, (uint32_t)m->badge));
    watch_check_done(root);
    return server_answer(m, OK, 0);
}

static enum server_verdict on_died(struct server *server, struct message *m)
{
    struct root *root = server->context;
    struct child *child = root_child(root, m->word[0]);
    char text[DEATH_TEXT_SIZE];
    if (child == NULL || !root_uses(root, child, (uint32_t)m->badge)) {
        return server_answer(m, E_ARGUMENT, 0);
    }
    snprintf(text, sizeof(text), "%s 0x%" PRIx64 ", rip 0x%" PRIx64,
        m->word[1] == KL_PAGE_FAULT ? "page fault at" : "exception", m->word[2], m->word[3]);
    die(root, child, text);
    return server_answer(m, OK, 0);
}

enum status watch_run(struct root *root)
{
    static const struct server_operation operations[] = {
        { CTL_END, 2, on_end },
        { CTL_FREE, 0, on_free },
        { CTL_RELEASED, 1, on_released },
        { CTL_DIED, 4, on_died },
    };
    struct server server = {
        .endpoint = root->control,
        .reply = root->reply,
        .operation = operations,
        .operation_count = sizeof(operations) / sizeof(operations[0]),
        .fault = on_fault,
        .context = root,
    };
    return server_run(&server);
}
