/* byte_span.h: a view of bytes that somebody else made, read only within its bounds. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_BYTE_SPAN_H
#define VMM_BYTE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct byte_span {
    const uint8_t *data;
    uint64_t size; /* bytes */
};

/* True if LENGTH bytes at OFFSET lie within SPAN. Cannot overflow, whatever the numbers are. */
static inline bool span_holds(struct byte_span span, uint64_t offset, uint64_t length)
{
    return offset <= span.size && length <= span.size - offset;
}

/*
 * Copies LENGTH bytes at OFFSET of SPAN to DESTINATION, which thereby needs no alignment in the
 * span. False, with nothing copied, if they do not lie within it.
 */
static inline bool span_read(struct byte_span span, uint64_t offset, void *destination,
                             size_t length)
{
    if (!span_holds(span, offset, length)) {
        return false;
    }
    if (length > 0) {
        memcpy(destination, span.data + offset, length);
    }
    return true;
}

/* The LENGTH bytes of SPAN at OFFSET. The caller has checked with span_holds. */
static inline struct byte_span span_part(struct byte_span span, uint64_t offset, uint64_t length)
{
    /* An empty span may have no data at all, and nothing may be added to a null pointer. */
    return (struct byte_span){length > 0 ? span.data + offset : NULL, length};
}

#endif
