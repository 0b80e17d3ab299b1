; vmx.asm: the way into a guest and out of it.
; SPDX-License-Identifier: BSD-2-Clause
%include "kernel/x86/cpu.inc"
%include "kernel/virt/vcpu.inc"

        bits 64
        default rel

        extern vmx_exited, vmx_entry_failed, return_to_current
        global vmx_run, vmx_exit_entry

        section .text

; void vmx_run(struct vcpu *vcpu, struct vcpu_state *state, uint64_t launched)
; Loads of registers leave the flags alone, so the test for VMRESUME comes first.
        align   16
vmx_run:
        mov     rax, [rdi + VCPU_CR2]
        mov     cr2, rax
        test    edx, edx
        mov     rax, [rsi + STATE_GPR + 0 * 8]
        mov     rcx, [rsi + STATE_GPR + 1 * 8]
        mov     rdx, [rsi + STATE_GPR + 2 * 8]
        mov     rbx, [rsi + STATE_GPR + 3 * 8]
        mov     rbp, [rsi + STATE_GPR + 5 * 8]
        mov     rdi, [rsi + STATE_GPR + 7 * 8]
        mov     r8,  [rsi + STATE_GPR + 8 * 8]
        mov     r9,  [rsi + STATE_GPR + 9 * 8]
        mov     r10, [rsi + STATE_GPR + 10 * 8]
        mov     r11, [rsi + STATE_GPR + 11 * 8]
        mov     r12, [rsi + STATE_GPR + 12 * 8]
        mov     r13, [rsi + STATE_GPR + 13 * 8]
        mov     r14, [rsi + STATE_GPR + 14 * 8]
        mov     r15, [rsi + STATE_GPR + 15 * 8]
        mov     rsi, [rsi + STATE_GPR + 6 * 8]
        jz      .launch
        vmresume
        jmp     .failed
.launch:
        vmlaunch
.failed:
        mov     rsp, [gs:CPU_STACK]
        mov     rdi, [gs:CPU_CURRENT]
        call    vmx_entry_failed
        jmp     return_to_current

; The CPU comes here at each exit, on the empty kernel stack, with this CPU's GS base (the VMCS says so). The guest's registers
; go to the state page, and are cleared: the kernel computes nothing from them by accident (I34).
        align   16
vmx_exit_entry:
        push    rax
        mov     rax, [gs:CPU_CURRENT]
        mov     rax, [rax + THREAD_BUFFER]
        pop     qword [rax + STATE_GPR + 0 * 8]
        mov     [rax + STATE_GPR + 1 * 8], rcx
        mov     [rax + STATE_GPR + 2 * 8], rdx
        mov     [rax + STATE_GPR + 3 * 8], rbx
        mov     [rax + STATE_GPR + 5 * 8], rbp
        mov     [rax + STATE_GPR + 6 * 8], rsi
        mov     [rax + STATE_GPR + 7 * 8], rdi
        mov     [rax + STATE_GPR + 8 * 8], r8
        mov     [rax + STATE_GPR + 9 * 8], r9
        mov     [rax + STATE_GPR + 10 * 8], r10
        mov     [rax + STATE_GPR + 11 * 8], r11
        mov     [rax + STATE_GPR + 12 * 8], r12
        mov     [rax + STATE_GPR + 13 * 8], r13
        mov     [rax + STATE_GPR + 14 * 8], r14
        mov     [rax + STATE_GPR + 15 * 8], r15
        mov     rdi, [gs:CPU_CURRENT]
        mov     rax, cr2
        mov     [rdi + VCPU_CR2], rax
        mov     byte [rdi + VCPU_LAUNCHED], 1
        xor     ecx, ecx
        xor     edx, edx
        xor     ebx, ebx
        xor     ebp, ebp
        xor     esi, esi
        xor     r8d, r8d
        xor     r9d, r9d
        xor     r10d, r10d
        xor     r11d, r11d
        xor     r12d, r12d
        xor     r13d, r13d
        xor     r14d, r14d
        xor     r15d, r15d
        call    vmx_exited
        jmp     return_to_current

        section .note.GNU-stack noalloc noexec nowrite progbits
