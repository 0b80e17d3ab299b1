/* console.c: the client's side of the console protocol. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/console.h"

#include <string.h>

#include "servers/lib/syscall.h"

#define WORD_BYTES     sizeof(uint64_t)
#define REGISTER_BYTES ((TAG_SIMPLE_MAX - 1) * WORD_BYTES) /* bytes in words 1 to 3 */

/* Sends one message; `*count` becomes what the console took. */
static enum status write_some(
    uint32_t console, struct ipc_buffer *buffer, const char *bytes, size_t *count)
{
    size_t words = 1 + (*count + WORD_BYTES - 1) / WORD_BYTES;
    struct message m = { .tag = TAG(CONSOLE_WRITE, words), .word = { *count } };
    size_t first = *count < REGISTER_BYTES ? *count : REGISTER_BYTES;
    memcpy(&m.word[1], bytes, first);
    if (*count > first) {
        memcpy(&buffer->word[TAG_SIMPLE_MAX], bytes + first, *count - first);
    }
    enum status status = sys_call(console, &m);
    *count = status == OK ? m.word[0] : 0;
    return status == OK ? (enum status)tag_label(m.tag) : status;
}

enum status console_write(
    uint32_t console, struct ipc_buffer *buffer, const char *bytes, size_t count)
{
    while (count > 0) {
        size_t taken = count < CONSOLE_WRITE_MAX ? count : CONSOLE_WRITE_MAX;
        size_t sent = taken;
        enum status status = write_some(console, buffer, bytes, &taken);
        if (status != OK) {
            return status;
        }
        if (taken > sent) {
            return E_ARGUMENT;
        }
        bytes += taken;
        count -= taken;
    }
    return OK;
}

enum status console_read(uint32_t console, char bytes[CONSOLE_READ_MAX], size_t *count)
{
    struct message m = { .tag = TAG(CONSOLE_READ, 0) };
    enum status status = sys_call(console, &m);
    *count = 0;
    if (status != OK || tag_label(m.tag) != OK) {
        return status != OK ? status : (enum status)tag_label(m.tag);
    }
    *count = m.word[0] < CONSOLE_READ_MAX ? m.word[0] : CONSOLE_READ_MAX;
    memcpy(bytes, &m.word[1], *count);
    return OK;
}

enum status console_listen(uint32_t console, struct ipc_buffer *buffer, uint32_t notification)
{
    struct message m = { .tag = TAG(CONSOLE_LISTEN, 0) | TAG_CAPS(1) };
    buffer->cap[0] = notification;
    enum status status = sys_call(console, &m);
    return status == OK ? (enum status)tag_label(m.tag) : status;
}

enum status console_flush(uint32_t console)
{
    struct message m = { .tag = TAG(CONSOLE_FLUSH, 0) };
    enum status status = sys_call(console, &m);
    return status == OK ? (enum status)tag_label(m.tag) : status;
}
