/* bench.c: what the kernel's paths cost, in instructions (TSC ticks of Bochs with one CPU). */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/guest.h"
#include "servers/lib/syscall_raw.h"

#define RUNS 1000u

static uint64_t sample[RUNS];
static uint64_t clock_cost; /* of reading the TSC twice */
static uint32_t endpoint, reply;

static void sort(uint64_t *values, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        uint64_t value = values[i];
        unsigned at = i;

        for (; at > 0 && values[at - 1] > value; at--) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
}

/* Each sample has 'operations' of the thing measured in it. */
static void report(const char *name, unsigned operations)
{
    sort(sample, RUNS);
    log_bare("BENCH %s %lu %lu", name, (sample[0] - clock_cost) / operations,
             (sample[RUNS / 2] - clock_cost) / operations);
}

static void measure_clock(void)
{
    for (unsigned i = 0; i < RUNS; i++) {
        uint64_t start = rig_tsc();

        sample[i] = rig_tsc() - start;
    }
    sort(sample, RUNS);
    clock_cost = sample[RUNS / 2];
}

/* One operation per sample; 'before' and 'after' are not measured. */
#define MEASURE(name, before, operation, after)                                                    \
    do {                                                                                           \
        for (unsigned i = 0; i < RUNS; i++) {                                                      \
            before;                                                                                \
            uint64_t start = rig_tsc();                                                            \
            operation;                                                                             \
            sample[i] = rig_tsc() - start;                                                         \
            after;                                                                                 \
        }                                                                                          \
        report(name, 1);                                                                           \
    } while (0)

/* One message call, with nothing around it. Returns word 0 of what is received. */
static inline uint64_t message(uint64_t number, uint64_t rdi, uint64_t rsi, uint64_t rdx, uint64_t a)
{
    register uint64_t r8 __asm__("r8") = a;
    register uint64_t r9 __asm__("r9") = 3;
    register uint64_t r10 __asm__("r10") = 4;

    __asm__ volatile("syscall"
                     : "+a"(number), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9), "+r"(r10)
                     :
                     : "rcx", "r11", "memory");
    return rdx;
}

static inline void call(uint64_t tag) { message(SYS_CALL, endpoint, tag, 1, 2); }

static void answer_all(uint64_t argument)
{
    struct message m = {0};

    (void)argument;
    sys_recv(endpoint, reply, &m);
    for (;;) {
        message(SYS_REPLY_RECV, sys_pair(endpoint, reply), TAG(0, 4), 1, 2);
    }
}

static void start_server(bool process)
{
    struct rig_thread t;

    endpoint = rig_object(OBJ_ENDPOINT, 0);
    reply = rig_object(OBJ_REPLY, 0);
    t = process ? rig_process(answer_all, 0, PRIORITY_MAX, 0, 0)
                : rig_thread(answer_all, 0, PRIORITY_MAX, 0, 0);
    sys_resume(t.thread);
    call(0);
    sys_sched(t.thread, 0, PRIORITY_MAX, 0);
}

static void messages(void)
{
    start_server(true);
    MEASURE("ipc_cross_0", , call(TAG(0, 0)), );
    MEASURE("ipc_cross_4", , call(TAG(0, 4)), );
    start_server(false);
    MEASURE("ipc_same_0", , call(TAG(0, 0)), );
}

static void small_calls(void)
{
    uint32_t notification = rig_object(OBJ_NOTIFICATION, 0), badged = rig_slot(), copy = rig_slot();
    uint32_t untyped = rig_untyped(23), frames = rig_slot();

    sys_cap_mint(notification, badged, NT_SIGNAL, 1);
    MEASURE("syscall_null", , sys_null(), );
    MEASURE("notify", , sys_signal(badged), );
    MEASURE("cap_copy", , sys_cap_copy(notification, copy, NT_SIGNAL), sys_cap_delete(copy));
    MEASURE("cap_delete", sys_cap_copy(notification, copy, NT_SIGNAL), sys_cap_delete(copy), );
    for (unsigned i = 1; i < RUNS; i++) {
        rig_slot();
    }
    MEASURE("retype_4k", , sys_retype(untyped, frames + i, OBJ_FRAME, FRAME_4K_BITS, RETYPE_RAW, 1), );
}

static void mappings(void)
{
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    uint64_t address = (uint64_t)rig_map(frame, 4096);

    rig_map(frame, 4096); /* a neighbour, so that the table stays */
    MEASURE("map_x86", sys_unmap(BOOT_SPACE, address, 1, NULL),
            sys_map(BOOT_SPACE, frame, 0, address | MAP_READ | MAP_WRITE, 1, NULL), );
    MEASURE("unmap_x86", , sys_unmap(BOOT_SPACE, address, 1, NULL),
            sys_map(BOOT_SPACE, frame, 0, address | MAP_READ | MAP_WRITE, 1, NULL));
}

/* Touches page after page; the handler maps one frame wherever it is asked. */
static volatile uint64_t touches;

