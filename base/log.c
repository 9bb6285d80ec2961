#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/time_text.h"

enum { MESSAGE_MAX = 1024 };

static _Atomic int level_min = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_min, (int)level, memory_order_relaxed);
}

static void append_quoted(struct buffer *out, struct str text)
{
    buffer_append_byte(out, '"');
    escape_append(out, text, STR("\"\\"));
    buffer_append_byte(out, '"');
}

void log_format(struct buffer *out, int64_t now_ms, enum log_level level, struct str message)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    buffer_append_str(out, STR("ts="));
    append_time(out, now_ms);
    buffer_append_format(out, " level=%s msg=", names[level]);
    bool is_cut = message.len > MESSAGE_MAX;
    append_quoted(out, str_slice(message, 0, MESSAGE_MAX));
    if (is_cut)
        buffer_append_str(out, STR(" cut=true"));
    buffer_append_byte(out, '\n');
}

void log_line(enum log_level level, const char *format, ...)
{
    if ((int)level < atomic_load_explicit(&level_min, memory_order_relaxed))
        return;
    char message[MESSAGE_MAX + 2]; /* one more than the maximum, so that log_format sees the cut */
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct buffer line;
    buffer_init(&line, 8 * MESSAGE_MAX);
    log_format(&line, clock_now_ms(clock_real()), level, str_from(message));
    /* one call, so that lines of several threads do not mix */
    fwrite(line.ptr, 1, line.len, stderr);
    buffer_deinit(&line);
}
