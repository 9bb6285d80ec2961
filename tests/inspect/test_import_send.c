#include "inspect/import.h"

#include <stdio.h>

#include "base/codec.h"
#include "ingest/snappy_body.h"
#include "tests/support/scanned_labels.h"
#include "tests/support/test.h"

enum { ANSWERS_MAX = 64, LABELS_MAX = 64, BODY_MAX_BYTES = 32 << 20 };

/* A server that follows a script, then takes everything but samples of this value. */
static struct {
    unsigned codes[ANSWERS_MAX]; /* 0: the connection fails */
    size_t code_count;
    int64_t retry_after_s;
    double refused_value;
    bool refuses;
    size_t posts;
    size_t waits;
    int64_t waited_ms[ANSWERS_MAX];
    struct buffer log; /* what was taken: series, then its samples */
} server;

static int begin(void **state)
{
    (void)state;
    memset(&server, 0, sizeof server);
    server.retry_after_s = -1;
    buffer_init(&server.log, BODY_MAX_BYTES);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buffer_deinit(&server.log);
    return 0;
}

/* "up{...} ts:value ts:value" per series, or how many samples it refuses. */
static size_t take(struct bytes body)
{
    struct write_scan scan;
    struct write_scan_options options = write_scan_options_default();
    struct buffer message;
    struct error err;
    size_t refused = 0;
    buffer_init(&message, BODY_MAX_BYTES);
    write_scan_init(&scan);
    expect_ok(snappy_body_decode(body, BODY_MAX_BYTES, &message, &err));
    expect_ok(write_scan_run(&scan, &options, buffer_bytes(&message), &err));
    for (size_t i = 0; i < scan.series_count; i++) {
        const struct scanned_series *series = &scan.series[i];
        struct label room[LABELS_MAX];
        assert_true(series->label_count <= LABELS_MAX);
        labels_print(&server.log, scanned_labels(&scan, series, room), 1000);
        for (size_t j = 0; j < series->sample_count; j++) {
            const struct sample *sample = &scan.samples[series->first_sample + j];
            refused += server.refuses && sample->value == server.refused_value;
            buffer_append_format(&server.log, " %lld:%g", (long long)sample->ts_ms, sample->value);
        }
        buffer_append_byte(&server.log, '\n');
    }
    write_scan_deinit(&scan);
    buffer_deinit(&message);
    return refused;
}

static enum status post(void *context, struct bytes body, struct outgoing_reply *reply,
                        struct error *err)
{
    (void)context;
    *reply = (struct outgoing_reply){.code = 204, .retry_after_s = -1};
    size_t at = server.posts++;
    if (at < server.code_count && server.codes[at] == 0)
        return error_set(err, STATUS_IO, "nobody there");
    if (at < server.code_count && server.codes[at] != 204) {
        reply->code = server.codes[at];
        reply->retry_after_s = server.retry_after_s;
        snprintf(reply->text, sizeof reply->text, "not now");
        return STATUS_OK;
    }
    size_t refused = take(body);
    if (refused > 0) {
        reply->code = 400;
        snprintf(reply->text, sizeof reply->text, "%zu of 9 samples were refused: because",
                 refused);
    }
    return STATUS_OK;
}

static void wait_for(void *context, int64_t delay_ms)
{
    (void)context;
    assert_true(server.waits < ANSWERS_MAX);
    server.waited_ms[server.waits++] = delay_ms;
}

/* Ended by import_sender_deinit. */
static enum status import_text(struct import_sender *sender, const char *text, struct error *err)
{
    static const struct import_transport transport = {.post = post, .wait = wait_for};
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    import_sender_init(sender, &transport);
    enum status status = import_file(sender, file, OPENMETRICS_UNIT_AUTO, err);
    fclose(file);
    return status;
}

static void answer(const unsigned *codes, size_t count)
{
    memcpy(server.codes, codes, count * sizeof *codes);
    server.code_count = count;
}

TEST(sends_each_series_once_with_its_samples_in_order_of_time)
{
    struct import_sender sender;
    struct error err;
    expect_ok(import_text(&sender,
                          "# TYPE up gauge\n"
                          "up{a=\"1\"} 1 3.0\nup{a=\"2\"} 2 3.0\nup{a=\"1\"} 3 1.0\n"
                          "up{a=\"2\"} 4 4.0\nup{a=\"1\"} 5 2.0\n# EOF\n",
                          &err));
    expect_str(buffer_str(&server.log),
               "up{a=\"1\"} 1000:3 2000:5 3000:1\nup{a=\"2\"} 3000:2 4000:4\n");
    assert_int_equal(sender.report.samples, 5);
    assert_int_equal(sender.report.requests, 1);
    import_sender_deinit(&sender);
}

TEST(sends_nothing_for_an_empty_file_and_takes_a_last_line_without_an_end)
{
    struct import_sender sender;
    struct error err;
    expect_ok(import_text(&sender, "\n", &err));
    assert_int_equal(server.posts, 0);
    import_sender_deinit(&sender);
    expect_ok(import_text(&sender, "up 1 1.0", &err));
    expect_str(buffer_str(&server.log), "up 1000:1\n");
    import_sender_deinit(&sender);
}

