/* life.c: what init does when a server or guest ends. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/life.h"

void life_started(struct life *life, uint64_t now_ns)
{
    life->state = LIFE_RUNNING;
    life->started_ns = now_ns;
    life->again = false;
}

enum life_action life_ends(
    struct life *life, const struct manifest_child *wish, enum end_reason reason)
{
    if (life->state != LIFE_RUNNING) {
        return LIFE_NOTHING;
    }
    life->quick_deaths = 0;
    if (reason == END_RESET && wish->on_reset == RESET_RESTART) {
        life->again = true;
    } else if (wish->guest != 0 && reason != END_REFUSED) {
        life->runs++;
        life->again = life->runs < wish->runs;
    }
    return LIFE_DESTROY;
}

enum life_action life_dies(struct life *life, const struct manifest_child *wish, uint64_t now_ns)
{
    if (life->state != LIFE_RUNNING) {
        return LIFE_NOTHING;
    }
    life->quick_deaths = now_ns - life->started_ns < LIFE_QUICK_NS ? life->quick_deaths + 1 : 0;
    life->again = wish->restart != 0 && life->quick_deaths < LIFE_QUICK_DEATHS;
    /* A dead server stays for a look. A guest's VMM holds memory that others wait for. */
    if (!life->again && wish->guest == 0) {
        life->state = LIFE_STOPPED;
        return LIFE_LEAVE;
    }
    return LIFE_DESTROY;
}

static enum life_action settle(struct life *life)
{
    if (life->waiting != 0) {
        return LIFE_NOTHING;
    }
    life->state = life->again ? LIFE_NEW : LIFE_ENDED;
    return life->again ? LIFE_START : LIFE_NOTHING;
}

enum life_action life_destroyed(struct life *life, uint32_t watchers)
{
    life->state = LIFE_RELEASING;
    life->waiting = watchers;
    return settle(life);
}

enum life_action life_released(struct life *life, uint32_t number)
{
    if (life->state != LIFE_RELEASING || number > CHILD_NUMBER_MAX ||
        (life->waiting & 1u << number) == 0) {
        return LIFE_NOTHING;
    }
    life->waiting &= ~(1u << number);
    return settle(life);
}

bool life_over(const struct life *life)
{
    return life->state == LIFE_ENDED || life->state == LIFE_STOPPED;
}
