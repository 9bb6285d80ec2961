#include <stdio.h>
#include <stdlib.h>

#include <remote_write.pb-c.h>

#include "base/mem.h"
#include "base/random.h"
#include "tests/ingest/message_maker.h"
#include "tests/support/message.h"
#include "tests/support/scanned_labels.h"
#include "tests/support/test.h"
#include "tsdb/head/head.h"

#define TENANT_LABEL STR("tenant_id")

/* ---- the checker: the scanner gives what protobuf-c gives ---- */

static bool same_text(struct str got, ProtobufCBinaryData want)
{
    return got.len == want.len && (got.len == 0 || memcmp(got.ptr, want.data, got.len) == 0);
}

enum { LABELS_MAX = 1000 }; /* of a series */

static struct labels labels_of(const struct write_scan *scan, const struct scanned_series *got,
                               struct label room[LABELS_MAX])
{
    assert_true(got->label_count <= LABELS_MAX);
    return scanned_labels(scan, got, room);
}

static void expect_same_labels(const struct write_scan *scan, const struct scanned_series *got,
                               const Croft__TimeSeries *want)
{
    struct str tenant = {0};
    assert_int_equal(got->label_count, want->n_labels);
    assert_int_equal(got->label_total, want->n_labels);
    struct label room[LABELS_MAX];
    struct labels labels = labels_of(scan, got, room);
    for (size_t i = 0; i < want->n_labels; i++) {
        struct label label = labels.ptr[i];
        assert_true(same_text(label.name, want->labels[i]->name));
        assert_true(same_text(label.value, want->labels[i]->value));
        if (str_eq(label.name, TENANT_LABEL))
            tenant = label.value;
    }
    assert_true(str_eq(got->tenant, tenant));
}

/* It has no more bytes than its labels take, and is their only encoding. */
static void expect_identity(const struct write_scan *scan, const struct scanned_series *got)
{
    struct label room[LABELS_MAX];
    struct labels labels = labels_of(scan, got, room);
    if (got->identity.len == 0)
        return;
    struct buffer encoded;
    buffer_init(&encoded, SIZE_MAX);
    labels_identity_encode(&encoded, labels);
    assert_true(str_eq(buffer_str(&encoded), str_of_bytes(got->identity)));
    buffer_deinit(&encoded);
}

static void expect_same_samples(const struct write_scan *scan, const struct scanned_series *got,
                                const Croft__TimeSeries *want)
{
    assert_int_equal(got->sample_count, want->n_samples);
    for (size_t i = 0; i < want->n_samples; i++) {
        struct sample sample = scan->samples[got->first_sample + i];
        assert_true(f64_bits(sample.value) == f64_bits(want->samples[i]->value));
        assert_true(sample.ts_ms == want->samples[i]->timestamp);
    }
}

static void expect_same_metadata(const struct write_scan *scan, const Croft__WriteRequest *want)
{
    assert_int_equal(scan->metadata_count, want->n_metadata);
    for (size_t i = 0; i < want->n_metadata; i++) {
        const Croft__MetricMetadata *entry = want->metadata[i];
        assert_true(scan->metadata[i].type == (uint32_t)entry->type);
        assert_true(same_text(scan->metadata[i].metric, entry->metric_family_name));
        assert_true(same_text(scan->metadata[i].help, entry->help));
        assert_true(same_text(scan->metadata[i].unit, entry->unit));
    }
}

static void expect_same_content(const struct write_scan *scan, const Croft__WriteRequest *want)
{
    uint64_t exemplars = 0, histograms = 0;
    assert_int_equal(scan->series_count, want->n_timeseries);
    for (size_t i = 0; i < want->n_timeseries; i++) {
        expect_same_labels(scan, &scan->series[i], want->timeseries[i]);
        expect_identity(scan, &scan->series[i]);
        expect_same_samples(scan, &scan->series[i], want->timeseries[i]);
        exemplars += want->timeseries[i]->n_exemplars;
        histograms += want->timeseries[i]->n_histograms;
    }
    assert_true(scan->exemplar_count == exemplars);
    assert_true(scan->histogram_count == histograms);
    expect_same_metadata(scan, want);
}

