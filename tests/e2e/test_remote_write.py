"""What the receiver of remote writes answers, and what is there to read afterwards."""

import http.client
import json
import os
import socket
import struct
import threading
import unittest

import snappy

from answers import ask, query, raw_samples, values
from harness import Croft, main, now_ms, wait_until
from remote_write import COUNTER, GAUGE, HEADERS, STALE, field, message, send, time_series, write

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
FRAMED_SNAPPY = b"\xff\x06\x00\x00sNaPpY"


class Case(unittest.TestCase):
    CONFIG = None

    def setUp(self):
        self.croft = Croft(self, config=self.CONFIG).start()
        self.http = self.croft.http
        # a whole second, so that windows are easy to say; now itself is not too far in the future
        self.now_ms = now_ms() // 1000 * 1000

    def post(self, body, headers=None, path="/api/v1/push"):
        return self.http.send("POST", path, body, HEADERS if headers is None else headers)

    def expect_refused(self, reply, code, *texts):
        self.assertEqual(reply.code, code, reply)
        for text in texts:
            self.assertIn(text, reply.text())
        self.assertLessEqual(len(reply.body), 4097)
        self.assertEqual(reply.text().count("\n"), 1, "one line")

    def samples(self, selector, window="1h", at_ms=None):
        """[(ms relative to now, text of the value), ...] of the one series that matches."""
        at_s = (self.now_ms if at_ms is None else at_ms) / 1000
        found = raw_samples(self.http, f"{selector}[{window}]", at_s)
        self.assertLessEqual(len(found), 1, found)
        return [(round(ts * 1000) - self.now_ms, text) for one in found.values() for ts, text in one]

    def values(self, text):
        """{name and labels: text of the value}, names without labels as plain text."""
        return {name_of(labels): value
                for labels, value in values(self.http, text, self.now_ms / 1000).items()}

    def names(self):
        return ask(self.http, "/api/v1/label/__name__/values")


def name_of(labels):
    rest = dict(labels)
    name = rest.pop("__name__", "")
    return name + ("{" + ",".join(f"{k}={v}" for k, v in sorted(rest.items())) + "}" if rest else "")


