/* cpuid_feature.h: which of the host's CPU features a guest may see. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_CPUID_FEATURE_H
#define VMM_CPUID_FEATURE_H

#include "vmm/cpuid.h"

/* Fills policy->keep from policy->choice. A feature that is not in the tables is hidden. */
void cpuid_feature_masks(struct cpuid_policy *policy);

#endif