/* Where protobuf-c is laxer than other decoders: it takes any field number, 0 too, and drops the
   bits of a length beyond 32. */
static bool is_known_difference(const struct error *err)
{
    const char *got = strstr(err->text, "got ");
    if (strstr(err->text, "field number out of range") != NULL)
        return true;
    return strstr(err->text, "length runs past the end") != NULL && got != NULL &&
           strtoull(got + 4, NULL, 10) > UINT32_MAX;
}

static const struct write_scan_options test_options = {
    .tenant_label = {"tenant_id", 9},
    .labels_per_series_max = LABELS_MAX,
    .series_max = 100000,
    .labels_max = 100000,
    .samples_max = 100000,
    .metadata_max = 100000,
};

/* Returns whether both accept the message. The scanner gets a copy of exactly its size, so that the
   address sanitizer sees every read beyond it; afterwards the views in `scan` are dead. */
static bool expect_like_protobuf_c(struct write_scan *scan, struct bytes message)
{
    struct error err;
    uint8_t *copy = mem_alloc(message.len);
    if (message.len > 0)
        memcpy(copy, message.ptr, message.len);
    struct bytes body = {copy, message.len};
    enum status status = write_scan_run(scan, &test_options, body, &err);
    Croft__WriteRequest *want = croft__write_request__unpack(NULL, body.len, body.ptr);
    if (status != STATUS_OK) {
        assert_int_equal(status, STATUS_INVALID);
        if (want != NULL && !is_known_difference(&err))
            fail_msg("protobuf-c accepts what the scanner refuses: %s", err.text);
    } else {
        assert_non_null(want);
        expect_same_content(scan, want);
    }
    if (want != NULL)
        croft__write_request__free_unpacked(want, NULL);
    mem_free(copy);
    return status == STATUS_OK;
}

/* ---- random messages ---- */

static void check_seed(struct write_scan *scan, uint64_t seed, unsigned accepted[2])
{
    struct maker maker = {.oddity = seed % 3 == 0 ? 0 : 2 + (unsigned)(seed % 30)};
    struct buffer message;
    random_init_seeded(&maker.random, seed);
    buffer_init(&message, SIZE_MAX);
    maker_fill_request(&maker, &message);
    assert_true(expect_like_protobuf_c(scan, buffer_bytes(&message)));
    for (int i = 0; i < 4; i++) {
        struct bytes cut = {message.ptr, random_below(&maker.random, message.len + 1)};
        expect_like_protobuf_c(scan, cut);
    }
    for (int i = 0; i < 8; i++) {
        maker_mutate(&maker, &message);
        accepted[expect_like_protobuf_c(scan, buffer_bytes(&message))]++;
    }
    buffer_deinit(&message);
}

TEST(random_messages_scan_as_protobuf_c_decodes_them)
{
    enum { SEED_COUNT = 4000 };
    struct write_scan scan;
    unsigned accepted[2] = {0};
    uint64_t first = test_seed(1);
    write_scan_init(&scan);
    for (uint64_t seed = first; seed < first + SEED_COUNT; seed++)
        check_seed(&scan, seed, accepted);
    /* both ways must have been walked, or the test proves nothing */
    assert_true(accepted[false] > SEED_COUNT / 2);
    assert_true(accepted[true] > SEED_COUNT / 2);
    write_scan_deinit(&scan);
}

TEST(a_message_cut_anywhere_scans_as_protobuf_c_decodes_it)
{
    struct write_scan scan;
    struct buffer message;
    struct sample samples[] = {{1700000000000, 1.5}, {1700000015000, 0}, {-1, -0.0}};
    write_scan_init(&scan);
    buffer_init(&message, SIZE_MAX);
    message_add_series_text(&message, "__name__=up,job=node,tenant_id=a", samples, 3);
    message_add_metadata(&message, 2, "up", "Whether it is up.", "");
    message_add_series_text(&message, "__name__=up,job=node,tenant_id=b", samples, 1);
    for (size_t len = 0; len <= message.len; len++)
        expect_like_protobuf_c(&scan, (struct bytes){message.ptr, len});
    buffer_deinit(&message);
    write_scan_deinit(&scan);
}

