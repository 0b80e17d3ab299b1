; triple.asm: a guest that causes a triple fault: an exception with no interrupt table at all.
; SPDX-License-Identifier: BSD-2-Clause
%include "guest.inc"

section .data align=4
no_idt:
    dw 0
    dd 0

GUEST_START
    GUEST_PRINT "triple: here it comes"
    lidt [no_idt]
    ud2
    GUEST_PRINT "triple: nothing happened"
    GUEST_EXIT 1
