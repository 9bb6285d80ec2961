/* The read endpoints, over a real HTTP server and the real store on a simulated disk. What queries
   mean is in tests/promql; here is how they are asked and answered. */
#include "tests/support/test.h"

#include <zlib.h>

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

/* ---- results ---- */

static void unpack(struct bytes packed, struct buffer *out)
{
    z_stream stream = {.next_in = (z_const Bytef *)packed.ptr, .avail_in = (uInt)packed.len};
    buffer_init(out, SIZE_MAX);
    stream.next_out = buffer_reserve(out, 4 << 20);
    stream.avail_out = 4 << 20;
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out->len = stream.total_out;
    inflateEnd(&stream);
}

TEST(a_large_answer_is_the_same_when_it_is_compressed_on_the_way)
{
    static const char path[] = "/api/v1/query_range?query=vector(time())%20or%20label_replace("
                               "vector(1),%22n%22,%22x%22,%22%22,%22%22)&start=0&end=11000&step=1";
    struct fixture f;
    struct buffer plain, unpacked;
    fixture_open(&f);
    f.engine.samples_max = 1000000;
    struct reply reply = ask(&f, "GET", path, TENANT_A, "");
    assert_int_equal(reply.code, 200);
    buffer_init(&plain, SIZE_MAX);
    buffer_append(&plain, reply.body.ptr, reply.body.len);
    assert_true(plain.len > 200000);
    reply = ask(&f, "GET", path, TENANT_A "Accept-Encoding: gzip\r\n", "");
    assert_int_equal(reply.code, 200);
    assert_true(reply_has(&reply, "Content-Encoding: gzip\r\n"));
    unpack(reply.body, &unpacked);
    assert_true(str_eq(buffer_str(&plain), buffer_str(&unpacked)));
    buffer_deinit(&plain);
    buffer_deinit(&unpacked);
    fixture_close(&f);
}

TEST(every_type_of_result_has_its_form)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(
        &f, "/api/v1/query?query=up",
        VECTOR("{\"metric\":{\"__name__\":\"up\",\"job\":\"x\"},\"value\":[1700000000,\"1\"]},"
               "{\"metric\":{\"__name__\":\"up\",\"job\":\"y\"},\"value\":[1700000000,\"0\"]}"));
    expect_data(&f, "/api/v1/query?query=nothing", VECTOR(""));
    expect_data(&f, "/api/v1/query?query=c_total[1m]",
                MATRIX("{\"metric\":{\"__name__\":\"c_total\",\"job\":\"x\"},"
                       "\"values\":[[1699999970,\"60\"]]}"));
    expect_data(&f, "/api/v1/query?query=1.5",
                DATA("{\"resultType\":\"scalar\",\"result\":[1700000000,\"1.5\"]}"));
    expect_data(&f, "/api/v1/query?query=%22a%5C%22b%22",
                DATA("{\"resultType\":\"string\",\"result\":[1700000000,\"a\\\"b\"]}"));
    expect_data(&f, "/api/v1/query_range?query=c_total&start=1699999940&end=1699999970&step=30",
                MATRIX("{\"metric\":{\"__name__\":\"c_total\",\"job\":\"x\"},"
                       "\"values\":[[1699999940,\"30\"],[1699999970,\"60\"]]}"));
    expect_data(&f, "/api/v1/query_range?query=1&start=1&end=3&step=2",
                MATRIX("{\"metric\":{},\"values\":[[1,\"1\"],[3,\"1\"]]}"));
    fixture_close(&f);
}

TEST(special_values_are_texts_and_times_have_milliseconds_when_needed)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/query?query=NaN&time=0",
                DATA("{\"resultType\":\"scalar\",\"result\":[0,\"NaN\"]}"));
    expect_data(&f, "/api/v1/query?query=-Inf&time=1.5",
                DATA("{\"resultType\":\"scalar\",\"result\":[1.5,\"-Inf\"]}"));
    expect_data(&f, "/api/v1/query?query=1/0&time=-1",
                DATA("{\"resultType\":\"scalar\",\"result\":[-1,\"+Inf\"]}"));
    expect_data(&f, "/api/v1/query?query=1e-7&time=2023-11-14T22:13:20.25Z",
                DATA("{\"resultType\":\"scalar\",\"result\":[1700000000.25,\"0.0000001\"]}"));
    expect_data(&f, "/api/v1/query?query=vector(1e-7)&time=1.5",
                VECTOR("{\"metric\":{},\"value\":[1.500,\"1e-07\"]}"));
    fixture_close(&f);
}

