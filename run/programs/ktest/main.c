/* main.c: a root task that tests the kernel: the suites named on the kernel's command line. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/programs/ktest/rig.h"

int main(const struct boot_info *boot);

static const struct {
    const char *word;
    void (*run)(void);
} suites[] = {
    {"ipc", test_ipc},       {"cap", test_cap},     {"cap", test_revoke},
    {"space", test_space},   {"space", test_shootdown},
    {"faults", test_faults}, {"faults", test_flags},
    {"sched", test_sched},   {"sched", test_lend},
    {"fpu", test_fpu},       {"random", test_random},  {"vm", test_vm},
    {"bench", bench},
};

int main(const struct boot_info *boot)
{
    rig_init(boot);
    for (unsigned i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (rig_option(suites[i].word)) {
            suites[i].run();
        }
    }
    rig_finish();
}