static void toucher(uint64_t address)
{
    for (unsigned i = 0; i < RUNS; i++, address += 4096) {
        uint64_t start = rig_tsc();

        *(volatile uint8_t *)address = 1;
        sample[i] = rig_tsc() - start;
        touches = i + 1;
    }
    for (;;) {
        call(0);
    }
}

static void page_faults(void)
{
    uint32_t faults = rig_object(OBJ_ENDPOINT, 0), frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);
    uint32_t held = rig_object(OBJ_REPLY, 0);
    struct rig_thread t = rig_thread(toucher, 0x300000000000, 10, 0, faults);
    struct message m = {0};

    endpoint = faults;
    sys_resume(t.thread);
    sys_recv(faults, held, &m);
    while (m.tag & TAG_KERNEL) {
        sys_map_reply_recv(faults, held, BOOT_SPACE, frame, 0,
                           (m.word[0] & ~4095ull) | MAP_READ | MAP_WRITE, &m);
    }
    report("fault_x86", 1);
    sys_unmap(BOOT_SPACE, 0x300000000000, RUNS, NULL);
}

/* The time between two exits, which holds one round trip and the guest's few instructions. */
static void exit_loop(const char *name, const uint8_t *code, unsigned size)
{
    struct guest guest;
    struct message m = {0};

    guest_make(&guest, code, size, 10);
    /* As a VMM does: signals arrive with the exits, and of the state only what it needs. */
    sys_thread_bind(BOOT_THREAD, rig_object(OBJ_NOTIFICATION, 0));
    sys_vcpu_mask(guest.vcpu, EXIT_CPUID, 0);
    sys_vcpu_mask(guest.vcpu, EXIT_IO, 0);
    guest_start(&guest, &m);
    for (unsigned i = 0; i < RUNS; i++) {
        uint64_t start = rig_tsc();

        message(SYS_REPLY_RECV, sys_pair(guest.exits, guest.exit_reply), TAG(VS_ADVANCE, 0), 0, 0);
        sample[i] = rig_tsc() - start;
    }
    report(name, 1);
    sys_thread_bind(BOOT_THREAD, 0);
}

/* mov eax,0x10000 (32-bit addressing from real mode); loop: mov [eax],al; add eax,4096; jmp loop */
static const uint8_t fault_code[] = {0x66, 0xb8, 0x00, 0x00, 0x01, 0x00, 0x67, 0x88, 0x00, 0x66,
                                     0x05, 0x00, 0x10, 0x00, 0x00, 0xeb, 0xf5};

static void nested_faults(const char *name, uint64_t flags)
{
    struct guest guest;
    struct message m = {0};
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_2M_BITS);
    uint64_t address;

    guest_make(&guest, fault_code, sizeof(fault_code), 10);
    guest.state->segment[VSEG_DS].limit = UINT32_MAX;
    guest.state->segment[VSEG_DS].access = 0x8093;
    sys_space_fund(guest.space, rig_untyped(17), NULL);
    sys_resume(guest.vcpu);
    sys_recv(guest.faults, guest.fault_reply, &m);
    address = m.word[0];
    for (unsigned i = 0; i < RUNS; i++) {
        uint64_t start = rig_tsc();

        address = message(SYS_MAP_REPLY_RECV, sys_pair(guest.faults, guest.fault_reply),
                          sys_pair(guest.space, frame), i % 512 * 4096,
                          address | MAP_READ | MAP_WRITE | flags);
        sample[i] = rig_tsc() - start;
        if (flags && i % 512 == 511) {
            sys_cap_revoke(frame);
        }
    }
    report(name, 1);
    CHECK(address == m.word[0] + RUNS * 4096ull);
}

static void guests(void)
{
    static const uint8_t cpuid[] = {0x0f, 0xa2, 0xeb, 0xfc};
    static const uint8_t out[] = {0xe6, 0x80, 0xeb, 0xfc};

    exit_loop("exit_cpuid", cpuid, sizeof(cpuid));
    exit_loop("exit_pio", out, sizeof(out));
    nested_faults("fault_ept", 0);
    nested_faults("fault_ept_fresh", MAP_FRESH);
}

static const uint8_t halt_code[] = {0xf4};

/* Objects and a one-page guest, to its first halt, and everything back. */
static void guest_cycles(void)
{
    struct guest guest;
    struct message m;

    for (unsigned i = 0; i < RUNS; i++) {
        uint64_t start = rig_tsc();

        rig_begin();
        guest_make(&guest, halt_code, sizeof(halt_code), 10);
        guest_start(&guest, &m);
        rig_end();
        sample[i] = rig_tsc() - start;
    }
    report("vm_cycle", 1);
}

void bench(void)
{
    static void (*const parts[])(void) = {messages, small_calls, mappings, page_faults, guests};
    unsigned count = sizeof(parts) / sizeof(parts[0]) - !(rig_boot->features & BOOT_HAS_VMX);

    measure_clock();
    for (unsigned i = 0; i < count; i++) {
        rig_begin();
        parts[i]();
        rig_end();
    }
    if (rig_boot->features & BOOT_HAS_VMX) {
        guest_cycles();
    }
}
