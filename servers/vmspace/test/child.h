/* child.h: runs a test's body in a process of its own: vmspace starts only once in one. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_TEST_CHILD_H
#define SERVERS_VMSPACE_TEST_CHILD_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* In a body, in place of cmocka's assertions. */
#define REQUIRE(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1); \
        } \
    } while (0)

/* The status of a process that runs `body`. */
static inline int child_status(void (*body)(void))
{
    int status = -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGILL, SIG_DFL); /* check() ends this process, not just the test */
        body();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return status;
}

/* A cmocka test whose initial state points to the body: it must end well, ... */
static inline void child_passes(void **state)
{
    int status = child_status(*(void (**)(void)) * state);
    if (!WIFEXITED(status)) {
        fail_msg("ended by signal %d", WTERMSIG(status));
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ... or it must be stopped by check(). */
static inline void child_traps(void **state)
{
    int status = child_status(*(void (**)(void)) * state);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGILL);
}

#define CHILD_TEST(name, body) \
    { \
        name, child_passes, NULL, NULL, &(void (*[])(void)) \
        { \
            body \
        } \
    }
#define CHILD_TRAP_TEST(name, body) \
    { \
        name, child_traps, NULL, NULL, &(void (*[])(void)) \
        { \
            body \
        } \
    }

#endif
