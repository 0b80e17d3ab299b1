/* guess.c: random system calls that are not hopeless: the arguments fit, mostly. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/guess.h"

#include "kernel/abi/counter.h"

static uint64_t next_random(struct dice *d)
{
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return d->state;
}

static uint64_t below(struct dice *d, uint64_t limit) { return next_random(d) % limit; }

/* Mostly an address in the bag, at times in a CNode in it, or nonsense. */
static uint32_t some_slot(struct dice *d)
{
    switch (below(d, 16)) {
    case 0:
        return (uint32_t)next_random(d);
    case 1:
        return 0;
    case 2:
    case 3:
        return CPTR(below(d, 32), below(d, 16));
    default:
        return (uint32_t)below(d, below(d, 2) ? 32 : GUESS_SLOTS);
    }
}

static uint64_t two_slots(struct dice *d) { return sys_pair(some_slot(d), some_slot(d)); }

/* Away from this program's own: a thread in its Space must not run there. */
#define REGION 0x123400000000ull

static uint64_t some_address(struct dice *d)
{
    uint64_t address =
        below(d, 8) ? REGION | below(d, 4) << 21 | below(d, 8) << 12 : next_random(d);

    return (address & ~0xfffull) | below(d, 128);
}

/* Type | bits << 8 | flags << 16 | count << 32, most of them possible. */
static uint64_t some_request(struct dice *d)
{
    static const uint8_t bits[OBJ_TYPE_COUNT] = {[OBJ_UNTYPED] = 12, [OBJ_CNODE] = 4, [OBJ_FRAME] = 12};
    uint64_t type = below(d, OBJ_TYPE_COUNT + 1), size = type < OBJ_TYPE_COUNT ? bits[type] : 0;

    if (type == OBJ_SPACE) {
        size = below(d, PT_COUNT + 1);
    } else if (below(d, 4) == 0) {
        size += below(d, 10);
    }
    return type | size << 8 | below(d, 8) / 7 << 16 | (1 + below(d, 4)) << 32;
}

static uint64_t some_value(struct dice *d)
{
    switch (below(d, 10)) {
    case 0:
        return next_random(d);
    case 1:
        return some_request(d);
    case 2:
        return TAG(below(d, 4), below(d, 128)) | TAG_CAPS(below(d, 8));
    case 3:
    case 4:
        return some_address(d);
    case 5:
        return below(d, 2) << 63 >> below(d, 64);
    case 6:
    case 7:
        return two_slots(d);
    default:
        return below(d, 16);
    }
}

/* Where the bag has objects of each type at first (fill_bag), and how many. */
static const uint8_t places[OBJ_TYPE_COUNT][2] = {
    [OBJ_NULL] = {48, 80},       [OBJ_UNTYPED] = {1, 7},  [OBJ_CNODE] = {8, 2},
    [OBJ_THREAD] = {10, 2},      [OBJ_SCHED] = {12, 2},   [OBJ_ENDPOINT] = {14, 2},
    [OBJ_REPLY] = {16, 2},       [OBJ_NOTIFICATION] = {18, 2}, [OBJ_FRAME] = {20, 3},
    [OBJ_SPACE] = {23, 3},       [OBJ_VCPU] = {26, 2},    [OBJ_PLATFORM] = {28, 1},
    [OBJ_PORTS] = {29, 1},       [OBJ_IRQ] = {40, 2},
};

static uint32_t slot_for(struct dice *d, enum object_type type)
{
    return below(d, 8) ? places[type][0] + (uint32_t)below(d, places[type][1]) : some_slot(d);
}

