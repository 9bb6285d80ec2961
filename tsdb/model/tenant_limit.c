#include "tsdb/model/tenant_limit.h"

#include <stdio.h>

#include "base/check.h"

enum { WARNING_PERCENT = 80 };

static const struct tenant_limit_row rows[] = {
#define TENANT_LIMIT_ROW(name, text, other, unit, nature, hard, soft, most, what)                  \
    {text, other, TENANT_LIMIT_##unit, TENANT_LIMIT_OF_##nature, {hard, soft, TENANT_LIMIT_NONE},  \
     most, what},
    TENANT_LIMIT_LIST(TENANT_LIMIT_ROW)
#undef TENANT_LIMIT_ROW
};

static const struct {
    const char *name;
    const char *standard;
} texts[TENANT_TEXT_COUNT] = {
    [TENANT_TEXT_HA_CLUSTER_LABEL] = {"ha_cluster_label", "cluster"},
    [TENANT_TEXT_HA_REPLICA_LABEL] = {"ha_replica_label", "__replica__"},
};

const struct tenant_limit_row *tenant_limit_row(enum tenant_limit limit)
{
    CHECK(limit < TENANT_LIMIT_COUNT);
    return &rows[limit];
}

const char *tenant_limit_name(enum tenant_limit limit)
{
    return tenant_limit_row(limit)->name;
}

bool tenant_limit_find(struct str name, enum tenant_limit *out)
{
    for (size_t i = 0; i < TENANT_LIMIT_COUNT; i++) {
        if (str_eq(name, str_from(rows[i].name)) || str_eq(name, str_from(rows[i].other_name))) {
            *out = (enum tenant_limit)i;
            return true;
        }
    }
    return false;
}

const char *tenant_limit_mode_name(enum tenant_limit_mode mode)
{
    static const char *const names[LIMIT_MODE_COUNT] = {
        [LIMIT_HARD] = "hard", [LIMIT_SOFT] = "soft", [LIMIT_DRY_RUN] = "dry_run"};
    CHECK(mode < LIMIT_MODE_COUNT);
    return names[mode];
}

const char *tenant_text_name(enum tenant_text text)
{
    CHECK(text < TENANT_TEXT_COUNT);
    return texts[text].name;
}

struct tenant_limits tenant_limits_default(void)
{
    struct tenant_limits limits = {0};
    for (size_t mode = 0; mode < LIMIT_MODE_COUNT; mode++) {
        for (size_t i = 0; i < TENANT_LIMIT_COUNT; i++)
            limits.max[mode][i] = rows[i].default_max[mode];
    }
    for (size_t i = 0; i < TENANT_TEXT_COUNT; i++)
        snprintf(limits.texts.of[i], sizeof limits.texts.of[i], "%s", texts[i].standard);
    return limits;
}

struct tenant_limits tenant_limits_kept(void)
{
    struct tenant_limits limits = {0};
    for (size_t mode = 0; mode < LIMIT_MODE_COUNT; mode++) {
        for (size_t i = 0; i < TENANT_LIMIT_COUNT; i++)
            limits.max[mode][i] = TENANT_LIMIT_KEPT;
    }
    return limits;
}

bool tenant_limits_has(const struct tenant_limits *limits, enum tenant_limit limit)
{
    for (size_t mode = 0; mode < LIMIT_MODE_COUNT; mode++) {
        if (limits->max[mode][limit] != TENANT_LIMIT_KEPT)
            return true;
    }
    return false;
}

void tenant_limits_lay(struct tenant_limits *limits, const struct tenant_limits *over)
{
    for (size_t mode = 0; mode < LIMIT_MODE_COUNT; mode++) {
        for (size_t i = 0; i < TENANT_LIMIT_COUNT; i++) {
            if (over->max[mode][i] != TENANT_LIMIT_KEPT)
                limits->max[mode][i] = over->max[mode][i];
        }
    }
    for (size_t i = 0; i < TENANT_TEXT_COUNT; i++) {
        if (over->texts.of[i][0] != '\0')
            memcpy(limits->texts.of[i], over->texts.of[i], sizeof limits->texts.of[i]);
    }
}

uint64_t tenant_limits_quiet_max(const struct tenant_limits *limits, enum tenant_limit limit)
{
    uint64_t hard = limits->max[LIMIT_HARD][limit], soft = limits->max[LIMIT_SOFT][limit];
    /* a soft limit of another layer may be beyond the hard one: it says nothing then */
    if (soft > hard && hard != TENANT_LIMIT_NONE)
        soft = TENANT_LIMIT_NONE;
    if (soft != TENANT_LIMIT_NONE || hard == TENANT_LIMIT_NONE || hard == 0 ||
        tenant_limit_row(limit)->nature == TENANT_LIMIT_OF_PART)
        return soft;
    uint64_t left_percent = 100 - WARNING_PERCENT;
    return hard - hard / 100 * left_percent - hard % 100 * left_percent / 100 - 1;
}
