"""Queries that are meant to hurt: each ends with the answer or the refusal that is written here, the server stays
within the memory of one query, and lives.

Nothing is measured. Where a query may end in several ways (by a budget or by its time, whichever comes first), all of
them are listed.
"""

import unittest

from answers import query
from harness import Croft, main, now_ms
from remote_write import write

SERIES, SAMPLES, STEP_MS = 1500, 160, 15_000
# What a query may take (docs/http_api.md, Limits), and what the server is without one, generously.
MEMORY_MAX = (1 << 30) + (512 << 20)
# Of queries that may end by their time, and of those that must not, however slow the machine is.
SHORT_S, LONG_S = 1, 60

OK, BAD, EXECUTION, TIMED_OUT = 200, 400, 422, 503
BUDGET = (EXECUTION, TIMED_OUT)
ANY = (OK, *BUDGET)

DEEP, ROW, LONG = (
    "nested too deeply", "too many operators", "max_query_expression_size_bytes")


def nested(before, inner, behind, times):
    return before * times + inner + behind * times


def chain(operand, operator, operands):
    return operator.join([operand] * operands)


# text, code, part of the error or None
PARSER = [
    (nested("(", "1", ")", 127), OK, None),
    (nested("(", "1", ")", 128), BAD, DEEP),
    (nested("(", "1", ")", 8000), BAD, DEEP),
    ("(" * 16000, BAD, DEEP),
    ("-" * 127 + "1", OK, None),
    ("-" * 8000 + "m", BAD, DEEP),
    (nested("abs(", "m", ")", 126), OK, None),
    (nested("abs(", "m", ")", 3000), BAD, DEEP),
    (nested("sum(", "m", ")", 3000), BAD, DEEP),
    (nested("sum by (n) (", "m", ")", 1000), BAD, DEEP),
    (chain("1", "^", 127), OK, None),
    (chain("1", "^", 8000), BAD, DEEP),
    (chain("1", "+", 2048), OK, None),
    (chain("1", "+", 2049), BAD, ROW),
    (chain("1", "+", 8000), BAD, ROW),
    (chain("m", " or ", 1500), ANY, None),
    (chain("m", " unless ", 1500), ANY, None),
    (chain("m", " == ", 1500), ANY, None),
    ("m" + "[1m:1m]" * 2000, BAD, "subquery is only allowed on instant vector"),
    (nested("sum_over_time(", "m", "[1m:30s])", 19), OK, None),
    (nested("sum_over_time(", "m", "[1m:30s])", 120), OK, None),
    (nested("max_over_time((", "m", ")[1m:30s])", 600), BAD, DEEP),
    ("m[" + "(" * 9000 + "1m" + ")" * 9000 + "]", BAD, LONG),
    ("m[" + "(" * 5000 + "1m" + ")" * 5000 + "]", BAD, DEEP),
    ("m[" + chain("1m", "+", 5000) + "]", BAD, "too many operators in a row"),
    ("m offset " + "-" * 5000 + "1m", BAD, DEEP),
    ("1" * 16384, BAD, "parsing"),
    ("1" * 16385, BAD, LONG),
    ('"' + "x" * 16382 + '"', OK, None),
    ('"' + "x" * 16383 + '"', BAD, LONG),
    ("#" * 16384, BAD, "no expression"),
    ("m{" + ",".join(f'a{i}="b"' for i in range(1024 - 1)) + "}", OK, None),
    ("m{" + ",".join(f'a{i}="b"' for i in range(1200)) + "}", BAD, "matchers"),
    ("sum by (" + ",".join(f"l{i}" for i in range(2500)) + ") (m)", OK, None),
    ('label_join(m, "x", "-"' + ', "n"' * 3000 + ")", OK, None),
    ("m @ 1e300", BAD, "timestamp out of bounds"),
    ("m offset 99999999999y", BAD, "out of range"),
    ("\x00" * 100, BAD, "unexpected character"),
]

