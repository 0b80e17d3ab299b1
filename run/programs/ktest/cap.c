/* cap.c: tests of capabilities: copy, mint, move, delete, rights, two-level addresses, retype. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/rig.h"

static bool is_empty(uint32_t slot)
{
    struct cap_identity id;

    return sys_cap_identify(slot, &id) == E_CAP;
}

static struct cap_identity identity(uint32_t slot)
{
    struct cap_identity id;

    CHECK_STATUS(sys_cap_identify(slot, &id), OK);
    return id;
}

static void copies(void)
{
    uint32_t frame = rig_object(OBJ_FRAME, FRAME_4K_BITS), weak = rig_slot(), again = rig_slot();
    struct cap_identity id = identity(frame), copy;

    CHECK(id.type == OBJ_FRAME && id.rights == RIGHTS_ALL && id.bits == FRAME_4K_BITS);
    CHECK_STATUS(sys_cap_copy(frame, weak, FR_READ), OK);
    copy = identity(weak);
    CHECK(copy.type == OBJ_FRAME && copy.rights == FR_READ && copy.physical == id.physical);
    CHECK(identity(frame).rights == RIGHTS_ALL);
    /* Rights that a capability has lost do not come back in a copy of it. */
    CHECK_STATUS(sys_cap_copy(weak, again, RIGHTS_ALL), OK);
    CHECK(identity(again).rights == FR_READ);
}

static void badges(void)
{
    uint32_t endpoint = rig_object(OBJ_ENDPOINT, 0), badged = rig_slot(), other = rig_slot();
    uint32_t notification = rig_object(OBJ_NOTIFICATION, 0), frame = rig_object(OBJ_FRAME, 12);

    CHECK_STATUS(sys_cap_mint(endpoint, badged, RIGHTS_ALL, 0), E_ARGUMENT);
    CHECK_STATUS(sys_cap_mint(endpoint, badged, RIGHTS_ALL, 1ull << 32), E_ARGUMENT);
    CHECK_STATUS(sys_cap_mint(frame, badged, RIGHTS_ALL, 1), E_TYPE);
    CHECK(is_empty(badged));
    CHECK_STATUS(sys_cap_mint(endpoint, badged, EP_CALL, 0xfffffffe), OK);
    CHECK(identity(badged).badge == 0xfffffffe && identity(badged).rights == EP_CALL);
    CHECK_STATUS(sys_cap_mint(badged, other, EP_CALL, 5), E_ARGUMENT);
    CHECK_STATUS(sys_cap_copy(badged, other, RIGHTS_ALL), OK);
    CHECK(identity(other).badge == 0xfffffffe && identity(other).rights == EP_CALL);
    CHECK_STATUS(sys_cap_delete(other), OK);
    CHECK_STATUS(sys_cap_mint(notification, other, NT_SIGNAL, 1), OK);
    CHECK(identity(other).badge == 1 && identity(notification).badge == 0);
}

static void ports(void)
{
    uint32_t range = rig_slot(), inner = rig_slot();
    uint32_t value;

    CHECK_STATUS(sys_cap_mint(BOOT_PORTS, range, RIGHTS_ALL, sys_pair(0x80, 0x8f)), OK);
    CHECK_STATUS(sys_cap_mint(range, inner, PO_OUT, sys_pair(0x7f, 0x80)), E_ARGUMENT);
    CHECK_STATUS(sys_cap_mint(range, inner, PO_OUT, sys_pair(0x8f, 0x90)), E_ARGUMENT);
    CHECK_STATUS(sys_cap_mint(range, inner, PO_OUT, sys_pair(0x88, 0x87)), E_ARGUMENT);
    CHECK_STATUS(sys_cap_mint(range, inner, PO_OUT, sys_pair(0x80, 0x83)), OK);
    CHECK_STATUS(sys_port_out(inner, 0x80, 1, 0), OK);
    CHECK_STATUS(sys_port_out(inner, 0x80, 4, 0), OK);
    CHECK_STATUS(sys_port_out(inner, 0x81, 4, 0), E_RIGHT);
    CHECK_STATUS(sys_port_out(inner, 0x84, 1, 0), E_RIGHT);
    CHECK_STATUS(sys_port_out(inner, 0x80, 3, 0), E_ARGUMENT);
    CHECK_STATUS(sys_port_in(inner, 0x80, 1, &value), E_RIGHT);
    CHECK_STATUS(sys_port_in(range, 0x7f, 1, &value), E_RIGHT);
    CHECK_STATUS(sys_port_in(range, 0x84, 1, &value), OK);
    CHECK_STATUS(sys_cap_revoke(BOOT_PORTS), OK);
    CHECK(is_empty(range) && is_empty(inner) && !is_empty(BOOT_PORTS));
}

