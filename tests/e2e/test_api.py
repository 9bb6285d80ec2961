"""The read API as Grafana and curl use it: envelope, parameters, number texts, errors with code and text."""

import http.client
import gzip
import json
import unittest
import urllib.parse

from answers import ask, query
from harness import Croft, main, now_ms
from remote_write import COUNTER, message, send, write

# Each with parameters that make it answer with success.
READ_ENDPOINTS = [
    ("/api/v1/query", [("query", "m"), ("time", "$now")]),
    ("/api/v1/query_range", [("query", "m"), ("start", "$before"), ("end", "$now"), ("step", "15")]),
    ("/api/v1/query_exemplars", [("query", "m"), ("start", "$before"), ("end", "$now")]),
    ("/api/v1/format_query", [("query", "sum(m)by(a)")]),
    ("/api/v1/parse_query", [("query", "sum(m)by(a)")]),
    ("/api/v1/series", [("match[]", "m"), ("match[]", '{__name__="n"}')]),
    ("/api/v1/labels", [("start", "$before"), ("end", "$future"), ("limit", "40000")]),
    ("/api/v1/label/a/values", [("match[]", "m")]),
    ("/api/v1/metadata", [("limit", "40000")]),
    ("/api/v1/rules", []),
    ("/api/v1/alerts", []),
    ("/api/v1/targets", []),
    ("/api/v1/targets/metadata", []),
    ("/api/v1/scrape_pools", []),
    ("/api/v1/alertmanagers", []),
    ("/api/v1/status/config", []),
    ("/api/v1/status/flags", []),
    ("/api/v1/status/buildinfo", []),
]

# What Grafana adds to the URL of any request.
JUNK = [("max_samples_processed_warning_threshold", "1"), ("custom", "a b&c"), ("junk", "")]

ERRORS = [
    # path, parameters, code, errorType, parts of the text
    ("/api/v1/query", [], 400, "bad_data", ['invalid parameter "query"']),
    ("/api/v1/query", [("query", "sum(")], 400, "bad_data", ['invalid parameter "query": 1:5: parse error']),
    ("/api/v1/query", [("query", "m{a=~\"(\"}")], 400, "bad_data", ['invalid parameter "query"']),
    ("/api/v1/query", [("query", "m"), ("time", "noon")], 400, "bad_data",
     ['invalid parameter "time": ', 'cannot parse "noon" to a valid timestamp']),
    ("/api/v1/query", [("query", "m"), ("timeout", "soon")], 400, "bad_data",
     ['invalid parameter "timeout": cannot parse "soon" to a valid duration']),
    ("/api/v1/query", [("query", "m"), ("limit", "-1")], 400, "bad_data",
     ['invalid parameter "limit": limit must be non-negative']),
    ("/api/v1/query", [("query", '{__name__=~".*"}')], 400, "bad_data", ["must contain at least one"]),
    ("/api/v1/query", [("query", "m / on () n")], 422, "execution", ["many-to-many matching not allowed"]),
    ("/api/v1/query", [("query", 'label_replace(m, "b", "x", "a", "(")')], 422, "execution", ["label_replace"]),
    ("/api/v1/query", [("query", "m"), ("timeout", "0")], 503, "timeout", ["timed out"]),
    ("/api/v1/query_range", [("query", "m"), ("end", "1"), ("step", "1")], 400, "bad_data",
     ['invalid parameter "start"']),
    ("/api/v1/query_range", [("query", "m"), ("start", "2"), ("end", "1"), ("step", "1")], 400, "bad_data",
     ['invalid parameter "end": end timestamp must not be before start time']),
    ("/api/v1/query_range", [("query", "m"), ("start", "1"), ("end", "2"), ("step", "0")], 400, "bad_data",
     ['invalid parameter "step": zero or negative query resolution step widths are not accepted']),
    ("/api/v1/query_range", [("query", "m"), ("start", "0"), ("end", "11001"), ("step", "1")], 400, "bad_data",
     ["exceeded maximum resolution of 11,000 points per timeseries"]),
    ("/api/v1/query_range", [("query", "m[5m]"), ("start", "0"), ("end", "1"), ("step", "1")], 400, "bad_data",
     ['invalid parameter "query"', "range vector"]),
    ("/api/v1/series", [], 400, "bad_data", ["no match[] parameter provided"]),
    ("/api/v1/series", [("match[]", "m{")], 400, "bad_data", ['invalid parameter "match[]"']),
    ("/api/v1/series", [("match[]", '{a=""}')], 400, "bad_data", ["must contain at least one"]),
    ("/api/v1/labels", [("start", "x")], 400, "bad_data", ['invalid parameter "start"']),
    ("/api/v1/labels", [("limit", "x")], 400, "bad_data", ['invalid parameter "limit"']),
]

