"""Every endpoint x every way to reach for another tenant, as tenant a: not a byte of tenant b, and every answer
the same whether b exists or not.

Two servers hold the same samples of a; on one of them b has a credential, limits of its own (in the configuration and
set at run time), has written, was refused and has failed queries. What is sent goes to both, and the two answers are
compared whole: code, headers, body. The endpoints are those that the server lists itself, so one that
this test does not know is a failure.
"""

import hashlib
import itertools
import json
import secrets
import socket
import unittest
import urllib.parse

import snappy

from answers import ask
from harness import Croft, main, now_ms
from remote_write import COUNTER, HEADERS, message, send, write

NOW_S = now_ms() // 1000
SECRET = "s3cret"  # in all that b wrote; no request has it
TOKENS = {name: secrets.token_hex(32) for name in ["a", "b", "agent", "ops"]}

SELECTORS = [
    "m", '{__name__=~".+"}', '{tenant_id="b"}', '{__tenant_id__="b"}', '{tenant_id=~".*"}', '{tenant_id!="a"}',
    '{__name__=~".+",tenant_id=""}', '{who!="me"}', '{who=~".*3.*"}', '{__series_id__="1"}', '{__name__=""}', "{}",
    'ALERTS{alertname="b"}', "shared",
]
EXPRESSIONS = SELECTORS + [
    'count by (tenant_id, who) ({__name__=~".+"})', "absent(shared)", 'label_replace(m, "tenant_id", "b", "", "")',
    "info(m)", "sum(shared) or vector(0)", 'count_values("v", {__name__=~".+"})', "m + on() group_left shared",
]
TIMES = [("start", NOW_S - 600), ("end", NOW_S)]

# Arguments that other systems take a tenant, an id or a cursor from.
FOREIGN_ARGUMENTS = [
    [("tenant", "b")], [("tenant_id", "b"), ("orgid", "b")], [("X-Scope-OrgID", "b")],
    [("extra_label", "tenant_id=b")], [("extra_filters[]", '{tenant_id="b"}')], [("accountID", "2:0")],
    [("series_id", "1"), ("ref", "1")], [("cursor", "1"), ("next_token", "b:1"), ("group_next_token", "b")],
    [("rule_group[]", "b"), ("rule_name[]", "b"), ("file[]", "b")], [("alertname", "b")],
]


def questions(*lists):
    return [list(itertools.chain(*parts)) for parts in itertools.product(*lists)]


def named(name, values):
    return [[(name, value)] for value in values]


# Of every endpoint the questions, as parameters, and what may stand for the star.
ENDPOINTS = {
    "/api/v1/query": questions(named("query", EXPRESSIONS), [[("time", NOW_S)]]),
    "/api/v1/query_range": questions(named("query", EXPRESSIONS), [TIMES + [("step", 60)]]),
    "/api/v1/query_exemplars": questions(named("query", SELECTORS), [TIMES]),
    "/api/v1/format_query": questions(named("query", EXPRESSIONS)),
    "/api/v1/parse_query": questions(named("query", EXPRESSIONS)),
    "/api/v1/series": questions(named("match[]", SELECTORS), [TIMES]),
    "/api/v1/labels": [[]] + questions(named("match[]", SELECTORS)),
    "/api/v1/label/*/values": [[]] + questions(named("match[]", SELECTORS)),
    "/api/v1/rules": [[]], "/api/v1/alerts": [[]], "/api/v1/targets": [[]], "/api/v1/alertmanagers": [[]],
    "/api/v1/targets/metadata": [[]], "/api/v1/scrape_pools": [[]],
    "/api/v1/status/config": [[]], "/api/v1/status/flags": [[]],
    "/api/v1/push": [[]], "/api/v1/write": [[]],
    "/api/v1/admin/tsdb/flush": [[]], "/api/v1/admin/tsdb/compact": [[]],
    "/api/v1/admin/tsdb/clean_tombstones": [[]],
    "/api/v1/admin/tsdb/delete_series": questions(named("match[]", SELECTORS), [[], TIMES]),
    "/compactor/delete_tenant": [[]], "/compactor/delete_tenant_status": [[]],
    "/api/v1/admin/tenants/*/limits": [[]], "/api/v1/admin/routes": [[]],
    "/-/healthy": [[]], "/-/ready": [[]], "/metrics": [[]], "/api/v1/status/buildinfo": [[]],
    "/api/v1/metadata": [[], [("metric", "shared")], [("limit", "100")]],
    "/api/v1/tenants": [[]], "/api/v1/tenants/*": [[]], "/api/v1/tenants/*/rejections": [[]],
    "/api/v1/user_limits": [[]], "/api/v1/status/tsdb": [[], [("limit", "100")]],
    "/api/v1/cardinality/label_names": [[]] + questions(named("selector", SELECTORS)),
    "/api/v1/cardinality/active_series": questions(named("selector", SELECTORS)),
    "/api/v1/cardinality/label_values": questions(
        named("label_names[]", ["who", "__name__", "tenant_id"]), [[]] + named("selector", SELECTORS)),
}
STARS = {"/api/v1/label/*/values": ["who", "__name__", "tenant_id", "__tenant_id__", "zone"]}
TENANT_STARS = ["a", "b", "nobody", "%62", "a%2Fb", "..", "a|b", "B"]

