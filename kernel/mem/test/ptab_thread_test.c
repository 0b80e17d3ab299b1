/* ptab_thread_test.c: several CPUs map, unmap and revoke the same frames in the same Spaces. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: kernel/mem/phys.c kernel/mem/format.c kernel/mem/format_x86.c kernel/mem/format_ept.c */
/* LINK: kernel/mem/reserve.c kernel/mem/rmap.c kernel/mem/map.c kernel/mem/narrow.c */
/* LINK: kernel/mem/ptab.c kernel/mem/check.c kernel/mem/test/machine.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

#include "kernel/mem/check.h"
#include "kernel/mem/rmap.h"
#include "kernel/mem/test/machine.h"

#define FRAMES 0x40000000ull
#define FRAME_COUNT 16u
#define CPUS 4u
#define ROUNDS 200000u
#define RW (MAP_READ | MAP_WRITE)

static struct ptab spaces[2];
static unsigned map_flags;         /* MAP_FRESH or not */
static uint64_t mapped_count;      /* successes of all CPUs, so that the test is no empty one */
static uint64_t shared_count;      /* fresh frames that were seen with a second mapping */

static void note(struct ptab *space)
{
    (void)space;
}

struct cpu {
    pthread_t thread;
    uint64_t state;
};

static uint64_t roll(struct cpu *cpu, uint64_t below)
{
    cpu->state = cpu->state * 6364136223846793005ull + 1442695040888963407ull;
    return (cpu->state >> 33) % below;
}

static void map_some(struct cpu *cpu, struct ptab *pt)
{
    uint64_t lacking;
    bool large = roll(cpu, 16) == 0;
    uint64_t frame = large ? FRAMES : FRAMES + roll(cpu, FRAME_COUNT) * PAGE_SIZE;
    uint64_t address = large ? 0x800000 + roll(cpu, 2) * 0x200000 : roll(cpu, 1024) * PAGE_SIZE;
    unsigned flags = large ? RW | MAP_2M : RW;
    /* A fresh superpage is cleared in full, which takes long: seldom. */
    unsigned fresh = large && roll(cpu, 50) != 0 ? 0 : map_flags;

    if (large && map_flags != 0 && fresh == 0) {
        return;
    }
    if (ptab_map(pt, address, frame, flags | fresh, 1, &lacking) == OK) {
        __atomic_add_fetch(&mapped_count, 1, __ATOMIC_RELAXED);
    }
    struct page *page = page_of(frame);

    page_lock(page);
    if (map_flags != 0 && page->frame.chain != NULL && page->frame.chain->next != NULL) {
        __atomic_add_fetch(&shared_count, 1, __ATOMIC_RELAXED);
    }
    page_unlock(page);
}

static void *run_cpu(void *argument)
{
    struct cpu *cpu = argument;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct ptab *pt = &spaces[roll(cpu, 2)];
        uint64_t kind = roll(cpu, 100);
        struct ptab_progress progress;
        uint64_t cursor = 0;

        if (kind < 50) {
            map_some(cpu, pt);
        } else if (kind < 75) {
            ptab_unmap(pt, roll(cpu, 1024) * PAGE_SIZE, 1 + roll(cpu, 8), 1000, &progress);
        } else if (kind < 80) {
            ptab_unmap(pt, 0x800000, 1024, UINT64_MAX, &progress);
        } else if (kind < 85) {
            ptab_protect(pt, roll(cpu, 1024) * PAGE_SIZE, 8, MAP_READ, 1000, &progress);
        } else if (kind < 95) {
            uint64_t frame = FRAMES + roll(cpu, FRAME_COUNT) * PAGE_SIZE;

            while (page_unmap_step(frame, 12, &cursor, 10, note)) {
                continue;
            }
        } else {
            ptab_reclaim(pt, ptab_close(pt), 10);
        }
    }
    return NULL;
}

static void run(unsigned flags)
{
    struct cpu cpu[CPUS];
    uint64_t mappings;
    uint64_t sum = 0;
    const char *wrong;

    machine_reset();
    pt_formats_init(&machine_caps);
    machine_space(&spaces[0], &pt_formats[PT_X86], 14);
    machine_space(&spaces[1], &pt_formats[PT_EPT], 40);
    map_flags = flags;
    mapped_count = 0;
    shared_count = 0;
    for (unsigned i = 0; i < CPUS; i++) {
        cpu[i].state = i;
        pthread_create(&cpu[i].thread, NULL, run_cpu, &cpu[i]);
    }
    for (unsigned i = 0; i < CPUS; i++) {
        pthread_join(cpu[i].thread, NULL);
    }
    wrong = page_check_all(&mappings);
    for (unsigned s = 0; s < 2; s++) {
        wrong = wrong ? wrong : ptab_check(&spaces[s]);
        sum += spaces[s].mapped[0] + spaces[s].mapped[1];
    }
    assert_string_equal(wrong ? wrong : "", "");
    assert_int_equal(mappings, sum);
    assert_true(mapped_count > ROUNDS / 4);
    assert_int_equal(shared_count, 0);
}

static void shared_frames(void **unused)
{
    (void)unused;
    run(0);
}

static void fresh_frames(void **unused)
{
    (void)unused;
    run(MAP_FRESH);
}

/* Claims of a superpage and of a frame in it: 'inside' counts who has one at this moment. */
#define CLAIMS 2000u

static unsigned inside;
static unsigned together;
static unsigned claims[2];     /* by level */

static void hold(unsigned level)
{
    unsigned others = __atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);

    for (volatile unsigned i = 0; i < 100; i++) {
        continue;
    }
    others += __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    __atomic_or_fetch(&together, others, __ATOMIC_RELAXED);
    __atomic_add_fetch(&claims[level], 1, __ATOMIC_RELAXED);
}

static void *claim(void *argument)
{
    unsigned level = (unsigned)((struct cpu *)argument)->state;
    uint64_t frame = FRAMES + (level == 0 ? 511 * PAGE_SIZE : 0);

    /* Until both have had enough, so that neither runs alone. */
    while (__atomic_load_n(&claims[0], __ATOMIC_RELAXED) < CLAIMS ||
           __atomic_load_n(&claims[1], __ATOMIC_RELAXED) < CLAIMS) {
        if (page_claim(frame, level)) {
            hold(level);
            page_claim_end(frame);
        }
    }
    return NULL;
}

static void overlapping_claims(void **unused)
{
    struct cpu cpu[2] = { { .state = 0 }, { .state = 1 } };

    (void)unused;
    machine_reset();
    pthread_create(&cpu[0].thread, NULL, claim, &cpu[0]);
    pthread_create(&cpu[1].thread, NULL, claim, &cpu[1]);
    pthread_join(cpu[0].thread, NULL);
    pthread_join(cpu[1].thread, NULL);
    assert_int_equal(together, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "PTAB-30: four CPUs at two Spaces with shared frames leave all consistent",
          shared_frames, NULL, NULL, NULL },
        { "PTAB-31: I4: a fresh frame never goes to two CPUs at once", fresh_frames,
          NULL, NULL, NULL },
        { "PTAB-32: I4: a superpage and a frame in it are never claimed both", overlapping_claims,
          NULL, NULL, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