REGEXES = [
    ("(a+)+$", OK, None),
    ("(a|a)*(a|a)*(a|a)*b", OK, None),
    (".*.*.*.*.*=.*.*.*x", OK, None),
    ("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x", OK, None),
    ("((a{0,100}){0,100}){0,100}", BAD, "invalid repeat count"),
    ("a{1001}", BAD, "invalid repeat count"),
    ("(x{1000}){1000}", BAD, "invalid repeat count"),
    ("a{0,1000}b{0,1000}c{0,1000}", OK, None),
    ("(?i)" + "abcdefgh" * 400, OK, None),
    ("[" + "a-z" * 1200 + "]+", OK, None),
    ("\\\\pL{300}", (OK, BAD), None),
    ("(\\\\pL|\\\\pN){200,400}", (OK, BAD), None),
    ("(" * 900 + "a" + ")" * 900, (OK, BAD), None),
    ("(" * 1500 + "a" + ")" * 1500, (OK, BAD), None),
    ("|".join(f"v{i}" for i in range(2000)), OK, None),
    ("|".join(f"v{i}.*" for i in range(500)), OK, None),
    ("|".join(f"v{i}.*" for i in range(2000)), (OK, BAD), None),
    (".{4000}", BAD, "invalid repeat count"),
    ("[[:word:]]{1,1000}[[:word:]]{1,1000}x", (OK, BAD), None),
]

# text, codes: over 1,500 series with 160 samples each
WORK = [
    ("m[1y:1ms]", (BAD,)),
    ("count_over_time(m[1y:1ms])", (BAD,)),
    ("sum_over_time(vector(1)[10y:1ms])", (BAD,)),
    ("sum_over_time(vector(time())[30d:10ms])", (BAD,)),
    ("max_over_time(max_over_time(max_over_time(m[40m:1s])[40m:1s])[40m:1s])", ANY),
    ("m[16m:1ms]", BUDGET),
    ("quantile_over_time(0.5, m[16m:1ms])", BUDGET),
    ("max_over_time(max_over_time(m[16m:1s])[16m:1s])", ANY),
    ("m * on () group_left () m", (EXECUTION,)),
    ("m * on (job) group_left () m", (EXECUTION,)),
    ("m + on () m", (EXECUTION,)),
    ('label_replace(label_replace(m, "n", "", "", ""), "long", "", "", "")', (EXECUTION,)),
    ('label_replace(m, "x", "' + "$1" * 3000 + '", "n", "(.*)")', ANY),
    ('label_replace(m, "x", "' + "$1" * 3000 + '", "long", "(.*)")', ANY),
    ('label_join(m, "x", "' + "-" * 4000 + '"' + ', "long"' * 1000 + ")", ANY),
    ('count_values("v", m)', (OK,)),
    ('count_values without () ("v", m[1h:1s] offset 1s)', (BAD,)),
    ("topk(1e9, m)", (OK,)),
    ("topk(1e300, m)", (EXECUTION,)),
    ("bottomk(NaN, m)", (EXECUTION,)),
    ("quantile(NaN, m)", (OK,)),
    ("quantile_over_time(0.5, m[40m:100ms])", ANY),
    ("stdvar_over_time(m[100y])", (OK,)),
    ("m @ 2e15", (OK,)),
    ("m @ -2e15", (OK,)),
    ("m[100y] @ 2e15 offset -100y", (OK,)),
    ("m @ 9e15", (BAD,)),
    ("m offset 290y", (OK,)),
    ("m offset -290y", (OK,)),
    ("sort(m)", (OK,)),
    ("sort_desc(m or m or m)", (OK,)),
    ('{__name__=~".+"}', (OK,)),
    ('{__name__!=""}[1h]', (OK,)),
    ('count by (__name__, n, long, job) ({__name__=~".+"})', (OK,)),
    ('absent({__name__=~".+", n=~"1.*"})', (OK,)),
    ('absent_over_time({__name__=~"x.*"}[40m:1ms])', (BAD,)),
    ('absent_over_time({__name__=~"x.*"}[16m:1ms])', ANY),
    ("histogram_quantile(0.9, m)", (OK,)),
    ("predict_linear(m[1h], 1e300)", (OK,)),
    ("scalar(m) + vector(scalar(m)) * 1e308 ^ 1e308", (OK,)),
    ("1 / 0 % 0 ^ -1 atan2 NaN", (OK,)),
]


