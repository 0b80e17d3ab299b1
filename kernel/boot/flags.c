/* flags.c: looks for words in the kernel's command line. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/boot/boot.h"

/* Whether 'line' begins with the word and nothing more before a space or the end. */
static bool begins_with(const char *line, const char *word)
{
    while (*word != '\0') {
        if (*line++ != *word++) {
            return false;
        }
    }
    return *line == '\0' || *line == ' ';
}

bool boot_flag(const char *word)
{
    const char *line = boot_memory.command_line;

    for (bool at_start = true; *line != '\0'; line++) {
        if (at_start && begins_with(line, word)) {
            return true;
        }
        at_start = *line == ' ';
    }
    return false;
}
