; bench.asm: a guest that measures what its exits cost, from its own side, with the real VMM behind them.
; SPDX-License-Identifier: BSD-2-Clause
%include "guest.inc"

RUNS            equ 1000
TEST_VECTOR     equ 0x40
HYPERVISOR_LEAF equ 0x40000000
UNUSED_PORT     equ 0x80
LAPIC_ID        equ 0xFEE00020  ; a register that is only read
MSR_APIC_BASE   equ 0x1B
APIC_X2APIC     equ 1 << 10
MSR_X2APIC_SVR  equ 0x80F
SVR_ENABLE      equ 0x1FF       ; with spurious vector 255
MSR_X2APIC_EOI  equ 0x80B
MSR_X2APIC_SELF equ 0x83F
SELECTOR_CODE   equ 8
SELECTOR_DATA   equ 16
GATE_INTERRUPT  equ 0x8E00      ; present, 32 bit

section .bss align=16
samples: resd RUNS
clock:   resd 1                 ; what reading the TSC twice costs by itself
idt:     resq TEST_VECTOR + 1

section .data align=8
gdt:
    dq 0
    dq 0x00CF9B000000FFFF       ; code, 32 bit, 4 GiB
    dq 0x00CF93000000FFFF       ; data
gdt_end:
gdt_register:
    dw gdt_end - gdt - 1
    dd gdt
idt_register:
    dw (TEST_VECTOR + 1) * 8 - 1
    dd idt

; RUNS samples of the instructions in %2, which keep ebp, esi and esp; then the line `BENCH %1 min median`.
%macro MEASURE 2+
section .text
    xor ebp, ebp
%%next:
    rdtsc
    mov esi, eax
    %2
    rdtsc
    sub eax, esi
    mov [samples + ebp * 4], eax
    inc ebp
    cmp ebp, RUNS
    jb %%next
    REPORT %1
%endmacro

%macro REPORT 1
section .data
%%name: db "BENCH ", %1, " ", 0
section .text
    call sort
    mov esi, %%name
    call report
%endmacro

GUEST_START
    lgdt [gdt_register]
    jmp SELECTOR_CODE:with_own_segments
with_own_segments:
    mov ax, SELECTOR_DATA
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, on_interrupt
    mov word [idt + TEST_VECTOR * 8], ax
    mov word [idt + TEST_VECTOR * 8 + 2], SELECTOR_CODE
    mov word [idt + TEST_VECTOR * 8 + 4], GATE_INTERRUPT
    shr eax, 16
    mov word [idt + TEST_VECTOR * 8 + 6], ax
    lidt [idt_register]

    MEASURE "clock", nop
    mov eax, [samples + RUNS / 2 * 4]
    mov [clock], eax
    MEASURE "vmm_cpuid", call do_cpuid
    MEASURE "vmm_pio", out UNUSED_PORT, al
    MEASURE "exit_mmio", mov eax, [LAPIC_ID]

    GUEST_LET_INTERRUPTS_IN
    mov ecx, MSR_APIC_BASE
    rdmsr
    or eax, APIC_X2APIC
    wrmsr
    mov ecx, MSR_X2APIC_SVR
    mov eax, SVR_ENABLE
    xor edx, edx
    wrmsr
    call measure_interrupts
    REPORT "inject"
    GUEST_EXIT 0

do_cpuid:
    mov eax, HYPERVISOR_LEAF
    cpuid
    ret

; From the WRMSR that makes the VMM send an interrupt to the first instruction of its handler, which
; counts ebp on.
measure_interrupts:
    xor ebp, ebp
.next:
    rdtsc
    mov esi, eax
    mov eax, TEST_VECTOR
    xor edx, edx
    mov ecx, MSR_X2APIC_SELF
    wrmsr
    nop
    cmp ebp, RUNS
    jb .next
    ret

on_interrupt:
    rdtsc
    sub eax, esi
    mov [samples + ebp * 4], eax
    inc ebp
    xor eax, eax
    xor edx, edx
    mov ecx, MSR_X2APIC_EOI
    wrmsr
    iret

; Sorts the samples: each is put where it belongs among those before it.
sort:
    mov ecx, 1
.take:
    mov eax, [samples + ecx * 4]
    mov edx, ecx
.shift:
    mov ebx, [samples + edx * 4 - 4]
    cmp ebx, eax
    jbe .place
    mov [samples + edx * 4], ebx
    dec edx
    jnz .shift
.place:
    mov [samples + edx * 4], eax
    inc ecx
    cmp ecx, RUNS
    jb .take
    ret

; Prints the text at esi, the least sample and the median.
report:
    call print_text
    mov eax, [samples]
    call print_cost
    mov al, ' '
    call print_byte
    mov eax, [samples + RUNS / 2 * 4]
    call print_cost
    mov al, 13
    call print_byte
    mov al, 10
    jmp print_byte

; Prints eax, without the clock's part, in decimal.
print_cost:
    sub eax, [clock]
    mov ebx, 10
    xor ecx, ecx
.divide:
    xor edx, edx
    div ebx
    push edx
    inc ecx
    test eax, eax
    jnz .divide
.print:
    pop eax
    add al, '0'
    call print_byte
    dec ecx
    jnz .print
    ret
