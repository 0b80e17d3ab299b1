/* kernel.h: the system calls that vmspace's logic makes; host tests replace them by a model. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_KERNEL_H
#define SERVERS_VMSPACE_KERNEL_H

#include <stdint.h>

#include "kernel/abi/object.h"
#include "servers/lib/syscall.h"

/* Each is the call of the same name in servers/lib/syscall.h; see kernel/abi/syscall.h for what it
 * does. */
enum status kernel_retype(uint32_t untyped, uint32_t first, enum object_type type, unsigned bits,
                          unsigned flags, unsigned count);
enum status kernel_identify(uint32_t slot, struct cap_identity *id);
enum status kernel_copy(uint32_t from, uint32_t to, unsigned rights);
enum status kernel_mint(uint32_t from, uint32_t to, unsigned rights, uint32_t badge);
enum status kernel_move(uint32_t from, uint32_t to);
enum status kernel_delete(uint32_t slot);
enum status kernel_revoke(uint32_t slot);
enum status kernel_map(uint32_t space, uint32_t frame, uint64_t offset, uint64_t address_flags,
                       uint64_t count, uint64_t *lacking);
enum status kernel_unmap(uint32_t space, uint64_t address, uint64_t pages);
enum status kernel_fund(uint32_t space, uint32_t untyped);
enum status kernel_window(uint32_t space, uint64_t first, uint64_t last);
enum status kernel_query(uint32_t space, uint64_t address, struct space_query *query);
enum status kernel_call(uint32_t endpoint, struct message *m);
enum status kernel_recv(uint32_t endpoint, uint32_t reply, struct message *m);
enum status kernel_reply(uint32_t reply, const struct message *m);
enum status kernel_reply_recv(uint32_t endpoint, uint32_t reply, struct message *m);
enum status kernel_map_reply_recv(uint32_t endpoint, uint32_t reply, uint32_t space, uint32_t frame,
                                  uint64_t offset, uint64_t address_flags, struct message *m);
void kernel_yield(void);

#endif
