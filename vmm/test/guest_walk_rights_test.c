/* guest_walk_rights_test.c: which accesses the rights in a guest's page tables allow. */
/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: vmm/guest_walk.c */
#include "vmm/test/guest_walk_fixture.h"

/* SDM vol. 3, 4.6.1, said once more in the words of a table: may this access be made? */
static bool allowed(const struct guest_paging *p, bool user_page, bool writable, bool executable,
                    struct guest_access a)
{
    if (a.fetch) {
        bool smep = p->cr4 & GUEST_CR4_SMEP;
        return executable && (a.user ? user_page : !(user_page && smep));
    }
    if (a.user) {
        return user_page && (!a.write || writable);
    }
    bool smap = p->cr4 & GUEST_CR4_SMAP;
    if (user_page && smap && !a.smap_off) {
        return false;
    }
    return !a.write || writable || !(p->cr0 & GUEST_CR0_WP);
}

/* One combination of rights at the four levels, of control bits and of access. */
static void check_rights(unsigned bits)
{
    struct guest_paging paging = long_mode();
    uint64_t level[4];
    bool user_page = true;
    bool writable = true;
    bool executable = true;
    for (int i = 0; i < 4; i++, bits >>= 3) {
        level[i] = P | (bits & 1 ? W : 0) | (bits & 2 ? U : 0) | (bits & 4 ? NX : 0);
        writable = writable && bits & 1;
        user_page = user_page && bits & 2;
        executable = executable && !(bits & 4);
    }
    map_4_levels(level[0], level[1], level[2], level[3]);
    for (unsigned how = 0; how < 128; how++) {
        struct guest_access access = { .user = how & 1, .smap_off = how & 8 };
        access.write = (how & 6) == 2;
        access.fetch = (how & 6) == 4;
        paging.cr0 = GUEST_CR0_PE | GUEST_CR0_PG | (how & 0x10 ? GUEST_CR0_WP : 0);
        paging.cr4 = GUEST_CR4_PAE | (how & 0x20 ? GUEST_CR4_SMEP : 0) |
                     (how & 0x40 ? GUEST_CR4_SMAP : 0);
        bool ok = allowed(&paging, user_page, writable, executable, access);
        assert_int_equal(walk(&paging, LINEAR, access), ok ? GUEST_WALK_OK : GUEST_WALK_DENIED);
        unsigned error = PF_P | (access.write ? PF_W : 0) | (access.user ? PF_U : 0) |
                         (access.fetch ? PF_I : 0);
        assert_int_equal(result.error_code, ok ? 0 : error);
    }
}

static void rights(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 1u << 12; bits++) {
        check_rights(bits);
    }
}

static void protection_keys(void **state)
{
    (void)state;
    struct guest_paging paging = long_mode();
    paging.cr4 |= GUEST_CR4_PKE;
    map_4_levels(P | W | U, P | W | U, P | W | U, P | W | U | 5ull << 59);
    paging.pkru = ~(3u << 10); /* all keys but 5 are shut */
    assert_int_equal(walk(&paging, LINEAR, user_write), GUEST_WALK_OK);
    paging.pkru = 2u << 10;
    assert_int_equal(walk(&paging, LINEAR, user_read), GUEST_WALK_OK);
    assert_int_equal(walk(&paging, LINEAR, user_write), GUEST_WALK_DENIED);
    assert_int_equal(result.error_code, PF_P | PF_W | PF_U | PF_PK);
    assert_int_equal(walk(&paging, LINEAR, write_access), GUEST_WALK_DENIED);
    paging.cr0 &= ~GUEST_CR0_WP;
    assert_int_equal(walk(&paging, LINEAR, write_access), GUEST_WALK_OK);
    paging.pkru = 1u << 10;
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_DENIED);
    assert_int_equal(walk(&paging, LINEAR, fetch_access), GUEST_WALK_OK);
    map_4_levels(P | W, P | W, P | W, P | W | 5ull << 59); /* keys are for user pages */
    assert_int_equal(walk(&paging, LINEAR, read_access), GUEST_WALK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "WALK-07: all rights at all levels for all accesses", rights, NULL, NULL, NULL },
        { "WALK-08: protection keys", protection_keys, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
