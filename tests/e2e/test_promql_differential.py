"""Random PromQL, the same to Prometheus 2.42 and to Croft, over the same remote-written samples.

What is asked is random but repeatable: CROFT_DIFFERENTIAL_SEED and CROFT_DIFFERENTIAL_COUNT say which questions and
how many. Where Prometheus 3 answers differently from 2.42, promql_rules.py knows the rule; the numbers that such a
rule hides are held to promql_model.py.
"""

import json
import math
import os
import random
import re
import unittest
from collections import Counter

import promql_model as model
from answers import key, query, query_range, raw_samples, samples_of
from harness import Croft, KeptConnection, Prometheus, main, now_ms
from promql_fixture import MINUTE_MS, SPAN_MS, Fixture
from promql_generator import COUNTERS, METRICS, RANGES_MS, Generator, Query
from promql_mutator import is_new_syntax, mutate
from promql_rules import DIFFERENT, EQUAL, PREFIX, judge
from remote_write import write

SEED = int(os.environ.get("CROFT_DIFFERENTIAL_SEED", "1"))
COUNT = int(os.environ.get("CROFT_DIFFERENTIAL_COUNT", "1000"))

DAY_MS = 24 * 60 * MINUTE_MS
# of range queries: a step, and the most steps
STEPS_S = [(0.5, 20), (7, 60), (13, 30), (15, 30), (30, 30), (61, 30), (300, 15)]
SHOWN = 10
# a dot of a regular expression matches the newline in one of them, or not
METRICS_WITHOUT_TEXTS = [metric for metric in METRICS if metric != "texts"]
TEXT_MAX = 6000


def nameless(labels):
    return frozenset(pair for pair in labels if pair[0] != "__name__")


class Case(unittest.TestCase):
    """Two servers with the same samples; the samples are yesterday's, so that they are the same all day long.

    FLUSHED: after which portions of them Croft writes what it has in memory to blocks.
    """

    FLUSHED = ()

    @classmethod
    def setUpClass(cls):
        cls.start_ms = now_ms() // DAY_MS * DAY_MS - DAY_MS
        cls.prometheus = cls.connect(Prometheus(cls, "--web.enable-remote-write-receiver",
                                                "--storage.tsdb.retention.time=30d"))
        cls.croft = cls.connect(Croft(cls))
        for number, portion in enumerate(cls.portions()):
            write(cls.prometheus, portion, path="/api/v1/write")
            write(cls.croft, portion)
            if number in cls.FLUSHED:
                cls.flush()

    @classmethod
    def flush(cls):
        reply = cls.croft.send("POST", "/api/v1/admin/tsdb/flush")
        if reply.code // 100 != 2:
            raise AssertionError(f"flush: {reply}")

    @classmethod
    def connect(cls, server):
        server.start()
        connection = KeptConnection(server.port)
        cls.addClassCleanup(connection.close)
        return connection

    @classmethod
    def addCleanup(cls, function, *args, **kwargs):
        cls.addClassCleanup(function, *args, **kwargs)

    def ask(self, path, params):
        return [http.post_form(path, params) for http in (self.prometheus, self.croft)]

    def ask_by_get(self, path, params):
        return [http.get(path, params) for http in (self.prometheus, self.croft)]

    def fail_with(self, found):
        if found:
            shown = "\n\n".join(found[:SHOWN])
            self.fail(f"{len(found)} differences, seed {SEED}:\n\n{shown}")

    def expect_value(self, what, want, got):
        """`want`: a number or None; `got`: the text of one, or None."""
        if want is None or got is None:
            self.assertEqual(want, got, what)
        elif not (math.isnan(want) and got == "NaN"):
            self.assertEqual(repr(want), repr(float(got)), what)


