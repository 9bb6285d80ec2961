#include "ingest/write_report.h"

#include "base/mem.h"
#include "tests/support/test.h"

static void expect_print(const struct write_report *report, const char *want)
{
    struct buffer out;
    buffer_init(&out, SIZE_MAX);
    write_report_print(&out, report);
    expect_str(buffer_str(&out), want);
    buffer_deinit(&out);
}

TEST(each_reason_shows_its_count_its_code_and_its_first_text)
{
    struct error err;
    struct write_report *report = mem_alloc_zeroed(1, sizeof *report);
    report->samples_received = 2000;
    report->stored.samples_refused[REFUSAL_MAX_SERIES] = 10;
    error_set(&report->stored.first[REFUSAL_MAX_SERIES], STATUS_LIMIT, "limit max_series is 7");
    error_set(&err, STATUS_INVALID, "tenant id: a reserved name, got \"..\"");
    write_report_refuse(report, WRITE_REFUSAL_INVALID_TENANT, 1, &err);
    error_set(&err, STATUS_INVALID, "not the first");
    write_report_refuse(report, WRITE_REFUSAL_INVALID_TENANT, 1, &err);
    assert_int_equal(write_report_refused(report), 12);
    expect_print(report, "12 of 2000 samples were refused: "
                         "10 max-series (err-croft-max-series): limit max_series is 7; "
                         "2 invalid-tenant (err-croft-invalid-tenant): "
                         "tenant id: a reserved name, got \"..\"");
    mem_free(report);
}

TEST(a_refusal_that_ingest_finds_counts_with_those_of_the_store)
{
    struct error err;
    struct write_report *report = mem_alloc_zeroed(1, sizeof *report);
    report->samples_received = 3;
    error_set(&err, STATUS_INVALID, "labels: too many");
    write_report_refuse_series(report, REFUSAL_INVALID_LABELS, 2, &err);
    error_set(&err, STATUS_INVALID, "not the first");
    write_report_refuse_series(report, REFUSAL_INVALID_LABELS, 1, &err);
    assert_int_equal(report->stored.series_refused[REFUSAL_INVALID_LABELS], 2);
    expect_print(report, "3 of 3 samples were refused: 3 invalid-labels "
                         "(err-croft-invalid-labels): labels: too many");
    mem_free(report);
}

TEST(the_text_is_bounded_however_long_its_parts_are)
{
    struct buffer out;
    struct write_report *report = mem_alloc_zeroed(1, sizeof *report);
    buffer_init(&out, SIZE_MAX);
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        report->stored.samples_refused[i] = UINT64_MAX / 100;
        memset(report->stored.first[i].text, '\x01', ERROR_TEXT_MAX - 1);
    }
    write_report_print(&out, report);
    assert_true(out.len <= WRITE_REPORT_TEXT_MAX);
    assert_true(out.len > WRITE_REPORT_TEXT_MAX - 8);
    assert_true(str_is_utf8(buffer_str(&out)));
    buffer_deinit(&out);
    mem_free(report);
}

TEST(every_reason_has_a_text_of_its_own)
{
    for (unsigned a = 0; a < WRITE_REASON_COUNT; a++) {
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(write_reason_text(a), write_reason_text(b));
    }
}

TEST_MAIN(RUN(each_reason_shows_its_count_its_code_and_its_first_text),
          RUN(a_refusal_that_ingest_finds_counts_with_those_of_the_store),
          RUN(the_text_is_bounded_however_long_its_parts_are),
          RUN(every_reason_has_a_text_of_its_own))