/* What the halves of RDI, of RSI and of RDX should name, where they name anything. */
enum { ANY = OBJ_NULL };
static const uint8_t fitting[SYS_COUNT][6] = {
    [SYS_CALL] = {OBJ_ENDPOINT},
    [SYS_RECV] = {OBJ_ENDPOINT, OBJ_REPLY},
    [SYS_REPLY] = {ANY, OBJ_REPLY},
    [SYS_REPLY_RECV] = {OBJ_ENDPOINT, OBJ_REPLY},
    [SYS_MAP_REPLY_RECV] = {OBJ_ENDPOINT, OBJ_REPLY, OBJ_SPACE, OBJ_FRAME},
    [SYS_SIGNAL] = {OBJ_NOTIFICATION},
    [SYS_WAIT] = {OBJ_NOTIFICATION},
    [SYS_POLL] = {OBJ_NOTIFICATION},
    [SYS_TIMER] = {OBJ_NOTIFICATION},
    [SYS_RETYPE] = {OBJ_UNTYPED, ANY},
    [SYS_THREAD_CONFIGURE] = {OBJ_THREAD, ANY, OBJ_CNODE, OBJ_SPACE, OBJ_ENDPOINT, OBJ_FRAME},
    [SYS_THREAD_REGS] = {OBJ_THREAD},
    [SYS_THREAD_READ] = {OBJ_THREAD},
    [SYS_THREAD_BIND] = {OBJ_THREAD, OBJ_NOTIFICATION},
    [SYS_SCHED] = {OBJ_THREAD, OBJ_SCHED},
    [SYS_RESUME] = {OBJ_THREAD},
    [SYS_SUSPEND] = {OBJ_THREAD},
    [SYS_SC_CONFIGURE] = {OBJ_SCHED},
    [SYS_SPACE_FUND] = {OBJ_SPACE, OBJ_UNTYPED},
    [SYS_SPACE_WINDOW] = {OBJ_SPACE},
    [SYS_SPACE_QUERY] = {OBJ_SPACE},
    [SYS_MAP] = {OBJ_SPACE, OBJ_FRAME},
    [SYS_UNMAP] = {OBJ_SPACE},
    [SYS_PROTECT] = {OBJ_SPACE},
    [SYS_VCPU_CONFIGURE] = {OBJ_VCPU, ANY, OBJ_SPACE, OBJ_FRAME, OBJ_ENDPOINT, OBJ_ENDPOINT},
    [SYS_VCPU_MASK] = {OBJ_VCPU},
    [SYS_VCPU_KICK] = {OBJ_VCPU},
    [SYS_IRQ_GET] = {OBJ_PLATFORM, OBJ_IRQ},
    [SYS_IRQ_BIND] = {OBJ_IRQ, OBJ_NOTIFICATION},
    [SYS_IRQ_ACK] = {OBJ_IRQ},
    [SYS_PORT_IN] = {OBJ_PORTS},
    [SYS_PORT_OUT] = {OBJ_PORTS},
    [SYS_COUNTER] = {OBJ_PLATFORM},
};

/* Other arguments that give a call a fair chance. */
static void guess_arguments(struct dice *d, uint64_t number, uint64_t r[6])
{
    switch (number) {
    case SYS_CAP_COPY:
    case SYS_CAP_MINT:
    case SYS_CAP_MOVE:
        r[0] = sys_pair(some_slot(d), slot_for(d, OBJ_NULL));
        break;
    case SYS_RETYPE:
        r[1] = some_request(d);
        break;
    case SYS_COUNTER:
        r[1] = below(d, CT_COUNT + 1);
        r[2] = below(d, rig_boot->cpu_count + 1);
        break;
    case SYS_MAP_REPLY_RECV:
    case SYS_MAP:
        r[number == SYS_MAP ? 1 : 2] = below(d, 4) << 12;
        r[number == SYS_MAP ? 2 : 3] = some_address(d);
        r[number == SYS_MAP ? 3 : 4] = below(d, 8);
        break;
    case SYS_UNMAP:
    case SYS_PROTECT:
        r[1] = some_address(d) & ~(number == SYS_UNMAP ? 0xfffull : 0xff8ull);
        r[2] = below(d, 2) ? below(d, 8) : below(d, 4) << 18;
        r[3] = 0;
        break;
    case SYS_SPACE_QUERY:
        r[1] = some_address(d);
        break;
    case SYS_THREAD_REGS:
        r[1] = some_address(d) & ~0xfffull;
        r[2] = some_address(d);
        r[5] = below(d, 2);
        break;
    case SYS_SCHED:
        r[1] = below(d, 42) | below(d, rig_boot->cpu_count + 1) << 8;
        break;
    case SYS_SC_CONFIGURE:
        r[1] = 1 + below(d, 1000000);
        r[2] = 1 + below(d, 4000000);
        break;
    case SYS_TIMER:
        r[1] = below(d, 4) ? rig_tsc() + below(d, 4000000) : 0;
        break;
    case SYS_IRQ_GET:
        r[1] = below(d, 24) | below(d, 4) << 32;
        break;
    case SYS_PORT_IN:
    case SYS_PORT_OUT:
        r[1] = 0x80;
        r[2] = 1;
        break;
    default:
        break;
    }
}

void guess(struct dice *d, uint64_t *number, uint64_t r[6])
{
    *number = below(d, 64) ? below(d, SYS_COUNT) : next_random(d);
    if ((*number == SYS_CAP_DELETE || *number == SYS_CAP_REVOKE) && below(d, 8)) {
        *number = SYS_RETYPE;
    }
    r[0] = two_slots(d);
    for (unsigned i = 1; i < 6; i++) {
        r[i] = some_value(d);
    }
    if (*number >= SYS_COUNT || below(d, 8) == 0) {
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *types = &fitting[*number][2 * i];

        if (types[0] != ANY || types[1] != ANY) {
            r[i] = sys_pair(slot_for(d, types[0]), slot_for(d, types[1]));
        }
    }
    guess_arguments(d, *number, r);
}
