#include "base/time_text.h"

#include <inttypes.h>
#include <time.h>

void append_time(struct buffer *out, int64_t ts_ms)
{
    int64_t fraction_ms = ts_ms % 1000;
    time_t seconds = (time_t)(ts_ms / 1000) - (fraction_ms < 0);
    if (fraction_ms < 0)
        fraction_ms += 1000;
    struct tm parts;
    char text[64];
    bool has_four_digits =
        gmtime_r(&seconds, &parts) != NULL && parts.tm_year >= -900 && parts.tm_year < 10000 - 1900;
    if (!has_four_digits || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        buffer_append_format(out, "%" PRId64 "ms", ts_ms);
        return;
    }
    buffer_append_format(out, "%s.%03dZ", text, (int)fraction_ms);
}