static void moves(void)
{
    uint32_t endpoint = rig_object(OBJ_ENDPOINT, 0), badged = rig_slot(), to = rig_slot();

    CHECK_STATUS(sys_cap_mint(endpoint, badged, EP_CALL | EP_GRANT, 9), OK);
    CHECK_STATUS(sys_cap_move(badged, badged), E_SLOT);
    CHECK_STATUS(sys_cap_move(badged, endpoint), E_SLOT);
    CHECK_STATUS(sys_cap_move(badged, to), OK);
    CHECK(is_empty(badged));
    CHECK(identity(to).badge == 9 && identity(to).rights == (EP_CALL | EP_GRANT));
    CHECK_STATUS(sys_cap_move(badged, to), E_CAP);
    /* It is the endpoint's descendant wherever it is. */
    CHECK_STATUS(sys_cap_revoke(endpoint), OK);
    CHECK(is_empty(to) && !is_empty(endpoint));
}

static void addresses(void)
{
    uint32_t empty = rig_slot(), endpoint = rig_object(OBJ_ENDPOINT, 0);
    uint32_t untyped = rig_untyped(12);

    CHECK_STATUS(sys_cap_delete(empty), OK);
    CHECK_STATUS(sys_cap_delete(0), E_CAP);
    CHECK_STATUS(sys_cap_delete(1u << BOOT_CNODE_BITS), E_CAP);
    CHECK_STATUS(sys_cap_delete(CPTR(endpoint, 1)), E_CAP);
    CHECK_STATUS(sys_cap_revoke(empty), E_CAP);
    CHECK_STATUS(sys_cap_copy(empty, rig_slot(), RIGHTS_ALL), E_CAP);
    CHECK_STATUS(sys_cap_copy(endpoint, 0, RIGHTS_ALL), E_SLOT);
    CHECK_STATUS(sys_cap_copy(endpoint, 0xffff, RIGHTS_ALL), E_SLOT);
    CHECK_STATUS(sys_cap_copy(endpoint, untyped, RIGHTS_ALL), E_SLOT);
    CHECK_STATUS(sys_in(SYS_COUNT, 0, 0, 0, 0, 0, 0), E_CALL);
    CHECK_STATUS(sys_in((enum syscall)~0u, 0, 0, 0, 0, 0, 0), E_CALL);
}

