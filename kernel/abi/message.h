/* message.h: the message tag, the IPC buffer, and the messages that the kernel itself sends. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ABI_MESSAGE_H
#define QUIRE_ABI_MESSAGE_H

#include <stdint.h>

/*
 * Tag: bits 0-6 words in the message, bits 7-9 capabilities with it, bits 16-62 label (the protocol's own),
 * bit 63 set only by the kernel: a receiver can trust that such a message is a fault, exit or notification.
 */
#define TAG(label, words)   (((uint64_t)(label) << 16) | (uint64_t)(words))
#define TAG_CAPS(n)         ((uint64_t)(n) << 7)
#define TAG_WORDS_MASK      0x7full
#define TAG_CAPS_MASK       (7ull << 7)
#define TAG_KERNEL          (1ull << 63)
#define TAG_LABEL_SHIFT     16
#define TAG_SIMPLE_MAX      4       /* words that travel in registers */

static inline uint64_t tag_label(uint64_t tag) { return (tag & ~TAG_KERNEL) >> TAG_LABEL_SHIFT; }
static inline unsigned tag_words(uint64_t tag) { return (unsigned)(tag & TAG_WORDS_MASK); }
static inline unsigned tag_caps(uint64_t tag) { return (unsigned)((tag & TAG_CAPS_MASK) >> 7); }

#define MESSAGE_WORDS  120
#define MESSAGE_CAPS   4

/* The IPC buffer: one per thread, inside a frame, aligned to its size of 1 KiB. Words 0 to 3 are not used. */
struct ipc_buffer {
    uint64_t word[MESSAGE_WORDS];
    uint32_t cap[MESSAGE_CAPS];      /* sender: addresses of the capabilities to copy */
    uint32_t receive_slot;           /* receiver: the first of the free slots that take them; 0: none taken */
    uint32_t reserved[11];
};
#define IPC_BUFFER_SIZE 1024u
_Static_assert(sizeof(struct ipc_buffer) == IPC_BUFFER_SIZE, "ipc buffer size");

/* Labels of kernel messages (TAG_KERNEL set). */
enum kernel_label {
    KL_NOTIFICATION = 1, /* the bound notification: badge = its bits, no words, nobody to reply to */
    KL_PAGE_FAULT,       /* word 0 address, 1 access (FAULT_ bits), 2 rip, 3 rsp of the thread */
    KL_EXCEPTION,        /* word 0 vector, 1 error code, 2 rip, 3 rsp */
    KL_NESTED_FAULT,     /* word 0 guest-physical address, 1 access, 2 and 3 zero: to vmspace */
    KL_EXIT,             /* word 0 enum vcpu_exit, 1 to 3 as it says: to the VMM */
};

/* Access bits of a fault. */
enum { FAULT_READ = 1, FAULT_WRITE = 2, FAULT_EXEC = 4, FAULT_PRESENT = 8 };

/*
 * Label of the answer to a fault. For KL_EXIT the label is a mask of VS_ groups to load (vcpu.h).
 */
enum fault_reply {
    FR_RETRY = 0,        /* run the instruction again */
    FR_DEVICE = 1,       /* nested fault only: no memory there; the exit goes on to the VMM */
    FR_STOP = 2          /* leave the faulter stopped */
};

#endif