TEST(notes_of_a_query_stand_beside_its_data)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/query?query=rate(up[1m])",
                "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}");
    expect_data(
        &f, "/api/v1/query?query=quantile(2,up)",
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"
        "\"value\":[1700000000,\"+Inf\"]}]},\"warnings\":[\"PromQL warning: quantile value "
        "should be between 0 and 1, got 2 (1:10)\"]}");
    expect_data(&f, "/api/v1/query?query=increase(up[2m])%2Brate(c_total[2m])", VECTOR(""));
    fixture_close(&f);
}

TEST(stats_are_given_to_those_who_ask)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(
        &f, "/api/v1/query?query=up&stats=",
        VECTOR("{\"metric\":{\"__name__\":\"up\",\"job\":\"x\"},\"value\":[1700000000,\"1\"]},"
               "{\"metric\":{\"__name__\":\"up\",\"job\":\"y\"},\"value\":[1700000000,\"0\"]}"));
    expect_data(&f, "/api/v1/query?query=count_over_time(c_total[2m])&stats=all",
                DATA("{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"job\":\"x\"},"
                     "\"value\":[1700000000,\"3\"]}],\"stats\":{\"timings\":{\"evalTotalTime\":0,"
                     "\"resultSortTime\":0,\"queryPreparationTime\":0,\"innerEvalTime\":0,"
                     "\"execQueueTime\":0,\"execTotalTime\":0},\"samples\":{"
                     "\"totalQueryableSamples\":3,\"peakSamples\":3}}}"));
    assert_int_equal(counter_get(&f.api.counters.samples), 5);
    fixture_close(&f);
}

TEST(a_result_is_cut_to_the_limit_with_a_warning)
{
    struct fixture f;
    fixture_open(&f);
    const char *cut =
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
        "{\"metric\":{\"__name__\":\"up\",\"job\":\"x\"},\"value\":[1700000000,\"1\"]}"
        "]}," CUT_SHORT "}";
    expect_data(&f, "/api/v1/query?query=up&limit=1", cut);
    const char *whole =
        VECTOR("{\"metric\":{\"__name__\":\"up\",\"job\":\"x\"},\"value\":[1700000000,\"1\"]},"
               "{\"metric\":{\"__name__\":\"up\",\"job\":\"y\"},\"value\":[1700000000,\"0\"]}");
    expect_data(&f, "/api/v1/query?query=up&limit=2", whole);
    expect_data(&f, "/api/v1/query?query=up&limit=0", whole);
    expect_data(&f, "/api/v1/query?query=up&limit=", whole);
    expect_data(&f, "/api/v1/query_range?query=up&start=1700000000&end=1700000000&step=1&limit=1",
                "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
                "{\"metric\":{\"__name__\":\"up\",\"job\":\"x\"},\"values\":[[1700000000,\"1\"]]}"
                "]}," CUT_SHORT "}");
    expect_bad(&f, "/api/v1/query?query=up&limit=-1",
               BAD_PARAM("limit", "limit must be non-negative"));
    expect_bad(&f, "/api/v1/query?query=up&limit=x",
               BAD_PARAM("limit", "strconv.Atoi: parsing \\\"x\\\": invalid syntax"));
    fixture_close(&f);
}

/* ---- parameters ---- */

TEST(get_and_post_are_the_same)
{
    struct fixture f;
    fixture_open(&f);
    const char *want = VECTOR("{\"metric\":{\"job\":\"x\"},\"value\":[1700000000,\"2\"]},"
                              "{\"metric\":{\"job\":\"y\"},\"value\":[1700000000,\"1\"]}");
    struct reply reply = ask(&f, "GET", "/api/v1/query?query=up%2B1", TENANT_A, "");
    check_reply("GET", &reply, 200, want);
    reply = ask(&f, "POST", "/api/v1/query?query=up%2B1", TENANT_A, "");
    check_reply("POST with parameters in the URL", &reply, 200, want);
    reply = ask(&f, "POST", "/api/v1/query", TENANT_A, "query=up%2B1");
    check_reply("POST with a form", &reply, 200, want);
    reply = ask(&f, "POST", "/api/v1/query?query=nonsense(", TENANT_A, "query=up%2B1&a=b");
    check_reply("the form wins", &reply, 200, want);
    reply = ask(&f, "GET", "/prometheus/api/v1/query?query=up%2B1", TENANT_A, "");
    check_reply("below /prometheus", &reply, 200, want);
    assert_int_equal(ask(&f, "PUT", "/api/v1/query?query=up", "", "").code, 405);
    assert_int_equal(ask(&f, "DELETE", "/api/v1/series?match[]=up", "", "").code, 405);
    fixture_close(&f);
}

