; end.asm: a guest that ends in the way that the first letter of its command line says.
; SPDX-License-Identifier: BSD-2-Clause
;
; h: halts with interrupts off, k: resets by the keyboard controller, p: powers off, r: resets by
; port 0xCF9, w: does so when a byte came from COM1, s: never, it asks a port for ever. Any other:
; ends with 1.
%include "guest.inc"

PM1_CONTROL      equ 0x604      ; where Quire's ACPI tables say that it is
PM1_SLEEP_S5     equ 5 << 10 | 1 << 13
LINE_STATUS_DATA equ 1          ; a byte has come
KBC_COMMAND      equ 0x64
KBC_RESET        equ 0xFE
RESET_CONTROL    equ 0xCF9
RESET_CPU        equ 0x06

GUEST_START
    mov esi, [ebx + INFO_CMDLINE]
    mov bl, [esi]
    GUEST_PRINT "end: here it comes"
    cmp bl, 'h'
    je .halt
    cmp bl, 'k'
    je .reset_by_keyboard
    cmp bl, 'p'
    je .power_off
    cmp bl, 'r'
    je .reset
    cmp bl, 'w'
    je .wait
    cmp bl, 's'
    je .storm
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
.storm:
    in al, KBC_COMMAND
    jmp .storm
.wait:
    GUEST_LET_INTERRUPTS_IN
    mov dx, COM1_LINE_STATUS
.ask:
    in al, dx
    test al, LINE_STATUS_DATA
    jz .ask
.reset:
    mov dx, RESET_CONTROL
    mov al, RESET_CPU
    out dx, al
    GUEST_EXIT 2
