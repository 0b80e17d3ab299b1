/* kernel.c: the system calls that vmspace's logic makes, for real. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/kernel.h"

enum status kernel_retype(uint32_t untyped, uint32_t first, enum object_type type, unsigned bits,
                          unsigned flags, unsigned count)
{
    return sys_retype(untyped, first, type, bits, flags, count);
}

enum status kernel_identify(uint32_t slot, struct cap_identity *id)
{
    return sys_cap_identify(slot, id);
}

enum status kernel_copy(uint32_t from, uint32_t to, unsigned rights)
{
    return sys_cap_copy(from, to, rights);
}

enum status kernel_mint(uint32_t from, uint32_t to, unsigned rights, uint32_t badge)
{
    return sys_cap_mint(from, to, rights, badge);
}

enum status kernel_move(uint32_t from, uint32_t to)
{
    return sys_cap_move(from, to);
}

enum status kernel_delete(uint32_t slot)
{
    return sys_cap_delete(slot);
}

enum status kernel_revoke(uint32_t slot)
{
    return sys_cap_revoke(slot);
}

enum status kernel_map(uint32_t space, uint32_t frame, uint64_t offset, uint64_t address_flags,
                       uint64_t count, uint64_t *lacking)
{
    return sys_map(space, frame, offset, address_flags, count, lacking);
}

enum status kernel_unmap(uint32_t space, uint64_t address, uint64_t pages)
{
    return sys_unmap(space, address, pages, NULL);
}

enum status kernel_fund(uint32_t space, uint32_t untyped)
{
    return sys_space_fund(space, untyped, NULL);
}

enum status kernel_window(uint32_t space, uint64_t first, uint64_t last)
{
    return sys_space_window(space, first, last);
}

enum status kernel_query(uint32_t space, uint64_t address, struct space_query *query)
{
    return sys_space_query(space, address, query);
}

enum status kernel_call(uint32_t endpoint, struct message *m)
{
    return sys_call(endpoint, m);
}

enum status kernel_recv(uint32_t endpoint, uint32_t reply, struct message *m)
{
    return sys_recv(endpoint, reply, m);
}

enum status kernel_reply(uint32_t reply, const struct message *m)
{
    return sys_reply(reply, m);
}

enum status kernel_reply_recv(uint32_t endpoint, uint32_t reply, struct message *m)
{
    return sys_reply_recv(endpoint, reply, m);
}

enum status kernel_map_reply_recv(uint32_t endpoint, uint32_t reply, uint32_t space, uint32_t frame,
                                  uint64_t offset, uint64_t address_flags, struct message *m)
{
    return sys_map_reply_recv(endpoint, reply, space, frame, offset, address_flags, m);
}

void kernel_yield(void)
{
    sys_yield();
}
