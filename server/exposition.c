#include "server/exposition.h"

#include "base/number.h"

void exposition_init(struct exposition *exposition, struct buffer *out)
{
    *exposition = (struct exposition){.out = out};
}

void exposition_family(struct exposition *exposition, const char *name, enum metric_type type,
                       const char *help)
{
    exposition->name = name;
    buffer_append_format(exposition->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                         metric_type_text(type));
}

static void append_label_value(struct buffer *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\\' || c == '"')
            buffer_append_byte(out, '\\');
        if (c == '\n')
            buffer_append_str(out, STR("\\n"));
        else
            buffer_append_byte(out, (uint8_t)c);
    }
}

void exposition_sample(struct exposition *exposition, const struct metric_label *labels,
                       size_t label_count, double value)
{
    struct buffer *out = exposition->out;
    buffer_append_str(out, str_from(exposition->name));
    for (size_t i = 0; i < label_count; i++) {
        buffer_append_format(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
        append_label_value(out, labels[i].value);
        buffer_append_byte(out, '"');
    }
    buffer_append_str(out, label_count > 0 ? STR("} ") : STR(" "));
    append_f64(out, value);
    buffer_append_byte(out, '\n');
}

void exposition_labelled(struct exposition *exposition, const char *name, struct str value,
                         double number)
{
    exposition_sample(exposition, &(struct metric_label){name, value}, 1, number);
}

void exposition_single(struct exposition *exposition, const char *name, enum metric_type type,
                       const char *help, double value)
{
    exposition_family(exposition, name, type, help);
    exposition_sample(exposition, NULL, 0, value);
}