/* Every value in every place of the message. */
static void expect_like_protobuf_c_changed(struct write_scan *scan, struct buffer *message)
{
    for (size_t at = 0; at < message->len; at++) {
        uint8_t was = message->ptr[at];
        for (unsigned value = 0; value < 256; value++) {
            message->ptr[at] = (uint8_t)value;
            expect_like_protobuf_c(scan, buffer_bytes(message));
        }
        message->ptr[at] = was;
    }
}

TEST(a_message_with_any_byte_changed_scans_as_protobuf_c_decodes_it)
{
    static char text[256];
    static const struct {
        size_t name_len;
        size_t value_len;
        size_t sample_count;
    } cases[] = {{3, 5, 1}, {1, 129, 0}, {119, 5, 1}, {121, 3, 0}, {126, 9, 0}, {127, 3, 1}};
    struct write_scan scan;
    struct buffer message;
    struct sample sample = {1700000000000, 1.5};
    memset(text, 't', sizeof text);
    write_scan_init(&scan);
    buffer_init(&message, SIZE_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct label label = {{text, cases[i].name_len}, {text, cases[i].value_len}};
        buffer_reset(&message);
        message_add_series(&message, &label, 1, &sample, cases[i].sample_count);
        expect_like_protobuf_c_changed(&scan, &message);
    }
    buffer_deinit(&message);
    write_scan_deinit(&scan);
}

/* A series of one label whose lengths are written in two bytes each although one would do for the
 * value. */
TEST(a_superfluous_length_byte_in_a_long_label_leaves_no_identity_in_the_body)
{
    struct write_scan scan;
    struct buffer message;
    uint8_t label[131] = {0x0a, 121};
    uint8_t series[134] = {0x0a, 0x83, 0x01};
    memset(label + 2, 'n', 121);
    memcpy(label + 123, (uint8_t[]){0x12, 0x85, 0x00, 'v', 'a', 'l', 'u', 'e'}, 8);
    memcpy(series + 3, label, sizeof label);
    write_scan_init(&scan);
    buffer_init(&message, SIZE_MAX);
    message_add_bytes(&message, 1, (struct bytes){series, sizeof series});
    assert_true(expect_like_protobuf_c(&scan, buffer_bytes(&message)));
    assert_int_equal(scan.series[0].label_count, 1);
    assert_int_equal(scan.series[0].identity.len, 0);
    buffer_deinit(&message);
    write_scan_deinit(&scan);
}

/* ---- single rules ---- */

#define BODY(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void expect_error(const uint8_t *ptr, size_t len, const char *want)
{
    struct write_scan scan;
    struct error err;
    write_scan_init(&scan);
    expect_status(write_scan_run(&scan, &test_options, (struct bytes){ptr, len}, &err),
                  STATUS_INVALID);
    expect_str(str_from(err.text), want);
    write_scan_deinit(&scan);
}

