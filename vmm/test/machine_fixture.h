/* machine_fixture.h: a machine whose system calls are recorded, for tests that play exits. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_MACHINE_FIXTURE_H
#define VMM_TEST_MACHINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/lib/log.h"
#include "vmm/guest_window.h"
#include "vmm/run.h"

#define RAM_SIZE 0x400000u
#define TSC_HZ 1000000000u
#define START 1000u
#define TABLES 0x10000u /* where use_long_mode() puts page tables */

static struct {
    struct machine machine;
    struct guest_window window;
    struct vcpu_state state;
    uint64_t timer; /* as set last */
    unsigned timers, kicks;
    uint64_t groups[EXIT_COUNT];
    char output[2048], log[4096];
    const char *input;
} f;

void log_line(const char *format, ...)
{
    size_t length = strlen(f.log);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(f.log + length, sizeof f.log - length, format, arguments);
    va_end(arguments);
    strncat(f.log, "\n", sizeof f.log - strlen(f.log) - 1);
}

static void set_timer(void *ctx, uint64_t deadline)
{
    (void)ctx;
    f.timer = deadline;
    f.timers++;
}

static void kick(void *ctx, unsigned cpu)
{
    (void)ctx;
    assert_int_equal(cpu, 0);
    f.kicks++;
}

static void set_groups(void *ctx, unsigned cpu, enum vcpu_exit reason, uint64_t groups)
{
    (void)ctx;
    assert_int_equal(cpu, 0);
    f.groups[reason] = groups;
}

/* A host that has the basics: leaf 1 with XSAVE and OSXSAVE, leaf 0xD with x87, SSE and AVX. */
static void host_cpuid(void *ctx, uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    (void)ctx;
    *out = (struct cpuid_regs){0};
    switch (leaf) {
    case 0:
        *out = (struct cpuid_regs){.eax = 0x16};
        memcpy(&out->ebx, "Genu", 4);
        memcpy(&out->edx, "ineI", 4);
        memcpy(&out->ecx, "ntel", 4);
        break;
    case 1:
        *out = (struct cpuid_regs){.eax = 0x50654, .ecx = 1u << 26 | 1u << 27 | 1u << 28};
        break;
    case 0xd: out->eax = subleaf == 0 ? 7 : subleaf == 2 ? 256 : 0; break;
    case 0x80000000: out->eax = 0x80000008; break;
    case 0x80000001: out->edx = 1u << 29; break;
    case 0x80000008: out->eax = 0x3027; break;
    default: break;
    }
}

static void write_console(void *ctx, const char *bytes, size_t count)
{
    (void)ctx;
    strncat(f.output, bytes, count);
}

static size_t read_console(void *ctx, char bytes[CONSOLE_READ_MAX])
{
    size_t count = strnlen(f.input, CONSOLE_READ_MAX);

    (void)ctx;
    memcpy(bytes, f.input, count);
    f.input += count;
    return count;
}

static inline uint8_t *ram(uint64_t gpa)
{
    return f.window.base + gpa;
}

/* A machine in flat 32-bit protected mode, interrupts on, at 0x1000, with the i8259 masked. */
static int set_up(void **state)
{
    struct machine_config config = {
        .ops = {set_timer, kick, set_groups, host_cpuid, NULL},
        .terminal = {write_console, read_console, NULL},
        .ncpus = 1,
        .tsc_hz = TSC_HZ,
        .now = START,
    };
    const struct guest_segment data = {0x18, 0xC093, UINT32_MAX, 0};
    const struct guest_entry entry = {
        .rip = 0x1000,
        .rflags = 0x202,
        .cr0 = 0x11,
        .code = {0x10, 0xC09B, UINT32_MAX, 0},
        .data = data,
        .task = {0, 0x8B, 0xFFFF, 0},
        .local = {0, 0x82, 0xFFFF, 0},
    };

    (void)state;
    memset(&f, 0, sizeof f);
    guest_window_init(&f.window, calloc(1, RAM_SIZE), RAM_SIZE);
    config.memory = guest_window_memory(&f.window);
    f.input = "";
    f.machine.vcpu[0].state = &f.state;
    assert_int_equal(machine_init(&f.machine, &config), PC_OK);
    machine_enter_at(&f.machine, &entry);
    f.state.instruction_length = 2;
    pc_out(&f.machine.pc, 0x21, 1, 0xFF, START);
    pc_out(&f.machine.pc, 0xA1, 1, 0xFF, START);
    f.machine.vcpu[0].attention = false;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(f.window.base);
    return 0;
}

/* Plays an exit. */
static uint64_t play(uint64_t now, enum vcpu_exit reason, uint64_t a, uint64_t b)
{
    const uint64_t word[4] = {reason, a, b, 0};

    return run_exit(&f.machine.vcpu[0], word, now);
}

static inline uint64_t notice(uint64_t now, uint64_t bits)
{
    return run_notice(&f.machine.vcpu[0], bits, now);
}

static inline uint64_t out_byte(uint64_t now, uint16_t port, uint8_t value)
{
    f.state.gpr[VGPR_RAX] = value;
    return play(now, EXIT_IO, port | 1u << 16, 0);
}

static inline uint64_t write_msr(uint64_t now, uint32_t msr, uint64_t value)
{
    f.state.gpr[VGPR_RCX] = msr;
    f.state.gpr[VGPR_RAX] = (uint32_t)value;
    f.state.gpr[VGPR_RDX] = value >> 32;
    return play(now, EXIT_MSR_WRITE, 0, 0);
}

static inline void put_entry(uint64_t table, unsigned index, uint64_t value)
{
    memcpy(ram(table + 8 * index), &value, sizeof value);
}

/* 64-bit mode: 0x400000 is code at 0x1000, 0x600000 the local APIC, 0x800000 RAM at 0x2000. */
static inline void use_long_mode(void)
{
    put_entry(TABLES, 0, (TABLES + 0x1000) | 3);
    put_entry(TABLES + 0x1000, 0, (TABLES + 0x2000) | 3);
    put_entry(TABLES + 0x2000, 2, (TABLES + 0x3000) | 3);
    put_entry(TABLES + 0x2000, 3, (TABLES + 0x4000) | 3);
    put_entry(TABLES + 0x2000, 4, (TABLES + 0x5000) | 3);
    put_entry(TABLES + 0x3000, 0, 0x1000 | 3);
    put_entry(TABLES + 0x4000, 0, 0xFEE00000 | 3);
    put_entry(TABLES + 0x5000, 0, 0x2000 | 3);
    f.state.cr0 = 0x80000011;
    f.state.cr3 = TABLES;
    f.state.cr4 = 0x20;
    f.state.efer = 0x500;
    f.state.segment[VSEG_CS].access = 0xA09B;
}

/* Switches the local APIC on and its timer to TSC-deadline mode, with that vector. */
static inline void use_deadline_timer(uint8_t vector)
{
    pc_mmio_write(&f.machine.pc, 0, 0xFEE000F0, 4, START, 0x1FF);
    pc_mmio_write(&f.machine.pc, 0, 0xFEE00320, 4, START, 2u << 17 | vector);
}

#endif
