/* log.c: one-line messages to the kernel's log, each beginning with the program's name. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/lib/log.h"

#include <stdarg.h>
#include <string.h>

#include "kernel/abi/error.h"
#include "servers/lib/format.h"
#include "servers/lib/syscall.h"

#define LOG_CALL_BYTES 32u /* what one SYS_LOG takes */

#define LOG_NAME_MAX 32u

static const char *log_name = "?";
static uint32_t log_platform;

void log_init(const char *name, uint32_t platform)
{
    log_name = strlen(name) < LOG_NAME_MAX ? name : "?";
    log_platform = platform;
}

static void send(const char *line, size_t length)
{
    for (size_t done = 0; done < length; done += LOG_CALL_BYTES) {
        uint64_t words[LOG_CALL_BYTES / sizeof(uint64_t)] = { 0 };
        size_t count = length - done < LOG_CALL_BYTES ? length - done : LOG_CALL_BYTES;
        memcpy(words, line + done, count);
        sys_log(log_platform, (unsigned)count, words);
    }
}

/* Formats behind the `start` bytes that are in `line` already, and sends all of it. */
__attribute__((format(printf, 3, 0))) static void finish(
    char line[LOG_LINE_MAX + 1], size_t start, const char *format, va_list arguments)
{
    format_text(line + start, LOG_LINE_MAX - start, format, arguments);
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++) {
        if (line[i] < 0x20 || line[i] > 0x7e) {
            line[i] = '?';
        }
    }
    line[length++] = '\n';
    send(line, length);
}

void log_line(const char *format, ...)
{
    char line[LOG_LINE_MAX + 1];
    size_t start = strlen(log_name);
    memcpy(line, log_name, start);
    memcpy(line + start, ": ", 2);
    start += 2;
    va_list arguments;
    va_start(arguments, format);
    finish(line, start, format, arguments);
    va_end(arguments);
}

void log_bare(const char *format, ...)
{
    char line[LOG_LINE_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    finish(line, 0, format, arguments);
    va_end(arguments);
}

const char *status_words(uint64_t status)
{
#define LOG_STATUS_WORDS(name, words) words,
    static const char *const table[] = { QUIRE_STATUS_LIST(LOG_STATUS_WORDS) };
#undef LOG_STATUS_WORDS
    return status < STATUS_COUNT ? table[status] : "unknown status";
}