TEST(the_time_of_an_instant_query_is_now_unless_it_is_given)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/query?query=c_total&time=1699999940",
                VECTOR("{\"metric\":{\"__name__\":\"c_total\",\"job\":\"x\"},"
                       "\"value\":[1699999940,\"30\"]}"));
    expect_data(&f, "/api/v1/query?query=c_total&time=",
                VECTOR("{\"metric\":{\"__name__\":\"c_total\",\"job\":\"x\"},"
                       "\"value\":[1700000000,\"60\"]}"));
    expect_bad(
        &f, "/api/v1/query?query=up&time=tomorrow",
        BAD_PARAM(
            "time",
            "invalid time value for 'time': cannot parse \\\"tomorrow\\\" to a valid timestamp"));
    /* the ends of time overflow nothing */
    expect_data(&f, "/api/v1/query?query=up[1y]+offset+100y&time=-292273086-05-16T16:47:06Z",
                MATRIX(""));
    expect_data(&f, "/api/v1/query?query=up+offset+-100y&time=292277025-08-18T07:12:54.999999999Z",
                VECTOR(""));
    fixture_close(&f);
}

TEST(the_lookback_of_a_query_may_be_chosen)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/query?query=count(up)&lookback_delta=30s", VECTOR(""));
    expect_data(&f, "/api/v1/query?query=count(up)&lookback_delta=30.001",
                VECTOR("{\"metric\":{},\"value\":[1700000000,\"2\"]}"));
    expect_bad(&f, "/api/v1/query?query=up&lookback_delta=x",
               BAD("error parsing lookback delta duration: cannot parse \\\"x\\\" to a valid "
                   "duration"));
    fixture_close(&f);
}

TEST(a_query_that_does_not_parse_is_bad_data)
{
    struct fixture f;
    fixture_open(&f);
    expect_bad(&f, "/api/v1/query",
               BAD_PARAM("query", "unknown position: parse error: no expression found in input"));
    expect_bad(&f, "/api/v1/query?query=up{",
               BAD_PARAM("query", "1:4: parse error: unexpected end of input inside braces"));
    expect_bad(&f, "/api/v1/query_range?query=up[5m]&start=1&end=2&step=1",
               BAD_PARAM("query",
                         "invalid expression type \\\"range vector\\\" for range query, must "
                         "be Scalar or instant Vector"));
    expect_bad(&f, "/api/v1/query?query=%ff",
               BAD_PARAM("query", "1:1: parse error: unexpected character: '\xef\xbf\xbd'"));
    fixture_close(&f);
}

TEST(a_range_needs_start_end_and_a_positive_step)
{
    struct fixture f;
    fixture_open(&f);
    expect_bad(&f, "/api/v1/query_range?query=up&end=2&step=1",
               BAD_PARAM("start", "cannot parse \\\"\\\" to a valid timestamp"));
    expect_bad(&f, "/api/v1/query_range?query=up&start=1&step=1",
               BAD_PARAM("end", "cannot parse \\\"\\\" to a valid timestamp"));
    expect_bad(&f, "/api/v1/query_range?query=up&start=1&end=2",
               BAD_PARAM("step", "cannot parse \\\"\\\" to a valid duration"));
    expect_bad(&f, "/api/v1/query_range?query=up&start=2&end=1&step=1",
               BAD_PARAM("end", "end timestamp must not be before start time"));
    const char *no_step =
        BAD_PARAM("step", "zero or negative query resolution step widths are not accepted. Try a "
                          "positive integer");
    expect_bad(&f, "/api/v1/query_range?query=up&start=1&end=2&step=0", no_step);
    expect_bad(&f, "/api/v1/query_range?query=up&start=1&end=2&step=-1", no_step);
    expect_bad(
        &f, "/api/v1/query_range?query=up&start=1&end=2&step=1e99",
        BAD_PARAM("step", "cannot parse \\\"1e99\\\" to a valid duration. It overflows int64"));
    fixture_close(&f);
}

TEST(a_series_has_eleven_thousand_and_one_points_at_most)
{
    struct fixture f;
    fixture_open(&f);
    const char *refused = BAD("exceeded maximum resolution of 11,000 points per timeseries. Try "
                              "decreasing the query resolution (?step=XX)");
    expect_bad(&f, "/api/v1/query_range?query=up&start=0&end=11001&step=1", refused);
    expect_bad(&f, "/api/v1/query_range?query=up&start=0&end=1e99&step=1", refused);
    expect_bad(&f, "/api/v1/query_range?query=up&start=-1e99&end=1e99&step=1y", refused);
    expect_data(&f, "/api/v1/query_range?query=up&start=0&end=11000&step=1", MATRIX(""));
    expect_data(&f, "/api/v1/query_range?query=up&start=0&end=11000.999&step=1", MATRIX(""));
    fixture_close(&f);
}

