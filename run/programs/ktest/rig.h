/* rig.h: what kernel tests build with: objects, threads, address spaces, checks. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RUN_KTEST_RIG_H
#define RUN_KTEST_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/abi/boot.h"
#include "kernel/abi/object.h"
#include "servers/lib/log.h"
#include "servers/lib/syscall.h"

/* The test program is the root task: it owns the machine. */
extern const struct boot_info *rig_boot;

void rig_init(const struct boot_info *boot);

/* Whether the word stands on the kernel's command line, between spaces. */
bool rig_option(const char *word);

/* A free slot of the root CNode; a new object in one. The test ends if there is no more. */
uint32_t rig_slot(void);
uint32_t rig_object(uint32_t type, uint32_t bits);

/*
 * All objects made between begin and end come from one Untyped, which end revokes: its memory and the
 * slots can be used again. It checks that all of the memory is free then.
 */
void rig_begin(void);
void rig_end(void);

/* Untyped memory of the test that is running, for tests of retype itself. */
uint32_t rig_untyped(uint32_t bits);

/* A thread of this program's: runs function(argument), which must not return. */
struct rig_thread {
    uint32_t thread, sched, space;
};
typedef void rig_function(uint64_t argument);

/* In this address space, stopped; fault endpoint 'fault' (0: none). 'passive': without a SchedContext. */
struct rig_thread rig_thread(rig_function *function, uint64_t argument, uint32_t priority,
                             uint32_t cpu, uint32_t fault);

/* The same in an address space of its own: a copy of this program as it is now. Capabilities are shared. */
struct rig_thread rig_process(rig_function *function, uint64_t argument, uint32_t priority,
                              uint32_t cpu, uint32_t fault);

/* Maps a frame read-write into this program; returns its address. */
void *rig_map(uint32_t frame, uint64_t size);

uint64_t rig_tsc(void);
uint64_t rig_counter(uint32_t counter);

/* One test: prints "PASS ID" or "FAIL ID ..." and counts. A check that fails ends the test with a line. */
#define CHECK(condition) rig_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_STATUS(call, expected) rig_check_status((call), (expected), #call, __FILE__, __LINE__)
void rig_check(bool ok, const char *what, const char *file, int line);
void rig_check_status(enum status got, enum status expected, const char *what, const char *file,
                      int line);

struct rig_test {
    const char *name; /* "ID: a sentence" */
    void (*run)(void);
};
void rig_run(const struct rig_test *tests, unsigned count);
#define RIG_RUN(tests) rig_run(tests, sizeof(tests) / sizeof((tests)[0]))

/* Prints "ktest: N passed, N failed" and halts the machine. */
__attribute__((noreturn)) void rig_finish(void);

/* The suites, one file each. */
void test_ipc(void);
void test_cap(void);
void test_revoke(void);
void test_faults(void);
void test_flags(void);
void test_sched(void);
void test_lend(void);
void test_fpu(void);
void test_random(void);
void test_space(void);
void test_shootdown(void);
void test_vm(void);
void bench(void);

#endif