TEST(an_error_says_what_where_got_and_want)
{
#define AFTER "write request: after 0 series and 0 metadata entries: "
    expect_error(BODY(0x0a, 0x05, 0x0a),
                 AFTER "series: length runs past the end at byte 1, got 5, want at most 1");
    expect_error(BODY(0x0a, 0x04, 0x0a, 0x02, 0x0a, 0x07),
                 AFTER "label name: length runs past the end at byte 5, got 7, want at most 0");
    expect_error(BODY(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f), AFTER
                 "series: length runs past the end at byte 1, got 4294967295, want at most 0");
    expect_error(BODY(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
                 AFTER "series: varint too long at byte 1, want at most 5 bytes");
    expect_error(BODY(0x0a, 0x80), AFTER "series: the message ends inside a varint at byte 1");
    expect_error(BODY(0x08, 0x01),
                 AFTER "series: wrong wire type before byte 1, got varint, want length-delimited");
    expect_error(BODY(0x02, 0x00),
                 AFTER "tag: field number out of range at byte 0, got 0, want 1 to 536870911");
    expect_error(BODY(0x2b, 0x2c),
                 AFTER "field 5: wire type not supported before byte 1, got group start");
    expect_error(BODY(0x2e),
                 AFTER "field 5: wire type not supported before byte 1, got unknown (6)");
    expect_error(BODY(0x2d, 1, 2, 3), AFTER
                 "unknown field: the message ends inside a number at byte 1, got 3 bytes, want 4");
    expect_error(BODY(0x0a, 0x0e, 0x12, 0x0c, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                      0xff, 0xff, 0x01),
                 AFTER "sample timestamp: varint too long at byte 5, want at most 10 bytes");
    expect_error(BODY(0x0a, 0x03, 0x12, 0x01, 0x09), AFTER
                 "sample value: the message ends inside a number at byte 5, got 0 bytes, want 8");
    /* the series ends inside the label, whose last bytes would be a good field of the message */
    expect_error(BODY(0x0a, 0x07, 0x0a, 0x07, 0x0a, 0x01, 'a', 0x12, 0x02, 0x28, 0x01),
                 AFTER "label: length runs past the end at byte 3, got 7, want at most 5");
#undef AFTER
}

TEST(an_error_counts_what_came_before_it)
{
    expect_error(BODY(0x0a, 0x00, 0x0a, 0x00, 0x1a, 0x00, 0x0a),
                 "write request: after 2 series and 1 metadata entries: "
                 "series: the message ends inside a varint at byte 7");
}

static void expect_limit(struct write_scan_options options, const char *want)
{
    struct write_scan scan;
    struct buffer message;
    struct error err;
    struct sample samples[] = {{1, 1}, {2, 2}};
    write_scan_init(&scan);
    buffer_init(&message, SIZE_MAX);
    message_add_series_text(&message, "__name__=a,b=c", samples, 2);
    message_add_series_text(&message, "__name__=b,b=c", samples, 2);
    message_add_metadata(&message, 1, "a", "", "");
    message_add_metadata(&message, 1, "b", "", "");
    enum status status = want == NULL ? STATUS_OK : STATUS_LIMIT;
    expect_status(write_scan_run(&scan, &options, buffer_bytes(&message), &err), status);
    if (want != NULL)
        expect_str(str_from(err.text), want);
    buffer_deinit(&message);
    write_scan_deinit(&scan);
}

/* Series in one piece and such as are not, and more labels than there is room for at once. */
static void make_wide_message(struct buffer *message)
{
    struct sample sample = {1, 1};
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "__name__=m%d", i);
        message_add_series_text(message, name, &sample, 1);
        message_add_metadata(message, 1, name, "", "");
        buffer_append(message, "\x0a\x09\x12\x00\x0a\x05\x12\x00\x0a\x01m", 11);
    }
}

TEST(arrays_grow_when_their_payer_may_hold_that_much)
{
    struct write_scan_options options = test_options;
    struct write_scan scan;
    struct buffer message;
    struct charge charge;
    struct error err;
    buffer_init(&message, SIZE_MAX);
    make_wide_message(&message);
    write_scan_init(&scan);
    expect_ok(write_scan_run(&scan, &options, buffer_bytes(&message), &err));
    assert_true(scan.label_count > 0 && scan.metadata_count == 300 && scan.sample_count > 300);
    size_t needed = write_scan_memory_bytes(&scan);
    options.charge = &charge;
    for (int more = -1; more <= 1; more++) {
        /* alone it may hold a half */
        struct budget *budget = budget_new("request-memory", 2 * (needed + (size_t)more));
        charge_init(&charge, budget, STR("a"));
        write_scan_deinit(&scan);
        enum status status = write_scan_run(&scan, &options, buffer_bytes(&message), &err);
        expect_status(status, more < 0 ? STATUS_UNAVAILABLE : STATUS_OK);
        assert_int_equal(budget_held_bytes(budget), write_scan_memory_bytes(&scan));
        charge_deinit(&charge);
        budget_free(budget);
    }
    buffer_deinit(&message);
    write_scan_deinit(&scan);
}

