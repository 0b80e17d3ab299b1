/* manifest_test.c: a good manifest is read as it stands; each mistake has a line that names it. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: servers/init/manifest.c servers/init/manifest_property.c servers/lib/bootfs.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "servers/init/manifest.h"

static _Alignas(8) char tree[2 * MANIFEST_SIZE_MAX];
static char error[MANIFEST_ERROR_SIZE];
static struct manifest manifest;

/* Compiles device-tree source with dtc into `tree`; the value is its size. */
static size_t compile(const char *source)
{
    char name[40], command[100];
    snprintf(name, sizeof(name), "/tmp/manifest-%d.dts", (int)getpid());
    FILE *text = fopen(name, "w");
    assert_non_null(text);
    fprintf(text, "/dts-v1/;\n%s", source);
    fclose(text);
    snprintf(command, sizeof(command), "dtc -q -f -I dts -O dtb %s", name);
    FILE *pipe = popen(command, "r");
    size_t size = fread(tree, 1, sizeof(tree), pipe);
    pclose(pipe);
    remove(name);
    assert_true(size > 0);
    return size;
}

static bool read_source(const char *source)
{
    memset(error, 0, sizeof(error));
    return manifest_read(tree, compile(source), &manifest, error);
}

#define ROOT(inside) "/ { compatible = \"quire,manifest\"; " inside " };"
#define UART \
    "uart { compatible = \"quire,server\"; program = \"uart.elf\"; provides = \"console\"; };"
#define VMSPACE \
    "vmspace { compatible = \"quire,server\"; program = \"v.elf\"; provides = \"vmspace\"; };"
#define SERVER(inside) ROOT("s { compatible = \"quire,server\"; program = \"s.elf\"; " inside " };")
#define GUEST(inside)  ROOT(UART VMSPACE "g { compatible = \"quire,guest\"; " inside " };")

static void test_server(void **state)
{
    (void)state;
    assert_true(read_source(ROOT(
        "when-done = \"halt\";" UART "s { compatible = \"quire,server\"; program = \"s.elf\"; args "
                                     "= \"a b\"; provides = \"x\", \"y\";"
        "uses = \"console\"; files = \"f\", \"g\"; irq = <4 10>; ports = <0x3f8 8 0x60 1>;"
        "capabilities = \"thread\", \"raw\"; untyped = \"rest\"; heap-kib = <0>; cnode-bits = <12>;"
        "priority = <126>; cpu = <1>; cpus = <6>; budget-us = <5>; period-us = <10>; restart;"
        "watch-clients; };")));
    assert_int_equal(manifest.when_done, DONE_HALT);
    assert_int_equal(manifest.count, 2);
    const struct manifest_child *s = &manifest.child[1];
    assert_string_equal(s->name, "s");
    assert_string_equal(s->program, "s.elf");
    assert_string_equal(s->args, "a b");
    assert_int_equal(s->provides.count, 2);
    assert_string_equal(s->provides.item[1], "y");
    assert_string_equal(s->uses.item[0], "console");
    assert_string_equal(s->files.item[1], "g");
    assert_int_equal(s->irq.item[1], 10);
    assert_int_equal(s->ports.count, 4);
    assert_int_equal(s->ports.item[2], 0x60);
    assert_int_equal(s->capabilities, CAPABILITY_THREAD | CAPABILITY_RAW);
    assert_true(
        s->untyped_rest == 1 && s->untyped_mib == 0 && s->heap_kib == 0 && s->cnode_bits == 12);
    assert_true(s->priority == 126 && s->cpu == 1 && s->cpus == 6);
    assert_true(
        s->budget_us == 5 && s->period_us == 10 && s->restart == 1 && s->watch_clients == 1);
    assert_ptr_equal(manifest_provider(&manifest, "y"), s);
    assert_null(manifest_provider(&manifest, "z"));
}