static void two_levels(void)
{
    uint32_t node = rig_object(OBJ_CNODE, 4), read = rig_slot(), write = rig_slot();
    uint32_t endpoint = rig_object(OBJ_ENDPOINT, 0), to = rig_slot();

    CHECK_STATUS(sys_cap_copy(node, read, CN_READ), OK);
    CHECK_STATUS(sys_cap_copy(node, write, CN_WRITE), OK);
    CHECK_STATUS(sys_cap_copy(endpoint, CPTR(read, 1), RIGHTS_ALL), E_SLOT);
    CHECK_STATUS(sys_cap_copy(endpoint, CPTR(write, 1), RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_copy(endpoint, CPTR(write, 1), RIGHTS_ALL), E_SLOT);
    CHECK_STATUS(sys_cap_copy(endpoint, CPTR(write, 15), RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_copy(endpoint, CPTR(write, 16), RIGHTS_ALL), E_SLOT);
    CHECK_STATUS(sys_cap_copy(endpoint, CPTR(write, 0), RIGHTS_ALL), E_SLOT);
    CHECK_STATUS(sys_cap_copy(CPTR(write, 1), to, RIGHTS_ALL), E_RIGHT);
    CHECK_STATUS(sys_cap_move(CPTR(write, 1), to), E_RIGHT);
    CHECK_STATUS(sys_cap_delete(CPTR(read, 1)), E_RIGHT);
    CHECK_STATUS(sys_cap_revoke(CPTR(read, 1)), E_RIGHT);
    CHECK_STATUS(sys_cap_copy(CPTR(read, 1), to, RIGHTS_ALL), OK);
    CHECK_STATUS(sys_cap_move(CPTR(node, 15), CPTR(node, 14)), OK);
    CHECK(is_empty(CPTR(node, 15)) && identity(CPTR(node, 14)).type == OBJ_ENDPOINT);
    /* A capability can be used where it is, whatever the rights to its CNode. */
    CHECK_STATUS(sys_cap_copy(node, CPTR(node, 2), 0), OK);
    CHECK(identity(CPTR(read, 2)).rights == 0);
    CHECK_STATUS(sys_cap_delete(CPTR(node, 14)), OK);
    CHECK_STATUS(sys_retype(rig_untyped(12), CPTR(node, 10), OBJ_SCHED, 0, 0, 6), OK);
    CHECK_STATUS(sys_retype(rig_untyped(12), CPTR(node, 14), OBJ_SCHED, 0, 0, 3), E_SLOT);
    CHECK(identity(CPTR(node, 15)).type == OBJ_SCHED);
}

/* Where the capability without the right goes; what stands beside it has all rights. */
enum place { LOW, HIGH, SPACE, FAULT, BUFFER };

struct refused {
    uint8_t call, type, bits, lacking;
    uint8_t place;
    uint8_t partner;       /* HIGH: type of the object in the low half; the others: a Thread */
    uint16_t rdx;
};

static const struct refused refused[] = {
    {SYS_CALL, OBJ_ENDPOINT, 0, EP_CALL, LOW, 0, 0},
    {SYS_RECV, OBJ_ENDPOINT, 0, EP_RECV, LOW, 0, 0},
    {SYS_REPLY_RECV, OBJ_ENDPOINT, 0, EP_RECV, LOW, 0, 0},
    {SYS_MAP_REPLY_RECV, OBJ_ENDPOINT, 0, EP_RECV, LOW, 0, 0},
    {SYS_RECV, OBJ_REPLY, 0, RP_USE, HIGH, OBJ_ENDPOINT, 0},
    {SYS_REPLY, OBJ_REPLY, 0, RP_USE, HIGH, OBJ_ENDPOINT, 0},
    {SYS_REPLY_RECV, OBJ_REPLY, 0, RP_USE, HIGH, OBJ_ENDPOINT, 0},
    {SYS_SIGNAL, OBJ_NOTIFICATION, 0, NT_SIGNAL, LOW, 0, 0},
    {SYS_WAIT, OBJ_NOTIFICATION, 0, NT_WAIT, LOW, 0, 0},
    {SYS_POLL, OBJ_NOTIFICATION, 0, NT_WAIT, LOW, 0, 0},
    {SYS_TIMER, OBJ_NOTIFICATION, 0, NT_WAIT, LOW, 0, 0},
    {SYS_THREAD_BIND, OBJ_NOTIFICATION, 0, NT_WAIT, HIGH, OBJ_THREAD, 0},
    {SYS_THREAD_CONFIGURE, OBJ_THREAD, 0, TH_CONFIGURE, LOW, 0, 0},
    {SYS_THREAD_BIND, OBJ_THREAD, 0, TH_CONFIGURE, LOW, 0, 0},
    {SYS_SCHED, OBJ_THREAD, 0, TH_CONFIGURE, LOW, 0, 0},
    {SYS_THREAD_REGS, OBJ_THREAD, 0, TH_CONTROL, LOW, 0, 0},
    {SYS_THREAD_READ, OBJ_THREAD, 0, TH_CONTROL, LOW, 0, 0},
    {SYS_RESUME, OBJ_THREAD, 0, TH_CONTROL, LOW, 0, 0},
    {SYS_SUSPEND, OBJ_THREAD, 0, TH_CONTROL, LOW, 0, 0},
    {SYS_SCHED, OBJ_SCHED, 0, SC_BIND, HIGH, OBJ_THREAD, 0},
    {SYS_SC_CONFIGURE, OBJ_SCHED, 0, SC_CONFIGURE, LOW, 0, 1},
    {SYS_SPACE_FUND, OBJ_SPACE, PT_X86, SP_FUND, LOW, 0, 0},
    {SYS_SPACE_QUERY, OBJ_SPACE, PT_X86, SP_MAP, LOW, 0, 0},
    {SYS_MAP, OBJ_SPACE, PT_X86, SP_MAP, LOW, 0, MAP_READ},
    {SYS_UNMAP, OBJ_SPACE, PT_X86, SP_MAP, LOW, 0, 1},
    {SYS_PROTECT, OBJ_SPACE, PT_X86, SP_MAP, LOW, 0, 1},
    {SYS_MAP, OBJ_FRAME, 12, FR_READ, HIGH, OBJ_SPACE, MAP_READ},
    {SYS_MAP, OBJ_FRAME, 12, FR_WRITE, HIGH, OBJ_SPACE, MAP_READ | MAP_WRITE},
    {SYS_MAP, OBJ_FRAME, 12, FR_EXEC, HIGH, OBJ_SPACE, MAP_READ | MAP_EXEC},
    {SYS_MAP, OBJ_FRAME, 12, FR_WRITE, HIGH, OBJ_SPACE, MAP_READ | MAP_FRESH},
    {SYS_THREAD_CONFIGURE, OBJ_SPACE, PT_X86, SP_ASSIGN, SPACE, 0, 0},
    {SYS_THREAD_CONFIGURE, OBJ_ENDPOINT, 0, EP_CALL, FAULT, 0, 0},
    {SYS_THREAD_CONFIGURE, OBJ_FRAME, 12, FR_WRITE, BUFFER, 0, 0},
    {SYS_THREAD_CONFIGURE, OBJ_FRAME, 12, FR_READ, BUFFER, 0, 0},
};

static void refuse(const struct refused *r)
{
    uint32_t weak = rig_slot(), partner = 0;
    uint64_t rdi = weak, rsi = 0, rdx = r->rdx;
    enum status status;

    CHECK_STATUS(sys_cap_copy(rig_object(r->type, r->bits), weak, RIGHTS_ALL & ~r->lacking), OK);
    if (r->place != LOW) {
        partner = rig_object(r->place == HIGH ? r->partner : OBJ_THREAD, 0);
        rdi = r->place == HIGH ? sys_pair(partner, weak) : partner;
    }
    rsi = r->place == SPACE ? sys_pair(0, weak) : 1;
    rdx = r->place == FAULT ? weak : r->place == BUFFER ? sys_pair(0, weak) : rdx;
    if (r->call == SYS_THREAD_CONFIGURE && r->place != SPACE) {
        rsi = 0;
    }
    status = sys_in(r->call, rdi, rsi, rdx, 1, 0, 0);
    CHECK_STATUS(status, E_RIGHT);
    if (status != E_RIGHT) {
        log_bare("    row %lu", (unsigned long)(r - refused));
    }
}

static void rights(void)
{
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        refuse(&refused[i]);
    }
}

static void platform_rights(void)
{
    uint32_t weak = rig_slot(), line = rig_slot();
    uint64_t value, words[4] = {0};

    CHECK_STATUS(sys_cap_copy(BOOT_PLATFORM, weak, 0), OK);
    CHECK_STATUS(sys_log(weak, 1, words), E_RIGHT);
    CHECK_STATUS(sys_counter(weak, 0, 0, &value, NULL), E_RIGHT);
    CHECK_STATUS(sys_irq_get(weak, line, 5, 0), E_RIGHT);
    CHECK_STATUS(sys_reset(weak, 0), E_RIGHT);
    CHECK_STATUS(sys_irq_get(BOOT_PLATFORM, line, 5, 4), E_ARGUMENT);
    CHECK_STATUS(sys_irq_get(BOOT_PLATFORM, line, 100000, 0), E_ARGUMENT);
    CHECK_STATUS(sys_irq_get(BOOT_PLATFORM, line, 5, 0), OK);
    CHECK_STATUS(sys_irq_get(BOOT_PLATFORM, rig_slot(), 5, 0), E_BUSY);
    CHECK_STATUS(sys_log(BOOT_PLATFORM, 33, words), E_ARGUMENT);
    CHECK_STATUS(sys_cap_delete(weak), OK);
    CHECK_STATUS(sys_cap_copy(line, weak, 0), OK);
    CHECK_STATUS(sys_irq_ack(weak), E_RIGHT);
    CHECK_STATUS(sys_irq_bind(weak, rig_object(OBJ_NOTIFICATION, 0)), E_RIGHT);
    CHECK_STATUS(sys_cap_delete(line), OK);
    CHECK_STATUS(sys_cap_delete(weak), OK);
    CHECK_STATUS(sys_irq_get(BOOT_PLATFORM, line, 5, 0), OK);
    CHECK_STATUS(sys_cap_delete(line), OK);
}

/* Each error of retype, and that it changes nothing. */
static void retype_errors(void)
{
    uint32_t untyped = rig_untyped(16), before = rig_slot(), used = rig_slot(), slot = rig_slot();
    const struct {
        uint32_t type, bits, flags, count, slot;
        enum status status;
    } bad[] = {
        {OBJ_NULL, 0, 0, 1, slot, E_ARGUMENT},
        {OBJ_IRQ, 0, 0, 1, slot, E_ARGUMENT},
        {OBJ_PORTS, 0, 0, 1, slot, E_ARGUMENT},
        {OBJ_PLATFORM, 0, 0, 1, slot, E_ARGUMENT},
        {OBJ_TYPE_COUNT, 0, 0, 1, slot, E_ARGUMENT},
        {255, 0, 0, 1, slot, E_ARGUMENT},
        {OBJ_UNTYPED, UNTYPED_MIN_BITS - 1, 0, 1, slot, E_ARGUMENT},
        {OBJ_UNTYPED, UNTYPED_MAX_BITS + 1, 0, 1, slot, E_ARGUMENT},
        {OBJ_CNODE, 0, 0, 1, slot, E_ARGUMENT},
        {OBJ_CNODE, CNODE_MAX_BITS + 1, 0, 1, slot, E_ARGUMENT},
        {OBJ_FRAME, 13, 0, 1, slot, E_ARGUMENT},
        {OBJ_FRAME, 12, 2, 1, slot, E_ARGUMENT},
        {OBJ_CNODE, 4, RETYPE_RAW, 1, slot, E_ARGUMENT},
        {OBJ_THREAD, 0, RETYPE_RAW, 1, slot, E_ARGUMENT},
        {OBJ_SPACE, PT_X86, RETYPE_RAW, 1, slot, E_ARGUMENT},
        {OBJ_FRAME, 12, 0, 0, slot, E_ARGUMENT},
        {OBJ_FRAME, 12, 0, 0xffffffff, slot, E_ARGUMENT},
        {OBJ_SPACE, PT_VTD, 0, 1, slot, E_UNSUPPORTED},
        {OBJ_SPACE, PT_COUNT, 0, 1, slot, E_UNSUPPORTED},
        {OBJ_FRAME, 21, 0, 1, slot, E_MEMORY},
        {OBJ_FRAME, 12, 0, 17, slot, E_MEMORY},
        {OBJ_FRAME, 12, 0, 16, slot, E_MEMORY},
        {OBJ_FRAME, 12, 0, 1, used, E_SLOT},
        {OBJ_FRAME, 12, 0, 2, before, E_SLOT},
        {OBJ_FRAME, 12, 0, 1, 0, E_SLOT},
        {OBJ_FRAME, 12, 0, 2, (1u << BOOT_CNODE_BITS) - 1, E_SLOT},
        {OBJ_FRAME, 12, 0, 1, 0xffffffff, E_SLOT},
    };

    CHECK_STATUS(sys_retype(untyped, used, OBJ_FRAME, 12, 0, 1), OK);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum status status = sys_retype(untyped, bad[i].slot, bad[i].type, bad[i].bits,
                                        bad[i].flags, bad[i].count);

        CHECK_STATUS(status, bad[i].status);
        CHECK(identity(untyped).free == (1 << 16) - 4096 && is_empty(slot));
        if (status != bad[i].status) {
            log_bare("    row %u", i);
        }
    }
    CHECK_STATUS(sys_retype(used, slot, OBJ_FRAME, 12, 0, 1), E_TYPE);
    CHECK_STATUS(sys_retype(slot, slot, OBJ_FRAME, 12, 0, 1), E_CAP);
}

