#include "tsdb/store/spans.h"

static bool touch_each_other(const struct span *a, const struct span *b)
{
    return a->max_ts_ms == INT64_MAX || b->min_ts_ms <= a->max_ts_ms + 1;
}

size_t spans_add(struct span *spans, size_t count, struct span span)
{
    size_t at = count, kept = 0;
    for (; at > 0 && spans[at - 1].min_ts_ms > span.min_ts_ms; at--)
        spans[at] = spans[at - 1];
    spans[at] = span;
    for (size_t i = 1; i <= count; i++) {
        if (!touch_each_other(&spans[kept], &spans[i]))
            spans[++kept] = spans[i];
        else if (spans[i].max_ts_ms > spans[kept].max_ts_ms)
            spans[kept].max_ts_ms = spans[i].max_ts_ms;
    }
    return kept + 1;
}

bool spans_cover(struct span_list spans, int64_t min_ts_ms, int64_t max_ts_ms)
{
    for (size_t i = 0; i < spans.count; i++) {
        if (spans.ptr[i].min_ts_ms <= min_ts_ms && max_ts_ms <= spans.ptr[i].max_ts_ms)
            return true;
    }
    return false;
}

void spans_cut(struct span_list spans, struct columns *columns)
{
    size_t kept = 0, span = 0;
    for (size_t i = 0; i < columns->count; i++) {
        int64_t ts_ms = columns->ts_ms[i];
        while (span < spans.count && spans.ptr[span].max_ts_ms < ts_ms)
            span++;
        if (span < spans.count && spans.ptr[span].min_ts_ms <= ts_ms)
            continue;
        columns->ts_ms[kept] = ts_ms;
        columns->values[kept++] = columns->values[i];
    }
    columns->count = kept;
}