class Transport(Case):
    def one(self, name="m"):
        return snappy.compress(message([({"__name__": name}, [(self.now_ms, 1)])]))

    def test_a_write_is_answered_204_without_a_body_and_can_be_read_at_once(self):
        for count, path in enumerate(("/api/v1/push", "/api/v1/write", "/prometheus/api/v1/push",
                                      "/prometheus/api/v1/write")):
            reply = self.post(self.one(f"m{count}"), path=path)
            self.assertEqual((reply.code, reply.body), (204, b""))
            self.assertEqual(self.values(f"m{count}"), {f"m{count}": "1"})
            self.assertFalse([name for name in reply.headers if name.lower().endswith("-written")])

    def test_other_methods_are_405_and_the_reply_says_which_is_allowed(self):
        for method in ("GET", "PUT", "DELETE"):
            reply = self.http.send(method, "/api/v1/push")
            self.assertEqual(reply.code, 405)
            self.assertIn("POST", reply.headers["Allow"].split(", "))
            self.assertNotIn(method, reply.headers["Allow"].split(", "))

    def test_media_types_that_are_remote_write_1(self):
        for kind in (None, "application/x-protobuf", "application/x-protobuf;proto=prometheus.WriteRequest",
                     'Application/X-Protobuf ; Proto="prometheus.WriteRequest"'):
            headers = dict(HEADERS)
            del headers["Content-Type"]
            if kind is not None:
                headers["Content-Type"] = kind
            with self.subTest(kind):
                self.assertEqual(self.post(self.one(), headers).code, 204)
        self.assertEqual(self.post(self.one(), {"Content-Type": HEADERS["Content-Type"]}).code, 204)

    def test_other_media_types_and_encodings_are_415(self):
        for changed in ({"Content-Type": "application/json"},
                        {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v9.Request"},
                        {"Content-Type": "application/x-www-form-urlencoded"},
                        {"Content-Encoding": "gzip"}, {"Content-Encoding": "deflate"},
                        {"Content-Encoding": "zstd"}):  # with which vmagent begins, to go on with snappy
            with self.subTest(changed):
                self.expect_refused(self.post(self.one(), {**HEADERS, **changed}), 415)
        self.assertEqual(self.names(), [])

    def test_415_comes_before_the_body(self):
        """The body is announced and never sent, so an answer cannot have waited for it.

        One that is short and not held back is read to its end, which keeps the connection.
        """
        for announced in (b"Content-Length: 1000\r\nExpect: 100-continue", b"Content-Length: 9000000",
                          b"Transfer-Encoding: chunked"):
            with socket.create_connection(("127.0.0.1", self.croft.port), timeout=60) as connection:
                connection.sendall(b"POST /api/v1/push HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                                   b"Content-Encoding: snappy\r\n" + announced + b"\r\n\r\n")
                with self.subTest(announced):
                    self.assertEqual(connection.recv(4096)[:13], b"HTTP/1.1 415 ")

    def exchange(self, parts):
        """What comes back for the bytes of `parts`, each of which is sent by itself, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.croft.port), timeout=60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in parts:
                connection.sendall(part)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def test_bodies_arrive_in_every_way_that_http_has(self):
        def head(version, length, *lines):
            return b"\r\n".join([b"POST /api/v1/push HTTP/" + version, b"Host: localhost",
                                 b"Content-Type: application/x-protobuf", b"Content-Encoding: snappy",
                                 length, *lines, b"", b""])
        chunked, close = b"Transfer-Encoding: chunked", b"Connection: close"
        body = {name: self.one(name) for name in ("cut", "old", "expected", "chunks", "bytes", "first", "second")}
        length = {name: b"Content-Length: %d" % len(one) for name, one in body.items()}
        by_byte = [b"1;x=y\r\n" + body["bytes"][i:i + 1] + b"\r\n" for i in range(len(body["bytes"]))]
        begin = head(b"1.1", length["cut"], close)
        for what, parts in {
            "in pieces": [begin[:30], begin[30:], body["cut"][:5], body["cut"][5:]],
            "HTTP/1.0": [head(b"1.0", length["old"]) + body["old"]],
            "held back": [head(b"1.1", length["expected"], b"Expect: 100-continue", close), body["expected"]],
            "one chunk": [head(b"1.1", chunked, close), b"%x\r\n" % len(body["chunks"]), body["chunks"],
                          b"\r\n0\r\n\r\n"],
            "chunks of a byte": [head(b"1.1", chunked, close), *by_byte, b"0\r\nTrailer: t\r\n\r\n"],
            "two at once": [head(b"1.1", length["first"]) + body["first"] +
                            head(b"1.1", length["second"], close) + body["second"]],
        }.items():
            with self.subTest(what):
                reply = self.exchange(parts)
                self.assertEqual(reply.count(b" 204 No Content\r\n"), 2 if what == "two at once" else 1, reply)
        self.assertEqual(self.names(), sorted(body))

    def test_what_is_not_snappy_or_not_protobuf_is_400_and_nothing_is_written(self):
        whole = message([({"__name__": "m"}, [(self.now_ms, 1)])])
        for name, body in [("no snappy", b"\xff" * 40), ("snappy cut short", snappy.compress(whole)[:-3]),
                           ("framed snappy", FRAMED_SNAPPY + b"\x00" * 20),
                           ("protobuf cut short", snappy.compress(whole + whole[:-3])),
                           ("group", snappy.compress(whole + b"\x0b")),
                           ("varint without end", snappy.compress(whole + b"\xff" * 12))]:
            with self.subTest(name):
                self.expect_refused(self.post(body), 400)
        self.assertEqual(self.names(), [])

    def test_a_length_that_is_too_large_is_413(self):
        declared = bytes([0xFF, 0xFF, 0xFF, 0xFF, 0x0F])
        self.expect_refused(self.post(declared + b"\x00" * 100), 413)

    def test_empty_requests_are_fine(self):
        for body in (b"", snappy.compress(b"")):
            self.assertEqual(self.post(body).code, 204)

    def test_unknown_fields_are_skipped(self):
        series = time_series({"__name__": "m"}, [(self.now_ms, 5)])
        odd = field(1, series + field(9, "later") + b"\x50\x07") + field(2, "x") + b"\x7d1234" + \
            b"\x79" + b"12345678"
        self.assertEqual(send(self.http, odd).code, 204)
        self.assertEqual(self.values("m"), {"m": "5"})

    def test_a_connection_serves_on_after_every_refusal(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.croft.port, timeout=60)
        self.addCleanup(connection.close)
        for body, headers, code in [(self.one(), HEADERS, 204), (b"\xff" * 40, HEADERS, 400),
                                    (self.one(), {**HEADERS, "Content-Type": "text/plain"}, 415),
                                    (self.one(), HEADERS, 204)]:
            connection.request("POST", "/api/v1/push", body, headers)
            reply = connection.getresponse()
            reply.read()
            self.assertEqual(reply.status, code)


class Labels(Case):
    def test_unsorted_labels_are_one_series_with_sorted_ones(self):
        write(self.http, [([("z", "1"), ("__name__", "m"), ("a", "2")], [(self.now_ms - 2000, 1)])])
        write(self.http, [({"__name__": "m", "a": "2", "z": "1"}, [(self.now_ms - 1000, 2)])])
        write(self.http, [([("__name__", "m"), ("z", "1"), ("a", "2")], [(self.now_ms, 3)])])
        self.assertEqual(self.samples("m"), [(-2000, "1"), (-1000, "2"), (0, "3")])
        self.assertEqual(ask(self.http, "/api/v1/series", [("match[]", "m")]),
                         [{"__name__": "m", "a": "2", "z": "1"}])

    def test_a_series_that_is_not_valid_is_refused_and_the_others_are_kept(self):
        bad = {"no name": [("a", "b")], "empty name": [("__name__", ""), ("a", "b")], "no labels": [],
               "label twice": [("__name__", "bad"), ("a", "1"), ("a", "2")],
               "same label twice": [("__name__", "bad"), ("a", "1"), ("a", "1")],
               "empty label name": [("__name__", "bad"), ("", "1")],
               "not UTF-8": [("__name__", "bad"), ("a", b"\xff\xfe")],
               "label name not UTF-8": [("__name__", "bad"), (b"\xc3", "1")],
               "max-label-names-per-series": [("__name__", "bad")] + [(f"l{i:03}", "v") for i in range(65)],
               "max-label-name-length": [("__name__", "bad"), ("n" * 1025, "v")],
               "max-label-value-length": [("__name__", "bad"), ("a", "v" * 4097)]}
        for number, (what, labels) in enumerate(bad.items()):
            with self.subTest(what):
                samples = [(self.now_ms - 1000, 1), (self.now_ms, 2)]
                reply = send(self.http, message([({"__name__": f"before_{number}"}, samples),
                                                 (labels, samples),
                                                 ({"__name__": f"behind_{number}"}, samples)]))
                self.expect_refused(reply, 400, "2 of 6 samples were refused",
                                    what if what.startswith("max-") else "invalid-labels")
                for name in (f"before_{number}", f"behind_{number}"):
                    self.assertEqual(self.samples(name), [(-1000, "1"), (0, "2")])
        self.assertFalse([name for name in self.names() if not name.startswith("be")])

    def test_an_empty_value_is_the_same_as_no_label(self):
        write(self.http, [({"__name__": "m", "a": "", "b": "1"}, [(self.now_ms - 1000, 1)])])
        write(self.http, [({"__name__": "m", "b": "1"}, [(self.now_ms, 2)])])
        self.assertEqual(self.samples("m"), [(-1000, "1"), (0, "2")])
        self.assertEqual(ask(self.http, "/api/v1/labels"), ["__name__", "b"])

    def test_any_utf_8_is_kept(self):
        labels = {"__name__": "smörgås.count ☕", "label with space": "line\nbreak \"quoted\" \\ 🙂",
                  "a.b": "tab\there"}
        write(self.http, [(labels, [(self.now_ms, 1)])])
        found = ask(self.http, "/api/v1/series", [("match[]", '{"smörgås.count ☕"}')])
        self.assertEqual(found, [labels])
        self.assertEqual(ask(self.http, "/api/v1/label/U__a_2e_b/values"), ["tab\there"])

    def test_the_refusal_shows_labels_cut_and_without_control_characters(self):
        labels = [("__name__", "m\n\x1b[31m"), ("a", "x" * 4000), ("b", "1"), ("b", "1")]
        reply = send(self.http, message([(labels, [(self.now_ms, 1)])]))
        self.expect_refused(reply, 400)
        self.assertFalse([c for c in reply.text()[:-1] if ord(c) < 0x20])
        self.assertLess(len(reply.text()), 1000)


class Samples(Case):
    def write_m(self, *pairs):
        """Pairs of ms relative to now and value."""
        return send(self.http, message([({"__name__": "m"},
                                         [(self.now_ms + ms, value) for ms, value in pairs])]))

    def test_every_number_comes_back_as_it_is(self):
        numbers = {0.1 + 0.2: "0.30000000000000004", 1e-7: "1e-07", 1e21: "1e+21", -0.0: "-0",
                   float("inf"): "+Inf", float("-inf"): "-Inf", 5e-324: "5e-324",
                   1.7976931348623157e308: "1.7976931348623157e+308", 123456789: "123456789"}
        for step, value in enumerate(numbers):
            self.assertEqual(self.write_m((step - 60000, value)).code, 204)
        self.assertEqual([text for _, text in self.samples("m")], list(numbers.values()))

    def test_a_nan_is_a_value_and_a_stale_marker_is_none(self):
        self.assertEqual(self.write_m((-3000, float("nan")), (-2000, struct.pack("<Q", 0x7FF8000000000001)),
                                      (-1000, STALE)).code, 204)
        self.assertEqual(self.samples("m"), [(-3000, "NaN"), (-2000, "NaN")])
        self.assertEqual(self.values("m"), {})
        self.assertEqual(self.values("m offset 2s"), {"m": "NaN"})

    def test_samples_may_come_in_any_order(self):
        for ms, value in [(-5000, 5), (-1000, 1), (-3000, 3), (-4000, 4), (-2000, 2)]:
            self.assertEqual(self.write_m((ms, value)).code, 204)
        self.assertEqual(self.write_m((-8000, 8), (-9000, 9), (-7000, 7)).code, 204)
        self.assertEqual(self.samples("m"), [(-s * 1000, str(s)) for s in (9, 8, 7, 5, 4, 3, 2, 1)])

    def test_the_same_sample_again_is_fine(self):
        for _ in range(3):
            self.assertEqual(self.write_m((-2000, 1), (-1000, float("nan")), (0, STALE)).code, 204)
        self.assertEqual(self.samples("m"), [(-2000, "1"), (-1000, "NaN")])

    def test_another_value_for_the_same_time_is_refused_and_the_rest_kept(self):
        self.assertEqual(self.write_m((-3000, 1), (-2000, 2)).code, 204)
        reply = self.write_m((-3000, 7), (-2000, 2), (-2000, 8), (-1000, 3))
        self.expect_refused(reply, 400, "2 of 4 samples were refused", "duplicate-timestamp")
        self.assertEqual(self.samples("m"), [(-3000, "1"), (-2000, "2"), (-1000, "3")])

    def test_an_ordinary_nan_does_not_pass_for_a_stale_marker(self):
        self.assertEqual(self.write_m((0, float("nan"))).code, 204)
        self.expect_refused(self.write_m((0, STALE)), 400, "duplicate-timestamp")
        self.assertEqual(self.values("m"), {"m": "NaN"})

    def test_the_series_of_one_label_set_in_a_message_are_one_stream(self):
        labels = {"__name__": "m"}
        write(self.http, [(labels, [(self.now_ms - 2000, 1)]), ({"__name__": "n"}, [(self.now_ms, 9)]),
                          (labels, [(self.now_ms - 1000, 2), (self.now_ms, 3)])])
        self.assertEqual(self.samples("m"), [(-2000, "1"), (-1000, "2"), (0, "3")])

    def test_the_future_ends_in_ten_minutes(self):
        # a minute is left on both sides for what passes until the request arrives
        self.assertEqual(self.write_m((9 * MINUTE_MS, 1)).code, 204)
        reply = self.write_m((0, 2), (12 * MINUTE_MS, 3), (1 << 60, 4))
        self.expect_refused(reply, 400, "2 of 3 samples were refused", "too-far-in-future")
        self.assertEqual(self.samples("m", "1h", self.now_ms + 10 * MINUTE_MS),
                         [(0, "2"), (9 * MINUTE_MS, "1")])

    def test_the_past_ends_where_the_retention_does(self):
        self.assertEqual(self.write_m((-29 * DAY_MS, 1)).code, 204)
        reply = self.write_m((-31 * DAY_MS, 2), (-1 << 60, 3), (0, 4))
        self.expect_refused(reply, 400, "2 of 3 samples were refused", "too-old")
        self.assertEqual(self.samples("m", "60d"), [(-29 * DAY_MS, "1"), (0, "4")])

    def test_metadata_is_kept_and_the_last_told_holds(self):
        entries = [(COUNTER, "m_total", "Of this.", "things"), (GAUGE, "g", "Old."), (99, "odd", "")]
        self.assertEqual(send(self.http, message([], entries)).code, 204)
        self.assertEqual(send(self.http, message([], [(GAUGE, "g", "New.")])).code, 204)
        self.assertEqual(ask(self.http, "/api/v1/metadata"), {
            "m_total": [{"type": "counter", "help": "Of this.", "unit": "things"}],
            "g": [{"type": "gauge", "help": "New.", "unit": ""}],
            "odd": [{"type": "unknown", "help": "", "unit": ""}]})
        self.assertEqual(list(ask(self.http, "/api/v1/metadata", [("metric", "g")])), ["g"])
        self.assertEqual(len(ask(self.http, "/api/v1/metadata", [("limit", 1)])), 1)

    def test_what_was_answered_is_there_after_kill_9(self):
        for ms in range(-60000, 0, 1000):
            self.assertEqual(self.write_m((ms, ms)).code, 204)
        self.croft.kill()
        self.croft.start()
        self.assertEqual(self.samples("m"), [(ms, str(ms)) for ms in range(-60000, 0, 1000)])


class Limits(Case):
    CONFIG = {"limits": {"max_series": 1000}, "tenants": {"small": {"limits": {"max_series": 10}},
                                                          "busy": {"limits": {"max_series": 100}}}}
    WRITERS, SERIES_EACH, PER_WRITE = 8, 60, 6

    def numbered(self, name, numbers, value=1, ms=0):
        return [({"__name__": name, "n": str(n)}, [(self.now_ms + ms, value)]) for n in numbers]

    def count(self, tenant, text):
        found = query(self.http, text, self.now_ms / 1000, headers={"X-Scope-OrgID": tenant})["result"]
        return int(found[0]["value"][1]) if found else 0

    def test_at_the_limit_new_series_are_refused_and_known_ones_go_on(self):
        write(self.http, self.numbered("m", range(10), ms=-1000), tenant="small")
        mixed = self.numbered("m", range(8, 13), value=2) + self.numbered("new", [1])
        reply = send(self.http, message(mixed), tenant="small")
        self.expect_refused(reply, 400, "4 of 6 samples were refused", "err-croft-max-series",
                            "max_series", "10", "small")
        self.assertEqual(self.count("small", 'count({__name__=~".+"})'), 10)
        self.assertEqual(self.count("small", "count(m == 2)"), 2)
        self.assertEqual(self.count("small", "count(new)"), 0)

    def test_a_limit_costs_its_tenant_only(self):
        reply = send(self.http, message(self.numbered("m", range(50))), tenant="small")
        self.expect_refused(reply, 400, "40 of 50 samples were refused")
        write(self.http, self.numbered("m", range(50)), tenant="other")
        self.assertEqual(self.count("other", "count(m)"), 50)

    def test_a_limit_counts_per_tenant_within_one_write(self):
        series = [({**labels, "tenant_id": tenant}, samples) for tenant in ("small", "other")
                  for labels, samples in self.numbered("m", range(20))]
        reply = send(self.http, message(series))
        self.expect_refused(reply, 400, "10 of 40 samples were refused")
        self.assertEqual(self.count("small", "count(m)"), 10)
        self.assertEqual(self.count("other", "count(m)"), 20)

    def test_the_limit_is_exact_under_concurrent_writers(self):
        replies = []

        def write_all(writer):
            for first in range(0, self.SERIES_EACH, self.PER_WRITE):
                mine = [f"{writer}-{n}" for n in range(first, first + self.PER_WRITE)]
                replies.append(send(self.http, message(self.numbered("m", mine)), tenant="busy"))

        threads = [threading.Thread(target=write_all, args=[w]) for w in range(self.WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refused = sum(int(reply.text().split()[0]) for reply in replies if reply.code == 400)
        self.assertEqual({reply.code for reply in replies}, {204, 400})
        self.assertEqual(len(replies), self.WRITERS * self.SERIES_EACH // self.PER_WRITE)
        self.assertEqual(self.WRITERS * self.SERIES_EACH - refused, 100)
        self.assertEqual(self.count("busy", "count(m)"), 100)
        metrics = self.http.metrics()
        self.assertEqual(metrics['croft_tenant_active_series{tenant="busy"}'], 100)
        self.assertEqual(metrics['croft_limit_current{tenant="busy",limit="max_series"}'], 100)
        self.assertEqual(metrics['croft_limit_max{tenant="busy",limit="max_series"}'], 100)
        self.assertEqual(metrics['croft_remote_write_samples_refused_total{reason="max-series"}'], refused)

    def test_the_limit_holds_after_a_restart(self):
        write(self.http, self.numbered("m", range(10), ms=-1000), tenant="small")
        self.croft.kill()
        self.croft.start()
        reply = send(self.http, message(self.numbered("m", range(9, 12))), tenant="small")
        self.expect_refused(reply, 400, "2 of 3 samples were refused")
        self.assertEqual(self.count("small", "count(m)"), 10)

    def test_a_limit_can_be_raised_without_a_restart(self):
        write(self.http, self.numbered("m", range(10)), tenant="small")
        with open(os.path.join(self.croft.folder, "croft.yml"), "w", encoding="utf-8") as file:
            json.dump({"tenants": {"small": {"limits": {"max_series": 12}}}}, file)
        self.croft.reload()
        wait_until("the limit is raised", lambda: self.http.metrics()[
            'croft_limit_max{tenant="small",limit="max_series"}'] == 12)
        reply = send(self.http, message(self.numbered("m", range(15))), tenant="small")
        self.expect_refused(reply, 400, "3 of 15 samples were refused", "12")


if __name__ == "__main__":
    main()
