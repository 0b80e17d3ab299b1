# programs.mk: builds the user-level programs (servers, drivers, VMM, test programs) and test guests.
# SPDX-License-Identifier: BSD-2-Clause

MUSL_LIBC := /usr/lib/x86_64-linux-musl/libc.a
LIBFDT := /usr/lib/x86_64-linux-gnu/libfdt.a
USER_FLAGS := $(FREESTANDING) -isystem /usr/include/x86_64-linux-musl

# The sources of a folder (not of its sub-folders), as objects.
objects_in = $(patsubst %,$(B)/obj/%.o,$(sort $(wildcard $(1)/*.c $(1)/*.asm)))

LIB_OBJECTS := $(call objects_in,servers/lib)
PROGRAM_FOLDERS := $(foreach folder,$(filter-out servers/lib,$(patsubst %/,%, \
    $(wildcard servers/*/ drivers/*/ run/programs/*/ vmm/))),$(if $(wildcard $(folder)/*.c),$(folder)))
PROGRAMS := $(patsubst %,$(B)/%.elf,$(notdir $(PROGRAM_FOLDERS)))
PROGRAM_OBJECTS := $(foreach folder,$(PROGRAM_FOLDERS),$(call objects_in,$(folder)))
ACPI_TABLES := $(patsubst vmm/acpi/%.asl,build/vmm/%.hex,$(wildcard vmm/acpi/*.asl))
acpi_includes = $(shell sed -n 's/^.include "\(.*\)"/\1/p' vmm/acpi/$(1).asl)
GUESTS := $(patsubst run/guests/%.asm,build/guests/%.elf,$(wildcard run/guests/*.asm))

$(B)/lib.a: $(LIB_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcsD $@ $^

# A program may use musl's and libfdt's pure functions; tool/check-link refuses the others.
define program
$(B)/$(notdir $(1)).elf: $$(call objects_in,$(1)) $(B)/lib.a servers/lib/server.ld tool/check-link
	$$(call say,LD,$$@)
	$$(Q)$$(CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
	    -Wl,-z,max-page-size=4096 -T servers/lib/server.ld -Wl,-Map=$$@.map \
	    $$(filter %.o,$$^) -Wl,--start-group $(B)/lib.a $(LIBFDT) $(MUSL_LIBC) -lgcc -Wl,--end-group -o $$@
	$$(Q)tool/check-link $$@.map $(MUSL_LIBC)
endef
$(foreach folder,$(PROGRAM_FOLDERS),$(eval $(call program,$(folder))))

$(B)/obj/%.c.o: %.c | $(B)/tools $(ACPI_TABLES)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(USER_FLAGS) -c $< -o $@

build/vmm/%.hex: vmm/acpi/%.asl $$(call acpi_includes,$$*) | $(B)/tools
	$(call say,IASL,$<)
	$(Q)mkdir -p $(@D)
	$(Q)iasl -we -I . -tc -p build/vmm/$* $< >build/vmm/$*.log 2>&1 || { cat build/vmm/$*.log; exit 1; }

build/guests/%.elf: run/guests/%.asm run/guests/guest.ld | $(B)/tools
	$(call say,GUEST,$@)
	$(Q)mkdir -p $(@D)
	$(Q)nasm -f elf32 -w+error -I run/guests/ -MD build/guests/$*.d -MT $@ -MP $< -o build/guests/$*.o
	$(Q)ld -m elf_i386 -T run/guests/guest.ld -o $@ build/guests/$*.o

-include $(LIB_OBJECTS:.o=.d) $(PROGRAM_OBJECTS:.o=.d) $(GUESTS:.elf=.d)
