#include "tests/server/config_fixture.h"

#include "tests/support/test.h"

enum status read_text(struct config_fixture *fixture, struct str text)
{
    config_init(&fixture->config);
    return config_read(&fixture->config, text, "croft.yml", &fixture->err);
}

void expect_read(struct config_fixture *fixture, const char *text)
{
    enum status status = read_text(fixture, str_from(text));
    if (status != STATUS_OK)
        fail_msg("%s\ngot: %s", text, fixture->err.text);
}

void expect_refused_text(struct str text, const char *want)
{
    struct config_fixture fixture;
    enum status status = read_text(&fixture, text);
    config_deinit(&fixture.config);
    if (status != STATUS_INVALID || strcmp(fixture.err.text, want) != 0)
        fail_msg("%.*s\ngot:  %s\nwant: %s", (int)(text.len > 1000 ? 1000 : text.len), text.ptr,
                 status == STATUS_OK ? "ok" : fixture.err.text, want);
}

void expect_refused(const char *text, const char *want)
{
    expect_refused_text(str_from(text), want);
}

uint64_t series_max_of(const struct config *config, const char *tenant)
{
    for (size_t i = 0; i < config->tenant_count; i++) {
        if (str_eq(tenant_id_str(&config->tenants[i]), str_from(tenant)))
            return config->tenant_limits[i].max[LIMIT_HARD][TENANT_LIMIT_MAX_SERIES];
    }
    fail_msg("no tenant %s", tenant);
    return 0;
}
