/*
 * config_fixture: configurations as text, read or refused.
 */
#ifndef CROFT_TESTS_CONFIG_FIXTURE_H
#define CROFT_TESTS_CONFIG_FIXTURE_H

#include "server/config.h"

struct config_fixture {
    struct config config; /* the caller's to deinit */
    struct error err;
};

enum status read_text(struct config_fixture *fixture, struct str text);
void expect_read(struct config_fixture *fixture, const char *text);
/* STATUS_INVALID, with that text. */
void expect_refused_text(struct str text, const char *want);
void expect_refused(const char *text, const char *want);

/* The hard max_series of a tenant that the configuration names. */
uint64_t series_max_of(const struct config *config, const char *tenant);

#endif
