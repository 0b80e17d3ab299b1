; entry.asm: the SYSCALL entry, and the way back to user level or into idling.
; SPDX-License-Identifier: BSD-2-Clause
%include "kernel/x86/regs.inc"
%include "kernel/x86/cpu.inc"

REGS_SYSCALL    equ 0x100               ; regs.vector of a thread that entered here (thread.h)
SYS_COUNT       equ 43                  ; enum syscall; table.c checks it
REGS_IDLE       equ 0x101               ; nobody is current (sched.c)

        bits 64
        default rel

        extern sys_handlers, sys_unknown, cpu_idle
        global syscall_entry, return_to_current

        section .text

; RCX and R11 hold the caller's RIP and RFLAGS, and are lost to it. The thread's struct regs ends at TSS.RSP0; CS
; and SS in it never change. 24 instructions save, 25 restore: every message pays for both.
        align 32
syscall_entry:
        swapgs
        mov     [gs:CPU_USER_RSP], rsp
        mov     rsp, [gs:CPU_TSS_RSP0]
        sub     rsp, 8
        push    qword [gs:CPU_USER_RSP]
        mov     [rsp - REGS_RSP + REGS_RFLAGS], r11
        mov     [rsp - REGS_RSP + REGS_RIP], rcx
        mov     qword [rsp - REGS_RSP + REGS_VECTOR], REGS_SYSCALL
        sub     rsp, REGS_RSP - REGS_VECTOR
        push    rdi
        push    rsi
        push    rdx
        push    rcx
        push    rax
        push    r8
        push    r9
        push    r10
        push    r11
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        mov     rdi, rsp
        mov     rsp, [gs:CPU_STACK]
        cmp     rax, SYS_COUNT
        jae     unknown_call
        call    [sys_handlers + rax * 8]

        align 16
return_to_current:
        mov     rsp, [gs:CPU_TSS_RSP0]
        cmp     dword [rsp - REGS_SIZE + REGS_VECTOR], REGS_SYSCALL
        jne     .not_by_sysret
        sub     rsp, REGS_SIZE
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        add     rsp, 8
        pop     r10
        pop     r9
        pop     r8
        pop     rax
        add     rsp, 8
        pop     rdx
        pop     rsi
        pop     rdi
        mov     rcx, [rsp + REGS_RIP - REGS_VECTOR]
        mov     r11, [rsp + REGS_RFLAGS - REGS_VECTOR]
        mov     rsp, [rsp + REGS_RSP - REGS_VECTOR]
        swapgs
        o64 sysret

.not_by_sysret:
        cmp     dword [rsp - REGS_SIZE + REGS_VECTOR], REGS_IDLE
        je      cpu_idle
        sub     rsp, REGS_SIZE
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rax
        pop     rcx
        pop     rdx
        pop     rsi
        pop     rdi
        add     rsp, 16
        swapgs
        iretq

unknown_call:
        call    sys_unknown
        jmp     return_to_current

        section .note.GNU-stack noalloc noexec nowrite progbits