class Differential(Case):
    # so that there are blocks, and series that are in several of them and in the head
    FLUSHED = (2, 4)

    @classmethod
    def portions(cls):
        return Fixture(cls.start_ms).slices()

    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")
        self.generator = Generator(self.random, self.start_ms)

    def some_time(self):
        return self.generator.seconds() + self.random.choice([0, 0, 0.1, 0.6])

    def some_question(self, asked):
        time_s = self.some_time()
        if "matrix" in asked.traits or self.random.random() < 0.6:
            return "/api/v1/query", [("query", asked.text), ("time", time_s)]
        step_s, steps_max = self.random.choice(STEPS_S)
        end_s = round(time_s + step_s * self.random.randint(0, steps_max), 1)
        params = [("query", asked.text), ("start", time_s), ("end", end_s), ("step", step_s)]
        return "/api/v1/query_range", params

    # ---- queries ----

    def test_random_queries_have_the_same_answers(self):
        rules, found, spoken = Counter(), [], 0
        for _ in range(COUNT):
            asked = self.generator.query()
            if len(asked.text) > TEXT_MAX:
                continue
            path, params = self.some_question(asked)
            replies = self.ask(path, params)
            verdict = judge(asked, *replies)
            rules[verdict.rule] += 1
            spoken += replies[1].code == 200 and b'"result":[]' not in replies[1].body
            if verdict.rule == DIFFERENT:
                found.append(f"{path} {params} {sorted(asked.traits)}\n  {verdict.detail}")
        print(dict(rules), flush=True)
        self.fail_with(found)
        self.assertGreater(spoken, COUNT / 2, "most questions have an answer that is not empty")
        self.assertGreater(rules[EQUAL], COUNT * 0.95, "rules are for the few")

    def test_broken_queries_are_refused_with_the_same_words(self):
        found = []
        for _ in range(COUNT // 2):
            text = mutate(self.random, self.generator.query().text)
            replies = self.ask("/api/v1/query", [("query", text), ("time", self.start_ms // 1000 + 1800)])
            asked = Query(text, {"adds", "ties", "dot", "unread", "filter"})
            if judge(asked, *replies).rule == DIFFERENT and not is_new_syntax(*replies):
                found.append(f"{text!r}\n  {replies[0].body[:400]!r}\n  {replies[1].body[:400]!r}")
        self.fail_with(found)

    # ---- numbers of Prometheus 3 ----

    def some_window(self, metrics):
        """A selector, a range, a time, and the samples of each series: {labels: [(ms, value), ...]}.

        Its series differ in more than the name: functions drop that, and refuse series that are then alike.
        """
        while True:
            selector = self.generator.selector(self.random.choice(metrics))
            window, time_s = self.random.choice(list(RANGES_MS)), self.generator.seconds()
            found = raw_samples(self.prometheus, f"{selector}[{window}]", time_s)
            if len({nameless(labels) for labels in found}) == len(found):
                break
        return selector, window, time_s, {labels: [(round(ts * 1000), float(text)) for ts, text in samples]
                                          for labels, samples in found.items()}

    def expect_windows(self, text, time_s, want):
        """`want`: {labels with a name: value or None}."""
        got = {key(series): series["value"][1] for series in query(self.croft, text, time_s)["result"]}
        for labels, value in want.items():
            self.expect_value(f"{text} at {time_s} {dict(labels)}", value, got.pop(nameless(labels), None))
        self.assertEqual(got, {}, text)

    def test_rates_reach_back_to_zero_and_no_further(self):
        for _ in range(COUNT // 10):
            selector, window, time_s, series = self.some_window(COUNTERS)
            for name in ("rate", "increase"):
                self.expect_windows(f"{name}({selector}[{window}])", time_s,
                                    {labels: model.increase(samples, time_s * 1000, RANGES_MS[window],
                                                            is_rate=name == "rate")
                                     for labels, samples in series.items()})

    def test_sums_over_time_lose_nothing(self):
        functions = {"sum": model.total_over_time, "avg": model.mean, "stdvar": model.variance_over_time,
                     "stddev": lambda values: model.root(model.variance_over_time(values))}
        for _ in range(COUNT // 10):
            selector, window, time_s, series = self.some_window(METRICS_WITHOUT_TEXTS)
            for name, function in functions.items():
                self.expect_windows(f"{name}_over_time({selector}[{window}])", time_s,
                                    {labels: function([value for _, value in samples])
                                     for labels, samples in series.items()})

    def some_vector(self):
        """A selector, a time, and the series: [(labels, value), ...] in the order of Prometheus."""
        selector = self.generator.selector(self.random.choice(METRICS_WITHOUT_TEXTS))
        time_s = self.generator.seconds()
        found = query(self.prometheus, selector, time_s)["result"]
        return selector, time_s, [(key(series), float(series["value"][1])) for series in found]

    def test_sums_of_groups_lose_nothing(self):
        functions = {"sum": model.total, "avg": model.mean, "stdvar": model.variance,
                     "stddev": lambda values: model.root(model.variance(values))}
        for _ in range(COUNT // 10):
            selector, time_s, series = self.some_vector()
            label = self.random.choice(["instance", "job", "kind", "group", "nothing"])
            groups = {}
            for labels, value in series:
                groups.setdefault(frozenset(pair for pair in labels if pair[0] == label), []).append(value)
            for name, function in functions.items():
                self.expect_windows(f"{name} by ({label}) ({selector})", time_s,
                                    {labels: function(values) for labels, values in groups.items()})

    def test_which_of_equal_values_is_picked(self):
        for _ in range(COUNT // 10):
            selector, time_s, series = self.some_vector()
            count = self.random.randint(1, 6)
            for name in ("topk", "bottomk"):
                text = f"{name}({count}, {selector})"
                want = model.picked([(value, labels) for labels, value in series], count, name == "topk")
                got = {key(found) for found in query(self.croft, text, time_s)["result"]}
                self.assertEqual(got, {labels for _, labels in want}, f"{text} at {time_s}")

    # ---- series and labels ----

    def some_selectors(self):
        """match[], of which the answers are the union."""
        return [("match[]", self.generator.selector(self.random.choice(METRICS_WITHOUT_TEXTS)))
                for _ in range(self.random.randint(1, 3))]

    def whole_times(self):
        """All, or nothing: names and values are those of whole blocks in Prometheus, with match[] too."""
        start_s, end_s = self.start_ms // 1000, (self.start_ms + SPAN_MS) // 1000
        return self.random.choice([[], [], [("start", start_s)], [("end", end_s)], [("start", end_s + 60)],
                                   [("start", start_s - 7200), ("end", start_s - 60)]])

    def some_times(self):
        """Not where a series pauses: whether it counts is not defined."""
        start_s = self.start_ms // 1000
        part = self.random.choice([[("start", start_s + 26 * 60), ("end", start_s + 39 * 60)],
                                   [("start", start_s + 48 * 60)]])
        return part if self.random.random() < 0.4 else self.whole_times()

    def is_alike(self, replies, in_order):
        left, right = (json.loads(reply.body) for reply in replies)
        if replies[0].code != replies[1].code:
            return False
        if left["status"] == "error":
            return left["error"] == right["error"] or is_new_syntax(*replies)
        if not in_order:
            left, right = (sorted(sorted(labels.items()) for labels in answer["data"])
                           for answer in (left, right))
        return left == right

    def test_series_labels_and_values(self):
        found = []
        for _ in range(COUNT // 4):
            label = self.random.choice(["instance", "job", "le", "text", "__name__", "nothing", "kind"])
            selectors, times = self.some_selectors(), self.whole_times()
            maybe = selectors if self.random.random() < 0.7 else []
            for path, params in (("/api/v1/series", selectors + self.some_times()),
                                 ("/api/v1/labels", maybe + times),
                                 (f"/api/v1/label/{label}/values", maybe + times)):
                replies = self.ask_by_get(path, params)
                if not self.is_alike(replies, in_order=not path.endswith("series")):
                    found.append(f"{path} {params}\n  {replies[0].body[:600]!r}\n  {replies[1].body[:600]!r}")
        self.fail_with(found)

    # ---- parameters ----

    def test_bad_parameters_are_refused_with_the_same_words(self):
        found = []
        start_s = self.start_ms // 1000
        good = {"query": "up", "start": start_s, "end": start_s + 600, "step": 60, "time": start_s}
        for name, values in PARAMETERS.items():
            for value in values:
                params = [*({**good, name: value}).items(), ("match[]", "up")]
                params = [(n, v) for n, v in params if v is not None]
                for path in ("query", "query_range", "series", "labels", "label/job/values"):
                    if name in ("start", "end") and path == "query" or name == "time" and path != "query":
                        continue
                    replies = self.ask_by_get(f"/api/v1/{path}", params)
                    if answer_of(replies[0]) != answer_of(replies[1]):
                        found.append(f"{path} {params}\n  {replies[0]}\n  {replies[1]}")
        self.fail_with(found)


# Neither NaN, infinities nor times before or after all calendars: Prometheus makes other times of them.
PARAMETERS = {
    "time": [None, "", "abc", "0", "-1", "1e3", "1_000", "1_", "1.5", "1.0005", "+1", "0x10", "2026-11-19T00:00:00Z",
             "2026-11-19T00:10:00.5+02:00", "2026-11-19T00:00:00", "2026-11-19 00:00:00Z",
             "2026-13-19T00:00:00Z", "2026-11-19T1:00:00Z",
             "2026-11-19T00:00:00,5Z", "now", " 1"],
    "start": [None, "", "abc", "0x10", "1970-01-01T00:00:00Z", "yesterday", "2026-02-30T00:00:00Z"],
    "end": [None, "", "abc", "0", "-1", "0x10", "2026-11-19T24:00:00Z"],
    "step": [None, "", "0", "-1", "abc", "1m", "30m1h", "1m1m", "1.5m", "1e30", "-1m", "1000y", "0s", "0.05", "0.06",
             " 1"],
    "timeout": ["abc", "1e30", "1m", "10", "1.5m"],
    "query": [None, "", "1", '"a"', "up[5m]", "{}", '{a=""}', '{__name__=~".*"}', "sum(", "foo()", "up{a=1}",
              'label_replace(up, "a", "b", "c", "[")', "topk(up, up)", "1 + \\"],
    "match[]": ["", "1", "up[", "{}", '{a=~".*"}', "sum(up)", "up offset 5m", 'up{job=~"["}', '"a"', "up,"],
}


def answer_of(reply):
    """What must agree, apart from the beginning of some texts that 3.x has added, and how a regex is shown."""
    answer = json.loads(reply.body)
    text = answer.get("error", "").removeprefix(PREFIX)
    text = text.replace("Invalid time value", "invalid time value").replace("unknown position", "1:1")
    text = re.sub("(error parsing regexp|regular expression in label_replace.*): .*", "", text)
    data = None if "timed out" in text else answer.get("data")
    return reply.code, answer.get("errorType"), text.replace("bad duration syntax", "bad number or duration syntax") \
        .replace("missing unit character in duration", 'bad number or duration syntax: ""'), data


class Edges(Case):
    """Samples on the edges of windows. 3.x leaves the older edge out, as 2.42 does when a window is 1 ms shorter."""

    FUNCTIONS = ["sum_over_time", "count_over_time", "min_over_time", "max_over_time", "last_over_time",
                 "present_over_time", "changes", "resets", "irate", "idelta", "absent_over_time"]

    @classmethod
    def portions(cls):
        times = [cls.start_ms + i * 15_000 for i in range(80)]
        yield [({"__name__": "grid", "a": a}, [(ts, float(i * step % 7)) for i, ts in enumerate(times)][low:high])
               for a, step, low, high in (("1", 1, 0, 80), ("2", 3, 20, 80), ("3", 5, 0, 40))]

    def expect_same(self, croft_text, prometheus_text, time_s, **steps):
        def ask(http, text):
            data = query_range(http, text, time_s, time_s + 600, **steps) if steps else query(http, text, time_s)
            return {key(series): samples_of(series) for series in data["result"]}
        left, right = ask(self.prometheus, prometheus_text), ask(self.croft, croft_text)
        self.assertEqual(left, right, f"{croft_text} at {time_s} {steps}")

    def test_windows_leave_out_their_older_edge(self):
        for function in self.FUNCTIONS:
            for offset in ("", " offset 1m", " offset -1m"):
                for time_s in (self.start_ms // 1000 + at for at in (0, 300, 600, 905, 1200, 1500)):
                    pair = [f"{function}(grid[{window}]{offset})" for window in ("5m", "4m59s999ms")]
                    self.expect_same(*pair, time_s)
                    self.expect_same(*pair, time_s, step_s=15)

    def test_lookback_leaves_out_its_older_edge(self):
        for at in range(1080, 1500, 5):
            self.expect_same("grid", "last_over_time(grid[4m59s999ms])", self.start_ms // 1000 + at)

    def test_subqueries_leave_out_their_older_edge(self):
        for at in (600, 615, 840, 1095):
            pair = [f"sum_over_time((grid + 1)[{window}:15s])" for window in ("2m", "1m59s999ms")]
            self.expect_same(*pair, self.start_ms // 1000 + at)


if __name__ == "__main__":
    main()
