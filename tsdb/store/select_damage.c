#include "tsdb/store/select_impl.h"

#include "base/time_text.h"

/* The same text for all that is damaged in a block, so that a list of them stays short; it sorts
   before what PromQL has to say. */
static void tell(const struct damage_listener *listener, const struct block *block)
{
    enum { TEXT_MAX = DISK_PATH_MAX + 128 };
    const struct block_meta *meta = block_meta(block);
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    buffer_append_format(&text, "Block %s is damaged: some samples from ", block_path(block));
    append_time(&text, meta->min_ts_ms);
    buffer_append_str(&text, STR(" to "));
    append_time(&text, meta->max_ts_ms);
    buffer_append_str(&text, STR(" are missing"));
    listener->tell(listener->context, buffer_str(&text));
    buffer_deinit(&text);
}

enum status select_pass_damage(struct store *store, const struct damage_listener *listener,
                               struct block *block, enum status status, struct error *err)
{
    if (status != STATUS_CORRUPT)
        return status;
    store_note_damage(store, block, err);
    if (listener->tell == NULL)
        return status;
    tell(listener, block);
    return STATUS_OK;
}
