/*
 * log: one line per event on standard error, as logfmt: ts=... level=info msg="..." key=value.
 *
 * Values from outside are escaped (no raw CR, LF, ESC or invalid UTF-8 reaches a terminal) and cut.
 * Threads: any.
 */
#ifndef CROFT_BASE_LOG_H
#define CROFT_BASE_LOG_H

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_NOTHING };

/* Lines below `level` are not written; LOG_INFO until it is called; LOG_NOTHING for none at all. */
void log_set_level(enum log_level level);
/* The formatted text becomes msg, quoted and escaped. */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* What log_line writes, with its line end: a message beyond 1,024 bytes is cut and marked
   cut=true. */
void log_format(struct buffer *out, int64_t now_ms, enum log_level level, struct str message);

#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
