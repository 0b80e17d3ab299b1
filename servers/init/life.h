/* life.h: what init does when a server or guest ends: the rules alone, without any system call. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_LIFE_H
#define SERVERS_INIT_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/init/manifest.h"

enum life_state {
    LIFE_NEW, /* not started yet */
    LIFE_RUNNING,
    LIFE_RELEASING, /* destroyed; waits until its watchers hold nothing of it */
    LIFE_STOPPED,   /* died, and left as it is for a look */
    LIFE_ENDED      /* destroyed for good */
};

struct life {
    enum life_state state;
    uint32_t waiting;      /* watchers that still hold something: a bit for each child number */
    bool again;            /* to be started once they have let go */
    uint32_t runs;         /* guest: how often it has ended; restarts after a reset do not count */
    uint32_t quick_deaths; /* one after the other, each within LIFE_QUICK_NS of its start */
    uint64_t started_ns;
};

/* What to do now. */
enum life_action {
    LIFE_NOTHING,
    LIFE_DESTROY, /* take it apart and tell its watchers, then call life_destroyed */
    LIFE_LEAVE,   /* leave its thread stopped */
    LIFE_START    /* start it, then call life_started */
};

/* A child that dies this soon after its start, this often, is not started again. */
#define LIFE_QUICK_NS     1000000000ull
#define LIFE_QUICK_DEATHS 5u

void life_started(struct life *life, uint64_t now_ns);

/* It said that it has ended. The value is LIFE_DESTROY, or LIFE_NOTHING if it was not running. */
enum life_action life_ends(
    struct life *life, const struct manifest_child *wish, enum end_reason reason);

/*
 * A thread of it faulted. The value is LIFE_DESTROY, LIFE_LEAVE, or LIFE_NOTHING if it was not
 * running.
 */
enum life_action life_dies(struct life *life, const struct manifest_child *wish, uint64_t now_ns);

/* It is destroyed; `watchers` must let go of it before it is over. LIFE_START or LIFE_NOTHING. */
enum life_action life_destroyed(struct life *life, uint32_t watchers);

/* Watcher `number` holds nothing of it any more. LIFE_START or LIFE_NOTHING. */
enum life_action life_released(struct life *life, uint32_t number);

/* Whether it is over: nothing of it runs or will run. */
bool life_over(const struct life *life);

#endif
