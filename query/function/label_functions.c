/* label_replace and label_join: other labels, the same values. */
#include "query/function/instant_functions.h"

#include "base/regex.h"
#include "query/engine/label_edit.h"
#include "query/engine/operator.h"
#include "query/engine/text_arg.h"

enum { VALUE_LEN_MAX = 1 << 20 };

/* Which label to set, and to what: `value` appends it, or gives false to let the series be. */
struct label_rule {
    struct str name;
    bool (*value)(const struct label_rule *rule, struct labels labels, struct buffer *out);
    const struct expr *call;
    const struct regex *regex; /* of label_replace */
};

static enum status relabel_one(struct eval *eval, const struct label_rule *rule,
                               struct labels labels, struct buffer *text, struct labels *out,
                               struct error *err)
{
    struct label label = {.name = rule->name};
    buffer_reset(text);
    bool is_set = rule->value(rule, labels, text);
    if (text->is_overflown)
        return error_set(err, STATUS_LIMIT, "%s: the new value is longer than %d bytes",
                         rule->call->call.function->name, VALUE_LEN_MAX);
    *out = labels;
    if (!is_set)
        return STATUS_OK;
    TRY(text_copy(eval, buffer_str(text), &label.value, err));
    return labels_with(eval, labels, label, out, err);
}

/* `*op` may be replaced; on failure it is still the caller's. */
static enum status relabel_all(const struct label_rule *rule, struct query_operator **op,
                               struct buffer *text, struct error *err)
{
    struct eval *eval = (*op)->eval;
    void *memory;
    TRY(eval_alloc_array(eval, (*op)->series_count, sizeof(struct labels), &memory, err));
    struct labels *labels = memory;
    for (size_t series = 0; series < (*op)->series_count; series++)
        TRY(relabel_one(eval, rule, (*op)->labels[series], text, &labels[series], err));
    (*op)->labels = labels;
    return operator_merge_equal(op, MERGE_STEPS, err);
}

static enum status open_relabelled(struct eval *eval, const struct grid *grid,
                                   const struct label_rule *rule, struct query_operator **out,
                                   struct error *err)
{
    struct buffer text;
    TRY(operator_open(eval, grid, rule->call->call.args[0], out, err));
    buffer_init(&text, VALUE_LEN_MAX);
    enum status status = relabel_all(rule, out, &text, err);
    buffer_deinit(&text);
    if (status != STATUS_OK)
        operator_close(*out);
    return status;
}

static bool is_label_name(struct str name)
{
    return name.len > 0 && str_is_utf8(name);
}

/* ---- label_replace(vector, destination, replacement, source, regex) ---- */

static bool replaced_value(const struct label_rule *rule, struct labels labels, struct buffer *out)
{
    struct str source = labels_get(labels, text_arg(rule->call, 3));
    return regex_expand(rule->regex, source, text_arg(rule->call, 2), out);
}

enum status open_label_replace(struct eval *eval, const struct grid *grid, const struct expr *call,
                               struct query_operator **out, struct error *err)
{
    struct label_rule rule = {text_arg(call, 1), replaced_value, call, NULL};
    struct str pattern = text_arg(call, 4);
    struct regex *regex;
    if (regex_new(pattern, &regex, err) != STATUS_OK)
        return error_set(err, STATUS_LIMIT, "invalid regular expression in label_replace(): %.*s",
                         STR_ARG(pattern));
    rule.regex = regex;
    enum status status = is_label_name(rule.name)
                             ? open_relabelled(eval, grid, &rule, out, err)
                             : error_set(err, STATUS_LIMIT,
                                         "invalid destination label name in label_replace(): %.*s",
                                         STR_ARG(rule.name));
    regex_free(regex);
    return status;
}

/* ---- label_join(vector, destination, separator, source ...) ---- */

static bool joined_value(const struct label_rule *rule, struct labels labels, struct buffer *out)
{
    for (size_t arg = 3; arg < rule->call->call.arg_count; arg++) {
        if (arg > 3)
            buffer_append_str(out, text_arg(rule->call, 2));
        buffer_append_str(out, labels_get(labels, text_arg(rule->call, arg)));
    }
    return true;
}

enum status open_label_join(struct eval *eval, const struct grid *grid, const struct expr *call,
                            struct query_operator **out, struct error *err)
{
    struct label_rule rule = {text_arg(call, 1), joined_value, call, NULL};
    for (size_t arg = 3; arg < call->call.arg_count; arg++) {
        if (!is_label_name(text_arg(call, arg)))
            return error_set(err, STATUS_LIMIT, "invalid source label name in label_join(): %.*s",
                             STR_ARG(text_arg(call, arg)));
    }
    if (!is_label_name(rule.name))
        return error_set(err, STATUS_LIMIT, "invalid destination label name in label_join(): %.*s",
                         STR_ARG(rule.name));
    return open_relabelled(eval, grid, &rule, out, err);
}
