; badinsn.asm: a guest that writes to its local APIC with an instruction that no VMM need decode.
; SPDX-License-Identifier: BSD-2-Clause
%include "guest.inc"

CR0_EM      equ 1 << 2
CR4_OSFXSR  equ 1 << 9
LOCAL_APIC  equ 0xFEE00000

GUEST_START
    GUEST_PRINT "badinsn: storing 16 bytes to the local APIC"
    mov eax, cr0
    and eax, ~CR0_EM
    mov cr0, eax
    mov eax, cr4
    or eax, CR4_OSFXSR
    mov cr4, eax
    xorps xmm0, xmm0
    movups [LOCAL_APIC], xmm0
    GUEST_PRINT "badinsn: the store went through"
    GUEST_EXIT 1
