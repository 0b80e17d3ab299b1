/* capmap.c: where in vmspace's capability space each of its capabilities is. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vmspace/capmap.h"

uint32_t caps_first;
uint32_t caps_per_guest;
