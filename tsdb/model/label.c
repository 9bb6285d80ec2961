#include "tsdb/model/label.h"

#include <stdlib.h>

#include "base/hash.h"
#include "tsdb/model/quote.h"

/* Bytes of a label set, and of one name or value, that an error text shows. */
enum { SHOWN_LABELS_LEN_MAX = 200, SHOWN_TEXT_LEN_MAX = 80 };

/* Most texts of labels are shared: the same ones are not read. */
static int compare_texts(struct str a, struct str b)
{
    return a.ptr == b.ptr && a.len == b.len ? 0 : str_compare(a, b);
}

int labels_compare(struct labels a, struct labels b)
{
    size_t common = a.count < b.count ? a.count : b.count;
    for (size_t i = 0; i < common; i++) {
        int order = compare_texts(a.ptr[i].name, b.ptr[i].name);
        if (order == 0)
            order = compare_texts(a.ptr[i].value, b.ptr[i].value);
        if (order != 0)
            return order;
    }
    return (a.count > b.count) - (a.count < b.count);
}

bool labels_eq(struct labels a, struct labels b)
{
    if (a.count != b.count)
        return false;
    for (size_t i = 0; i < a.count; i++) {
        if (!str_eq(a.ptr[i].name, b.ptr[i].name) || !str_eq(a.ptr[i].value, b.ptr[i].value))
            return false;
    }
    return true;
}

enum status labels_clone(struct labels labels, struct arena *arena, struct labels *out,
                         struct error *err)
{
    size_t text_len = 0;
    for (size_t i = 0; i < labels.count; i++)
        text_len += labels.ptr[i].name.len + labels.ptr[i].value.len;
    struct label *copy = arena_try_alloc(arena, labels.count * sizeof *copy + text_len);
    if (copy == NULL)
        return arena_refusal(arena, err);
    char *to = (char *)(copy + labels.count);
    for (size_t i = 0; i < labels.count; i++) {
        copy[i] = labels.ptr[i];
        to = str_move(&copy[i].name, to);
        to = str_move(&copy[i].value, to);
    }
    *out = (struct labels){copy, labels.count};
    return STATUS_OK;
}

uint64_t labels_hash(struct labels labels)
{
    uint64_t chain[3] = {labels.count, 0, 0};
    for (size_t i = 0; i < labels.count; i++) {
        chain[1] = hash_bytes(bytes_of_str(labels.ptr[i].name));
        chain[2] = hash_bytes(bytes_of_str(labels.ptr[i].value));
        chain[0] = hash_bytes((struct bytes){(const uint8_t *)chain, sizeof chain});
    }
    return chain[0];
}

struct str labels_get(struct labels labels, struct str name)
{
    for (size_t i = 0; i < labels.count; i++) {
        if (str_eq(labels.ptr[i].name, name))
            return labels.ptr[i].value;
    }
    return STR("");
}

static int compare_names(const void *a, const void *b)
{
    return str_compare(((const struct label *)a)->name, ((const struct label *)b)->name);
}

bool labels_are_in_order(const struct label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (labels[i].name.len == 0 || labels[i].value.len == 0 ||
            (i > 0 && str_compare(labels[i - 1].name, labels[i].name) >= 0))
            return false;
    }
    return true;
}

void labels_sort(struct label *labels, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare_names(&labels[i - 1], &labels[i]) > 0) {
            qsort(labels, count, sizeof *labels, compare_names);
            return;
        }
    }
}

