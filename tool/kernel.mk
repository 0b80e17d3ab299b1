# kernel.mk: builds the kernel.
# SPDX-License-Identifier: BSD-2-Clause

KERNEL_SOURCES := $(if $(wildcard kernel),$(shell find kernel -name test -prune -o -name '*.c' -print \
    -o -name '*.asm' -print | sort))
KERNEL_OBJECTS := $(KERNEL_SOURCES:%=$(B)/obj/%.o)
KERNEL := $(if $(wildcard kernel/kernel.ld),$(B)/kernel.elf)
KERNEL_FLAGS := $(FREESTANDING) -mcmodel=kernel -mno-red-zone $(if $(filter 1,$(DEBUG)),-DKERNEL_DEBUG=1)

$(B)/kernel.elf: $(KERNEL_OBJECTS) kernel/kernel.ld
	$(call say,LD,$@)
	$(Q)$(CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096 \
	    -T kernel/kernel.ld -Wl,-Map=$@.map $(KERNEL_OBJECTS) -o $@

$(B)/obj/kernel/%.c.o: kernel/%.c | $(B)/tools
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_FLAGS) -c $< -o $@

# Assembly of the kernel and of programs alike.
$(B)/obj/%.asm.o: %.asm | $(B)/tools
	$(call say,NASM,$<)
	$(Q)mkdir -p $(@D)
	$(Q)nasm -f elf64 -w+error -I. -MD $(@:.o=.d) -MP $< -o $@

# NASM's dependency files leave out what is found by -I.
$(filter %.asm.o,$(KERNEL_OBJECTS)): $(wildcard kernel/*/*.inc)

# A missing tool is named here, and not by the first command that fails.
$(B)/tools: tool/install
	$(Q)tool/install --check
	$(Q)mkdir -p $(@D) && touch $@

-include $(KERNEL_OBJECTS:.o=.d)
