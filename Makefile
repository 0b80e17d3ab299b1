# Makefile: builds Quire, runs it and tests it. `make help` lists what it can do.
# SPDX-License-Identifier: BSD-2-Clause

# DEBUG=1 builds the kernel with all its assertions, beside the usual one; V=1 shows commands.
B := build$(if $(filter 1,$(DEBUG)),/debug)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(2)')

CC := gcc
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
FREESTANDING := -std=c11 -O2 -g -ffreestanding -mgeneral-regs-only -fno-stack-protector \
    -fno-pic -fno-pie -fno-asynchronous-unwind-tables -fcf-protection=none -I. -MMD -MP $(WARNINGS)

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.SECONDEXPANSION:

.PHONY: build
build:

include tool/kernel.mk tool/programs.mk tool/host.mk

# What `make test` and, beyond it, `make test-all` run: scenarios, each with its options.
TEST_SCENARIOS := boot:PLATFORM=bochs boot:PLATFORM=bochs:SMP=2 boot:PLATFORM=bochs:SMP=4 \
    boot:PLATFORM=qemu:SMP=2 boot:PLATFORM=qemu:FIRMWARE=uefi:SMP=4 bad-manifests restart \
    ipc:PLATFORM=bochs ipc:SMP=4:DEBUG=1 cap:PLATFORM=bochs cap:DEBUG=1 space:DEBUG=1 space:SMP=4 \
    faults:PLATFORM=bochs faults:DEBUG=1 sched:PLATFORM=bochs:SMP=2 sched:SMP=4:DEBUG=1 fpu:SMP=2 \
    vm:DEBUG=1 vm:SMP=2 random:SMP=2:DEBUG=1 guests-end bad-images guest-contract \
    two-guests two-guests:SMP=2 overcommit-zero cycle linux
ALL_SCENARIOS := $(TEST_SCENARIOS) linux:MEM=1024:HOSTMEM=384 $(foreach model,corei7_haswell_4770 corei7_sandy_bridge_2600k, \
    space:CPU=$(model) vm:CPU=$(model) guests-end:CPU=$(model) linux:CPU=$(model))

SCENARIOS := $(patsubst %.run,%,$(wildcard run/*.run))

.PHONY: help install run $(SCENARIOS) test test-all fuzz bench gdb check clean
help:
	@cat tool/help.txt

build: $(KERNEL) $(PROGRAMS) $(GUESTS)

install:
	@tool/install

# The system that people get: a stock Debian guest on Quire, for emulators, CDs and USB sticks.
build/quire.iso: install
	@$(MAKE) build build/guest/vmlinuz
	$(Q)tool/run quire --image $@

build/guest/vmlinuz: tool/guest tool/guest.init
	$(Q)tool/guest build/guest

run: install
	@$(MAKE) build build/guest/vmlinuz
	@tool/run quire

$(SCENARIOS): run/%: build
	@tool/run $*

test: install
	@tool/test $(TEST_SCENARIOS)

test-all: install
	@tool/test $(ALL_SCENARIOS)

FUZZ_SECONDS := 60
fuzz: $(FUZZERS)
	@for f in $(FUZZERS); do tool/fuzz $$f -max_total_time=$(FUZZ_SECONDS) || exit 1; done

bench: build
	@tool/bench

gdb: build
	@tool/gdb

check: build
	@tool/check

# The downloaded guest stays: it takes the network to get it again.
clean:
	find build -mindepth 1 -maxdepth 1 ! -name guest -exec rm -rf {} +