/* ---- failures of a query ---- */

TEST(a_query_that_cannot_be_evaluated_is_422)
{
    struct fixture f;
    fixture_open(&f);
    expect_reply(&f, "", "/api/v1/query?query=count_over_time(c_total[1m:1ms])", 422,
                 FAILURE("execution",
                         "query processing would load too many samples into memory in query "
                         "execution: limit max_samples_per_query is 1000 "
                         "(err-croft-max-samples-per-query): ask for fewer series or a shorter "
                         "time, or have the limit raised"));
    struct reply reply = ask(&f, "GET", "/api/v1/query?query=up+%2B+on()+up", TENANT_A, "");
    assert_int_equal(reply.code, 422);
    assert_true(memmem(reply.body.ptr, reply.body.len, "\"errorType\":\"execution\"", 23) != NULL);
    assert_int_equal(counter_get(&f.api.counters.failures), 0);
    fixture_close(&f);
}

TEST(a_query_without_time_left_is_503)
{
    struct fixture f;
    fixture_open(&f);
    sim_clock_advance(&f.box.clock, 1);
    expect_reply(&f, TENANT_A, "/api/v1/query?query=up&timeout=0", 503,
                 FAILURE("timeout", "query timed out in query execution"));
    expect_reply(&f, TENANT_A, "/api/v1/query?query=up&timeout=-5", 503,
                 FAILURE("timeout", "query timed out in query execution"));
    expect_bad(&f, "/api/v1/query?query=up&timeout=x",
               BAD_PARAM("timeout", "cannot parse \\\"x\\\" to a valid duration"));
    expect_data(&f, "/api/v1/query?query=1&timeout=1y&time=1",
                DATA("{\"resultType\":\"scalar\",\"result\":[1,\"1\"]}"));
    fixture_close(&f);
}

/* ---- the rest ---- */

TEST(a_query_is_formatted)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/format_query?query=sum(up)by(job)", DATA("\"sum by (job) (up)\""));
    expect_bad(&f, "/api/v1/format_query?query=(",
               BAD_PARAM("query", "1:2: parse error: unclosed left parenthesis"));
    fixture_close(&f);
}

TEST(parse_query_shows_the_tree)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/parse_query?query=-1e25",
                DATA("{\"val\":\"-10000000000000000000000000\",\"type\":\"numberLiteral\"}"));
    expect_data(&f, "/api/v1/parse_query?query=-(1)",
                DATA("{\"expr\":{\"expr\":{\"val\":\"1\",\"type\":\"numberLiteral\"},\"type\":"
                     "\"parenExpr\"},\"op\":\"-\",\"type\":\"unaryExpr\"}"));
    expect_data(&f, "/api/v1/parse_query?query=sum(up%7Ba%21~%22b%22%7D%20@%201.5)by(job)",
                DATA("{\"expr\":{\"anchored\":false,\"matchers\":[{\"name\":\"a\",\"type\":\"!~\","
                     "\"value\":\"b\"},{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"up\"}],"
                     "\"name\":\"up\",\"smoothed\":false,\"offset\":0,\"offsetExpr\":null,"
                     "\"startOrEnd\":null,\"timestamp\":1500,\"type\":\"vectorSelector\"},"
                     "\"grouping\":[\"job\"],\"op\":\"sum\",\"param\":null,\"without\":false,"
                     "\"type\":\"aggregation\"}"));
    expect_data(
        &f, "/api/v1/parse_query?query=up*on(a)group_left(b)rate(up%5B5m:%5D)",
        DATA("{\"bool\":false,\"lhs\":{\"anchored\":false,\"matchers\":[{\"name\":\"__name__\",\"t"
             "ype\":\"=\",\"value\":\"up\"}],\"name\":\"up\",\"smoothed\":false,\"offset\":0,\"off"
             "setExpr\":null,\"startOrEnd\":null,\"timestamp\":null,\"type\":\"vectorSelector\"},"
             "\"matching\":{\"card\":\"many-to-one\",\"fillValues\":{\"lhs\":null,\"rhs\":null},\""
             "include\":[\"b\"],\"labels\":[\"a\"],\"on\":true},\"op\":\"*\",\"rhs\":{\"args\":[{"
             "\"expr\":{\"anchored\":false,\"matchers\":[{\"name\":\"__name__\",\"type\":\"=\",\"v"
             "alue\":\"up\"}],\"name\":\"up\",\"smoothed\":false,\"offset\":0,\"offsetExpr\":null,"
             "\"startOrEnd\":null,\"timestamp\":null,\"type\":\"vectorSelector\"},\"range\":300000"
             ",\"rangeExpr\":null,\"step\":0,\"stepExpr\":null,\"offset\":0,\"offsetExpr\":null,\""
             "startOrEnd\":null,\"timestamp\":null,\"type\":\"subquery\"}],\"func\":{\"argTypes\":"
             "[\"matrix\"],\"name\":\"rate\",\"returnType\":\"vector\",\"variadic\":0},\"type\":\""
             "call\"},\"type\":\"binaryExpr\"}"));
    expect_data(
        &f, "/api/v1/parse_query?query=2%3Ebool%20pi()",
        DATA("{\"bool\":true,\"lhs\":{\"val\":\"2\",\"type\":\"numberLiteral\"},\"matching\":null,"
             "\"op\":\">\",\"rhs\":{\"args\":[],\"func\":{\"argTypes\":[],\"name\":\"pi\",\"return"
             "Type\":\"scalar\",\"variadic\":0},\"type\":\"call\"},\"type\":\"binaryExpr\"}"));
    expect_bad(&f, "/api/v1/parse_query?query=(",
               BAD_PARAM("query", "1:2: parse error: unclosed left parenthesis"));
    fixture_close(&f);
}

