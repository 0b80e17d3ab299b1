; hello64.asm: a guest in a 32-bit ELF file that goes to 64-bit mode, says hello and ends with 7.
; SPDX-License-Identifier: BSD-2-Clause
%include "guest.inc"

CR0_PG       equ 1 << 31
CR4_PAE      equ 1 << 5
MSR_EFER     equ 0xC0000080
EFER_LME     equ 1 << 8
PTE_TABLE    equ 0x03           ; present, writable
PTE_LARGE    equ 0x83           ; present, writable, 2 MiB
SELECTOR_64  equ 8

section .bss align=4096
page_map:       resb 4096
page_pointers:  resb 4096
page_directory: resb 4096

section .data align=8
gdt:
    dq 0
    dq 0x00AF9B000000FFFF       ; code, 64 bit, present, accessed
gdt_end:
gdt_register:
    dw gdt_end - gdt - 1
    dd gdt

; The first 2 MiB, which hold all of this guest, are mapped to themselves.
GUEST_START
    mov dword [page_map], page_pointers + PTE_TABLE
    mov dword [page_pointers], page_directory + PTE_TABLE
    mov dword [page_directory], PTE_LARGE
    mov eax, page_map
    mov cr3, eax
    mov eax, cr4
    or eax, CR4_PAE
    mov cr4, eax
    mov ecx, MSR_EFER
    rdmsr
    or eax, EFER_LME
    wrmsr
    mov eax, cr0
    or eax, CR0_PG
    mov cr0, eax
    lgdt [gdt_register]
    jmp SELECTOR_64:in_64_bit

bits 64
in_64_bit:
    mov rax, 0x123456789ABCDEF0 ; works in 64-bit mode only
    shr rax, 32
    cmp eax, 0x12345678
    jne .wrong
    GUEST_PRINT "hello from a 64-bit guest"
    GUEST_EXIT 7
.wrong:
    GUEST_EXIT 1
