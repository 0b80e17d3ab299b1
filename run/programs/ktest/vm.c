/* vm.c: tests of virtual CPUs: exits, state, nested faults, kicks, preemption. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/abi/counter.h"
#include "run/programs/ktest/guest.h"

static struct guest guest;

static void expect_exit(const struct message *m, enum vcpu_exit reason)
{
    CHECK(m->tag == (TAG_KERNEL | TAG(KL_EXIT, 4)));
    CHECK(m->word[0] == reason);
    if (m->word[0] != reason) {
        log_bare("    exit %lu: 0x%lx 0x%lx 0x%lx, rip 0x%lx", m->word[0], m->word[1], m->word[2],
                 m->word[3], guest.state->rip);
    }
}

static void answer(struct message *m, uint64_t groups)
{
    m->tag = TAG(groups, 0);
    CHECK_STATUS(sys_reply_recv(guest.exits, guest.exit_reply, m), OK);
}

/* mov eax,7; cpuid; out 0x80,al; in ax,dx; hlt */
static const uint8_t exits_code[] = {0x66, 0xb8, 7, 0, 0, 0, 0x0f, 0xa2, 0xe6, 0x80,
                                     0xba, 0x34, 0x12, 0xed, 0xf4};

static void exits(void)
{
    struct message m = {0};

    guest_make(&guest, exits_code, sizeof(exits_code), 10);
    guest_start(&guest, &m);
    expect_exit(&m, EXIT_CPUID);
    CHECK(guest.state->gpr[VGPR_RAX] == 7 && guest.state->instruction_length == 2);
    guest.state->gpr[VGPR_RAX] = 0x55;
    answer(&m, VS_ADVANCE);
    expect_exit(&m, EXIT_IO);
    CHECK(VIO_PORT(m.word[1]) == 0x80 && VIO_SIZE(m.word[1]) == 1 && !(m.word[1] & VIO_IN));
    CHECK((guest.state->gpr[VGPR_RAX] & 0xff) == 0x55);
    answer(&m, VS_ADVANCE);
    expect_exit(&m, EXIT_IO);
    CHECK(VIO_PORT(m.word[1]) == 0x1234 && VIO_SIZE(m.word[1]) == 2 && (m.word[1] & VIO_IN));
    answer(&m, VS_ADVANCE);
    expect_exit(&m, EXIT_HLT);
    CHECK(guest.state->rip == GUEST_CODE + sizeof(exits_code) - 1);
}

/* mov al,[0x3000]; mov [0x4000],al; hlt */
static const uint8_t touch_code[] = {0xa0, 0x00, 0x30, 0xa2, 0x00, 0x40, 0xf4};

static void nested_faults(void)
{
    struct message m = {0};
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS);

    guest_make(&guest, touch_code, sizeof(touch_code), 10);
    CHECK_STATUS(sys_resume(guest.vcpu), OK);
    CHECK_STATUS(sys_recv(guest.faults, guest.fault_reply, &m), OK);
    CHECK(m.tag == (TAG_KERNEL | TAG(KL_NESTED_FAULT, 2)));
    CHECK(m.word[0] == 0x3000 && m.word[1] == FAULT_READ);
    /* Mapped and resumed in one call; the next fault is the write. */
    CHECK_STATUS(sys_map_reply_recv(guest.faults, guest.fault_reply, guest.space, frame, 0,
                                    0x3000 | MAP_READ | MAP_FRESH, &m),
                 OK);
    CHECK(m.word[0] == 0x4000 && m.word[1] == FAULT_WRITE);
    m.tag = TAG(FR_DEVICE, 0);
    CHECK_STATUS(sys_reply(guest.fault_reply, &m), OK);
    CHECK_STATUS(sys_recv(guest.exits, guest.exit_reply, &m), OK);
    expect_exit(&m, EXIT_MEMORY);
    CHECK(m.word[1] == 0x4000 && m.word[2] == FAULT_WRITE);
}

static void window(void)
{
    struct message m = {0};
    uint64_t before;

    guest_make(&guest, touch_code, sizeof(touch_code), 10);
    CHECK_STATUS(sys_space_window(guest.space, 0x3000, 0x3fff), OK);
    before = rig_counter(CT_NESTED_MESSAGE);
    guest_start(&guest, &m);
    expect_exit(&m, EXIT_MEMORY);
    CHECK(m.word[1] == 0x3000 && m.word[2] == FAULT_READ);
    CHECK(rig_counter(CT_NESTED_MESSAGE) == before);
}

static const uint8_t spin_code[] = {0xfa, 0xeb, 0xfe}; /* cli; jmp $ */

