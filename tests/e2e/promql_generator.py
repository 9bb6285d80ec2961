"""promql_generator: random PromQL that is right in its types, from a seed.

Every text can be evaluated, or is refused for what its data are (many to many, the same labels twice). Whatever is
known to mean something else in Prometheus 2.42 is not generated, or noted as a `trait` by which promql_rules.py
decides.

All times are multiples of 100 ms, none ends in .3 s or .8 s. The range of a subquery ends in 300 ms and its steps are
multiples of 500 ms, so that no step lies on the older edge of a subquery.
"""

import re
from dataclasses import dataclass, field

from promql_fixture import ODD_TEXTS, SPAN_MS
from promql_mutator import TOKEN

# metric, its labels with values that occur. Weights by repetition.
METRICS = {
    "mem_bytes": {"instance": "abc", "job": ["node"], "type": ["buffers", "cached", "free"]},
    "temp_celsius": {"instance": "abc", "job": ["node"]},
    "cpus": {"instance": "abc", "job": ["node"]},
    "up": {"instance": "abcde", "job": ["node", "db"]},
    "fast": {"instance": "a"},
    "sparse": {"part": "xyz"},
    "flap": {"which": "ab"},
    "requests_total": {"code": ["200", "404", "500"], "instance": "abc", "job": ["api"], "path": ["/", "/api"]},
    "cpu_seconds_total": {"cpu": "01", "instance": "abc", "job": ["node"], "mode": ["idle", "system", "user"]},
    "errors_total": {"part": "xy"},
    "latency_seconds_bucket": {"instance": "abcd", "job": ["api", "odd"], "path": ["/", "/api"],
                               "le": ["0.1", "1", "+Inf"]},
    "latency_seconds_count": {"instance": "abcd", "job": ["api", "odd"], "path": ["/", "/api"]},
    "latency_seconds_sum": {"instance": "abcd", "job": ["api", "odd"], "path": ["/", "/api"]},
    "odd": {"kind": ["infinite", "minus_zero", "nan", "nan_payload", "plain", "subnormal", "wide"]},
    "texts": {"number": ["01", "07", "20"], "text": ODD_TEXTS[:-1]},
    "left": {"a": "123", "b": "xy"},
    "right": {"a": "234", "c": ["p"]},
    "moving": {"a": ["2"], "c": "pqr"},
    "build_info": {"instance": "abc", "job": ["node"], "version": ["1.0", "1.1"]},
    "twin_a": {"a": "12"},
    "twin_b": {"a": "12"},
    "ints": {"group": "abc", "n": ["00", "05", "11"]},
    "stamp_seconds": {"which": ["odd", "recent"]},
    "nowhere": {"a": "1"},
}
COUNTERS = ["requests_total", "cpu_seconds_total", "errors_total", "latency_seconds_count", "latency_seconds_bucket"]
# Where no two series ever have the same value.
UNTIED = ["temp_celsius", "fast", "cpu_seconds_total", "latency_seconds_sum"]
LABELS = ["instance", "job", "type", "code", "path", "le", "kind", "a", "b", "c", "cpu", "mode", "which", "n",
          "group", "text", "version", "part", "nothing", "__name__"]

# What can be matched with what: left, right, a clause for matching. Some of them fail, some of the time.
PAIRS = [
    ("left", "right", "on (a)", "group_left"), ("left", "right", "ignoring (b, c)", "group_left"),
    ("right", "left", "on (a)", "group_right"), ("left", "right", "on (a)", "group_left (c)"),
    ("right", "left", "on (a)", "group_right (c)"), ("right", "moving", "on (a)", ""),
    ("moving", "right", "on (a)", ""), ("left", "moving", "on (a)", "group_left (c)"),
    ("moving", "left", "on (a)", "group_right"), ("right", "moving", "ignoring (c)", ""),
    ("twin_a", "twin_b", "", ""), ("twin_a", "left", "on (a)", ""), ("twin_a", "right", "on (a)", ""),
    ('{__name__=~"twin_.*"}', "right", "on (a)", "group_left (c)"), ('{__name__=~"twin_.*"}', "twin_a", "", ""),
    ("mem_bytes", "build_info", "on (instance, job)", "group_left (version)"),
    ("mem_bytes", "cpus", "on (instance)", "group_left ()"), ("mem_bytes", "cpus", "ignoring (type)", "group_left"),
    ("cpu_seconds_total", "cpus", "on (instance, job)", "group_left"),
    ("build_info", "cpu_seconds_total", "on (instance)", "group_right (version)"),
    ("latency_seconds_sum", "latency_seconds_count", "", ""),
    ("requests_total", "up", "on (instance)", "group_left (job)"), ("up", "cpus", "", ""),
    ("temp_celsius", "cpus", "", ""), ("temp_celsius", "mem_bytes", "on (instance)", ""),
    ("ints", "left", "on ()", ""), ("sparse", "errors_total", "on (part)", ""), ("ints", "ints", "on (group, n)", ""),
    ("ints", "ints", "on (group)", "group_left (n)"), ("flap", "stamp_seconds", "", ""),
    # where nothing is added up
    ("odd", "odd", "", ""), ("odd", "odd", "ignoring ()", ""),
]
ODD_PAIRS_FROM = len(PAIRS) - 2

