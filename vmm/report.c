/* report.c: what the log says about a virtual CPU. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "servers/lib/log.h"
#include "vmm/machine.h"

#define TEXT_SIZE 200

void report_few(struct vcpu *vcpu, const char *format, ...)
{
    struct machine *machine = vcpu->machine;
    char text[TEXT_SIZE];
    va_list arguments;

    if (machine->reports == REPORTS_MAX) {
        return;
    }
    machine->reports++;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_line("vcpu %u: %s, at rip 0x%lx%s", vcpu->index, text, vcpu->state->rip,
             machine->reports == REPORTS_MAX ? "; no more of this kind will be reported" : "");
}

uint64_t report_fatal(struct vcpu *vcpu, const char *format, ...)
{
    const struct vcpu_state *state = vcpu->state;
    char text[TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_line("vcpu %u: %s", vcpu->index, text);
    log_line("vcpu %u: rip 0x%lx rsp 0x%lx rflags 0x%lx cr0 0x%lx cr2 0x%lx cr3 0x%lx cr4 0x%lx "
             "efer 0x%lx cs 0x%x", vcpu->index, state->rip, state->gpr[VGPR_RSP], state->rflags,
             state->cr0, state->cr2, state->cr3, state->cr4, state->efer,
             state->segment[VSEG_CS].selector);
    return machine_end(vcpu->machine, END_REFUSED, 0);
}

void report_bytes(char text[REPORT_BYTES_SIZE], const uint8_t *bytes, size_t count)
{
    size_t length = 0;

    text[0] = 0;
    for (size_t i = 0; i < count && length + 3 < REPORT_BYTES_SIZE; i++) {
        length += (size_t)snprintf(text + length, REPORT_BYTES_SIZE - length, "%s%02x",
                                   i > 0 ? " " : "", bytes[i]);
    }
}