/* The first `len_max` bytes of `text`, or fewer so that no character is cut in two. */
static struct str cut_text(struct str text, size_t len_max)
{
    if (text.len <= len_max)
        return text;
    size_t len = len_max;
    while (len > 0 && ((uint8_t)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return (struct str){text.ptr, len};
}

/* Inits `shown` with the text, quoted and cut. */
static void show_text(struct buffer *shown, struct str text)
{
    struct str cut = cut_text(text, SHOWN_TEXT_LEN_MAX);
    buffer_init(shown, SIZE_MAX);
    append_quoted(shown, cut);
    if (cut.len < text.len)
        buffer_append_str(shown, STR("..."));
}

static void show_labels(struct buffer *shown, const struct label *labels, size_t count)
{
    buffer_init(shown, SIZE_MAX);
    labels_print(shown, (struct labels){labels, count}, SHOWN_LABELS_LEN_MAX);
}

static enum status bad_text(const char *what, struct str text, struct error *err)
{
    struct buffer shown;
    show_text(&shown, text);
    error_set(err, STATUS_INVALID, "label: %s: %.*s", what, STR_ARG(buffer_str(&shown)));
    buffer_deinit(&shown);
    return STATUS_INVALID;
}

/* `what` is name or value. */
static enum status too_long(const char *what, size_t len_max, struct str name, size_t len,
                            struct error *err)
{
    struct buffer shown;
    show_text(&shown, name);
    error_set(err, STATUS_LIMIT,
              "label: %s too long, got %zu bytes, want at most %zu (max_label_%s_length): %.*s",
              what, len, len_max, what, STR_ARG(buffer_str(&shown)));
    buffer_deinit(&shown);
    return STATUS_LIMIT;
}

static enum status bad_set(const char *what, const struct label *labels, size_t count,
                           struct error *err)
{
    struct buffer shown;
    show_labels(&shown, labels, count);
    error_set(err, STATUS_INVALID, "labels: %s, got %.*s", what, STR_ARG(buffer_str(&shown)));
    buffer_deinit(&shown);
    return STATUS_INVALID;
}

static enum status check_label(const struct label *label, const struct label_limits *limits,
                               struct error *err)
{
    if (label->name.len == 0)
        return bad_text("empty name for the value", label->value, err);
    if (label->name.len > limits->name_len_max)
        return too_long("name", limits->name_len_max, label->name, label->name.len, err);
    if (label->value.len > limits->value_len_max)
        return too_long("value", limits->value_len_max, label->name, label->value.len, err);
    if (!str_is_utf8(label->name))
        return bad_text("name is not UTF-8", label->name, err);
    if (!str_is_utf8(label->value))
        return bad_text("value is not UTF-8, of the name", label->name, err);
    return STATUS_OK;
}

/* Counts the labels that have a value. Nothing is allocated before this is below the limit. */
static enum status check_each(const struct label *given, size_t count,
                              const struct label_limits *limits, size_t *kept, struct error *err)
{
    *kept = 0;
    for (size_t i = 0; i < count; i++) {
        TRY(check_label(&given[i], limits, err));
        *kept += given[i].value.len > 0;
    }
    if (*kept <= limits->labels_max)
        return STATUS_OK;
    return error_set(err, STATUS_LIMIT,
                     "labels: too many, got %zu, want at most %u (max_label_names_per_series)",
                     *kept, limits->labels_max);
}

static enum status check_sorted(struct labels labels, struct error *err)
{
    for (size_t i = 1; i < labels.count; i++) {
        if (str_eq(labels.ptr[i - 1].name, labels.ptr[i].name))
            return bad_text("repeated name", labels.ptr[i].name, err);
    }
    if (labels_get(labels, LABEL_METRIC_NAME).len == 0)
        return bad_set("no metric name (label __name__)", labels.ptr, labels.count, err);
    return STATUS_OK;
}

enum status labels_canonicalise(const struct label *given, size_t count,
                                const struct label_limits *limits, struct arena *arena,
                                struct labels *out, struct error *err)
{
    size_t kept_count;
    TRY(check_each(given, count, limits, &kept_count, err));
    struct label *kept = arena_alloc(arena, kept_count * sizeof *kept);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (given[i].value.len > 0)
            kept[at++] = given[i];
    }
    labels_sort(kept, kept_count);
    *out = (struct labels){kept, kept_count};
    return check_sorted(*out, err);
}

static void print_pair(struct buffer *out, const struct label *label, size_t len_max)
{
    if (label_name_is_plain(label->name))
        buffer_append_str(out, cut_text(label->name, len_max));
    else
        append_quoted(out, cut_text(label->name, len_max));
    buffer_append_byte(out, '=');
    append_quoted(out, cut_text(label->value, len_max));
}

/* The metric name in front of the brace; a name that needs quotes stands inside it instead. */
static bool print_metric_name(struct buffer *out, struct labels labels, size_t len_max)
{
    struct str name = labels_get(labels, LABEL_METRIC_NAME);
    if (!metric_name_is_plain(name))
        return false;
    buffer_append_str(out, cut_text(name, len_max));
    return true;
}

static void cut_buffer(struct buffer *out, size_t start, size_t len_max)
{
    if (out->len - start <= len_max)
        return;
    struct str printed = {(const char *)out->ptr + start, out->len - start};
    out->len = start + cut_text(printed, len_max).len;
    buffer_append_str(out, STR("..."));
}

void labels_print(struct buffer *out, struct labels labels, size_t len_max)
{
    size_t start = out->len;
    bool is_named = print_metric_name(out, labels, len_max);
    size_t pairs = 0;
    for (size_t i = 0; i < labels.count && out->len - start <= len_max; i++) {
        bool is_metric_name = str_eq(labels.ptr[i].name, LABEL_METRIC_NAME);
        if (is_metric_name && is_named)
            continue;
        buffer_append_str(out, pairs++ == 0 ? STR("{") : STR(", "));
        if (is_metric_name)
            append_quoted(out, cut_text(labels.ptr[i].value, len_max));
        else
            print_pair(out, &labels.ptr[i], len_max);
    }
    if (pairs > 0)
        buffer_append_byte(out, '}');
    else if (!is_named)
        buffer_append_str(out, STR("{}"));
    cut_buffer(out, start, len_max);
}
