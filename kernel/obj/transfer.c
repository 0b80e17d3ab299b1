/* transfer.c: the parts of a message that do not fit in registers: more words, and capabilities. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/obj/transfer.h"

#include "kernel/lib/string.h"

/* Copies the capabilities named in the sender's buffer to the receiver's slots; returns how many went. */
static unsigned transfer_caps(struct thread *from, struct thread *to, unsigned count)
{
    uint32_t target = to->buffer->receive_slot;
    unsigned done = 0;

    if (!target || count > MESSAGE_CAPS) {
        return 0;
    }
    while (done < count) {
        struct slot *source = cnode_lookup(&from->cspace, from->buffer->cap[done], CN_READ);
        struct slot *slot = cnode_lookup(&to->cspace, target + done, CN_WRITE);
        struct cap cap;

        if (!source || !slot || !cap_derive(source, RIGHTS_ALL, &cap) ||
            slot_insert(slot, cap, source) != OK) {
            break;
        }
        done++;
    }
    return done;
}

uint64_t transfer_buffers(struct thread *from, struct thread *to, uint64_t tag, bool grant)
{
    unsigned words = tag_words(tag), caps = tag_caps(tag);

    tag &= ~(TAG_CAPS_MASK | TAG_WORDS_MASK);
    if (!from->buffer || !to->buffer || words > MESSAGE_WORDS) {
        return tag | (words < TAG_SIMPLE_MAX ? words : TAG_SIMPLE_MAX);
    }
    if (words > TAG_SIMPLE_MAX) {
        memcpy(&to->buffer->word[TAG_SIMPLE_MAX], &from->buffer->word[TAG_SIMPLE_MAX],
               (words - TAG_SIMPLE_MAX) * sizeof(uint64_t));
    }
    if (caps && grant) {
        tag |= TAG_CAPS(transfer_caps(from, to, caps));
    }
    return tag | words;
}
