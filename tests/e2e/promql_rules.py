"""promql_rules: whether two answers to a query are equal, and if not, whether a known rule says why.

The rules are explained in tests/e2e/README.md, "Rules". Without a rule everything counts: the code, the text of an
error, the type, the labels, every time and every value to the last character.
"""

import json
import math
import re
from dataclasses import dataclass

EQUAL = "equal"
DIFFERENT = "different"

# Traits of queries whose values may differ in their last digits.
LAST_DIGITS = {"adds", "zero", "buckets"}
CLOSE = 1e-9
# of timestamps, say: the differences are small beside the values
LOOSE = 1e-5

PREFIX = 'invalid parameter "query": '
# Which of several groups or series an error names depends on the order in which they are looked at.
NAMED_SERIES = re.compile(r"the match group \{.*\} on the (left|right) hand-side of the operation: \[.*\];many")
MATCHING_ERROR = re.compile("same labelset|multiple matches|found duplicate series|invalid regular expression")
VARIANCE = re.compile(r"\b(stddev|stdvar)\b", re.I)


@dataclass
class Verdict:
    """`rule`: EQUAL, DIFFERENT or the name of a rule."""
    rule: str
    detail: str = ""


def judge(query, reference, croft):
    """`reference` and `croft` are replies of Prometheus 2.42 and of Croft to one question."""
    left, right = (json.loads(reply.body, parse_float=str, parse_int=str) for reply in (reference, croft))
    shown = f"{reference.code} {reference.body[:400]!r}\n  and {croft.code} {croft.body[:400]!r}"
    if reference.code != croft.code:
        return Verdict(rule_of_codes(query, left, right), shown)
    if left["status"] == "error":
        return Verdict(rule_of_errors(left, right), shown)
    return judge_data(query, left["data"], right["data"])


def rule_of_codes(query, left, right):
    if "filter" in query.traits and left["status"] == "success" and \
            right.get("error", "").startswith("multiple matches for labels"):
        return "filter"
    if left["status"] == "success" and right.get("error") == "Parameter value is NaN":
        return "count of NaN"
    if left.get("error") == "Scalar value -Inf overflows int64" and right["status"] == "success":
        return "count far below"
    if "clamp(" in query.text and left["status"] == "success" and is_about_matching(right):
        return "empty clamp"
    if "unread" in query.traits and right["status"] == "success" and is_about_matching(left):
        return "unread"
    if "ties" in query.traits and (is_about_matching(left) or is_about_matching(right)):
        return "ties"
    return DIFFERENT


def is_about_matching(answer):
    return answer.get("errorType") == "execution" and bool(MATCHING_ERROR.search(answer["error"]))


def rule_of_errors(left, right):
    if left["errorType"] != right["errorType"]:
        return DIFFERENT
    first, second = left["error"], right["error"]
    if first == second:
        return EQUAL
    if PREFIX + first == second:
        return "prefix"
    if not first.startswith(PREFIX) and second.startswith(PREFIX):
        first = PREFIX + first
    if NAMED_SERIES.sub("", first) == NAMED_SERIES.sub("", second) != first:
        return "named series"
    head, mark, _ = first.partition("error parsing regexp: ")
    if mark and second.startswith(head + mark):
        return "regular expression"
    if first == "Scalar value NaN overflows int64" and second == "Parameter value is NaN":
        return "count of NaN"
    if is_about_matching(left) and is_about_matching(right):
        return "first error"
    return DIFFERENT


# ---- data ----

def judge_data(query, left, right):
    if left["resultType"] != right["resultType"]:
        return Verdict(DIFFERENT, f"{left['resultType']} and {right['resultType']}")
    tables = [table(data) for data in (left, right)]
    rules = {}
    for labels in tables[0].keys() | tables[1].keys():
        compare_series(query, labels, *(t.get(labels, {}) for t in tables), rules)
    if not rules and query.is_ordered and order(left) != order(right):
        rules[DIFFERENT] = f"order {order(left)[:8]} and {order(right)[:8]}"
    if not rules:
        return Verdict(EQUAL)
    rule = DIFFERENT if DIFFERENT in rules else sorted(rules)[0]
    return Verdict(rule, rules[rule])


def table(data):
    """{labels: {time: text of the value}}; the labels of a scalar are empty."""
    if data["resultType"] in ("scalar", "string"):
        return {frozenset(): dict([data["result"]])}
    found = {}
    for series in data["result"]:
        labels = frozenset(series["metric"].items())
        if labels in found:
            raise AssertionError(f"twice in one answer: {dict(labels)}")
        found[labels] = dict(series["values"] if "values" in series else [series["value"]])
    return found


def order(data):
    """Only values: which of two equal ones is first is not defined."""
    return [series["value"][1] for series in data["result"] if "value" in series]


def compare_series(query, labels, left, right, rules):
    if left.keys() != right.keys():
        rules[rule_of_presence(query, labels)] = \
            f"{dict(labels)}: {list(left.items())[:3]} and {list(right.items())[:3]}"
        return
    for ts, text in left.items():
        if text != right[ts]:
            rule = rule_of_values(query, text, right[ts])
            rules[rule] = f"{dict(labels)} at {ts}: {text} and {right[ts]}"


def rule_of_presence(query, labels):
    """One has a series or a sample, the other has not."""
    if {"matrix", "subquery"} <= query.traits and "@" in query.text:
        return "no steps"
    for trait in ("dot", "ties", "prediction at", "timestamp at"):
        if trait in query.traits:
            return trait
    return DIFFERENT


def rule_of_values(query, left, right):
    traits = query.traits
    is_variance = bool(VARIANCE.search(query.text))
    if traits & LAST_DIGITS and is_close(float(left), float(right), LOOSE if is_variance else CLOSE):
        return "last digits"
    if is_variance and right == "NaN":
        return "variance of infinity"
    for trait in ("zero", "dot", "ties", "prediction at", "timestamp at"):
        if trait in traits:
            return trait
    return DIFFERENT


def is_close(a, b, tolerance):
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-12)
