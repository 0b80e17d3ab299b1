; touch.asm: a guest that fills memory from 16 MiB on: all must be zero first, then keep its pattern.
; SPDX-License-Identifier: BSD-2-Clause
;
; The command line is SEED MIB CHECKS REST, decimal numbers that may be left out from the end: the
; pattern's key (0), how much to fill (64), how often to check it (1), and 1 for a guest that sleeps
; in the end. Otherwise it ends with 0. It ends with 1 if a page was not zero, 2 if one lost its
; pattern, 3 if there is too little memory.
%include "guest.inc"

FIRST_PAGE   equ 16 << 20
PAGE_SIZE    equ 4096
PAGE_DWORDS  equ PAGE_SIZE / 4

section .data align=4
seed:          dd 0
end_page:      dd 64            ; first in MiB
checks:        dd 1
rest:          dd 0
check:         dd 0
hex_digits:    db "0123456789abcdef"
pages_text:    db "touch: 0x", 0
check_text:    db " pages, check 0x", 0
checksum_text: db ": checksum 0x", 0

section .text
; Reads the decimal number at esi, behind spaces, into [edi]; if there is none, that stays. Moves esi
; behind it. Changes eax and ecx.
read_number:
    cmp byte [esi], ' '
    jne .first_digit
    inc esi
    jmp read_number
.first_digit:
    xor eax, eax
    movzx ecx, byte [esi]
    sub ecx, '0'
    cmp ecx, 9
    ja .end
.next_digit:
    imul eax, eax, 10
    add eax, ecx
    inc esi
    movzx ecx, byte [esi]
    sub ecx, '0'
    cmp ecx, 9
    jbe .next_digit
    mov [edi], eax
.end:
    ret

; Reads the command line that the information at ebx names.
read_command_line:
    mov esi, [ebx + INFO_CMDLINE]
    mov edi, seed
    call read_number
    mov edi, end_page
    call read_number
    mov edi, checks
    call read_number
    mov edi, rest
    call read_number
    shl dword [end_page], 20
    add dword [end_page], FIRST_PAGE
    ret

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

; Checks the pattern; its checksum, in which order counts, comes in ebp. The zero flag is clear if a
; page lost it. Changes all registers.
check_pages:
    mov ebx, FIRST_PAGE
    xor ebp, ebp
.page:
    mov edi, ebx
    mov ecx, PAGE_DWORDS
    mov eax, ebx
    xor eax, [seed]
    repe scasd
    jne .end
    rol ebp, 1
    add ebp, eax
    add ebx, PAGE_SIZE
    cmp ebx, [end_page]
    jb .page
    xor eax, eax
.end:
    ret

print_check:
    mov esi, pages_text
    call print_text
    mov eax, [end_page]
    sub eax, FIRST_PAGE
    shr eax, 12
    call print_hex
    mov esi, check_text
    call print_text
    mov eax, [check]
    call print_hex
    mov esi, checksum_text
    call print_text
    mov eax, ebp
    call print_hex
    GUEST_PRINT ""
    ret

GUEST_START
    cld
    call read_command_line
    mov eax, [end_page]
    shr eax, 10
    sub eax, 1024
    cmp [ebx + INFO_MEM_UPPER], eax
    jae .enough
    GUEST_PRINT "touch: the guest has too little memory"
    GUEST_EXIT 3
.enough:
    mov ebx, FIRST_PAGE
.fill_page:
    mov edi, ebx
    mov ecx, PAGE_DWORDS
    xor eax, eax
    repe scasd
    jne .not_zero
    mov edi, ebx
    mov ecx, PAGE_DWORDS
    mov eax, ebx
    xor eax, [seed]             ; a page's pattern: its address xor the seed, over and over
    rep stosd
    add ebx, PAGE_SIZE
    cmp ebx, [end_page]
    jb .fill_page

.check_again:
    call check_pages
    jne .lost
    inc dword [check]
    call print_check
    mov eax, [check]
    cmp eax, [checks]
    jb .check_again
    cmp dword [rest], 0
    jne .sleep
    GUEST_EXIT 0
.not_zero:
    GUEST_PRINT "touch: a fresh page was not zero"
    GUEST_EXIT 1
.lost:
    GUEST_PRINT "touch: a page lost its pattern"
    GUEST_EXIT 2

; With interrupts on, a halt is not the end.
.sleep:
    GUEST_LET_INTERRUPTS_IN
.sleep_on:
    hlt
    jmp .sleep_on
