# host.mk: builds the unit tests and the fuzzers that run on the development machine.
# SPDX-License-Identifier: BSD-2-Clause

TEST_FOLDERS := $(wildcard kernel servers vmm drivers run tool)
find_tests = $(shell find $(TEST_FOLDERS) -path '*/test/*$(1)' 2>/dev/null | sort)
HOST_TESTS := $(patsubst %.c,build/host/%,$(call find_tests,_test.c))
FUZZERS := $(patsubst %.c,build/fuzz/%,$(call find_tests,_fuzz.c))

HOST_FLAGS := -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -I. \
    -Wall -Wextra -Werror
FUZZ_FLAGS := -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I.

# A test names the sources that it links itself, in comments like /* LINK: vmm/lapic.c vmm/irq.c */
linked_sources = $(1) $(shell sed -n 's,^/\* LINK: *\(.*[^ ]\) *\*/ *$$,\1,p' $(1))
host_objects = $(patsubst %.c,build/host/%.o,$(linked_sources))
fuzz_objects = $(patsubst %.c,build/fuzz/%.o,$(linked_sources))

.PHONY: host-tests fuzzers list-host-tests list-fuzzers
host-tests: $(HOST_TESTS)
fuzzers: $(FUZZERS)
list-host-tests:
	@printf '%s\n' $(HOST_TESTS)
list-fuzzers:
	@printf '%s\n' $(FUZZERS)

build/host/%_test: $$(call host_objects,$$*_test.c)
	$(call say,TEST,$@)
	$(Q)$(CC) $(HOST_FLAGS) $^ -o $@ -lcmocka -lfdt

build/fuzz/%_fuzz: $$(call fuzz_objects,$$*_fuzz.c)
	$(call say,FUZZ,$@)
	$(Q)clang $(FUZZ_FLAGS) $^ -o $@ -lfdt

build/host/%.o: %.c | $(B)/tools $(ACPI_TABLES)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(HOST_FLAGS) -MMD -MP -c $< -o $@

build/fuzz/%.o: %.c | $(B)/tools $(ACPI_TABLES)
	$(Q)mkdir -p $(@D)
	$(Q)clang $(FUZZ_FLAGS) -MMD -MP -c $< -o $@

-include $(if $(wildcard build/host build/fuzz),$(shell find build/host build/fuzz -name '*.d' 2>/dev/null))
