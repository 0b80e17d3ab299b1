/* canary.c: the word at which the stack protector of Debian's libfdt looks. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/canary.h"

#include "kernel/abi/boot.h"
#include "kernel/abi/object.h"
#include "servers/init/memory.h"
#include "servers/lib/syscall.h"

#define CANARY_PAGE 0ull

/* What a function calls whose canary has changed. */
_Noreturn void __stack_chk_fail(void);

enum status canary_show(void)
{
    struct block block;
    uint32_t frame = memory_slots(1);
    if (frame == 0 || !memory_take(FRAME_4K_BITS, &block)) {
        return E_MEMORY;
    }
    enum status status = sys_retype(block.slot, frame, OBJ_FRAME, FRAME_4K_BITS, 0, 1);
    return status != OK ? status : sys_map(BOOT_SPACE, frame, 0, CANARY_PAGE | MAP_READ, 1, NULL);
}

void canary_hide(void)
{
    sys_unmap(BOOT_SPACE, CANARY_PAGE, 1, NULL);
}

/*
 * The stack is damaged: nothing may be called any more, and the kernel's log hears of the fault.
 * It is not in servers/lib, because the linker would find the C library's before.
 */
_Noreturn void __stack_chk_fail(void)
{
    __builtin_trap();
}