TEST(each_limit_holds_exactly)
{
    struct write_scan_options exact = {.labels_per_series_max = 2,
                                       .series_max = 2,
                                       .labels_max = 4,
                                       .samples_max = 4,
                                       .metadata_max = 2};
    struct write_scan_options options = exact;
    expect_limit(options, NULL);
    options.series_max = 1;
    expect_limit(options, "write request: too many series, want at most 1");
    options = exact;
    options.labels_max = 3;
    expect_limit(options, "write request: too many labels, want at most 3");
    options = exact;
    options.samples_max = 3;
    expect_limit(options, "write request: too many samples, want at most 3");
    options = exact;
    options.metadata_max = 1;
    expect_limit(options, "write request: too many metadata entries, want at most 1");
}

TEST(labels_beyond_the_limit_of_a_series_are_counted_not_kept)
{
    struct write_scan scan;
    struct buffer message;
    struct error err;
    struct write_scan_options options = test_options;
    struct sample sample = {1, 1};
    options.labels_per_series_max = 2;
    write_scan_init(&scan);
    buffer_init(&message, SIZE_MAX);
    message_add_series_text(&message, "__name__=a,b=1,c=2,d=3,tenant_id=t", &sample, 1);
    message_add_series_text(&message, "__name__=a,b=1", &sample, 1);
    expect_ok(write_scan_run(&scan, &options, buffer_bytes(&message), &err));
    assert_int_equal(scan.series[0].label_count, 2);
    assert_int_equal(scan.series[0].label_total, 5);
    expect_str(scan.series[0].tenant, "t");
    assert_int_equal(scan.series[1].label_total, 2);
    assert_int_equal(scan.series[1].first_label, 2);
    buffer_deinit(&message);
    write_scan_deinit(&scan);
}

TEST(labels_of_any_usual_length_keep_their_encoding_in_one_piece)
{
    static const size_t lens[] = {0, 1, 118, 119, 120, 121, 122, 123, 124, 127, 128, 300, 16000};
    static char value[16000];
    struct write_scan scan;
    struct buffer message;
    write_scan_init(&scan);
    buffer_init(&message, SIZE_MAX);
    memset(value, 'v', sizeof value);
    for (size_t i = 1; i < sizeof lens / sizeof *lens; i++) {
        struct label labels[] = {{STR("__name__"), STR("up")}, {STR("id"), {value, lens[i]}}};
        struct sample sample = {1, 1};
        buffer_reset(&message);
        message_add_series(&message, labels, 2, &sample, 1);
        assert_true(expect_like_protobuf_c(&scan, buffer_bytes(&message)));
        assert_true(scan.series[0].identity.len > lens[i]);
    }
    buffer_deinit(&message);
    write_scan_deinit(&scan);
}

TEST(an_empty_message_holds_nothing)
{
    struct write_scan scan;
    struct error err;
    write_scan_init(&scan);
    expect_ok(write_scan_run(&scan, &test_options, (struct bytes){0}, &err));
    assert_int_equal(scan.series_count, 0);
    write_scan_deinit(&scan);
}

TEST_MAIN(RUN(random_messages_scan_as_protobuf_c_decodes_them),
          RUN(a_message_cut_anywhere_scans_as_protobuf_c_decodes_it),
          RUN(a_message_with_any_byte_changed_scans_as_protobuf_c_decodes_it),
          RUN(a_superfluous_length_byte_in_a_long_label_leaves_no_identity_in_the_body),
          RUN(an_error_says_what_where_got_and_want), RUN(an_error_counts_what_came_before_it),
          RUN(arrays_grow_when_their_payer_may_hold_that_much), RUN(each_limit_holds_exactly),
          RUN(labels_beyond_the_limit_of_a_series_are_counted_not_kept),
          RUN(labels_of_any_usual_length_keep_their_encoding_in_one_piece),
          RUN(an_empty_message_holds_nothing))
