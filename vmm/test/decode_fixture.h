/* decode_fixture.h: decodes what the assembler made, so that its length comes from elsewhere. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_DECODE_FIXTURE_H
#define VMM_TEST_DECODE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/decode.h"

struct code {
    const uint8_t *bytes;
    size_t length;
};

/* What the assembler makes of `text` in a code segment of so many bits. */
#define ASSEMBLE(bits, text)                                                                    \
    __extension__({                                                                             \
        const uint8_t *start_;                                                                  \
        const uint8_t *end_;                                                                    \
        __asm__(".pushsection .rodata.code, \"a\"\n.code" #bits "\n.intel_syntax noprefix\n"    \
                "771:\n" text "\n772:\n.att_syntax prefix\n.code64\n.popsection\n"              \
                "leaq 771b(%%rip), %0\nleaq 772b(%%rip), %1\n"                                  \
                : "=r"(start_), "=r"(end_));                                                    \
        (struct code){ start_, (size_t)(end_ - start_) };                                       \
    })

static inline enum insn_mode mode_of(int bits)
{
    return bits == 64 ? INSN_MODE_64 : bits == 32 ? INSN_MODE_32 : INSN_MODE_16;
}

/* Decodes from memory of exactly this size, so that the sanitizer sees a byte read beyond it. */
static inline enum decode_status decode_exactly(const uint8_t *bytes, size_t length, int bits,
                                         struct insn *insn)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, bytes, length);
    enum decode_status status = decode(copy, length, mode_of(bits), insn);
    free(copy);
    return status;
}

/* Decodes, and looks at what must hold for any instruction: shorter input is truncated, longer
 * input makes no difference. */
static inline struct insn decode_checked(const char *text, struct code code, int bits)
{
    struct insn insn;
    struct insn other;
    enum decode_status status = decode_exactly(code.bytes, code.length, bits, &insn);
    if (status != DECODE_OK) {
        fail_msg("%d-bit `%s`: %s", bits, text, decode_status_text(status));
    }
    if (insn.length != code.length) {
        fail_msg("%d-bit `%s`: length %u, not %zu", bits, text, insn.length, code.length);
    }
    for (size_t shorter = 0; shorter < code.length; shorter++) {
        status = decode_exactly(code.bytes, shorter, bits, &other);
        if (status != DECODE_TRUNCATED) {
            fail_msg("`%s` cut to %zu: %s", text, shorter, decode_status_text(status));
        }
    }
    uint8_t longer[40];
    memset(longer, 0xf0, sizeof longer);
    memcpy(longer, code.bytes, code.length);
    assert_int_equal(decode(longer, sizeof longer, mode_of(bits), &other), DECODE_OK);
    assert_int_equal(insn.length, other.length);
    assert_int_equal(insn.op, other.op);
    assert_true(insn.immediate == other.immediate);
    assert_true(insn.memory.displacement == other.memory.displacement);
    return insn;
}

#endif
