; entry.asm: the SYSCALL entry, and the way back to user level or into idling.
; SPDX-License-Identifier: BSD-2-Clause
%include "kernel/x86/regs.inc"
%include "kernel/x86/cpu.inc"
%include "kernel/sys/entry.inc"

        bits 64
        default rel

        extern sys_handlers, sys_unknown, cpu_idle
        extern fast_call, fast_reply_recv
        global syscall_entry, syscall_slow, return_to_current

        section .rodata

; Where each system call goes on after what all have in common; from SYS_REPLY_RECV on all alike.
        align   8
entries:
        dq      syscall_null
        dq      fast_call
        times 2 dq syscall_slow
        dq      fast_reply_recv
        times SYS_COUNT - 5 dq syscall_slow

        section .text

; RCX and R11 hold the caller's RIP and RFLAGS, and are lost to it. The thread's struct regs ends at TSS.RSP0, and
; begins the thread: from here on RSP is the thread, until C code needs a stack. CS and SS in it never change.
        align   32
syscall_entry:
        swapgs
        mov     [gs:CPU_USER_RSP], rsp
        mov     rsp, [gs:CPU_TSS_RSP0]
        sub     rsp, REGS_SIZE
        mov     [rsp + REGS_RIP], rcx
        mov     [rsp + REGS_RFLAGS], r11
        mov     rcx, [gs:CPU_USER_RSP]
        mov     [rsp + REGS_RSP], rcx
        mov     qword [rsp + REGS_VECTOR], REGS_SYSCALL
        cmp     rax, SYS_COUNT
        jae     syscall_slow
        jmp     [entries + rax * 8]

syscall_null:
        xor     eax, eax
        mov     rcx, [rsp + REGS_RIP]
        mov     r11, [rsp + REGS_RFLAGS]
        mov     rsp, [rsp + REGS_RSP]
        swapgs
        o64 sysret

        align   16
syscall_slow:
        mov     [rsp + REGS_RDI], rdi
        mov     [rsp + REGS_RSI], rsi
        mov     [rsp + REGS_RDX], rdx
        mov     [rsp + REGS_RAX], rax
        mov     [rsp + REGS_R8], r8
        mov     [rsp + REGS_R9], r9
        mov     [rsp + REGS_R10], r10
        mov     [rsp + REGS_RBX], rbx
        mov     [rsp + REGS_RBP], rbp
        mov     [rsp + REGS_R12], r12
        mov     [rsp + REGS_R13], r13
        mov     [rsp + REGS_R14], r14
        mov     [rsp + REGS_R15], r15
        mov     rdi, rsp
        mov     rsp, [gs:CPU_STACK]
        cmp     rax, SYS_COUNT
        jae     .unknown
        call    [sys_handlers + rax * 8]
        jmp     return_to_current
.unknown:
        call    sys_unknown

        align   16
return_to_current:
        mov     rsp, [gs:CPU_TSS_RSP0]
        sub     rsp, REGS_SIZE
        cmp     dword [rsp + REGS_VECTOR], REGS_SYSCALL
        jne     .not_by_sysret
        mov     rdi, [rsp + REGS_RDI]
        mov     rsi, [rsp + REGS_RSI]
        mov     rdx, [rsp + REGS_RDX]
        mov     rax, [rsp + REGS_RAX]
        mov     r8,  [rsp + REGS_R8]
        mov     r9,  [rsp + REGS_R9]
        mov     r10, [rsp + REGS_R10]
        mov     rbx, [rsp + REGS_RBX]
        mov     rbp, [rsp + REGS_RBP]
        mov     r12, [rsp + REGS_R12]
        mov     r13, [rsp + REGS_R13]
        mov     r14, [rsp + REGS_R14]
        mov     r15, [rsp + REGS_R15]
        mov     rcx, [rsp + REGS_RIP]
        mov     r11, [rsp + REGS_RFLAGS]
        mov     rsp, [rsp + REGS_RSP]
        swapgs
        o64 sysret

.not_by_sysret:
        cmp     dword [rsp + REGS_VECTOR], REGS_IDLE
        je      cpu_idle
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

        section .note.GNU-stack noalloc noexec nowrite progbits
