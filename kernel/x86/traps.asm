; traps.asm: entry from interrupts and exceptions into the kernel, and the way back from an NMI.
; SPDX-License-Identifier: BSD-2-Clause
%include "kernel/x86/regs.inc"
%include "kernel/x86/cpu.inc"

MSR_GS_BASE             equ 0xc0000101
RFLAGS_FIXED            equ 2           ; all flags clear but the one that is always set
EXCEPTION_VECTORS       equ 32
TRAP_STUB_SIZE          equ 12          ; traps.c knows it too

        bits 64
        default rel

        extern trap_user, trap_kernel, trap_nmi, trap_fatal
        extern interrupt_handle, return_to_current
        global trap_stubs, trap_nmi_entry, trap_double_fault_entry, trap_machine_check_entry
        global trap_debug_entry
        global cpu_idle, msr_read_safe, msr_write_safe

; The general registers in the order of struct regs, below vector and error.
%macro push_registers 0
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
%endmacro

; Puts them back, drops vector and error, and resumes what was interrupted.
%macro pop_registers_and_return 0
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
        iretq
%endmacro

; An interrupt leaves DF, AC and NT as they were. User level must not choose them for the kernel:
; DF breaks string instructions, AC switches SMAP off.
%macro clear_flags 0
        push    RFLAGS_FIXED
        popfq
%endmacro

; An instruction that may fault, and where to go on if it does: see trap_kernel().
%macro may_fault 2
        [section .extable]
        dq      %1, %2
        __?SECT?__
%endmacro

        section .text

; One stub per vector. The CPU itself pushes an error code for vectors 8, 10 to 14, 17, 21, 29
; and 30 (SDM 3A 6.13; APM 2 8.2); the others get a zero.
%define ERROR_CODE_VECTORS ((1 << 8) | (0x1f << 10) | (1 << 17) | (1 << 21) | (3 << 29))

        align   16
trap_stubs:
%assign VECTOR 0
%rep 256
  %if VECTOR >= 32 || ((ERROR_CODE_VECTORS >> VECTOR) & 1) == 0
        push    strict byte 0
  %endif
        push    strict dword VECTOR
        jmp     strict near trap
        times   TRAP_STUB_SIZE - ($ - trap_stubs - VECTOR * TRAP_STUB_SIZE) int3
  %assign VECTOR VECTOR + 1
%endrep

        align   16
trap:
        push_registers
        test    byte [rsp + REGS_CS], 3
        jz      .from_kernel

        ; TSS.RSP0 pointed at the end of the thread's struct regs, so that it is complete now. The
        ; fence keeps a CPU that guessed the branch wrong from using the wrong GS base.
        swapgs
        lfence
        mov     rdi, rsp
        mov     rsp, [gs:CPU_STACK]
        clear_flags
        call    trap_user
        jmp     return_to_current

.from_kernel:
        lfence
        cmp     dword [rsp + REGS_VECTOR], EXCEPTION_VECTORS
        jae     .from_idle
        mov     rdi, rsp
        clear_flags
        call    trap_kernel
        pop_registers_and_return

        ; Interrupts are on in the kernel only in cpu_idle: nothing there is worth a return.
.from_idle:
        mov     edi, [rsp + REGS_VECTOR]
        mov     rsp, [gs:CPU_STACK]
        call    interrupt_handle
        jmp     return_to_current

; An NMI, #DF or #MC can come at any instruction, also between an entry and its SWAPGS, and user
; level may have chosen any GS base. So the GS base is not guessed: the top of the stack names the
; CPU (struct ist_stack), and the base found is put back in the end.
%macro paranoid_entry 1
        push_registers
        mov     ecx, MSR_GS_BASE
        rdmsr
        mov     r12d, eax
        mov     r13d, edx
        mov     rax, [rsp + REGS_SIZE]
        mov     rdx, rax
        shr     rdx, 32
        wrmsr
        clear_flags
        mov     rdi, rsp
        call    %1
%endmacro

trap_nmi_entry:
        push    0
        push    2
        paranoid_entry trap_nmi
        mov     ecx, MSR_GS_BASE
        mov     eax, r12d
        mov     edx, r13d
        wrmsr
        pop_registers_and_return

trap_double_fault_entry:
        push    8
        paranoid_entry trap_fatal

trap_machine_check_entry:
        push    0
        push    18
        paranoid_entry trap_fatal

; #DB has a stack of its own, for user level can make it come at the first instruction of the SYSCALL entry, where RSP is
; the user's: with TF set on CPUs that trap after SYSCALL, with a blocked trap before it on all. In the kernel it means
; just that: the step is not taken. From user level what the CPU pushed goes to the thread, as without this stack.
FRAME_RIP               equ 16          ; above the two registers saved here
FRAME_CS                equ 24
FRAME_RFLAGS            equ 32
FRAME_RSP               equ 40
FRAME_SS                equ 48
RFLAGS_TF               equ 0x100

trap_debug_entry:
        push    rax
        push    rcx
        test    byte [rsp + FRAME_CS], 3
        jz      .from_kernel
        swapgs
        lfence
        mov     rax, [gs:CPU_TSS_RSP0]
        mov     rcx, [rsp + FRAME_SS]
        mov     [rax - 8], rcx
        mov     rcx, [rsp + FRAME_RSP]
        mov     [rax - 16], rcx
        mov     rcx, [rsp + FRAME_RFLAGS]
        mov     [rax - 24], rcx
        mov     rcx, [rsp + FRAME_CS]
        mov     [rax - 32], rcx
        mov     rcx, [rsp + FRAME_RIP]
        mov     [rax - 40], rcx
        pop     rcx
        pop     rax
        mov     rsp, [gs:CPU_TSS_RSP0]
        sub     rsp, 40
        swapgs
        push    0
        push    1
        jmp     trap

.from_kernel:
        and     qword [rsp + FRAME_RFLAGS], ~RFLAGS_TF
        pop     rcx
        pop     rax
        iretq

; noreturn void cpu_idle(void): an NMI comes back here and finds the CPU idle still.
cpu_idle:
        mov     rsp, [gs:CPU_STACK]
.again:
        sti
        hlt
        jmp     .again

; bool msr_read_safe(uint32_t msr, uint64_t *value)
msr_read_safe:
        mov     ecx, edi
.try:   rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     [rsi], rax
        mov     eax, 1
        ret
.fault: xor     eax, eax
        ret
        may_fault .try, .fault

; bool msr_write_safe(uint32_t msr, uint64_t value)
msr_write_safe:
        mov     ecx, edi
        mov     eax, esi
        mov     rdx, rsi
        shr     rdx, 32
.try:   wrmsr
        mov     eax, 1
        ret
.fault: xor     eax, eax
        ret
        may_fault .try, .fault

        section .note.GNU-stack noalloc noexec nowrite progbits
