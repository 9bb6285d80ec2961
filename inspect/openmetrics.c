#include "inspect/openmetrics.h"

#include <inttypes.h>
#include <math.h>

#include "base/number.h"
#include "inspect/text.h"
#include "query/syntax/parse.h"
#include "tsdb/model/quote.h"

/* Integers from here on are milliseconds when nothing else is said. */
#define AUTO_MS_MIN INT64_C(100000000000)

enum { SHOWN_LEN_MAX = 100 };

/* ---- writing ---- */

static void append_escaped(struct buffer *out, struct str text)
{
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\' || c == '"' || c == '\n')
            buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)(c == '\n' ? 'n' : c));
    }
    buffer_append_byte(out, '"');
}

static void append_name(struct buffer *out, struct str name)
{
    if (label_name_is_plain(name))
        buffer_append_str(out, name);
    else
        append_escaped(out, name);
}

void openmetrics_append_series(struct buffer *out, struct labels labels)
{
    struct str metric = labels_get(labels, LABEL_METRIC_NAME);
    bool is_plain = metric_name_is_plain(metric), is_first = true;
    if (is_plain)
        buffer_append_str(out, metric);
    if (is_plain && labels.count == 1)
        return;
    buffer_append_byte(out, '{');
    if (!is_plain && metric.len > 0) {
        append_escaped(out, metric);
        is_first = false;
    }
    for (size_t i = 0; i < labels.count; i++) {
        if (str_eq(labels.ptr[i].name, LABEL_METRIC_NAME))
            continue;
        if (!is_first)
            buffer_append_byte(out, ',');
        is_first = false;
        append_name(out, labels.ptr[i].name);
        buffer_append_byte(out, '=');
        append_escaped(out, labels.ptr[i].value);
    }
    buffer_append_byte(out, '}');
}

void openmetrics_append_ts(struct buffer *out, int64_t ts_ms)
{
    uint64_t magnitude = ts_ms < 0 ? -(uint64_t)ts_ms : (uint64_t)ts_ms;
    buffer_append_format(out, "%s%" PRIu64 ".%03" PRIu64, ts_ms < 0 ? "-" : "", magnitude / 1000,
                         magnitude % 1000);
}

/* ---- reading ---- */

static enum status refuse(struct error *err, const char *what, struct str text)
{
    return error_set(err, STATUS_INVALID, "%s: \"%.*s\"", what,
                     STR_ARG(str_slice(text, 0, SHOWN_LEN_MAX)));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct str trim(struct str text)
{
    while (text.len > 0 && is_blank(text.ptr[0]))
        text = str_slice(text, 1, SIZE_MAX);
    while (text.len > 0 && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* The place behind the brace that closes the labels that open at `from`; SIZE_MAX when none
   does. */
static size_t find_labels_end(struct str line, size_t from)
{
    bool is_quoted = false;
    for (size_t i = from + 1; i < line.len; i++) {
        if (is_quoted && line.ptr[i] == '\\')
            i++;
        else if (line.ptr[i] == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && line.ptr[i] == '}')
            return i + 1;
    }
    return SIZE_MAX;
}

static size_t find_series_end(struct str line)
{
    size_t at = 0;
    while (at < line.len && line.ptr[at] != '{' && !is_blank(line.ptr[at]))
        at++;
    size_t brace = at;
    while (brace < line.len && is_blank(line.ptr[brace]))
        brace++; /* "up {job="a"}" is fine in the text format */
    return brace < line.len && line.ptr[brace] == '{' ? find_labels_end(line, brace) : at;
}

/* The next word, which is taken from `text`. */
static struct str take_word(struct str *text)
{
    *text = trim(*text);
    size_t len = 0;
    while (len < text->len && !is_blank(text->ptr[len]))
        len++;
    struct str word = str_slice(*text, 0, len);
    *text = trim(str_slice(*text, len, SIZE_MAX));
    return word;
}

/* "-12.345" without going through a double; false when it has another form. */
static bool parse_plain_seconds(struct str text, int64_t *ts_ms)
{
    char digits[32];
    size_t point = str_find(text, '.', 0), fraction_len = text.len - point - 1;
    if (point == 0 || point + 1 >= text.len || fraction_len > 3 || point + 4 > sizeof digits)
        return false;
    memset(digits, '0', sizeof digits);
    memcpy(digits, text.ptr, point);
    memcpy(digits + point, text.ptr + point + 1, fraction_len);
    return parse_i64((struct str){digits, point + 3}, ts_ms);
}

static enum status parse_seconds(struct str text, int64_t *ts_ms, struct error *err)
{
    double seconds;
    if (parse_plain_seconds(text, ts_ms))
        return STATUS_OK;
    if (!parse_f64(text, &seconds) || !(fabs(seconds) < 9e15))
        return refuse(err, "not a timestamp", text);
    *ts_ms = llrint(seconds * 1000);
    return STATUS_OK;
}

static enum status parse_ts(struct str text, enum openmetrics_unit unit, int64_t *ts_ms,
                            struct error *err)
{
    int64_t number;
    if (!parse_i64(text, &number))
        return parse_seconds(text, ts_ms, err);
    bool is_large = number >= AUTO_MS_MIN || number <= -AUTO_MS_MIN;
    bool is_ms = unit == OPENMETRICS_UNIT_MS || (unit == OPENMETRICS_UNIT_AUTO && is_large);
    *ts_ms = number;
    if (!is_ms && __builtin_mul_overflow(number, 1000, ts_ms))
        return refuse(err, "not a timestamp", text);
    return STATUS_OK;
}

enum status openmetrics_split(struct str line, enum openmetrics_unit unit,
                              struct openmetrics_line *out, struct error *err)
{
    *out = (struct openmetrics_line){0};
    line = trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return STATUS_OK;
    size_t end = find_series_end(line);
    if (end == SIZE_MAX)
        return refuse(err, "labels without an end", line);
    struct str rest = str_slice(line, end, SIZE_MAX);
    struct str value = take_word(&rest), ts = take_word(&rest);
    if (str_starts_with(value, STR("{")))
        return refuse(err, "native histograms cannot be imported", line);
    if (!parse_exact_f64(value, &out->sample.value))
        return refuse(err, "not a value", value);
    if (ts.len == 0 || ts.ptr[0] == '#')
        return refuse(err, "no timestamp behind the value", line);
    TRY(parse_ts(ts, unit, &out->sample.ts_ms, err));
    if (rest.len > 0 && rest.ptr[0] != '#') /* an exemplar, which Croft does not keep */
        return refuse(err, "something behind the timestamp", rest);
    out->series = str_slice(line, 0, end);
    return STATUS_OK;
}

/* A series reads as a selector whose matchers are all equalities. */
enum status openmetrics_parse_series(struct str series, struct arena *arena, struct labels *out,
                                     struct error *err)
{
    struct matcher *matchers;
    size_t count;
    TRY(parse_selector(series, arena, &matchers, &count, err));
    struct label *labels = arena_alloc(arena, count * sizeof *labels);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        if (matchers[i].op != MATCHER_EQ)
            status = refuse(err, "labels are set with =", series);
        labels[i] = (struct label){matchers[i].name, matchers[i].value};
        matcher_deinit(&matchers[i]);
    }
    *out = (struct labels){labels, count};
    return status;
}
