/* main.c: a server for tests: dies in the way that its arguments say, or calls one that does. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdint.h>
#include <string.h>

#include "kernel/abi/object.h"
#include "servers/lib/log.h"
#include "servers/lib/server.h"
#include "servers/lib/slots.h"
#include "servers/lib/start_info.h"
#include "servers/lib/syscall.h"

#define UNMAPPED_ADDRESS 0x10ull
#define EXIT_VALUE       3

enum crasher_label {
    CRASHER_ADD = 1, /* word 0: a number. Answer: word 0, that and 1 */
    CRASHER_DIE
};

int main(const struct start_info *info);

static int page_fault(const struct start_info *info)
{
    (void)info;
    /* In C the compiler would know better. */
    __asm__ volatile("movq $1, (%0)" : : "r"(UNMAPPED_ADDRESS) : "memory");
    return 0;
}

static int bad_instruction(const struct start_info *info)
{
    (void)info;
    __asm__ volatile("ud2");
    return 0;
}

static int give_back(const struct start_info *info)
{
    (void)info;
    return EXIT_VALUE;
}

static enum server_verdict on_add(struct server *server, struct message *m)
{
    (void)server;
    m->word[0]++;
    return server_answer(m, OK, 1);
}

static enum server_verdict on_die(struct server *server, struct message *m)
{
    (void)server;
    (void)m;
    page_fault(NULL);
    return SERVER_HOLD;
}

static int serve(const struct start_info *info)
{
    static const struct server_operation operations[] = {
        { CRASHER_ADD, 1, on_add },
        { CRASHER_DIE, 0, on_die },
    };
    uint32_t reply = info->free_slot;
    if (sys_retype(start_cap(info, START_UNTYPED, NULL), reply, OBJ_REPLY, 0, 0, 1) != OK) {
        return 1;
    }
    struct server server = {
        .endpoint = start_cap(info, START_SERVE, NULL),
        .reply = reply,
        .operation = operations,
        .operation_count = sizeof(operations) / sizeof(operations[0]),
    };
    server_run(&server);
    return 1;
}

static enum status call(const struct start_info *info, struct message *m)
{
    return sys_call(start_cap(info, START_USE, NULL), m);
}

/* Its client, before, while and after it dies. */
static int use(const struct start_info *info)
{
    struct message before = { .tag = TAG(CRASHER_ADD, 1), .word = { 1 } };
    struct message death = { .tag = TAG(CRASHER_DIE, 0) };
    struct message after = { .tag = TAG(CRASHER_ADD, 1), .word = { 10 } };
    enum status status = call(info, &before);
    log_line("before: %s, %lu", status_words(status), before.word[0]);
    log_line("death: %s", status_words(call(info, &death)));
    status = call(info, &after);
    log_line("after: %s, %lu", status_words(status), after.word[0]);
    return 0;
}

int main(const struct start_info *info)
{
    static const struct {
        const char *word;
        int (*act)(const struct start_info *info);
    } ways[] = {
        { "page-fault", page_fault },
        { "bad-instruction", bad_instruction },
        { "exit", give_back },
        { "serve", serve },
        { "use", use },
    };
    log_init(info->name, SLOT_LOG);
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(info->args, ways[i].word) == 0) {
            return ways[i].act(info);
        }
    }
    log_line("args: \"%s\": no such way", info->args);
    return 1;
}
