/* Series, label names and label values, and whose. */
#include "tests/support/test.h"

#include <stdio.h>

#include "tests/query/api_fixture.h"

/* As tenant a. */
static void expect_data(struct fixture *f, const char *path, const char *want)
{
    expect_reply(f, TENANT_A, path, 200, want);
}

static void expect_bad(struct fixture *f, const char *path, const char *want)
{
    expect_reply(f, TENANT_A, path, 400, want);
}

/* ---- tenants ---- */

TEST(a_read_covers_the_tenants_of_its_header)
{
    struct fixture f;
    fixture_open(&f);
    const char *path = "/api/v1/query?query=count+by(tenant_id)(up)";
    const char *a = "{\"metric\":{\"tenant_id\":\"a\"},\"value\":[1700000000,\"2\"]}";
    const char *b = "{\"metric\":{\"tenant_id\":\"b\"},\"value\":[1700000000,\"2\"]}";
    char both[400], only_b[400];
    snprintf(both, sizeof both, VECTOR("%s,%s"), a, b);
    snprintf(only_b, sizeof only_b, VECTOR("%s"), b);
    expect_reply(&f, "", path, 200, both);
    expect_reply(&f, "X-Scope-OrgID: a|b\r\n", path, 200, both);
    expect_reply(&f, "X-Scope-OrgID: b|a|b|a|nobody\r\n", path, 200, both);
    expect_reply(&f, "x-scope-orgid: b|c\r\n", path, 200, only_b);
    expect_reply(&f, "X-Scope-OrgID: b\r\n", path, 200,
                 VECTOR("{\"metric\":{},\"value\":[1700000000,\"2\"]}"));
    expect_reply(&f, "X-Scope-OrgID: nobody\r\n", path, 200, VECTOR(""));
    expect_reply(&f, "", "/api/v1/query?query=count(up{tenant_id=\"a\"})", 200,
                 VECTOR("{\"metric\":{},\"value\":[1700000000,\"2\"]}"));
    expect_reply(&f, "X-Scope-OrgID: b|c\r\n", "/api/v1/query?query=up{tenant_id=\"a\"}", 200,
                 VECTOR(""));
    fixture_close(&f);
}

TEST(a_header_that_names_no_tenant_is_refused)
{
    struct fixture f;
    fixture_open(&f);
    const char *path = "/api/v1/labels";
    expect_reply(&f, "X-Scope-OrgID: a/b\r\n", path, 400,
                 BAD("tenant id: want only 0-9 A-Z a-z ! - _ . * ' ( ), got \\\"a/b\\\""));
    expect_reply(&f, "X-Scope-OrgID: ..\r\n", path, 400,
                 BAD("tenant id: a reserved name, got \\\"..\\\""));
    expect_reply(&f, "X-Scope-OrgID: a|\r\n", path, 400,
                 BAD("tenant id: empty, want 1 to 150 bytes"));
    /* not "all tenants": a proxy that fills in nothing must not open every door */
    expect_reply(&f, "X-Scope-OrgID:\r\n", path, 400, BAD("tenant id: empty, want 1 to 150 bytes"));
    expect_reply(&f, "X-Scope-OrgID: |\r\n", path, 400,
                 BAD("tenant id: empty, want 1 to 150 bytes"));
    expect_reply(&f, "X-Scope-OrgID: a\r\nX-Scope-OrgID: b\r\n", path, 400,
                 BAD("X-Scope-OrgID: sent more than once"));
    assert_int_equal(counter_get(&f.api.counters.queries), 0);
    fixture_close(&f);
}

/* ---- series and labels ---- */

TEST(series_are_the_union_of_all_selectors_each_once)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/series?match[]=up",
                DATA("[{\"__name__\":\"up\",\"job\":\"x\"},{\"__name__\":\"up\",\"job\":\"y\"}]"));
    expect_data(
        &f, "/api/v1/series?match[]=up{job=\"y\"}&match[]=up&match[]=c_total&match[]={job=\"x\"}",
        DATA("[{\"__name__\":\"c_total\",\"job\":\"x\"},{\"__name__\":\"up\",\"job\":\"x\"},"
             "{\"__name__\":\"up\",\"job\":\"y\"}]"));
    expect_reply(&f, "", "/api/v1/series?match[]=up{job=\"x\"}", 200,
                 DATA("[{\"__name__\":\"up\",\"job\":\"x\",\"tenant_id\":\"a\"},"
                      "{\"__name__\":\"up\",\"job\":\"x\",\"tenant_id\":\"b\"}]"));
    expect_data(&f, "/api/v1/series?match[]=nothing", DATA("[]"));
    struct reply reply = ask(&f, "POST", "/api/v1/series?match[]=c_total", TENANT_A,
                             "match%5B%5D=up%7Bjob%3D%22x%22%7D");
    check_reply(
        "form and URL", &reply, 200,
        DATA("[{\"__name__\":\"c_total\",\"job\":\"x\"},{\"__name__\":\"up\",\"job\":\"x\"}]"));
    fixture_close(&f);
}

