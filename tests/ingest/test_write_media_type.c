#include "ingest/write_media_type.h"

#include "base/mem.h"
#include "tests/support/test.h"

static void expect_protocol(const char *content_type, enum write_protocol want)
{
    struct error err;
    enum write_protocol got;
    expect_ok(write_protocol_parse(str_from(content_type), &got, &err));
    assert_int_equal(got, want);
}

/* Parsed from a copy of exactly its size, so that the address sanitizer sees every read beyond
   it. */
static void expect_unknown(const char *content_type)
{
    struct error err;
    enum write_protocol got;
    struct str copy = {mem_alloc(strlen(content_type)), strlen(content_type)};
    memcpy((char *)copy.ptr, content_type, copy.len);
    expect_status(write_protocol_parse(copy, &got, &err), STATUS_INVALID);
    assert_non_null(strstr(err.text, content_type));
    mem_free((char *)copy.ptr);
}

TEST(protocol_1_may_be_named_in_every_way_the_grammar_allows)
{
    expect_protocol("", WRITE_PROTOCOL_1);
    expect_protocol("application/x-protobuf", WRITE_PROTOCOL_1);
    expect_protocol(" application/x-protobuf\t", WRITE_PROTOCOL_1);
    expect_protocol("Application/X-Protobuf", WRITE_PROTOCOL_1);
    expect_protocol("application/x-protobuf;", WRITE_PROTOCOL_1);
    expect_protocol("application/x-protobuf;proto=prometheus.WriteRequest", WRITE_PROTOCOL_1);
    expect_protocol("application/x-protobuf ; ; PROTO=prometheus.WriteRequest ;", WRITE_PROTOCOL_1);
    expect_protocol("application/x-protobuf; proto=\"prometheus.Write\\Request\"",
                    WRITE_PROTOCOL_1);
    expect_protocol("application/x-protobuf; charset=utf-8; q=\"a;b\"", WRITE_PROTOCOL_1);
}

TEST(protocol_2_is_recognised)
{
    expect_protocol("application/x-protobuf;proto=io.prometheus.write.v2.Request",
                    WRITE_PROTOCOL_2);
    expect_protocol("application/x-protobuf; proto=\"io.prometheus.write.v2.Request\"",
                    WRITE_PROTOCOL_2);
    expect_protocol("application/x-protobuf; charset=utf-8; Proto=io.prometheus.write.v2.Request",
                    WRITE_PROTOCOL_2);
}

TEST(everything_else_is_refused)
{
    expect_unknown("text/plain");
    expect_unknown("application/json");
    expect_unknown("application/x-protobuf2");
    expect_unknown("application/x-protobuf; proto=prometheus.ReadRequest");
    expect_unknown("application/x-protobuf; proto=PROMETHEUS.WriteRequest");
    expect_unknown("application/x-protobuf; proto=");
    expect_unknown("application/x-protobuf; proto=\"");
    expect_unknown("application/x-protobuf; proto=\"prometheus.WriteRequest\\");
    expect_unknown("application/x-protobuf; proto");
    expect_unknown("application/x-protobuf; =prometheus.WriteRequest");
    expect_unknown("application/x-protobuf; proto=prometheus.WriteRequest x");
    expect_unknown("application/x-protobuf, text/plain");
}

TEST(a_parameter_longer_than_any_known_one_is_refused)
{
    char text[400] = "application/x-protobuf; proto=";
    struct error err;
    enum write_protocol got;
    memset(text + strlen(text), 'x', 300);
    expect_status(write_protocol_parse(str_from(text), &got, &err), STATUS_INVALID);
    assert_true(strlen(err.text) < 250);
}

TEST(only_snappy_is_an_encoding)
{
    struct error err;
    expect_ok(write_encoding_check(STR(""), &err));
    expect_ok(write_encoding_check(STR("snappy"), &err));
    expect_ok(write_encoding_check(STR(" Snappy "), &err));
    expect_status(write_encoding_check(STR("gzip"), &err), STATUS_INVALID);
    expect_str(str_from(err.text), "Content-Encoding: got gzip, want snappy");
    expect_status(write_encoding_check(STR("snappy, gzip"), &err), STATUS_INVALID);
    expect_status(write_encoding_check(STR("identity"), &err), STATUS_INVALID);
}

TEST_MAIN(RUN(protocol_1_may_be_named_in_every_way_the_grammar_allows),
          RUN(protocol_2_is_recognised), RUN(everything_else_is_refused),
          RUN(a_parameter_longer_than_any_known_one_is_refused), RUN(only_snappy_is_an_encoding))
