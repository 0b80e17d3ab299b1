; guest.mark.asm: a first process for benches: says which TSC it was started at, and powers off.
; SPDX-License-Identifier: BSD-2-Clause
;
; A TSC that counts instructions, with no offset in guests, makes this the end of a boot's cost.

; Linux' system calls (arch/x86/entry/syscalls/syscall_64.tbl) and their arguments.
SYS_WRITE        equ 1
SYS_IOCTL        equ 16
SYS_REBOOT       equ 169
STDOUT           equ 1
TCSBRK           equ 0x5409     ; with 1: waits until all output has been sent
REBOOT_MAGIC1    equ 0xFEE1DEAD
REBOOT_MAGIC2    equ 0x28121969
REBOOT_POWER_OFF equ 0x4321FEDC

        bits 64
        default rel
        global _start

        section .text
_start:
        rdtsc
        shl     rdx, 32
        or      rax, rdx

; The number's digits, from the last to the first, into their place at the end of the text.
        lea     rdi, [digits_end]
        mov     ecx, 10
.digit:
        xor     edx, edx
        div     rcx
        add     dl, '0'
        dec     rdi
        mov     [rdi], dl
        test    rax, rax
        jnz     .digit

        mov     eax, SYS_WRITE
        mov     edi, STDOUT
        lea     rsi, [text]
        mov     edx, text_end - text
        syscall
        mov     eax, SYS_IOCTL
        mov     edi, STDOUT
        mov     esi, TCSBRK
        mov     edx, 1
        syscall
        mov     eax, SYS_REBOOT
        mov     edi, REBOOT_MAGIC1
        mov     esi, REBOOT_MAGIC2
        mov     edx, REBOOT_POWER_OFF
        syscall
.stop:
        jmp     .stop

        section .data
text:   db      10, "init starts at TSC "
        times 20 db ' '
digits_end:
        db      10
text_end:

        section .note.GNU-stack noalloc noexec nowrite progbits
