/* probe.c: which virtualisation this machine has, and the page-table formats that follow. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/log.h"
#include "kernel/mem/format.h"
#include "kernel/obj/virt.h"
#include "kernel/virt/vmx.h"
#include "kernel/x86/cpu.h"

static const struct virt none = {.name = "none"};
const struct virt *virt = &none;

void virt_probe(void)
{
    struct pt_caps caps = {
        .physical_bits = (uint8_t)cpu_features.physical_bits,
        .nx = cpu_features.nx,
        .page_1g = cpu_features.huge_pages,
    };
    bool vmx = cpu_features.vmx && vmx_probe(&caps);

    pt_formats_init(&caps);
    if (vmx) {
        virt = &vmx_virt;
    } else {
        pt_formats[PT_EPT].name = NULL;
        klog("kernel: this CPU has no VMX: a VCpu will be refused\n");
    }
}
