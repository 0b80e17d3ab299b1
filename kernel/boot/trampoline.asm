; trampoline.asm: the first instructions of the other CPUs, from real mode to smp_enter().
; SPDX-License-Identifier: BSD-2-Clause

KERNEL_BASE             equ 0xffffffff80000000
CR0_PROTECTED           equ 0x11        ; ET, PE
CR0_BOOT                equ 0x80010033  ; PG, WP, NE, ET, MP, PE
CR4_PAE                 equ 1 << 5
EFER                    equ 0xc0000080
EFER_LME                equ 1 << 8
EFER_NXE                equ 1 << 11

%define PHYS(label) ((label) - KERNEL_BASE)

; Offset of a label in the copy.
%define AT(label) ((label) - trampoline_start)

        global trampoline_start, trampoline_end
        extern kernel_pml4, smp_enter, smp_starting_stack

; smp.c copies this to a page below 1 MiB and starts a CPU there: CS is the page's segment, and
; everything is found relative to it. The first 2 MiB are mapped at their physical address.
        section .rodata
        align   16
        bits    16
trampoline_start:
        cli
        cld
        mov     ax, cs
        mov     ds, ax
        movzx   ebx, ax
        shl     ebx, 4                  ; physical address of this page

        lea     eax, [ebx + AT(gdt)]
        mov     [AT(gdtr) + 2], eax
        lea     eax, [ebx + AT(protected_mode)]
        mov     [AT(to_protected)], eax
        lea     eax, [ebx + AT(long_mode)]
        mov     [AT(to_long)], eax
        o32 lgdt [AT(gdtr)]
        mov     eax, CR0_PROTECTED
        mov     cr0, eax
        jmp     far dword [AT(to_protected)]

        bits    32
protected_mode:
        mov     eax, 0x18
        mov     ds, eax
        mov     ss, eax
        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, PHYS(kernel_pml4)
        mov     cr3, eax
        mov     ecx, EFER
        rdmsr
        or      eax, EFER_LME | EFER_NXE
        wrmsr
        mov     eax, CR0_BOOT
        mov     cr0, eax
        jmp     far dword [ebx + AT(to_long)]

        bits    64
long_mode:
        mov     rax, smp_starting_stack
        mov     rsp, [rax]
        mov     rax, smp_enter
        call    rax

        align   8
gdt:    dq      0
        dq      0x00209b0000000000      ; 0x08: 64-bit code
        dq      0x00cf9b000000ffff      ; 0x10: 32-bit code, flat
        dq      0x00cf93000000ffff      ; 0x18: data, flat
gdtr:   dw      $ - gdt - 1
        dd      0
to_protected:
        dd      0
        dw      0x10
to_long:
        dd      0
        dw      0x08
trampoline_end:

        section .note.GNU-stack noalloc noexec nowrite progbits
