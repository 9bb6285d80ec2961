/*
 * journal: what was sent to a store and what of it was acknowledged; the oracle of all fault tests.
 *
 * A sample is named by its tenant, its series (both numbers) and its timestamp; its value follows
 * from those, so whatever is sent again is the same sample. A deletion takes entries away; what is
 * sent for their times later is of another generation and has another value.
 */
#ifndef CROFT_TESTS_FAULT_JOURNAL_H
#define CROFT_TESTS_FAULT_JOURNAL_H

#include "tests/support/store_box.h"

enum { JOURNAL_TENANTS = 4, JOURNAL_SERIES_MAX = 400, JOURNAL_KINDS = 3 };

struct mark {
    uint32_t tenant;
    uint32_t series;
    int64_t ts_ms;
    uint32_t generation; /* set by journal_note_sent */
};

struct journal_entry {
    int64_t ts_ms;
    uint32_t generation;
    bool is_acknowledged;
};

struct journal_series {
    struct journal_entry *entries; /* by time, each once */
    size_t count;
    size_t capacity;
    uint32_t generation; /* deletions of it */
};

struct journal {
    struct journal_series series[JOURNAL_TENANTS][JOURNAL_SERIES_MAX];
};

struct journal *journal_new(void);
void journal_free(struct journal *journal);

const char *journal_tenant(uint32_t tenant);
void journal_note_sent(struct journal *journal, struct mark *mark);
/* It was sent before; nothing happens when it was deleted since. */
void journal_note_acknowledged(struct journal *journal, struct mark mark);

enum { JOURNAL_ALL_KINDS = JOURNAL_KINDS };
struct journal_deletion {
    uint32_t tenant;
    uint32_t kind;   /* of the series; JOURNAL_ALL_KINDS for all of them */
    int64_t min_ms;  /* inclusive */
    int64_t max_ms;  /* inclusive */
    bool is_certain; /* else it failed: samples of it may be there or not */
};
void journal_note_deleted(struct journal *journal, const struct journal_deletion *deletion);

/* The sample as it is sent; the text of the series is in `arena`. */
struct box_sample journal_sample(struct mark mark, struct arena *arena);
double journal_value(struct mark mark);

/* What a reader is told, held against the journal. */
struct verdict {
    uint64_t found;
    uint64_t missing;  /* acknowledged, and not there */
    uint64_t invented; /* never sent, or with another value, or a series that is not one of ours */
    uint64_t unsorted; /* not later than the sample before it, or a series twice */
    uint64_t damaged;  /* how often a reader was told that something was left out */
    uint64_t errors;   /* selections and reads that failed */
    struct error first_error; /* or damage */
    char first_fault[200];    /* the first of the others, for people */
};

/* By tenant. */
struct journal_question {
    int64_t visible_from_ms[JOURNAL_TENANTS];  /* nothing older is shown */
    int64_t required_from_ms[JOURNAL_TENANTS]; /* what was acknowledged since must be shown */
};
struct journal_question journal_question_all(void);

struct verdict journal_check(const struct journal *journal, struct store_box *box,
                             const struct journal_question *question);
/* The same for all time; a bad verdict ends the test, with `where` and `number` in the message. */
void journal_expect_all(const struct journal *journal, struct store_box *box, const char *where,
                        uint64_t number);
/* Ends the test unless the verdict is without fault. */
void expect_faultless(const struct verdict *verdict, const char *where, uint64_t number);
/* Ends the test unless all files of the store, which may be open, are without fault. */
void expect_verified(struct store_box *box, const char *where, uint64_t number);

#endif
