; fast.asm: the short way of a message: between two user threads of one CPU, at most four words, no capability.
; SPDX-License-Identifier: BSD-2-Clause
;
; What endpoint_call() and the reply half of answer_and_receive() do in general is done here for the common case,
; with the message staying in its registers. Every condition is checked before anything changes; if one does not
; hold the slow way does it all again from the start. In both paths:
;
;   RSP the current thread     RDI RSI RDX R8 R9 R10 as the caller gave them
;   RBX the thread that will run      RBP its SchedContext     R12 the Reply object     R13 the endpoint
;   R14 (call) the badge      RCX scratch, and when nothing can fail any more RAX and R11
%include "kernel/x86/regs.inc"
%include "kernel/x86/cpu.inc"
%include "kernel/sys/entry.inc"
%include "kernel/sys/offsets.inc"

        bits 64
        default rel

        extern syscall_slow, space_cr3_keep
        global fast_call, fast_reply_recv

        section .text

; Saves what the other thread will overwrite, and enters the kernel lock as a reader (klock.h).
%macro begin 0
        mov     [rsp + REGS_RBX], rbx
        mov     [rsp + REGS_RBP], rbp
        mov     [rsp + REGS_R12], r12
        mov     [rsp + REGS_R13], r13
        mov     [rsp + REGS_R14], r14
        mov     [rsp + REGS_R15], r15
        mov     ecx, 1
        xchg    [gs:CORE_INSIDE], ecx
        test    ecx, ecx
        jnz     slow
%endmacro

; %1 (in: a capability address, zero-extended) becomes a pointer to its slot, if it is in the root CNode and holds a capability
; of type %2 with right %3. An address of 0 names slot 0, which never holds such a capability.
%macro look_up 3
        cmp     %{1}d, [rsp + THREAD_COUNT]
        jae     slow_inside
        shl     %1, SLOT_SHIFT
        add     %1, [rsp + THREAD_SLOTS]
        movzx   ecx, word [%1]
        and     ecx, %3 << 8 | 0xff
        cmp     ecx, %3 << 8 | %2
        jne     slow_inside
%endmacro

; The message is in registers alone; nobody but the kernel sets bit 63 of a tag.
%macro check_tag 0
        mov     ecx, esi
        and     ecx, 0x3ff
        cmp     ecx, 4
        ja      slow_inside
        btr     rsi, 63
%endmacro

; RBX can run here now: of this CPU, a user thread without FPU, nothing more urgent waits, no FPU to take away.
%macro check_next 1
        cmp     word [rbx + THREAD_FPU], 0      ; and THREAD_QUEUED behind it, 0 for all that wait
        jne     %1
        mov     ecx, [rbx + THREAD_CPU]
        cmp     ecx, [gs:CPU_ID]
        jne     %1
        movzx   ecx, byte [rbx + THREAD_PRIORITY]
        cmp     ecx, [gs:CORE_BAR]
        jl      %1
        cmp     byte [gs:CORE_FPU_BLOCKED], 0
        je      %1
%endmacro

; RBX becomes current: page tables as space_enter() does it, then its registers but those of the message. EDI: badge.
%macro switch_and_return 0
        inc     qword [gs:CORE_SWITCHES]
        mov     [gs:CPU_CURRENT], rbx
        lea     rax, [rbx + REGS_SIZE]
        mov     [gs:CPU_TSS_RSP0], rax
        mov     rax, [rbx + THREAD_SPACE]
        cmp     rax, [gs:CORE_SPACE]
        je      %%same
        mov     rcx, rax
        xchg    [gs:CORE_SPACE], rcx
        mov     r11d, [gs:CPU_ID]
        mov     rcx, [rax + SPACE_GENERATION]
        mov     rbp, [rax + SPACE_CR3]
        cmp     rcx, [rax + SPACE_SEEN + r11 * 8]
        jne     %%flush
        or      rbp, [space_cr3_keep]
        mov     cr3, rbp
%%same:
        mov     dword [gs:CORE_INSIDE], 0
        mov     rcx, [rbx + REGS_RIP]
        mov     r11, [rbx + REGS_RFLAGS]
        mov     rsp, [rbx + REGS_RSP]
        mov     rbp, [rbx + REGS_RBP]
        mov     r12, [rbx + REGS_R12]
        mov     r13, [rbx + REGS_R13]
        mov     r14, [rbx + REGS_R14]
        mov     r15, [rbx + REGS_R15]
        mov     rbx, [rbx + REGS_RBX]
        xor     eax, eax
        swapgs
        o64 sysret
%%flush:
        mov     cr3, rbp
        mov     [rax + SPACE_SEEN + r11 * 8], rcx
        jmp     %%same
%endmacro

; SYS_CALL. RDI: endpoint.
        align   32