NUMBERS = {"1e-7": "1e-07", "1e21": "1e+21", "1e20": "100000000000000000000", "0.1 + 0.2": "0.30000000000000004",
           "-0": "-0", "0 / 0": "NaN", "1 / 0": "+Inf", "-1 / 0": "-Inf", "1e-6": "0.000001", "0x1F": "31",
           "2 ^ 53": "9007199254740992", "1.5": "1.5", "100": "100", "1e100": "1e+100"}


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.croft = Croft(cls).start()
        cls.http = cls.croft.http
        cls.now_s = now_ms() // 1000
        samples = [((cls.now_s - age) * 1000, 60 - age) for age in range(60, -1, -5)]
        write(cls.http, [({"__name__": "m", "a": "1"}, samples), ({"__name__": "m", "a": "2"}, samples),
                         ({"__name__": "n", "b": "x"}, samples), ({"__name__": "n", "b": "y"}, samples),
                         ({"__name__": "one.dotted", "a.b": "x.y"}, samples),
                         ({"__name__": "xFooybArz"}, samples)])
        send(cls.http, message([], [(COUNTER, "m", "What m is.", "")]))

    @classmethod
    def addCleanup(cls, function, *args, **kwargs):
        """The server belongs to the class."""
        cls.addClassCleanup(function, *args, **kwargs)

    def fill_in(self, params):
        times = {"$now": self.now_s, "$before": self.now_s - 60, "$future": self.now_s + 3600}
        return [(name, times.get(value, value)) for name, value in params]

    # the health check of Grafana

    def test_one_and_one_is_two_whichever_way_it_is_asked(self):
        want = b'{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}'
        params = [("query", "1+1"), ("time", "4")]
        target = "/api/v1/query?" + urllib.parse.urlencode(params)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for reply in (self.http.post_form("/api/v1/query", params), self.http.get("/api/v1/query", params),
                      self.http.send("POST", target, b"", form), self.http.send("POST", target, b""),
                      self.http.send("POST", target, b"", {"Content-Type": "text/plain"})):
            self.assertEqual((reply.code, reply.body), (200, want))
            self.assertTrue(reply.headers["Content-Type"].startswith("application/json"))

    def test_buildinfo_is_that_of_a_prometheus(self):
        info = ask(self.http, "/api/v1/status/buildinfo")
        self.assertNotIn("features", info)
        self.assertRegex(info["version"], r"^3\.\d+\.\d+$")
        self.assertTrue(all(isinstance(value, str) for value in info.values()))

    def test_what_croft_does_not_have_answers_with_success_and_nothing(self):
        self.assertEqual(ask(self.http, "/api/v1/rules"), {"groups": []})
        self.assertEqual(ask(self.http, "/api/v1/alerts"), {"alerts": []})
        self.assertEqual(ask(self.http, "/api/v1/query_exemplars",
                             [("query", "test"), ("start", 1700000000000), ("end", 1700003600000)]), [])
        self.assertEqual(ask(self.http, "/api/v1/targets")["activeTargets"], [])
        self.assertEqual(ask(self.http, "/api/v1/alertmanagers")["activeAlertmanagers"], [])

    # requests

    def test_get_and_post_and_the_prefix_answer_alike(self):
        for path, params in READ_ENDPOINTS:
            params = self.fill_in(params)
            with self.subTest(path):
                want = self.http.get(path, params)
                self.assertEqual(want.code, 200, want)
                target = path + "?" + urllib.parse.urlencode(params)
                for reply in (self.http.post_form(path, params), self.http.get("/prometheus" + path, params),
                              self.http.post_form("/prometheus" + path, params),
                              self.http.send("POST", target, b""), self.http.get("/" + path, params),
                              self.http.post_form(path + "?" + urllib.parse.urlencode(JUNK), params),
                              self.http.get(path, JUNK + params + [("stats", "")])):
                    self.assertEqual((reply.code, reply.body), (want.code, want.body))

    def test_the_form_wins_over_the_url_and_selectors_of_both_count(self):
        reply = self.http.post_form("/api/v1/query?query=1&time=4", [("query", "2")])
        self.assertEqual(reply.json()["data"]["result"], [4, "2"])
        reply = self.http.post_form("/api/v1/label/__name__/values?match[]=m", [("match[]", "n")])
        self.assertEqual(reply.json()["data"], ["m", "n"])

    def test_an_unknown_path_is_404_and_another_method_405_with_those_allowed(self):
        for path in ("/", "/api/v1/nowhere", "/api/v2/query", "/api/v1/label//values"):
            self.assertEqual(self.http.get(path).code, 404, path)
        for path, params in READ_ENDPOINTS:
            reply = self.http.send("DELETE", path)
            self.assertEqual(reply.code, 405, path)
            self.assertIn("GET", reply.headers["Allow"])
            self.assertIn("POST", reply.headers["Allow"])

    def test_a_connection_is_kept(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.croft.port, timeout=60)
        self.addClassCleanup(connection.close)
        for text in ("1", "sum(", "2"):
            connection.request("GET", "/api/v1/query?query=" + urllib.parse.quote(text))
            socket = connection.sock
            connection.getresponse().read()
            self.assertIs(connection.sock, socket)

    def test_gzip_is_for_those_who_ask(self):
        plain = self.http.get("/metrics")
        self.assertNotIn("Content-Encoding", plain.headers)
        zipped = self.http.get("/metrics", headers={"Accept-Encoding": "br, zstd, gzip, deflate"})
        self.assertEqual(zipped.headers["Content-Encoding"], "gzip")
        self.assertIn("Accept-Encoding", zipped.headers["Vary"])
        self.assertIn(b"croft_build_info", gzip.decompress(zipped.body))

    def test_health_and_readiness(self):
        for path in ("/-/healthy", "/-/ready"):
            self.assertEqual(self.http.get(path).code, 200)
            self.assertEqual(self.http.send("HEAD", path).body, b"")

    # times and numbers

    def test_times_are_whole_or_have_three_decimals(self):
        for given, shown in [("4", "4"), ("4.5", "4.500"), ("1700000000.05", "1700000000.050"), ("-1.5", "-1.500"),
                             ("1.7e9", "1700000000"), ("2023-11-14T22:13:20.5Z", "1700000000.500"),
                             ("2023-11-15T00:13:20+02:00", "1700000000"), ("1700000000000", "1700000000000"),
                             ("0", "0")]:
            body = self.http.get("/api/v1/query", [("query", "vector(1)"), ("time", given)]).text()
            self.assertIn(f'"value":[{shown},"1"]', body)
        for given in ("-292273086-05-16T16:47:06Z", "292277025-08-18T07:12:54.999999999Z"):
            self.assertEqual(query(self.http, "m", given)["result"], [])

    def test_numbers_have_the_text_that_prometheus_gives_them(self):
        for text, shown in NUMBERS.items():
            vector = query(self.http, f"vector({text})", 4)["result"]
            self.assertEqual([one["value"] for one in vector], [[4, shown]], text)

    def test_a_scalar_is_written_by_another_encoder_of_prometheus(self):
        for text, at, shown in [("1e-7", "4", '[4,"0.0000001"]'), ("1e21", "4", f'[4,"1{"0" * 21}"]'),
                                  ("-0", "4.5", '[4.5,"-0"]'), ("1", "1700000000.05", '[1700000000.05,"1"]')]:
            body = self.http.get("/api/v1/query", [("query", text), ("time", at)]).text()
            self.assertIn(f'"result":{shown}', body)

    def test_the_shapes_of_results(self):
        now = self.now_s
        self.assertEqual(query(self.http, 'm{a="1"}', now), {
            "resultType": "vector", "result": [{"metric": {"__name__": "m", "a": "1"}, "value": [now, "60"]}]})
        self.assertEqual(query(self.http, 'm{a="1"}[10s]', now), {
            "resultType": "matrix", "result": [{"metric": {"__name__": "m", "a": "1"},
                                                "values": [[now - 5, "55"], [now, "60"]]}]})
        self.assertEqual(query(self.http, '"text"', 4), {"resultType": "string", "result": [4, "text"]})
        self.assertEqual(query(self.http, "nothing", now), {"resultType": "vector", "result": []})
        self.assertEqual(query(self.http, "nothing[5m]", now), {"resultType": "matrix", "result": []})
        ranged = ask(self.http, "/api/v1/query_range", [("query", "1"), ("start", 0), ("end", 2), ("step", 1)])
        self.assertEqual(ranged, {"resultType": "matrix", "result": [
            {"metric": {}, "values": [[0, "1"], [1, "1"], [2, "1"]]}]})

    def test_a_range_has_points_at_start_plus_steps_and_at_most_11001(self):
        params = [("query", "vector(1)"), ("start", 3), ("end", 11003), ("step", 1)]
        points = ask(self.http, "/api/v1/query_range", params)["result"][0]["values"]
        self.assertEqual([ts for ts, _ in points], list(range(3, 11004)))
        for step in ("7", "7s", "0m7s", "7.0"):
            params = [("query", "vector(1)"), ("start", 3.5), ("end", 20), ("step", step)]
            points = ask(self.http, "/api/v1/query_range", params)["result"][0]["values"]
            self.assertEqual([ts for ts, _ in points], [3.5, 10.5, 17.5])

    def test_stats_are_there_when_asked_for(self):
        stats = ask(self.http, "/api/v1/query", [("query", "m"), ("time", self.now_s), ("stats", "all")])["stats"]
        self.assertGreaterEqual(stats["samples"]["totalQueryableSamples"], 2)

    # selectors

    def test_durations_as_grafana_writes_them(self):
        for duration in ("1m0s", "1h0m0s", "3600s", "4m15s", "1d12h"):
            self.assertEqual(len(query(self.http, f"rate(m[{duration}])", self.now_s)["result"]), 2)

    def test_selectors_as_grafana_writes_them(self):
        for selector, names in [('{"a.b"="x.y"}', ["one.dotted"]), ('{"one.dotted"}', ["one.dotted"]),
                                ('{__name__=~".+",}', ["m", "n", "one.dotted", "xFooybArz"]),
                                ('{__name__=~"(?i).*foo.*bar.*"}', ["xFooybArz"]),
                                ('{__ignore_usage__="",__name__="m"}', ["m"]),
                                ('{__name__=~"m|n",b=~"x|y"}', ["n"]), ('{__name__!~"m|n|one.*|"}', ["xFooybArz"])]:
            found = ask(self.http, "/api/v1/label/__name__/values", [("match[]", selector)])
            self.assertEqual(found, names, selector)

    def test_escaped_names_in_paths(self):
        for name in ("U__a_2e_b", "a.b", "a%2Eb"):
            self.assertEqual(ask(self.http, f"/api/v1/label/{name}/values"), ["x.y"])
        self.assertEqual(self.http.get("/api/v1/label/%FF/values").code, 400)

    def test_an_alternation_of_megabytes_is_looked_up(self):
        words = "|".join(f"metric_number_{n}_of_many" for n in range(80000))
        params = [("match[]", '{__name__=~"m|' + words + '"}')]
        reply = self.http.post_form("/api/v1/labels", params)
        self.assertEqual(reply.json()["data"], ["__name__", "a"])
        self.assertGreater(len(params[0][1]), 2_000_000)

    def test_series_are_the_union_of_selectors(self):
        found = ask(self.http, "/api/v1/series", [("match[]", "m"), ("match[]", '{a="1"}'), ("match[]", 'n{b="x"}')])
        self.assertEqual(found, [{"__name__": "m", "a": "1"}, {"__name__": "m", "a": "2"},
                                 {"__name__": "n", "b": "x"}])

    def test_times_narrow_series_and_labels(self):
        for path in ("/api/v1/series", "/api/v1/labels", "/api/v1/label/a/values"):
            before = [("match[]", "m"), ("start", self.now_s - 7200), ("end", self.now_s - 3600)]
            self.assertEqual(ask(self.http, path, before), [], path)
            turned = [("match[]", "m"), ("start", self.now_s), ("end", self.now_s - 3600)]
            self.assertEqual(ask(self.http, path, turned), [], path)
        self.assertEqual(ask(self.http, "/api/v1/label/a/values", [("end", self.now_s + 7200)]), ["1", "2"])

    def test_a_limit_cuts_and_warns(self):
        for path, params in [("/api/v1/series", [("match[]", "m")]), ("/api/v1/labels", []),
                             ("/api/v1/label/a/values", [])]:
            reply = self.http.get(path, params + [("limit", 1)]).json()
            self.assertEqual((len(reply["data"]), reply["warnings"]), (1, ["results truncated due to limit"]))
            self.assertNotIn("warnings", self.http.get(path, params + [("limit", 0)]).json())
        reply = self.http.get("/api/v1/query", [("query", "m"), ("time", self.now_s), ("limit", 1)]).json()
        self.assertEqual(len(reply["data"]["result"]), 1)
        self.assertEqual(reply["warnings"], ["results truncated due to limit"])

    # errors

    def test_errors_have_code_type_and_text(self):
        for path, params, code, kind, texts in ERRORS:
            with self.subTest(path, params=params):
                params = params if ("time" in dict(params)) else params + [("time", self.now_s)]
                for reply in (self.http.get(path, params), self.http.post_form(path, params)):
                    self.assertEqual(reply.code, code, reply)
                    answer = json.loads(reply.body)
                    self.assertEqual(list(answer), ["status", "errorType", "error"])
                    self.assertEqual((answer["status"], answer["errorType"]), ("error", kind))
                    for text in texts:
                        self.assertIn(text, answer["error"])


class Experimental(unittest.TestCase):
    def expect(self, croft, text, code, answer):
        reply = croft.http.get("/api/v1/query", [("query", text), ("time", 7)])
        self.assertEqual((reply.code, reply.json().get("data", reply.json().get("error"))), (code, answer))

    def test_functions_wait_for_their_flag(self):
        croft = Croft(self).start()
        self.expect(croft, "max_of(1, 2)", 400,
                    'invalid parameter "query": 1:1: parse error: function "max_of" is not enabled')
        self.expect(croft, "limitk(1, up)", 400,
                    'invalid parameter "query": 1:1: parse error: limitk() is experimental and must be enabled '
                    'with --enable-feature=promql-experimental-functions')

    def test_a_flag_or_a_key_of_the_configuration_enables_them(self):
        names = "exemplar-storage,promql-experimental-functions"
        for croft in (Croft(self, "--enable-feature", names), Croft(self, config={"enable_feature": names})):
            self.expect(croft.start(), "max_of(1, 2)", 200, {"resultType": "scalar", "result": [7, "2"]})


if __name__ == "__main__":
    main()
