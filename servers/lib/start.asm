; start.asm: the first instructions of every user-level process: calls main, then ends the process.
; SPDX-License-Identifier: BSD-2-Clause

bits 64
default rel

global _start
extern main
extern process_returned

section .text

; In: RDI = the start page: struct start_info, or struct boot_info in the root task; RSP = top of the
; stack, aligned to 16. The zero frame pointer ends a back-trace here.
_start:
    xor ebp, ebp
    cld
    call main
    mov edi, eax
    call process_returned
    ud2                     ; not reached; if it were, the fault endpoint would hear of it

section .note.GNU-stack noalloc noexec nowrite progbits
