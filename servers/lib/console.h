/* console.h: the protocol of the console service, and the stubs by which clients speak it. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_LIB_CONSOLE_H
#define SERVERS_LIB_CONSOLE_H

#include <stddef.h>
#include <stdint.h>
#include "kernel/abi/error.h"

/*
 * The label of an answer is an enum status. Bytes are packed into words from word 1 on, the first
 * byte lowest. Who writes is known by the badge; the console has the client's name from init.
 */
enum console_label {
    CONSOLE_WRITE = 1, /* word 0 count, words 1.. bytes. Answer, when there is room: word 0
                          bytes taken, perhaps fewer than sent or none: then send the rest again */
    CONSOLE_READ,      /* answer at once: word 0 count, 0 to CONSOLE_READ_MAX, words 1.. bytes */
    CONSOLE_LISTEN,    /* one capability, a Notification with NT_SIGNAL: signalled when there is
                          input to read, at once if some is there. A new one replaces the last */
    CONSOLE_FLUSH      /* answered when all that was written is out, and the last line ended */
};

#define CONSOLE_WRITE_MAX 896u
#define CONSOLE_READ_MAX  24u

/*
 * In all stubs `buffer` is the calling thread's IPC buffer (that of a process's first thread is at
 * LAYOUT_IPC_BUFFER).
 */
struct ipc_buffer;

/* Writes all `count` bytes, waiting for room as needed. Not OK: the console is gone. */
enum status console_write(
    uint32_t console, struct ipc_buffer *buffer, const char *bytes, size_t count);

/* Takes the input that is there, up to CONSOLE_READ_MAX bytes, without waiting. */
enum status console_read(uint32_t console, char bytes[CONSOLE_READ_MAX], size_t *count);

/* Has `notification` signalled whenever input arrives. */
enum status console_listen(uint32_t console, struct ipc_buffer *buffer, uint32_t notification);

/* Waits until everything written is out. */
enum status console_flush(uint32_t console);

#endif