# Header fields that name a tenant; the codes that may come of it where samples of a are read.
TENANT_HEADERS = [
    ([("X-Scope-OrgID", "a")], {200}), ([("x-scope-orgid", "b")], {403}), ([("X-Scope-OrgID", " b ")], {403}),
    ([("X-Scope-OrgID", "B")], {403}), ([("X-Scope-OrgID", "a|b")], {403}), ([("X-Scope-OrgID", "b|a")], {403}),
    ([("X-Scope-OrgID", "a,b")], {400}), ([("X-Scope-OrgID", "*")], {403}), ([("X-Scope-OrgID", "")], {400}),
    ([("X-Scope-OrgID", "a"), ("X-Scope-OrgID", "b")], {400}),
    ([("X-Scope-OrgID", "a"), ("x-scope-orgid", "a")], {400}),
    ([("X-Scope-OrgID", "a%7Cb")], {400, 403}), ([("X-Tenant", "b"), ("THANOS-TENANT", "b")], {200}),
    ([("X-SCOPE-ORGID", "b")], {403}), ([("X-Scope-OrgID", "a|b|a")], {403}), ([("X-Scope-OrgID", "b|")], {400}),
    ([("X-Scope-OrgID", "|b")], {400}), ([("X-Scope-OrgID", "a||b")], {400}), ([("X-Scope-OrgID", "a | b")], {400}),
    ([("X-Scope-OrgID", "b b")], {400}), ([("X-Scope-OrgID", "b\tb")], {400}), ([("X-Scope-OrgID", "%62")], {400}),
    ([("X-Scope-OrgID", "b\xe9")], {400}), ([("X-Scope-OrgID", "x" * 150)], {403}),
    ([("X-Scope-OrgID", "x" * 151)], {400}), ([("X-Scope-OrgID", "__mimir_cluster")], {400}),
    ([("X-Scope-OrgID", "..")], {400}), ([("X-Scope-OrgID", "b/../a")], {400}), ([("X-Scope-OrgID", "/b")], {400}),
    ([("Authorization", "Basic YjpiCg==")], {401}), ([("Authorization", "")], {401}),
    ([("Proxy-Authorization", "Basic YjpiCg==")], {200}),
]
WRONG = [[("Authorization", "Bearer " + "0" * 64)], [("Authorization", "Basic YjpiCg==")]]
# Tenant labels of series that are written by whom the label may decide for a and c.
LABELS = ["b", "B", " b", "b ", "a|b", "b|a", "%62", "b\0", "__mimir_cluster", "..", "b/../a", "x" * 150, "x" * 151,
          "b\n", "nobody"]


def authorization(name):
    return [("Authorization", f"Bearer {TOKENS[name]}")] if name in TOKENS else []


class Request:
    def __init__(self, method, target, headers, body=b""):
        self.method, self.target, self.headers, self.body = method, target, headers, body

    def encoded(self, last=False):
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: croft"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body or self.method != "GET":
            lines.append(f"Content-Length: {len(self.body)}")
        if last:
            lines.append("Connection: close")
        return "\r\n".join(lines + ["", ""]).encode("latin-1") + self.body

    def with_headers(self, headers):
        return Request(self.method, self.target, headers, self.body)

    def __repr__(self):
        return f"{self.method} {self.target} {self.headers}"


class Answer:
    """`rest` follows it on the connection."""

    def __init__(self, received, request):
        head, _, rest = received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.code = int(lines[0].split()[1])
        self.headers = sorted(line for line in lines[1:] if not line.startswith("Date: "))
        length = next(int(line.split()[1]) for line in lines if line.lower().startswith("content-length:")) \
            if self.code != 204 and request.method != "HEAD" else 0
        self.body, self.rest = rest[:length], rest[length:]

    def __eq__(self, other):
        return (self.code, self.headers, self.body) == (other.code, other.headers, other.body)

    def __repr__(self):
        return f"{self.code} {self.headers} {self.body[:300]}"


