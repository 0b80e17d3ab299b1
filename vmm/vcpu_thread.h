/* vcpu_thread.h: the thread that answers a virtual CPU's exits. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_VCPU_THREAD_H
#define VMM_VCPU_THREAD_H

#include "servers/lib/start_info.h"
#include "vmm/machine.h"

/*
 * Sets the operations of a machine and its terminal to system calls, with what objects.h has made.
 */
void vcpu_thread_operations(const struct start_info *info, struct machine_config *config);

/*
 * Lets virtual CPU 0 go, and answers its exits until the guest has ended: machine->reason says
 * how. False: a system call failed, and a line in the log says which.
 */
bool vcpu_thread_run(const struct start_info *info, struct machine *machine);

#endif
