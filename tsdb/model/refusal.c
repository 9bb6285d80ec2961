#include "tsdb/model/refusal.h"

const char *refusal_reason_text(enum refusal_reason reason)
{
    static const char *const texts[REFUSAL_COUNT] = {
#define REFUSAL_TEXT(name, text) [name] = (text),
        REFUSAL_LIST(REFUSAL_TEXT)
#undef REFUSAL_TEXT
    };
    return texts[reason];
}

bool refusal_reason_is_passing(enum refusal_reason reason)
{
    return reason == REFUSAL_MAX_NEW_SERIES || reason == REFUSAL_HEAD_MEMORY ||
           reason == REFUSAL_INGESTION_RATE;
}