static void cleared(void)
{
    uint32_t untyped = rig_untyped(14), frame = rig_slot();

    for (unsigned round = 0; round < 2; round++) {
        CHECK_STATUS(sys_retype(untyped, frame, OBJ_FRAME, FRAME_4K_BITS, 0, 1), OK);
        volatile uint64_t *words = rig_map(frame, 4096);

        for (unsigned i = 0; i < 512; i++) {
            CHECK(words[i] == 0);
            words[i] = ~0ull;
        }
        CHECK_STATUS(sys_cap_revoke(untyped), OK);
    }
}

void test_cap(void)
{
    static const struct rig_test tests[] = {
        {"CAP-01: a copy has the rights asked for, and never more than its source", copies},
        {"CAP-02: only unbadged endpoints and notifications take a badge, once", badges},
        {"CAP-03: ranges of ports only become smaller, and are all that can be reached", ports},
        {"CAP-04: a move takes badge, rights and origin along", moves},
        {"CAP-05: addresses without slot or capability are refused", addresses},
        {"CAP-06: CNodes in the CNode ask for the right to read and to write", two_levels},
        {"CAP-07: every call refuses a capability without its right", rights},
        {"CAP-08: the platform's and an interrupt line's rights", platform_rights},
        {"CAP-09: each error of retype has its status and changes nothing", retype_errors},
        {"CAP-10: frames made of used memory are zero", cleared},
    };

    RIG_RUN(tests);
}
