/* canary.h: the word at which the stack protector of Debian's libfdt looks. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_INIT_CANARY_H
#define SERVERS_INIT_CANARY_H

#include "kernel/abi/error.h"

/*
 * Libraries that were built for glibc compare a word at FS:0x28 before and after a function. The FS
 * base of our threads is 0 (no thread-local storage), so the word lies in page 0. canary_show maps
 * a page of zeroes there, read-only; canary_hide takes it away again, so that null pointers fault
 * as they should.
 */
enum status canary_show(void);
void canary_hide(void);

#endif