fast_call:
        begin
        mov     r13d, edi
        look_up r13, OBJ_ENDPOINT, EP_CALL
        check_tag
        mov     rbp, [rsp + THREAD_SCHED]
        mov     r14d, [r13 + SLOT_BADGE]
        mov     r13, [r13 + SLOT_OBJECT]
        mov     ebx, QUEUE_LOCKED
        xchg    rbx, [r13]                      ; endpoint.queue and its lock
        cmp     rbx, QUEUE_LOCKED
        je      slow_inside
        test    bl, 3
        jnz     .undo
        test    rbx, rbx
        jz      .undo
        cmp     rbx, [rbx + THREAD_NEXT]        ; it waits alone
        jne     .undo
        check_next .undo
        cmp     qword [rbx + THREAD_SCHED], 0   ; it runs on the caller's time
        jne     .undo
        test    rbp, rbp
        jz      .undo

        mov     byte [rbx + THREAD_STATE], TS_READY
        mov     qword [r13], 0
        inc     qword [gs:CORE_MESSAGES]
        mov     r12, [rbx + THREAD_REPLY]
        mov     [rbx + THREAD_SCHED], rbp
        mov     [rbp], rbx                      ; sched.thread
        mov     qword [rsp + THREAD_SCHED], 0
        mov     byte [rsp + THREAD_STATE], TS_REPLY
        mov     byte [rsp + THREAD_CALL], 0     ; CALL_USER
        mov     [rsp + THREAD_WAITS_IN], r12
        mov     rax, [rbp + SCHED_LENDER]       ; the Reply is the top of the stack of lenders (lend.h)
        mov     [r12 + REPLY_LENT], rbp
        mov     [r12 + REPLY_OUTER], rax
        mov     [rbp + SCHED_LENDER], r12
        mov     [r12 + REPLY_CALLER], rsp
        mov     qword [r12 + REPLY_RECEIVER], 0 ; in this order: see reply_claim()
        mov     edi, r14d
        switch_and_return

.undo:
        mov     [r13], rbx
        jmp     slow_inside

; SYS_REPLY_RECV. RDI: endpoint, and in its high half the Reply.
        align   32
fast_reply_recv:
        cmp     qword [rsp + THREAD_BOUND], 0   ; signals would have to be looked at
        jne     syscall_slow
        begin
        mov     r13d, edi
        look_up r13, OBJ_ENDPOINT, EP_RECV
        mov     r12, rdi
        shr     r12, 32
        look_up r12, OBJ_REPLY, RP_USE
        check_tag
        mov     r13, [r13 + SLOT_OBJECT]
        mov     r12, [r12 + SLOT_OBJECT]
        mov     rbp, [r12 + REPLY_LENT]
        cmp     rbp, [rsp + THREAD_SCHED]       ; this thread runs on the caller's time
        jne     slow_inside
        xor     eax, eax
        lock cmpxchg [r12 + REPLY_RECEIVER], rsp
        mov     eax, SYS_REPLY_RECV             ; as the slow way wants it
        jnz     slow_inside
        xor     ebx, ebx
        xchg    rbx, [r12 + REPLY_CALLER]
        test    rbx, rbx
        jz      .undo_claim
        test    rbp, rbp
        jz      .undo
        cmp     byte [rbx + THREAD_CALL], 0     ; CALL_USER
        jne     .undo
        check_next .undo
        mov     ecx, QUEUE_LOCKED
        xchg    rcx, [r13]
        test    rcx, rcx                        ; nobody calls, and nobody else receives
        jnz     .undo_queue

        mov     [rsp + THREAD_NEXT], rsp
        mov     [rsp + THREAD_PREV], rsp
        mov     byte [rsp + THREAD_STATE], TS_RECV
        mov     [rsp + THREAD_WAITS_IN], r13
        mov     [rsp + THREAD_REPLY], r12
        mov     qword [rsp + THREAD_SCHED], 0
        mov     rax, [r12 + REPLY_OUTER]
        mov     [rbp + SCHED_LENDER], rax
        mov     [rbx + THREAD_SCHED], rbp
        mov     [rbp], rbx                      ; sched.thread
        mov     byte [rbx + THREAD_STATE], TS_READY
        mov     [r13], rsp                      ; from here on a caller can take this thread
        xor     edi, edi
        switch_and_return

.undo_queue:
        cmp     rcx, QUEUE_LOCKED
        je      .undo
        mov     [r13], rcx
.undo:
        mov     [r12 + REPLY_CALLER], rbx
.undo_claim:
        mov     qword [r12 + REPLY_RECEIVER], 0
slow_inside:
        mov     dword [gs:CORE_INSIDE], 0
slow:
        mov     rbx, [rsp + REGS_RBX]
        mov     rbp, [rsp + REGS_RBP]
        mov     r12, [rsp + REGS_R12]
        mov     r13, [rsp + REGS_R13]
        mov     r14, [rsp + REGS_R14]
        mov     r15, [rsp + REGS_R15]
        jmp     syscall_slow

        section .note.GNU-stack noalloc noexec nowrite progbits