def exchange(port, requests):
    """Sends all at once on one connection; their answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"".join(request.encoded() for request in requests[:-1]) +
                           requests[-1].encoded(last=True))
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    answers = []
    for request in requests:
        answers.append(Answer(received, request))
        received = answers[-1].rest
    return answers


def body_of_a():
    return snappy.compress(message([({"__name__": "m", "who": "me", "tenant_id": "b"}, [(NOW_S * 1000, 1.0)])]))


class Isolation(unittest.TestCase):
    def setUp(self):
        hashes = {name: hashlib.sha256(token.encode()).hexdigest() for name, token in TOKENS.items()}
        config = {"credentials": [
            {"name": "a", "token_sha256": hashes["a"], "read": ["a"], "write": ["a"]},
            {"name": "agent", "token_sha256": hashes["agent"], "read": ["a", "c"], "write": ["a", "c"],
             "tenant_from": "label"},
            {"name": "ops", "token_sha256": hashes["ops"], "admin": True}]}
        with_b = {"credentials": [{"name": SECRET, "token_sha256": hashes["b"], "read": ["b"], "write": ["b"]},
                                  *config["credentials"]],
                  "tenants": {"b": {"limits": {"max_label_values": {"hard": 77, "soft": 1}, "retention": "77d",
                                               "max_concurrent_queries": 1}}}}
        self.alone = Croft(self, config=config).start()
        self.shared = Croft(self, config=with_b).start()
        for server in (self.alone, self.shared):
            write(server.http, [({"__name__": "m", "who": "me"}, [((NOW_S - 60) * 1000, 1.0)])],
                  headers=dict(authorization("a")))
        self.write_secrets()
        self.routes = ask(self.alone.http, "/api/v1/admin/routes", headers=dict(authorization("ops")))

    def write_secrets(self):
        ts_ms = (NOW_S - 60) * 1000
        series = [({"__name__": f"{SECRET}_metric", "who": SECRET, f"{SECRET}_label": "x"}, [(ts_ms, 7.0)]),
                  ({"__name__": "m", "who": SECRET, "tenant_id": "a"}, [(ts_ms, 7.0)]),
                  ({"__name__": "shared", "who": SECRET, "zone": f"{SECRET}-zone"}, [(ts_ms, 7.0)])]
        reply = send(self.shared.http, message(series, [(COUNTER, "shared", f"{SECRET} help")]),
                     headers=dict(authorization("b")))
        self.assertEqual(reply.code, 204, reply)
        self.assertEqual(self.seen_by_b(), [SECRET])
        limits = json.dumps({"max_series": {"hard": 3, "soft": 1}, "max_samples_per_query": 1})
        reply = self.shared.http.send("PUT", "/api/v1/admin/tenants/b/limits", limits, dict(authorization("ops")))
        self.assertEqual(reply.code, 200, reply)
        reply = send(self.shared.http, message([({"__name__": SECRET}, [(ts_ms, 7.0)])]),
                     headers=dict(authorization("b")))
        self.assertEqual(reply.code, 400, reply)
        reply = self.shared.http.get("/api/v1/query", [("query", "m"), ("query", SECRET), ("time", NOW_S)],
                                     dict(authorization("b")))
        self.assertIn(reply.code, (200, 400, 422), reply)

    def seen_by_b(self):
        return ask(self.shared.http, "/api/v1/label/who/values", headers=dict(authorization("b")))

    def requests(self, route, headers):
        """As a, all questions to an endpoint."""
        pattern = route["pattern"]
        targets = [pattern.replace("*", star) for star in STARS.get(pattern, TENANT_STARS)] \
            if "*" in pattern else [pattern]
        body = []
        if route["access"] == "write":
            headers, body = headers + list(HEADERS.items()), body_of_a()
        for method, target, parameters in itertools.product(route["methods"], targets, ENDPOINTS[pattern]):
            query = urllib.parse.urlencode(parameters)
            if method == "POST" and not body:
                yield Request(method, target, headers + [("Content-Type", "application/x-www-form-urlencoded")],
                              query.encode())
            else:
                yield Request(method, f"{target}?{query}" if query else target, headers, body or b"")

    def compare(self, requests):
        """Answers of a server with b, which are those of one without."""
        requests = list(requests)
        got, want = exchange(self.shared.port, requests), exchange(self.alone.port, requests)
        for request, answer, other in zip(requests, got, want):
            self.assertEqual(answer, other, request)
            self.assertNotIn(SECRET, repr(answer.headers) + answer.body.decode("latin-1"), request)
        return got

    def test_the_list_of_endpoints_is_whole(self):
        self.assertEqual({route["pattern"] for route in self.routes}, set(ENDPOINTS))

    def test_every_question_is_answered_as_if_b_did_not_exist(self):
        for route in self.routes:
            for request in self.requests(route, authorization("a")):
                self.compare([request])
        self.assertEqual(self.seen_by_b(), [SECRET])

    def test_no_header_argument_or_path_reaches_b(self):
        for route in self.routes:
            first = next(self.requests(route, authorization("a")))
            for extra, codes in TENANT_HEADERS:
                answer, = self.compare([first.with_headers(first.headers + extra)])
                if route["access"] == "read" and "*" not in route["pattern"]:
                    with self.subTest(request=first, extra=extra):
                        own, = self.compare([first])
                        self.assertIn(answer.code, {own.code if code == 200 else code for code in codes})
            for arguments in FOREIGN_ARGUMENTS:
                separator = "&" if "?" in first.target else "?"
                target = first.target + separator + urllib.parse.urlencode(arguments)
                self.compare([Request(first.method, target, first.headers, first.body)])
            for prefix in ["/b", "/tenants/b", "/select/b/prometheus", "/insert/b", "/prometheus", "/../b", "/%62"]:
                self.compare([Request(first.method, prefix + first.target, first.headers, first.body)])
        self.assertEqual(self.seen_by_b(), [SECRET])

    def test_no_label_reaches_b(self):
        """Alone, beside a series that is kept, and as the label that reads over several tenants make."""
        headers = authorization("agent") + list(HEADERS.items())
        kept = {"__name__": "kept", "tenant_id": "c", "original_tenant_id": "b", "__tenant_id__": "b"}
        samples = [((NOW_S - 30) * 1000, 1.0)]
        for label in LABELS:
            refused = {"__name__": "m", "who": "agent", "tenant_id": label}
            for series in ([refused], [kept, refused]):
                body = snappy.compress(message([(labels, samples) for labels in series]))
                answer, = self.compare([Request("POST", "/api/v1/push", headers, body)])
                self.assertIn(answer.code, (400, 403), label)
        self.assertEqual(self.seen_by_b(), [SECRET])
        for selector in SELECTORS + ['{original_tenant_id="b"}', '{tenant_id=~"a|b|c"}', '{tenant_id=~"b|"}']:
            for path in ["/api/v1/series", "/api/v1/labels", "/api/v1/label/tenant_id/values",
                         "/api/v1/label/original_tenant_id/values"]:
                query = urllib.parse.urlencode([("match[]", selector)])
                self.compare([Request("GET", f"{path}?{query}", authorization("agent"))])
            query = urllib.parse.urlencode([("query", f"count by (tenant_id) ({selector})"), ("time", NOW_S)])
            self.compare([Request("GET", f"/api/v1/query?{query}", authorization("agent"))])

    def test_no_method_reaches_b(self):
        for route in self.routes:
            first = next(self.requests(route, authorization("a")))
            for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE"]:
                self.compare([Request(method, first.target, first.headers, first.body)])
        self.assertEqual(self.seen_by_b(), [SECRET])

    def test_without_the_right_token_nobody_learns_anything(self):
        for route in self.routes:
            if route["access"] == "open":
                continue
            for request in self.requests(route, []):
                answer, = self.compare([request])
                self.assertEqual(answer.code, 401, request)
            for headers in WRONG:  # not compared: how many are looked at in a second is limited
                answer, = exchange(self.shared.port, [request.with_headers(headers + request.headers)])
                self.assertIn(answer.code, {401, 429}, request)
                self.assertNotIn(SECRET, repr(answer), request)

    def test_what_b_has_just_asked_is_not_what_a_is_told(self):
        """The same text, first as b: nothing that was kept of its answer."""
        for route in self.routes:
            for request in self.requests(route, []):
                if route["access"] in ("read", "known") and request.method == "GET":
                    exchange(self.shared.port, [request.with_headers(authorization("b"))])
                    self.compare([request.with_headers(authorization("a"))])

    def test_one_connection_with_alternating_tokens(self):
        """Sent at once: what the one was granted must not stick to the other."""
        order = ["a", "b", "nobody", "a", "b", "a", "a"]
        for route in self.routes:
            if "GET" not in route["methods"] or route["access"] not in ("read", "operator", "admin"):
                continue
            request = next(self.requests(route, []))
            alone = {name: exchange(self.shared.port, [request.with_headers(authorization(name))])[0]
                     for name in set(order)}
            answers = exchange(self.shared.port,
                               [request.with_headers(authorization(name)) for name in order])
            for name, answer in zip(order, answers):
                self.assertEqual((answer.code, answer.body), (alone[name].code, alone[name].body), request)


if __name__ == "__main__":
    main()
