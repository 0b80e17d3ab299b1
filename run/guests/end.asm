; end.asm: a guest that ends in the way that the first letter of its command line says.
; SPDX-License-Identifier: BSD-2-Clause
;
; a: asks a port for ever, h: halts with interrupts off, k: resets by the keyboard controller,
; l: resets later, p: powers off, r: resets by port 0xCF9. Any other: ends with 1.
%include "guest.inc"

PM1_CONTROL      equ 0x604      ; where Quire's ACPI tables say that it is
PM1_SLEEP_S5     equ 5 << 10 | 1 << 13
LATER            equ 50_000_000 ; instructions
KBC_COMMAND      equ 0x64
KBC_RESET        equ 0xFE
RESET_CONTROL    equ 0xCF9
RESET_CPU        equ 0x06

GUEST_START
    mov esi, [ebx + INFO_CMDLINE]
    mov bl, [esi]
    GUEST_PRINT "end: here it comes"
    cmp bl, 'a'
    je .ask
    cmp bl, 'h'
    je .halt
    cmp bl, 'k'
    je .reset_by_keyboard
    cmp bl, 'l'
    je .later
    cmp bl, 'p'
    je .power_off
    cmp bl, 'r'
    je .reset
    GUEST_EXIT 1
.halt:
    cli
    hlt
    GUEST_EXIT 2
.reset_by_keyboard:
    mov al, KBC_RESET
    out KBC_COMMAND, al
    GUEST_EXIT 2
.power_off:
    mov dx, PM1_CONTROL
    mov ax, PM1_SLEEP_S5
    out dx, ax
    GUEST_EXIT 2
.ask:
    in al, KBC_COMMAND
    jmp .ask
.later:
    mov ecx, LATER
    loop $
.reset:
    mov dx, RESET_CONTROL
    mov al, RESET_CPU
    out dx, al
    GUEST_EXIT 2
