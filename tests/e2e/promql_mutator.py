"""promql_mutator: queries that are broken in a place or two, and whether two refusals of them agree."""

import json
import re

TOKEN = re.compile(r'''"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[A-Za-z_:][A-Za-z0-9_:]*|[0-9.]+[a-zA-Z0-9]*|\s+'''
                   r"|=~|!~|!=|==|<=|>=|.", re.S)
JUNK = ["(", ")", "[", "]", "{", "}", ",", "+", "-", "*", "/", "%", "^", "==", "!=", "=~", "=", "<", "by", "without",
        "on", "ignoring", "group_left", "group_right", "bool", "offset", "@", "1", ".5", '"a"', "'", "`", '"', "and",
        "or", "unless", "sum", "rate", "foo", "start()", "end()", "inf", "nan", "\\", "$", "!", "#", "é", ":", "::",
        "a:b", "atan2", "avg", "topk", "quantile", "count_values", "label_replace", ";", "&", "~", "5m", "0x", "1e",
        "1h5"]

# What 3.x reads in another way: durations are numbers and numbers durations, names may be quoted, `start` and `end`
# are functions that have to be enabled; it no longer shows "<Item 57385>" for "@", nor a place where there is no text.
NEW_SYNTAX = re.compile("duration|number|string|label matching|grouping opts|is not enabled|<Item|unexpected colon|"
                        "trailing commas|unknown position|"
                        # 3.x takes it for the middle of a computed duration, and looks for the rest
                        "unexpected <op:.{1,2}> in subquery (or range|selector)")

# Refused by mistake, or because a name is not of the old alphabet.
MENDED = re.compile("label name|unexpected number of samples|unexpected result in StepInvariantExpr")


def mutate(rng, text):
    tokens = TOKEN.findall(text)
    for _ in range(rng.choice([1, 1, 1, 2])):
        at = rng.randrange(len(tokens) + 1)
        last = max(0, min(at, len(tokens) - 1))
        kind = rng.randrange(5)
        if kind == 0:
            del tokens[last:last + 1]
        elif kind == 1:
            tokens.insert(at, rng.choice(JUNK))
        elif kind == 2:
            tokens[last:last + 1] = [rng.choice(JUNK)]
        elif kind == 3 and tokens:
            other = rng.randrange(len(tokens))
            tokens[other], tokens[last] = tokens[last], tokens[other]
        else:
            del tokens[at:]
    return "".join(tokens)


def is_new_syntax(reference, croft):
    """Whether the replies may differ: 2.42 refuses, and a text is about what 3.x reads in another way."""
    left, right = (json.loads(reply.body) for reply in (reference, croft))
    if reference.code == 422:
        return bool(MENDED.search(left["error"]))
    return reference.code == 400 and \
        bool(NEW_SYNTAX.search(left["error"]) or NEW_SYNTAX.search(right.get("error", "")))