TEST(series_need_a_selector_that_matches_something)
{
    struct fixture f;
    fixture_open(&f);
    expect_bad(&f, "/api/v1/series", BAD("no match[] parameter provided"));
    expect_bad(&f, "/api/v1/series?match[]={}",
               BAD_PARAM("match[]", "match[] must contain at least one non-empty matcher"));
    expect_bad(&f, "/api/v1/series?match[]=up&match[]={a=",
               BAD_PARAM("match[]", "1:4: parse error: unexpected end of input inside braces"));
    expect_bad(
        &f, "/api/v1/series?match[]=up&start=x",
        BAD_PARAM("start",
                  "invalid time value for 'start': cannot parse \\\"x\\\" to a valid timestamp"));
    expect_bad(&f, "/api/v1/series?match[]=up&limit=x",
               BAD_PARAM("limit", "strconv.Atoi: parsing \\\"x\\\": invalid syntax"));
    fixture_close(&f);
}

TEST(lists_of_texts_say_what_is_wrong_with_a_selector_without_its_name)
{
    struct fixture f;
    fixture_open(&f);
    expect_bad(&f, "/api/v1/labels?match[]={}",
               BAD("match[] must contain at least one non-empty matcher"));
    expect_bad(&f, "/api/v1/label/job/values?match[]=up&match[]={a=",
               BAD("1:4: parse error: unexpected end of input inside braces"));
    fixture_close(&f);
}

TEST(lookups_keep_to_their_range_of_time)
{
    struct fixture f;
    fixture_open(&f);
    put(&f, "a", "old job=z", 3 * 86400, 1);
    expect_data(&f, "/api/v1/series?match[]=old", DATA("[{\"__name__\":\"old\",\"job\":\"z\"}]"));
    expect_data(&f, "/api/v1/series?match[]=old&start=1699999000", DATA("[]"));
    expect_data(&f, "/api/v1/series?match[]=up&end=1699900000", DATA("[]"));
    fixture_close(&f);
}

TEST(lookups_are_cut_to_the_limit_with_a_warning)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/series?match[]=up&limit=1",
                "{\"status\":\"success\",\"data\":[{\"__name__\":\"up\",\"job\":\"x\"}]," CUT_SHORT
                "}");
    expect_data(&f, "/api/v1/series?match[]=up&match[]=up&limit=2",
                DATA("[{\"__name__\":\"up\",\"job\":\"x\"},{\"__name__\":\"up\",\"job\":\"y\"}]"));
    expect_data(&f, "/api/v1/labels?limit=1",
                "{\"status\":\"success\",\"data\":[\"__name__\"]," CUT_SHORT "}");
    expect_data(&f, "/api/v1/labels?limit=2", DATA("[\"__name__\",\"job\"]"));
    expect_data(&f, "/api/v1/label/job/values?limit=1",
                "{\"status\":\"success\",\"data\":[\"x\"]," CUT_SHORT "}");
    fixture_close(&f);
}

TEST(a_lookup_over_too_many_series_is_422)
{
    struct fixture f;
    fixture_open(&f);
    for (int i = 0; i <= SERIES_MAX; i++) {
        char series[40];
        snprintf(series, sizeof series, "many n=%d", i);
        put(&f, "a", series, 30, 1);
    }
    struct reply reply = ask(&f, "GET", "/api/v1/series?match[]=many", TENANT_A, "");
    assert_int_equal(reply.code, 422);
    expect_data(&f, "/api/v1/series?match[]=many{n=\"3\"}",
                DATA("[{\"__name__\":\"many\",\"n\":\"3\"}]"));
    fixture_close(&f);
}