static void test_guest(void **state)
{
    (void)state;
    assert_true(read_source(
        GUEST("kernel = \"k\"; initrd = \"i\"; cmdline = \"\"; mem-mib = <96>;"
              "vcpus = <2>; console = \"console\"; on-reset = \"restart\"; runs = <50>;")));
    const struct manifest_child *g = &manifest.child[2];
    assert_int_equal(g->guest, 1);
    assert_string_equal(g->program, "vmm.elf");
    assert_string_equal(g->kernel, "k");
    assert_string_equal(g->args, "");
    assert_true(g->mem_mib == 96 && g->vcpus == 2 && g->on_reset == RESET_RESTART && g->runs == 50);
    assert_true(g->untyped_mib == 1 && g->capabilities == (CAPABILITY_SPACE | CAPABILITY_THREAD));
    assert_int_equal(g->uses.count, 2);
    assert_string_equal(g->uses.item[0], "vmspace");
    assert_string_equal(g->uses.item[1], "console");
}

static void test_defaults(void **state)
{
    (void)state;
    assert_true(read_source(SERVER("")));
    const struct manifest_child *s = &manifest.child[0];
    assert_int_equal(manifest.when_done, DONE_STAY);
    assert_true(s->heap_kib == 256 && s->cnode_bits == 8 && s->priority == 100 && s->cpu == 0);
    assert_true(s->cpus == UINT32_MAX && s->budget_us == 0 && s->restart == 0 && s->args == NULL);
    assert_true(read_source(GUEST("kernel = \"k\"; mem-mib = <1>;")));
    const struct manifest_child *g = &manifest.child[2];
    assert_true(g->priority == 50 && g->vcpus == 1 && g->on_reset == RESET_STOP && g->runs == 1);
    assert_true(g->console == NULL && g->uses.count == 1);
}