TEST(what_croft_has_not_is_empty)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/rules", DATA("{\"groups\":[]}"));
    expect_data(&f, "/api/v1/alerts", DATA("{\"alerts\":[]}"));
    expect_data(&f, "/api/v1/targets",
                DATA("{\"activeTargets\":[],\"droppedTargets\":[],\"droppedTargetCounts\":{}}"));
    expect_data(&f, "/api/v1/alertmanagers",
                DATA("{\"activeAlertmanagers\":[],\"droppedAlertmanagers\":[]}"));
    expect_data(&f, "/api/v1/targets/metadata", DATA("[]"));
    expect_data(&f, "/api/v1/scrape_pools", DATA("{\"scrapePools\":[]}"));
    expect_data(&f, "/api/v1/status/config", DATA("{\"yaml\":\"\"}"));
    expect_data(&f, "/api/v1/status/flags", DATA("{}"));
    assert_int_equal(counter_get(&f.api.counters.queries), 8);
    fixture_close(&f);
}

TEST(exemplars_are_asked_for_as_in_prometheus)
{
    struct fixture f;
    fixture_open(&f);
    expect_data(&f, "/api/v1/query_exemplars?query=test&start=1&end=2", DATA("[]"));
    expect_data(&f, "/api/v1/query_exemplars?query=test", DATA("[]"));
    expect_bad(&f, "/api/v1/query_exemplars?query=(",
               BAD("1:2: parse error: unclosed left parenthesis"));
    expect_bad(&f, "/api/v1/query_exemplars?query=test&start=noon",
               BAD_PARAM("start", "invalid time value for 'start': cannot parse \\\"noon\\\" to a "
                                  "valid timestamp"));
    expect_bad(&f, "/api/v1/query_exemplars?query=test&start=2&end=1",
               BAD("end timestamp must not be before start timestamp"));
    fixture_close(&f);
}

TEST_MAIN(RUN(a_large_answer_is_the_same_when_it_is_compressed_on_the_way),
          RUN(every_type_of_result_has_its_form),
          RUN(special_values_are_texts_and_times_have_milliseconds_when_needed),
          RUN(notes_of_a_query_stand_beside_its_data), RUN(stats_are_given_to_those_who_ask),
          RUN(a_result_is_cut_to_the_limit_with_a_warning), RUN(get_and_post_are_the_same),
          RUN(the_time_of_an_instant_query_is_now_unless_it_is_given),
          RUN(the_lookback_of_a_query_may_be_chosen), RUN(a_query_that_does_not_parse_is_bad_data),
          RUN(a_range_needs_start_end_and_a_positive_step),
          RUN(a_series_has_eleven_thousand_and_one_points_at_most),
          RUN(a_query_that_cannot_be_evaluated_is_422), RUN(a_query_without_time_left_is_503),
          RUN(a_query_is_formatted), RUN(parse_query_shows_the_tree),
          RUN(what_croft_has_not_is_empty), RUN(exemplars_are_asked_for_as_in_prometheus))
