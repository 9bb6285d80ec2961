#include "query/engine/label_edit.h"

#include "tsdb/model/quote.h"

enum status text_copy(struct eval *eval, struct str text, struct str *out, struct error *err)
{
    void *memory;
    TRY(eval_alloc(eval, text.len, &memory, err));
    if (text.len > 0)
        memcpy(memory, text.ptr, text.len);
    *out = (struct str){memory, text.len};
    return STATUS_OK;
}

enum status labels_with(struct eval *eval, struct labels labels, struct label label,
                        struct labels *out, struct error *err)
{
    void *memory;
    TRY(eval_alloc_array(eval, labels.count + 1, sizeof(struct label), &memory, err));
    struct label *edited = memory;
    size_t count = 0;
    size_t at = 0;
    while (at < labels.count && str_compare(labels.ptr[at].name, label.name) < 0)
        edited[count++] = labels.ptr[at++];
    if (label.value.len > 0)
        edited[count++] = label;
    if (at < labels.count && str_eq(labels.ptr[at].name, label.name))
        at++;
    while (at < labels.count)
        edited[count++] = labels.ptr[at++];
    *out = (struct labels){edited, count};
    return STATUS_OK;
}

static struct str put_text(char **at, struct str text)
{
    memcpy(*at, text.ptr, text.len);
    struct str copy = {*at, text.len};
    *at += text.len;
    return copy;
}

enum status labels_copy(struct eval *eval, struct labels labels, struct labels *out,
                        struct error *err)
{
    size_t text_bytes = 0;
    for (size_t i = 0; i < labels.count; i++)
        text_bytes += labels.ptr[i].name.len + labels.ptr[i].value.len;
    void *memory;
    TRY(eval_alloc_array(eval, labels.count, sizeof(struct label), &memory, err));
    struct label *copies = memory;
    TRY(eval_alloc(eval, text_bytes, &memory, err));
    char *text = memory;
    for (size_t i = 0; i < labels.count; i++) {
        copies[i].name = put_text(&text, labels.ptr[i].name);
        copies[i].value = put_text(&text, labels.ptr[i].value);
    }
    *out = (struct labels){copies, labels.count};
    return STATUS_OK;
}

void labels_append_braced(struct buffer *out, struct labels labels)
{
    buffer_append_byte(out, '{');
    for (size_t i = 0; i < labels.count; i++) {
        if (i > 0)
            buffer_append_str(out, STR(", "));
        if (label_name_is_plain(labels.ptr[i].name))
            buffer_append_str(out, labels.ptr[i].name);
        else
            append_quoted(out, labels.ptr[i].name);
        buffer_append_byte(out, '=');
        append_quoted(out, labels.ptr[i].value);
    }
    buffer_append_byte(out, '}');
}