class HostileQuery(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.croft = Croft(cls).start()
        cls.now_ms = now_ms() // STEP_MS * STEP_MS
        times = [cls.now_ms - i * STEP_MS for i in reversed(range(SAMPLES))]
        for first in range(0, SERIES, 150):
            write(cls.croft.http, [
                ({"__name__": "m", "job": "j", "n": str(n), "long": f"{n}".zfill(200)},
                 [(ts, float((n * 7 + i) % 1000) + n / SERIES) for i, ts in enumerate(times)])
                for n in range(first, first + 150)])

    @classmethod
    def addCleanup(cls, function, *args, **kwargs):
        cls.addClassCleanup(function, *args, **kwargs)

    def tearDown(self):
        """The server lives, answers, and never took more memory than one query may."""
        self.assertEqual(query(self.croft.http, "1 + 1", 4)["result"], [4, "2"])
        with open(f"/proc/{self.croft.process.pid}/status", encoding="ascii") as file:
            peak = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
        self.assertLess(peak, MEMORY_MAX)

    def send(self, path, what, codes, part=None, **params):
        allowed = codes if isinstance(codes, tuple) else (codes,)
        params = {"timeout": SHORT_S if TIMED_OUT in allowed else LONG_S, **params}
        with self.subTest(what[:60]):
            reply = self.croft.http.post_form(path, list(params.items()), timeout_s=2 * LONG_S)
            self.assertIn(reply.code, allowed, f"{what[:200]}: {reply.body[:300]}")
            if part is not None:
                self.assertIn(part, reply.json()["error"])

    def ask(self, text, codes, part=None, **params):
        self.send("/api/v1/query", text, codes, part, **{"query": text, "time": self.now_ms / 1000, **params})

    def test_texts_that_are_hard_to_parse(self):
        for text, code, part in PARSER:
            self.ask(text, code, part)

    def test_regular_expressions_that_are_hard_to_match(self):
        for pattern, code, part in REGEXES:
            for text in (f'm{{long=~"{pattern}"}}', f'm{{n!~"{pattern}"}}'):
                self.ask(text, code, part)
            if code == OK:
                self.ask(f'label_replace(m, "x", "$1", "long", "{pattern}")', OK)

    def test_work_without_end(self):
        for text, codes in WORK:
            self.ask(text, codes)

    def test_ranges_and_steps(self):
        end_s = self.now_ms // 1000
        for start, end, step, codes in [
                (end_s - 11000, end_s, "1", ANY), (end_s - 11001, end_s, "1", (BAD,)),
                (end_s - 11, end_s, "0.001", ANY), (0, 9e15, "1", (BAD,)), (-9e15, 9e15, "1e15", (BAD, OK)),
                (end_s, end_s - 1, "1", (BAD,)), (0, end_s, "0", (BAD,)), (0, end_s, "-1", (BAD,)),
                (0, end_s, "1e300", (BAD,)), ("NaN", end_s, "1", (BAD,)), (0, "Inf", "1", (BAD,))]:
            self.send("/api/v1/query_range", f"{start} to {end} by {step}", codes,
                      query="m", start=start, end=end, step=step)

    def test_other_parameters(self):
        self.ask("m", OK, lookback_delta="1e9")
        self.ask("m", BAD, lookback_delta="1e30")
        self.ask("m", OK, time="9e15")
        self.ask("m", OK, time="-9e15")
        self.ask("m", BAD, limit="18446744073709551616")
        self.ask("count_over_time(m[16m:1ms])", TIMED_OUT, timeout="1ms")
        arms = "|".join(f"arm{i}" for i in range(100_000))
        self.send("/api/v1/series", "100,000 arms", OK, **{"match[]": f'{{n=~"{arms}"}}'})


if __name__ == "__main__":
    main()
