; boot.asm: from the boot loader's 32-bit hand-over to boot_main() in 64-bit mode.
; SPDX-License-Identifier: BSD-2-Clause

KERNEL_BASE             equ 0xffffffff80000000

; Multiboot2 3.1.1 and 3.1.2
MULTIBOOT2_HEADER_MAGIC equ 0xe85250d6
MULTIBOOT2_BOOT_MAGIC   equ 0x36d76289
TAG_END                 equ 0
TAG_MODULE_ALIGN        equ 6

; SDM 3A 2.5 and 4.5
CR0_BOOT                equ 0x80010033  ; PG, WP, NE, ET, MP, PE
CR4_PAE                 equ 1 << 5
EFER                    equ 0xc0000080
EFER_LME                equ 1 << 8
EFER_NXE                equ 1 << 11
PAGE_TABLE              equ 0x03        ; present, writable
PAGE_LARGE              equ 0x83        ; the same, 2 MiB
LARGE_PAGE_SIZE         equ 0x200000
DIRECT_TABLES           equ 4           ; page directories for the first 4 GiB

; Physical address of a label in the image.
%define PHYS(label) ((label) - KERNEL_BASE)

        global boot_entry, boot_entry_tsc
        global kernel_pml4, boot_low_pdpt, boot_direct_pdpt, boot_direct_pd
        global boot_image_pd, boot_image_pt
        extern boot_main, boot_stack_top

        section .multiboot progbits alloc exec nowrite align=8
header:
        dd      MULTIBOOT2_HEADER_MAGIC
        dd      0                       ; i386, protected mode
        dd      header.end - header
        dd      -(MULTIBOOT2_HEADER_MAGIC + (header.end - header))
        dw      TAG_MODULE_ALIGN, 0
        dd      8
        dw      TAG_END, 0
        dd      8
.end:

        section .text
        bits    32

; Paging is off, segments are flat, EAX is the magic number, EBX the boot information. No stack.
boot_entry:
        cli
        cld
        mov     esi, eax
        mov     edi, ebx
        rdtsc
        mov     [PHYS(boot_entry_tsc)], eax
        mov     [PHYS(boot_entry_tsc) + 4], edx

        mov     ebp, PHYS(message_loader)
        cmp     esi, MULTIBOOT2_BOOT_MAGIC
        jne     refuse
        mov     ebp, PHYS(message_cpu)
        mov     eax, 0x80000000
        cpuid
        cmp     eax, 0x80000001
        jb      refuse
        mov     eax, 0x80000001
        cpuid
        bt      edx, 29                 ; 64-bit mode
        jnc     refuse
        bt      edx, 20                 ; execute disable
        jnc     refuse

        ; 4 GiB of direct map in 2 MiB pages; direct_map.c sets their attributes later.
        mov     eax, PAGE_LARGE
        mov     ecx, PHYS(boot_direct_pd)
.next:  mov     [ecx], eax
        add     ecx, 8
        add     eax, LARGE_PAGE_SIZE
        jnc     .next

        mov     eax, PHYS(boot_direct_pd) + PAGE_TABLE
        mov     ecx, PHYS(boot_direct_pdpt)
%rep DIRECT_TABLES
        mov     [ecx], eax
        add     eax, 4096
        add     ecx, 8
%endrep

        ; The first 2 MiB also at their physical address, for the moment of the switch, and at the
        ; image's address.
        mov     dword [PHYS(boot_low_pd)], PAGE_LARGE
        mov     dword [PHYS(boot_low_pdpt)], PHYS(boot_low_pd) + PAGE_TABLE
        mov     dword [PHYS(boot_image_pd)], PAGE_LARGE
        mov     dword [PHYS(boot_image_pdpt) + 510 * 8], PHYS(boot_image_pd) + PAGE_TABLE
        mov     dword [PHYS(kernel_pml4)], PHYS(boot_low_pdpt) + PAGE_TABLE
        mov     dword [PHYS(kernel_pml4) + 256 * 8], PHYS(boot_direct_pdpt) + PAGE_TABLE
        mov     dword [PHYS(kernel_pml4) + 511 * 8], PHYS(boot_image_pdpt) + PAGE_TABLE

        ; SDM 3A 9.8.5
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
        lgdt    [PHYS(boot_gdtr)]
        jmp     0x08:PHYS(.long)

        bits    64
        default rel
.long:  mov     rax, .high
        jmp     rax
.high:  mov     rsp, [boot_stack_top]
        mov     edi, edi                ; zero-extends the address of the boot information
        call    boot_main

; EBP points at a text, which goes to port 0xE9 and to COM1 as the firmware left it.
        bits    32
refuse: mov     al, [ebp]
        test    al, al
        jz      .stop
        out     0xe9, al
        mov     ah, al
        mov     edx, 0x3fd              ; line status: holding register empty
        mov     ecx, 100000
.wait:  in      al, dx
        test    al, 0x20
        loopz   .wait
        mov     al, ah
        mov     edx, 0x3f8
        out     dx, al
        inc     ebp
        jmp     refuse
.stop:  hlt
        jmp     .stop

        section .rodata
message_loader:
        db      "Quire must be started by a Multiboot2 boot loader", 13, 10, 0
message_cpu:
        db      "Quire needs a 64-bit CPU with execute-disable", 13, 10, 0

        align   8
boot_gdt:
        dq      0
        dq      0x00209b0000000000      ; 64-bit code, privilege 0
boot_gdtr:
        dw      $ - boot_gdt - 1
        dq      PHYS(boot_gdt)

        section .data align=8
boot_entry_tsc:
        dq      0

        section .bss nobits alloc noexec write align=4096
kernel_pml4:
        resb    4096
boot_low_pdpt:
        resb    4096
boot_low_pd:
        resb    4096
boot_direct_pdpt:
        resb    4096
boot_direct_pd:
        resb    4096 * DIRECT_TABLES
boot_image_pdpt:
        resb    4096
boot_image_pd:
        resb    4096
boot_image_pt:
        resb    4096

        section .note.GNU-stack noalloc noexec nowrite progbits