TEST(cuts_a_long_file_into_batches)
{
    struct import_sender sender;
    struct error err;
    struct buffer text;
    buffer_init(&text, BODY_MAX_BYTES);
    for (int i = 0; i < 2 * IMPORT_BATCH_SAMPLES + 1; i++)
        buffer_append_format(&text, "up 1 %d.0\n", i);
    buffer_append_byte(&text, '\0');
    expect_ok(import_text(&sender, (const char *)text.ptr, &err));
    assert_int_equal(sender.report.samples, 2 * IMPORT_BATCH_SAMPLES + 1);
    assert_int_equal(sender.report.requests, 3);
    import_sender_deinit(&sender);
    buffer_deinit(&text);
}

TEST(tries_again_what_may_be_taken_later)
{
    struct import_sender sender;
    struct error err;
    answer((unsigned[]){503, 429, 0, 500}, 4);
    expect_ok(import_text(&sender, "up 1 1.0\n", &err));
    assert_int_equal(sender.report.samples, 1);
    assert_int_equal(sender.report.retries, 4);
    const int64_t want_ms[] = {1000, 2000, 4000, 8000};
    assert_memory_equal(server.waited_ms, want_ms, sizeof want_ms);
    import_sender_deinit(&sender);
}

TEST(waits_as_long_as_the_server_says_but_no_longer_than_a_minute)
{
    struct import_sender sender;
    struct error err;
    answer((unsigned[]){503}, 1);
    server.retry_after_s = 7;
    expect_ok(import_text(&sender, "up 1 1.0\n", &err));
    assert_int_equal(server.waited_ms[0], 7000);
    import_sender_deinit(&sender);
    server.posts = server.waits = 0;
    server.retry_after_s = 100000;
    expect_ok(import_text(&sender, "up 1 1.0\n", &err));
    assert_int_equal(server.waited_ms[0], 60000);
    import_sender_deinit(&sender);
}

TEST(gives_up_after_many_tries)
{
    struct import_sender sender;
    struct error err;
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        server.codes[i] = i % 2 == 0 ? 503 : 0;
    server.code_count = ANSWERS_MAX;
    expect_status(import_text(&sender, "up 1 1.0\n", &err), STATUS_UNAVAILABLE);
    assert_int_equal(server.posts, IMPORT_TRIES_MAX);
    assert_int_equal(server.waits, IMPORT_TRIES_MAX - 1);
    assert_int_equal(sender.report.samples, 0);
    import_sender_deinit(&sender);
}

TEST(counts_what_is_refused_and_finds_the_first_line)
{
    for (int refused_line = 1; refused_line <= 9; refused_line++) {
        struct import_sender sender;
        struct error err;
        struct buffer text;
        buffer_init(&text, 4096);
        for (int i = 1; i <= 9;
             i++) /* of two series in turn, so that a message has another order */
            buffer_append_format(&text, "up{a=\"%d\"} %d %d.0\n", i % 2,
                                 i == refused_line || i == 9 ? 666 : i, i);
        buffer_append_byte(&text, '\0');
        server.refuses = true;
        server.refused_value = 666;
        uint64_t refused = refused_line == 9 ? 1 : 2;
        expect_ok(import_text(&sender, (const char *)text.ptr, &err));
        assert_int_equal(sender.report.refused, refused);
        assert_int_equal(sender.report.samples, 9 - refused);
        assert_int_equal(sender.report.first_refused_line, refused_line);
        expect_str(str_from(sender.report.first_refusal), "1 of 9 samples were refused: because");
        import_sender_deinit(&sender);
        buffer_deinit(&text);
    }
}

TEST(sends_what_stands_before_a_line_that_is_none_and_names_it)
{
    const char *texts[] = {"up 1 1.0\n\nup x 2.0\nup 3 3.0\n", "up 1 1.0\n\nup{a} 1 2.0\n"};
    for (size_t i = 0; i < 2; i++) {
        struct import_sender sender;
        struct error err;
        buffer_reset(&server.log);
        expect_status(import_text(&sender, texts[i], &err), STATUS_INVALID);
        assert_true(str_starts_with(str_from(err.text), STR("line 3: ")));
        expect_str(buffer_str(&server.log), "up 1000:1\n");
        import_sender_deinit(&sender);
    }
}

TEST(refuses_a_line_that_is_too_long)
{
    struct import_sender sender;
    struct error err;
    struct buffer text;
    buffer_init(&text, 8 << 20);
    buffer_append_str(&text, STR("up 1 1.0\n"));
    while (text.len < 3 << 20)
        buffer_append_str(&text, STR("up_____________"));
    buffer_append_byte(&text, '\0');
    expect_status(import_text(&sender, (const char *)text.ptr, &err), STATUS_INVALID);
    expect_str(str_from(err.text), "line 2: longer than 1048576 bytes");
    import_sender_deinit(&sender);
    buffer_deinit(&text);
}

#define RIGGED(name) cmocka_unit_test_setup_teardown(name, begin, end)

TEST_MAIN(RIGGED(sends_each_series_once_with_its_samples_in_order_of_time),
          RIGGED(sends_nothing_for_an_empty_file_and_takes_a_last_line_without_an_end),
          RIGGED(cuts_a_long_file_into_batches), RIGGED(tries_again_what_may_be_taken_later),
          RIGGED(waits_as_long_as_the_server_says_but_no_longer_than_a_minute),
          RIGGED(gives_up_after_many_tries),
          RIGGED(counts_what_is_refused_and_finds_the_first_line),
          RIGGED(sends_what_stands_before_a_line_that_is_none_and_names_it),
          RIGGED(refuses_a_line_that_is_too_long))