ARITHMETIC = ["+", "-", "*", "/", "%"]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]
OPERATORS = ARITHMETIC + COMPARISONS + [c + " bool" for c in COMPARISONS]
JUMPING = OPERATORS[4:]
SETS = ["and", "or", "unless"]
EXACT_AGGREGATIONS = ["min", "max", "count", "group"]
ADDING_AGGREGATIONS = ["sum", "avg", "stddev", "stdvar"]
PICKS = ["topk", "bottomk"]
JUMPING_FUNCTIONS = ["ceil", "floor", "sgn"]
SMOOTH_FUNCTIONS = ["abs", "sqrt", "deg", "rad", "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos",
                    "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"]
DATE_FUNCTIONS = ["minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"]
WINDOW_FUNCTIONS = ["min_over_time", "max_over_time", "count_over_time", "last_over_time", "present_over_time",
                    "changes", "resets", "idelta", "irate", "delta", "absent_over_time", "sum_over_time"]
COUNTER_FUNCTIONS = ["rate", "increase", "rate", "irate", "resets", "delta"]
ADDING_WINDOWS = ["avg_over_time", "stddev_over_time", "stdvar_over_time"]
NUMBERS = ["0", "1", "2", "-1", "0.5", "3", "1e3", "-0.25", "1e-9", "0x1F", "1e21", "123456.789", "4096", "Inf", "-Inf",
           "NaN", ".5", "1.", "1e+3", "1E-3", "0X1f", "017", "inf", "nan", "+1", "5e-324", "1.7976931348623157e308"]
WORDS = ["by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless", "atan2",
         *EXACT_AGGREGATIONS, *ADDING_AGGREGATIONS, *PICKS, "quantile"]
SPACES = [" ", "  ", "\t", "\n", " # text\n", "\r\n"]
TEXT_PATTERNS = ["a.*", "(?i)A.b", ".", "", ".+", "[a-z ]+", "\\\\$1", "a\\\\.b"]
REPLACEMENTS = [("(.*)", "$1"), ("(.+)", "v-$1"), ("(.)(.*)", "$2-$1"), ("/(.*)", "$1")]
ODD_REPLACEMENTS = [("(?P<x>[a-c])", "${x}z"), ("", "empty"), (".*", ""), ("(.+)", "x$1y$$"), ("b", "B"), ("[", "")]
QUANTILES = ["0", "0.5", "0.9", "0.99", "1", "0.25", "-0.5", "1.5", "NaN"]
RANGES_MS = {"15s": 15_000, "30s": 30_000, "1m": 60_000, "90s": 90_000, "2m": 120_000, "5m": 300_000, "7m": 420_000,
             "10m": 600_000, "30m": 1_800_000, "1h": 3_600_000, "1m30s": 90_000, "2m100ms": 120_100, "1h0m5s": 3_605_000,
             "0h7m0s": 420_000}
OFFSETS = ["30s", "1m", "5m", "-1m", "-5m", "1h", "17s", "-17s", "1m30s", "-1m0s", "- 1m", "1h1m1s"]
SUBQUERY_RANGES = ["30s300ms", "1m300ms", "2m300ms", "5m300ms", "10m300ms"]
SUBQUERY_STEPS = ["10s", "30s", "15s", "7s", "500ms", "1m", ""]
# Ways to write a character of a string.
ESCAPES = ["\\x{0:02x}", "\\{0:03o}", "\\u{0:04x}", "\\U{0:08x}"]
DEPTH_MAX = 4