TEST(label_names_and_values_are_those_of_the_series_that_match)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/labels", DATA("[\"__name__\",\"job\"]"));
    expect_reply(&f, "", "/api/v1/labels", 200,
                 DATA("[\"__name__\",\"job\",\"tenant_id\",\"zone.id\"]"));
    expect_reply(&f, "X-Scope-OrgID: b\r\n", "/api/v1/labels?match[]=up{job=\"x\"}", 200,
                 DATA("[\"__name__\",\"job\"]"));
    expect_reply(&f, "X-Scope-OrgID: b\r\n",
                 "/api/v1/labels?match[]=up{job=\"x\"}&match[]=up{job=\"\"}", 200,
                 DATA("[\"__name__\",\"job\",\"zone.id\"]"));
    expect_data(&f, "/api/v1/label/__name__/values", DATA("[\"c_total\",\"up\"]"));
    expect_data(&f, "/api/v1/label/job/values?match[]=c_total", DATA("[\"x\"]"));
    expect_data(&f, "/api/v1/label/job/values?match[]=up{job=\"y\"}&match[]=c_total",
                DATA("[\"x\",\"y\"]"));
    expect_data(&f, "/api/v1/label/nothing/values", DATA("[]"));
    expect_reply(&f, "", "/api/v1/label/tenant_id/values", 200, DATA("[\"a\",\"b\"]"));
    fixture_close(&f);
}

TEST(names_of_labels_in_a_path_may_be_escaped)
{
    struct fixture f;
    fixture_open(&f);
    expect_reply(&f, "", "/api/v1/label/U__zone_2e_id/values", 200, DATA("[\"z\"]"));
    expect_reply(&f, "", "/api/v1/label/zone.id/values", 200, DATA("[\"z\"]"));
    expect_reply(&f, "", "/api/v1/label/zone%2eid/values", 200, DATA("[\"z\"]"));
    expect_reply(&f, "", "/api/v1/label/U__zone_2e/values", 200, DATA("[]"));
    expect_bad(&f, "/api/v1/label/U__/values", BAD("invalid label name: \\\"U__\\\""));
    expect_bad(&f, "/api/v1/label/%ff/values", BAD("invalid label name: \\\"not UTF-8\\\""));
    fixture_close(&f);
}

/* ---- the head ---- */

#define STATUS(stats, lists) DATA("{\"headStats\":{" stats "}," lists "}")
#define LARGEST_OF_A                                                                               \
    "\"seriesCountByMetricName\":[{\"name\":\"up\",\"value\":2}],"                                 \
    "\"labelValueCountByLabelName\":[{\"name\":\"__name__\",\"value\":2}],"                        \
    "\"memoryInBytesByLabelName\":[{\"name\":\"__name__\",\"value\":11}],"                         \
    "\"seriesCountByLabelValuePair\":[{\"name\":\"__name__=up\",\"value\":2}]"
#define NONE_LARGEST                                                                               \
    "\"seriesCountByMetricName\":[],\"labelValueCountByLabelName\":[],"                            \
    "\"memoryInBytesByLabelName\":[],\"seriesCountByLabelValuePair\":[]"

TEST(what_is_in_memory_is_described_as_prometheus_does)
{
    struct fixture f;
    fixture_open(&f);
    const char *path = "/api/v1/status/tsdb?limit=1";
    expect_data(&f, path,
                STATUS("\"numSeries\":3,\"numLabelPairs\":4,\"chunkCount\":3,"
                       "\"minTime\":1699999910000,\"maxTime\":1699999970000",
                       LARGEST_OF_A));
    for (int64_t ago_s = 29; ago_s >= 10; ago_s--)
        put(&f, "a", "up job=y", ago_s, 1);
    put(&f, "a", "up job=y", 100, 1);
    /* of that series one chunk is sealed, one open, and one sample late */
    expect_data(&f, path,
                STATUS("\"numSeries\":3,\"numLabelPairs\":4,\"chunkCount\":5,"
                       "\"minTime\":1699999900000,\"maxTime\":1699999990000",
                       LARGEST_OF_A));
    expect_reply(&f, "X-Scope-OrgID: nobody\r\n", path, 200,
                 STATUS("\"numSeries\":0,\"numLabelPairs\":0,\"chunkCount\":0,"
                        "\"minTime\":9223372036854775807,\"maxTime\":-9223372036854775808",
                        NONE_LARGEST));
    fixture_close(&f);
}

TEST_MAIN(RUN(a_read_covers_the_tenants_of_its_header),
          RUN(a_header_that_names_no_tenant_is_refused),
          RUN(series_are_the_union_of_all_selectors_each_once),
          RUN(series_need_a_selector_that_matches_something),
          RUN(lists_of_texts_say_what_is_wrong_with_a_selector_without_its_name),
          RUN(lookups_keep_to_their_range_of_time),
          RUN(lookups_are_cut_to_the_limit_with_a_warning),
          RUN(a_lookup_over_too_many_series_is_422),
          RUN(label_names_and_values_are_those_of_the_series_that_match),
          RUN(names_of_labels_in_a_path_may_be_escaped),
          RUN(what_is_in_memory_is_described_as_prometheus_does))
