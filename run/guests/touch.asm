; touch.asm: a guest that touches each page of 16..80 MiB: all must be zero first, then keep a value.
; SPDX-License-Identifier: BSD-2-Clause
;
; Ends with 0, or with 1: a page was not zero, 2: a page lost its value, 3: too little memory.
%include "guest.inc"

FIRST_PAGE  equ 16 << 20
END_PAGE    equ 80 << 20
PAGE_SIZE   equ 4096
PAGE_DWORDS equ PAGE_SIZE / 4
MIN_UPPER   equ (END_PAGE >> 10) - 1024 ; KiB above 1 MiB
PATTERN     equ 0x5A17C0DE      ; a page's value: its address xor this

section .data
hex_digits:    db "0123456789abcdef"
checksum_text: db "touch: 16384 pages, checksum ", 0

section .text
; Prints eax as eight hexadecimal digits. Changes ebx, ecx and edx.
print_hex:
    mov ecx, 8
    mov ebx, eax
.digit:
    rol ebx, 4
    mov eax, ebx
    and eax, 15
    mov al, [hex_digits + eax]
    call print_byte
    loop .digit
    ret

GUEST_START
    cmp dword [ebx + INFO_MEM_UPPER], MIN_UPPER
    jae .enough
    GUEST_PRINT "touch: needs 80 MiB of memory"
    GUEST_EXIT 3
.enough:
    cld
    mov ebx, FIRST_PAGE
.write_page:
    mov edi, ebx
    mov ecx, PAGE_DWORDS
    xor eax, eax
    repe scasd
    jne .not_zero
    mov eax, ebx
    xor eax, PATTERN
    mov [ebx], eax
    mov [ebx + PAGE_SIZE - 4], eax
    add ebx, PAGE_SIZE
    cmp ebx, END_PAGE
    jb .write_page

    mov ebx, FIRST_PAGE
    xor ebp, ebp                ; the checksum: rotated and added, so that order counts
.verify_page:
    mov eax, ebx
    xor eax, PATTERN
    cmp [ebx], eax
    jne .lost
    cmp [ebx + PAGE_SIZE - 4], eax
    jne .lost
    rol ebp, 1
    add ebp, [ebx]
    add ebx, PAGE_SIZE
    cmp ebx, END_PAGE
    jb .verify_page

    mov esi, checksum_text
    call print_text
    mov eax, ebp
    call print_hex
    GUEST_PRINT ""
    GUEST_EXIT 0
.not_zero:
    GUEST_PRINT "touch: a fresh page was not zero"
    GUEST_EXIT 1
.lost:
    GUEST_PRINT "touch: a page lost its value"
    GUEST_EXIT 2