@dataclass
class Query:
    """`traits`: see promql_rules.py."""
    text: str
    traits: set = field(default_factory=set)
    is_ordered: bool = False


class Generator:
    def __init__(self, rng, start_ms):
        self.random = rng
        self.start_ms = start_ms
        self.traits = set()
        self.exact_depth = 0
        self.adding_depth = 0

    def query(self):
        """An expression of any type."""
        self.traits = set()
        kind = self.random.random()
        if kind < 0.85:
            text = self.vector(self.random.randint(1, DEPTH_MAX))
        elif kind < 0.92:
            text = self.scalar(self.random.randint(1, 3))
        elif kind < 0.93:
            text = self.quoted(self.pick(ODD_TEXTS))
            self.traits.add("matrix")
        else:
            text = self.matrix(self.random.randint(0, 1))
            self.traits.add("matrix")
        ordered = text.startswith(("sort", "topk(", "bottomk("))
        return Query(self.restyled(text) if self.chance(0.2) else text, self.traits, ordered)

    def restyled(self, text):
        """The same in another dress: words in capitals, comments, other white space."""
        parts = TOKEN.findall(text)
        for i, part in enumerate(parts):
            # names of labels stand within braces and parentheses: they keep their letters
            is_word = part in WORDS and i + 1 < len(parts) and parts[i + 1][0] in " (" and "{" not in parts[:i]
            if part.isspace():
                parts[i] = self.pick(SPACES)
            elif is_word and self.chance(0.5):
                parts[i] = self.pick([part.upper(), part.capitalize()])
        return "".join(parts)

    def exactly(self, make, *args):
        """What `make` gives, without parts whose last digits are not certain: for whatever jumps with them."""
        self.exact_depth += 1
        text = make(*args)
        self.exact_depth -= 1
        return text

    def is_exact(self):
        return self.exact_depth > 0

    def added_up(self, make, *args):
        """What `make` gives, without values that swallow the digits of others: for whatever adds them up."""
        self.traits.add("adds")
        self.adding_depth += 1
        text = make(*args)
        self.adding_depth -= 1
        return text

    # ---- small parts ----

    def pick(self, items):
        return self.random.choice(items)

    def chance(self, share):
        return self.random.random() < share

    def seconds(self):
        """A time within the fixture or a little outside, in whole seconds."""
        return self.start_ms // 1000 + self.random.randint(-120, SPAN_MS // 1000 + 400)

    def quoted(self, text):
        """Not in backquotes when it has one itself; strings there have no escapes."""
        if self.chance(0.1) and not set(text) & set("`\n"):
            return f"`{text}`"
        escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
        if self.chance(0.1):
            escaped = re.sub("(?<!\\\\)[a-z]", self.maybe_escaped, escaped)
        if self.chance(0.15):
            return "'" + escaped.replace("'", "\\'") + "'"
        return '"' + escaped.replace('"', '\\"') + '"'

    def maybe_escaped(self, match):
        letter = match.group()
        return self.pick(ESCAPES).format(ord(letter)) if self.chance(0.5) else letter

    def matcher(self, metric):
        name = self.pick(list(METRICS[metric])) if self.chance(0.93) else "nothing"
        values = list(METRICS[metric].get(name, [""]))
        value = self.pick(values)
        kind = self.random.random()
        if kind < 0.4:
            return f"{name}={self.quoted(value)}"
        if kind < 0.6:
            return f"{name}!={self.quoted(value)}"
        operator = "=~" if kind < 0.85 else "!~"
        if name == "text":
            self.traits.add("dot")
            return f"{name}{operator}{self.quoted(self.pick(TEXT_PATTERNS))}"
        value = value.replace("+", "[+]")
        values = [one.replace("+", "[+]") for one in values]
        last = value[-1:] or "x"
        pattern = self.pick([value, f"{value}|{self.pick(values)}", "|".join(values), ".*", ".+", "", f"[^{last}].*",
                             f".*{last}", "[/-9a-z]+", f"({value})?", f"(?i){value.upper()}"])
        return f"{name}{operator}{self.quoted(pattern)}"

    def selector(self, metric):
        count = self.pick([0, 0, 1, 1, 2])
        matchers = [self.matcher(metric) for _ in range(count)]
        if self.chance(0.02):
            return "{__name__=~" + self.quoted(f"{metric}|{self.pick(UNTIED)}") + "}"
        if self.chance(0.05):
            matchers.append(f'__name__="{metric}"')
            return "{" + ", ".join(matchers) + "}"
        if not matchers:
            return metric + ("{}" if self.chance(0.05) else "")
        return metric + "{" + ",".join(matchers) + ("," if self.chance(0.1) else "") + "}"

    def shift(self):
        """offset and @, either, both or most often none."""
        parts = []
        if self.chance(0.15):
            parts.append(f"offset {self.pick(OFFSETS)}")
        if self.chance(0.08):
            at = self.pick([str(self.seconds()), f"{self.seconds()}.0", "start()", "end()", "-1"])
            parts.append(f"@ {at}")
        self.random.shuffle(parts)
        return "".join(" " + part for part in parts)

    def labels(self, most=3):
        return ", ".join(self.random.sample(LABELS, self.random.randint(0, most)))

    def grouping(self):
        kind = self.random.random()
        if kind < 0.25:
            return ""
        word = "by" if kind < 0.7 else "without"
        return f" {word} ({self.labels()}) "

    # ---- types ----

    def scalar(self, depth):
        kind = self.random.random()
        if depth <= 0 or kind < 0.35:
            return self.pick(NUMBERS)
        if kind < 0.45:
            return "time()"
        if kind < 0.5:
            return "pi()"
        if kind < 0.65:
            return f"scalar({self.vector(depth - 1)})"
        if kind < 0.7:
            return f"-({self.scalar(depth - 1)})"
        operator = self.pick(ARITHMETIC) if kind < 0.9 else self.pick(COMPARISONS) + " bool"
        return f"({self.scalar(depth - 1)} {operator} {self.scalar(depth - 1)})"

    def matrix(self, depth):
        is_subquery = depth > 0 and self.chance(0.35)
        return self.subquery(depth) if is_subquery else self.range_selector(self.metric())

    def metric(self):
        metric = self.pick(list(METRICS))
        return metric if metric != "odd" or self.adding_depth == 0 else "fast"

    def range_selector(self, metric):
        return f"{self.selector(metric)}[{self.pick(list(RANGES_MS))}]{self.shift()}"

    def subquery(self, depth):
        self.traits.add("subquery")
        inner = self.vector(depth - 1) if self.chance(0.85) else self.scalar(1)
        return f"({inner})[{self.pick(SUBQUERY_RANGES)}:{self.pick(SUBQUERY_STEPS)}]{self.shift()}"

    def vector(self, depth):
        if depth <= 0:
            return self.selector(self.metric()) + self.shift()
        makers = [(12, self.plain), (14, self.window), (10, self.counter_window), (14, self.aggregation),
                  (10, self.with_scalar), (14, self.matched), (8, self.set_operation), (8, self.function),
                  (5, self.date), (3, self.picks), (4, self.labelled),
                  (2, self.missing), (3, self.sorted), (3, self.timestamp), (3, self.count_values),
                  (2, self.quantile), (2, self.from_scalar), (3, self.negated), (2, self.power), (5, self.chain)]
        if not self.is_exact():
            makers += [(2, self.trend), (4, self.quantile_of_histogram)]
        weights = [weight for weight, _ in makers]
        return self.random.choices(makers, weights)[0][1](depth)

    def plain(self, _):
        return self.selector(self.metric()) + self.shift()

    def window(self, depth):
        name = self.pick(WINDOW_FUNCTIONS)
        if self.chance(0.2) and not self.is_exact():
            return f"{self.pick(ADDING_WINDOWS)}({self.added_up(self.matrix, depth - 1)})"
        if self.chance(0.12):
            return f"quantile_over_time({self.pick(QUANTILES)}, {self.matrix(depth - 1)})"
        if name == "delta":
            return f"delta({self.range_selector(self.metric())})"
        return f"{name}({self.matrix(depth - 1)})"

    def counter_window(self, _):
        name = self.pick(COUNTER_FUNCTIONS[3:] if self.is_exact() else COUNTER_FUNCTIONS)
        if name in ("rate", "increase"):
            self.traits.add("zero")
        return f"{name}({self.range_selector(self.pick(COUNTERS))})"

    def trend(self, depth):
        kind = self.random.random()
        matrix = self.added_up(self.matrix, depth - 1)
        if kind < 0.5:
            return f"deriv({matrix})"
        if "@" in matrix:
            self.traits.add("prediction at")
        return f"predict_linear({matrix}, {self.pick(['60', '3600', '-60', '0'])})"

    def aggregation(self, depth):
        grouping = self.grouping()
        if self.chance(0.55) and not self.is_exact():
            name, inner = self.pick(ADDING_AGGREGATIONS), self.added_up(self.vector, depth - 1)
        else:
            name, inner = self.pick(EXACT_AGGREGATIONS), self.vector(depth - 1)
        return f"{name}({inner}){grouping.rstrip()}" if self.chance(0.3) else f"{name}{grouping}({inner})"

    def picks(self, depth):
        count = self.pick(["1", "2", "3", "5", "100", "0", "-1", "scalar(cpus{instance=\"a\"})", "2.7", "1e10", "-Inf",
                           "time() % 4"])
        if self.chance(0.5):
            inner = self.selector(self.pick(UNTIED)) + self.shift()
        else:
            self.traits.add("ties")
            inner = self.exactly(self.vector, depth - 1)
        return f"{self.pick(PICKS)}{self.grouping()}({count}, {inner})"

    def quantile(self, depth):
        if self.chance(0.3):
            return f"quantile{self.grouping()}(time() % 7 / 6, {self.selector(self.pick(UNTIED))}{self.shift()})"
        return f"quantile{self.grouping()}({self.pick(QUANTILES)}, {self.vector(depth - 1)})"

    def count_values(self, depth):
        grouping = self.grouping()
        # 2.42 only groups by labels in their order, and the value's comes last
        label = "zz" if " by " in grouping else self.pick(["v", "instance", "a", "n"])
        return f'count_values{grouping}("{label}", {self.exactly(self.vector, depth - 1)})'

    def with_scalar(self, depth):
        operator = self.pick(OPERATORS)
        make = self.exactly if operator in JUMPING else lambda make, depth: make(depth)
        sides = [make(self.vector, depth - 1), make(self.scalar, depth - 1)]
        self.random.shuffle(sides)
        return f"({sides[0]} {operator} {sides[1]})"

    def matched(self, depth):
        operator = self.pick(OPERATORS)
        self.traits.add("unread")
        if operator in COMPARISONS:
            self.traits.add("filter")
        if self.chance(0.2):
            on = self.pick(["", f"on ({self.labels()})", f"ignoring ({self.labels()})"])
            left, right = (self.exactly(self.vector, depth - 1) for _ in range(2))
            return f"({left} {operator} {on} {right})"
        left, right, on, group = self.pair()
        sides = [f"irate({side}[5m])" if side.endswith(("_total", "_sum", "_count")) and self.chance(0.5)
                 else side + self.shift() for side in (left, right)]
        return f"({sides[0]} {operator} {on} {group} {sides[1]})"

    def pair(self):
        return self.pick(PAIRS if self.adding_depth == 0 else PAIRS[:ODD_PAIRS_FROM])

    def set_operation(self, depth):
        operator = self.pick(SETS)
        self.traits.add("unread")
        if self.chance(0.4):
            on = self.pick(["", f"on ({self.labels()})", f"ignoring ({self.labels()})"])
            return f"({self.vector(depth - 1)} {operator} {on} {self.vector(depth - 1)})"
        left, right, on, _ = self.pair()
        return f"({left} {operator} {on} {right})"

    def function(self, depth):
        kind = self.random.random()
        if kind < 0.4:
            return f"{self.pick(SMOOTH_FUNCTIONS)}({self.vector(depth - 1)})"
        inner = self.exactly(self.vector, depth - 1)
        if kind < 0.6:
            return f"{self.pick(JUMPING_FUNCTIONS)}({inner})"
        if kind < 0.7:
            return f"clamp({inner}, {self.scalar(1)}, {self.scalar(1)})"
        if kind < 0.85:
            return f"{self.pick(['clamp_min', 'clamp_max'])}({inner}, {self.scalar(1)})"
        return f"round({inner}" + (f", {self.scalar(1)})" if self.chance(0.6) else ")")

    def power(self, depth):
        operator = self.pick(["^", "^", "atan2"])
        # 2.42 keeps the name with atan2
        sign = "-" if operator == "atan2" else ""
        return f"({sign}({self.vector(depth - 1)}) {operator} {self.scalar(1)})"

    def chain(self, _):
        """Operators without parentheses, so that their precedence decides; no digit gets lost."""
        parts = [self.pick(["", "-", "+"]) + self.selector(self.pick(UNTIED[:3])) + self.shift()]
        for _ in range(self.random.randint(1, 4)):
            operator = self.pick(ARITHMETIC + ["^", "^", "*", "* 1 atan2"] + COMPARISONS +
                                 [c + " bool" for c in COMPARISONS])
            operand = self.pick([self.pick(NUMBERS), self.pick(NUMBERS), "time()", "pi()"])
            parts.append(f"{operator} {operand}")
        if self.chance(0.4):
            self.traits.add("unread")
            parts.append(f"{self.pick(SETS)} {self.selector(self.metric())}")
        return "(" + " ".join(parts) + ")"

    def date(self, depth):
        name = self.pick(DATE_FUNCTIONS)
        inner = self.pick(["", "stamp_seconds", "stamp_seconds" + self.shift(), "vector(time())",
                           f"vector({self.exactly(self.scalar, 1)})", self.exactly(self.vector, depth - 1)])
        if inner.startswith("vector(") or not inner.startswith("stamp"):
            self.traits.add("calendar")
        return f"{name}({inner})"

    def labelled(self, depth):
        inner = self.vector(depth - 1)
        target = self.pick(["new", "instance", "a", "__name__", "job"])
        source = self.pick(["instance", "a", "path", "text", "nothing", "__name__", "code"])
        if self.chance(0.4):
            names = self.random.sample(LABELS, self.random.randint(0, 3))
            sources = "".join(f', "{name}"' for name in names)
            return f'label_join({inner}, "{target}", "{self.pick(["-", "", ",", "é"])}"{sources})'
        pattern, replacement = self.pick(ODD_REPLACEMENTS if self.chance(0.12) else REPLACEMENTS)
        if source == "text":
            self.traits.add("dot")
        return f'label_replace({inner}, "{target}", "{replacement}", "{source}", "{pattern}")'

    def quantile_of_histogram(self, depth):
        self.traits.add("buckets")
        q = self.pick(QUANTILES) if self.chance(0.7) else self.scalar(1)
        kind = self.random.random()
        if kind < 0.3:
            inner = f"latency_seconds_bucket{self.shift()}"
        elif kind < 0.5:
            inner = "rate(latency_seconds_bucket[5m])"
        elif kind < 0.7:
            labels, window = self.pick(["le", "le, instance", "le, path"]), self.pick(["1m", "5m", "10m"])
            inner = f"sum by ({labels}) (rate(latency_seconds_bucket[{window}]))"
            self.traits.add("adds")
        elif kind < 0.85:
            inner = self.pick(["crooked_bucket", "negative_bucket", '{__name__=~"(crooked|negative)_bucket"}',
                               "rate(crooked_bucket[2m])"])
        else:
            inner = self.vector(depth - 1)
        self.traits.add("zero")
        return f"histogram_quantile({q}, {inner})"

    def missing(self, depth):
        nowhere = "nowhere{" + self.matcher("up") + "," + self.matcher("up") + "}"
        return f"absent({self.pick([self.selector(self.metric()), nowhere, self.vector(depth - 1)])})"

    def sorted(self, depth):
        return f"{self.pick(['sort', 'sort_desc'])}({self.vector(depth - 1)})"

    def timestamp(self, depth):
        inner = self.vector(depth - 1) if self.chance(0.4) else self.selector(self.metric())
        if "@" in inner:
            self.traits.add("timestamp at")
        return f"timestamp({inner})"

    def from_scalar(self, depth):
        return f"vector({self.scalar(depth - 1)})"

    def negated(self, depth):
        signs = self.pick(["-", "+", "--", "-+-", "- -", "+-"])
        return f"{signs}({self.vector(depth - 1)})" if self.chance(0.7) else f"-{self.selector(self.metric())}"
