/*
 * time_text: times as people read them.
 */
#ifndef CROFT_BASE_TIME_TEXT_H
#define CROFT_BASE_TIME_TEXT_H

#include "base/buffer.h"

/* 2023-11-14T22:13:20.000Z; milliseconds alone where the year has not four digits. */
void append_time(struct buffer *out, int64_t ts_ms);

#endif