/* A manifest that is wrong in one way, and what its line must say. */
static const struct {
    const char *source, *line;
} wrong[] = {
    { "/ { };", "manifest: /: compatible must be \"quire,manifest\"" },
    { ROOT(""), "manifest: /: there is nothing to start" },
    { ROOT("color = \"red\";"), "manifest: /: color: unknown property" },
    { ROOT("program = \"x\";"), "manifest: /: program: unknown property" },
    { ROOT("when-done = \"dance\";"), "manifest: /: when-done: \"dance\" is none of the words" },
    { ROOT("a { };"), "manifest: a: compatible must be \"quire,server\" or \"quire,guest\"" },
    { ROOT("a { compatible = \"quire,server\"; };"), "manifest: a: program is missing" },
    { SERVER("inner { };"), "manifest: s: has a node inside" },
    { SERVER("mem-mib = <3>;"), "manifest: s: mem-mib: unknown property" },
    { SERVER("frobnicate;"), "manifest: s: frobnicate: unknown property" },
    { SERVER("irq = <256>;"), "manifest: s: irq: 256 is too large: 255 at most" },
    { SERVER("irq = \"four\";"), "manifest: s: irq: must be 1 to 8 numbers" },
    { SERVER("irq;"), "manifest: s: irq: must be 1 to 8 numbers" },
    { SERVER("irq = <1 2 3 4 5 6 7 8 9>;"), "manifest: s: irq: must be 1 to 8 numbers" },
    { SERVER("ports = <0x3f8>;"), "manifest: s: ports: must be pairs" },
    { SERVER("ports = <0xfff8 9>;"), "manifest: s: ports: 9 ports from 0xfff8 on" },
    { SERVER("ports = <0x60 0>;"), "manifest: s: ports: 0 ports from 0x60 on" },
    { SERVER("priority = <127>;"), "manifest: s: priority: 127 is too large: 126 at most" },
    { SERVER("priority = <0>;"), "manifest: s: priority: 0 is too small: 1 at least" },
    { SERVER("priority = <1 2>;"), "manifest: s: priority: must be one number" },
    { SERVER("priority = /bits/ 64 <5>;"), "manifest: s: priority: must be one number" },
    { SERVER("untyped-mib = <0>;"), "manifest: s: untyped-mib: 0 is too small" },
    { SERVER("untyped-mib = <4>; untyped = \"rest\";"),
        "manifest: s: untyped and untyped-mib exclude" },
    { SERVER("untyped = \"most\";"), "manifest: s: untyped: \"most\" is none of the words" },
    { SERVER("capabilities = \"thread\", \"magic\";"),
        "manifest: s: capabilities: \"magic\" is none" },
    { SERVER("restart = <1>;"), "manifest: s: restart: takes no value" },
    { SERVER("args = <1>;"), "manifest: s: args: must be" },
    { SERVER("args = \"a\", \"b\";"), "manifest: s: args: must be one text" },
    { SERVER("args = \"a\\nb\";"), "manifest: s: args: has a byte that is not printable" },
    { SERVER("provides = \"\";"), "manifest: s: provides: a text has 0 bytes" },
    { SERVER("provides = \"a-name-that-is-really-too-long\";"),
        "manifest: s: provides: a text has 30 bytes" },
    { SERVER("provides = \"a\", \"a\";"), "manifest: s: the service \"a\" is provided twice" },
    { SERVER("uses = \"disk\";"), "manifest: s: nobody before it provides the service \"disk\"" },
    { SERVER("provides = \"a\"; uses = \"a\";"), "manifest: s: nobody before it provides" },
    { SERVER("budget-us = <5>;"), "manifest: s: budget-us: budget-us and period-us go together" },
    { SERVER("budget-us = <6>; period-us = <5>;"),
        "manifest: s: budget-us: is larger than period-us" },
    { SERVER("cpu = <2>; cpus = <3>;"), "manifest: s: cpu 2 is not one of its cpus" },
    { ROOT(UART "v { compatible = \"quire,server\"; program = \"x\"; provides = \"console\"; };"),
        "manifest: v: the service \"console\" is provided twice" },
    { ROOT("a-name-that-is-far-too-long { compatible = \"quire,server\"; program = \"x\"; };"),
        "manifest: a-name-that-is-far-too-long: the name has 27 bytes" },
    { ROOT("a { compatible = \"quire,server\"; program = \"x\"; untyped = \"rest\"; };"
           "b { compatible = \"quire,server\"; program = \"x\"; untyped = \"rest\"; };"),
        "manifest: b: only one can have the rest" },
    { GUEST("mem-mib = <1>;"), "manifest: g: kernel is missing" },
    { GUEST("kernel = \"k\";"), "manifest: g: mem-mib is missing" },
    { GUEST("kernel = \"k\"; mem-mib = <0>;"), "manifest: g: mem-mib: 0 is too small" },
    { GUEST("kernel = \"k\"; mem-mib = <1>; vcpus = <5>;"),
        "manifest: g: vcpus: 5 is too large: 4 at most" },
    { GUEST("kernel = \"k\"; mem-mib = <1>; irq = <4>;"), "manifest: g: irq: unknown property" },
    { GUEST("kernel = \"k\"; mem-mib = <1>; console = \"tty\";"),
        "manifest: g: nobody before it provides the service \"tty\"" },
    { ROOT("g { compatible = \"quire,guest\"; kernel = \"k\"; mem-mib = <1>; };"),
        "manifest: g: nobody before it provides the service \"vmspace\"" },
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (read_source(wrong[i].source)) {
            fail_msg("accepted: %s", wrong[i].source);
        }
        if (strncmp(error, wrong[i].line, strlen(wrong[i].line)) != 0) {
            fail_msg("expected: %s\n          got: %s", wrong[i].line, error);
        }
    }
}

