; hello.asm: a guest that says hello on COM1 and ends with 7.
; SPDX-License-Identifier: BSD-2-Clause
%include "guest.inc"

GUEST_START
    GUEST_PRINT "hello from a guest"
    GUEST_EXIT 7
