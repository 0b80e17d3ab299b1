; spin.asm: a guest that turns interrupts off and spins for ever.
; SPDX-License-Identifier: BSD-2-Clause
%include "guest.inc"

GUEST_START
    GUEST_PRINT "spin: interrupts are off"
.for_ever:
    jmp .for_ever