/* dtc refuses two nodes of one name: the second is renamed in the binary. */
static void test_twice(void **state)
{
    (void)state;
    size_t size = compile(ROOT("aaa { compatible = \"quire,server\"; program = \"x\"; };"
                               "aab { compatible = \"quire,server\"; program = \"x\"; };"));
    for (size_t at = 0; at + 4 <= size; at++) {
        if (memcmp(tree + at, "aab", 4) == 0) {
            tree[at + 2] = 'a';
        }
    }
    assert_false(manifest_read(tree, size, &manifest, error));
    assert_string_equal(error, "manifest: aaa: the name is there twice");
}

static void test_many(void **state)
{
    (void)state;
    for (unsigned count = MANIFEST_CHILD_MAX; count <= MANIFEST_CHILD_MAX + 1; count++) {
        static char source[8192];
        strcpy(source, "/ { compatible = \"quire,manifest\";");
        for (unsigned i = 0; i < count; i++) {
            sprintf(source + strlen(source),
                "n%u { compatible = \"quire,server\"; program = \"x\"; };", i);
        }
        strcat(source, "};");
        assert_int_equal(read_source(source), count == MANIFEST_CHILD_MAX);
    }
    assert_string_equal(error, "manifest: n31: more than 31 servers and guests");
}

static void test_garbage(void **state)
{
    (void)state;
    size_t size = compile(GUEST("kernel = \"k\"; mem-mib = <1>;"));
    assert_false(manifest_read(tree, 10, &manifest, error));
    assert_non_null(strstr(error, "not a device tree"));
    assert_false(manifest_read(tree, sizeof(tree), &manifest, error));
    assert_non_null(strstr(error, "bytes"));
    /* Cut anywhere, in memory of that size. */
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = aligned_alloc(8, (cut + 8) & ~7ull);
        memcpy(copy, tree, cut);
        assert_false(manifest_read(copy, cut, &manifest, error));
        free(copy);
    }
}

static void test_files(void **state)
{
    (void)state;
    FILE *pipe = popen("d=$(mktemp -d) && cd $d && touch uart.elf v.elf vmm.elf k f && "
                       "ls | cpio -o -H newc --quiet && rm -rf $d",
        "r");
    static char archive[16384];
    size_t size = fread(archive, 1, sizeof(archive), pipe);
    assert_int_equal(pclose(pipe), 0);
    static const struct {
        const char *source, *missing;
    } cases[] = {
        { GUEST("kernel = \"k\"; mem-mib = <1>; files = \"f\";"), NULL },
        { GUEST("kernel = \"kk\"; mem-mib = <1>;"),
            "manifest: g: no file \"kk\" in the boot image" },
        { GUEST("kernel = \"k\"; initrd = \"i\"; mem-mib = <1>;"),
            "manifest: g: no file \"i\" in the boot image" },
        { GUEST("kernel = \"k\"; mem-mib = <1>; files = \"f\", \"ff\";"),
            "manifest: g: no file \"ff\" in the boot image" },
        { SERVER(""), "manifest: s: no file \"s.elf\" in the boot image" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(read_source(cases[i].source));
        bool found = manifest_check_files(&manifest, archive, size, error);
        assert_int_equal(found, cases[i].missing == NULL);
        if (!found) {
            assert_string_equal(error, cases[i].missing);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "MANIFEST-01: all properties of a server are read", test_server, NULL, NULL, NULL },
        { "MANIFEST-02: a guest becomes a VMM with what it needs", test_guest, NULL, NULL, NULL },
        { "MANIFEST-03: what is left out has its default", test_defaults, NULL, NULL, NULL },
        { "MANIFEST-04: each mistake has a line that names node and property", test_wrong, NULL,
            NULL, NULL },
        { "MANIFEST-05: a name that is there twice is refused", test_twice, NULL, NULL, NULL },
        { "MANIFEST-06: 31 children are allowed, 32 are not", test_many, NULL, NULL, NULL },
        { "MANIFEST-07: what is no device tree is refused", test_garbage, NULL, NULL, NULL },
        { "MANIFEST-08: a file that is not in the boot image is named", test_files, NULL, NULL,
            NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