static void spin(void)
{
    struct message m = {0};
    uint64_t bits, start, took;
    uint32_t timer = rig_object(OBJ_NOTIFICATION, 0), badged = rig_slot();

    guest_make(&guest, spin_code, sizeof(spin_code), 10);
    CHECK_STATUS(sys_cap_mint(timer, badged, NT_SIGNAL | NT_WAIT, 1), OK);
    CHECK_STATUS(sys_resume(guest.vcpu), OK);
    start = rig_tsc();
    CHECK_STATUS(sys_timer(badged, start + rig_boot->tsc_hz / 100), OK);
    CHECK_STATUS(sys_wait(badged, &bits), OK); /* the guest spins meanwhile, with interrupts off */
    took = (rig_tsc() - start) * 1000 / rig_boot->tsc_hz;
    CHECK(took >= 10 && took < 30);
    CHECK_STATUS(sys_vcpu_kick(guest.vcpu), OK);
    CHECK_STATUS(sys_recv(guest.exits, guest.exit_reply, &m), OK);
    expect_exit(&m, EXIT_KICK);
}

/* xor ax,ax; mov ss,ax; mov sp,0x2000; sti; jmp $ with a handler at 0x1080: hlt */
static const uint8_t wait_code[] = {0x31, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x20, 0xfb, 0xeb, 0xfe};

static void injection(void)
{
    struct message m = {0};
    uint64_t bits;
    uint32_t timer = rig_object(OBJ_NOTIFICATION, 0), badged = rig_slot();

    guest_make(&guest, wait_code, sizeof(wait_code), 10);
    guest.code[0x80] = 0xf4;
    guest.code[0x100 + 0x20 * 4] = 0x80; /* vector 0x20 of a table at 0x1100: 0000:1080 */
    guest.code[0x100 + 0x20 * 4 + 1] = 0x10;
    guest.state->idtr_base = GUEST_CODE + 0x100;
    CHECK_STATUS(sys_cap_mint(timer, badged, NT_SIGNAL | NT_WAIT, 1), OK);
    CHECK_STATUS(sys_resume(guest.vcpu), OK);
    CHECK_STATUS(sys_timer(badged, rig_tsc() + rig_boot->tsc_hz / 1000), OK);
    CHECK_STATUS(sys_wait(badged, &bits), OK);
    CHECK_STATUS(sys_vcpu_kick(guest.vcpu), OK);
    CHECK_STATUS(sys_recv(guest.exits, guest.exit_reply, &m), OK);
    expect_exit(&m, EXIT_KICK);
    guest.state->event = VEVENT_VALID | VEVENT_INTERRUPT | 0x20;
    answer(&m, VS_EVENT);
    expect_exit(&m, EXIT_HLT);
    CHECK(guest.state->rip == GUEST_CODE + 0x80);
}

static const uint8_t triple_code[] = {0x0f, 0x0b}; /* ud2, with an empty interrupt table */

static void triple(void)
{
    struct message m = {0};

    guest_make(&guest, triple_code, sizeof(triple_code), 10);
    guest.state->idtr_limit = 0;
    guest_start(&guest, &m);
    expect_exit(&m, EXIT_TRIPLE_FAULT);
}

static void bad_state(void)
{
    struct message m = {0};

    guest_make(&guest, spin_code, sizeof(spin_code), 10);
    guest.state->rflags = 0; /* bit 1 must be set */
    guest_start(&guest, &m);
    expect_exit(&m, EXIT_ENTRY_FAILED);
}

static void refused(void)
{
    uint32_t slot = rig_slot();

    CHECK_STATUS(sys_retype(BOOT_FREE, slot, OBJ_VCPU, 0, 0, 1), E_UNSUPPORTED);
}

void test_vm(void)
{
    static const struct rig_test tests[] = {
        {"VMX-01: cpuid, out, in and hlt exit with the right words and state", exits},
        {"VMX-02: a nested fault is answered by map and resume, or goes to the VMM", nested_faults},
        {"VMX-03: a fault in the device window goes to the VMM at once", window},
        {"VMX-04: a guest that spins with interrupts off is preempted and kicked", spin},
        {"VMX-05: an injected interrupt reaches the guest's handler", injection},
        {"VMX-06: a triple fault stops that guest alone", triple},
        {"VMX-07: state that the CPU refuses is reported", bad_state},
    };
    static const struct rig_test without[] = {
        {"VMX-00: without VMX a VCpu is refused", refused},
    };

    if (rig_boot->features & BOOT_HAS_VMX) {
        RIG_RUN(tests);
    } else {
        RIG_RUN(without);
    }
}
