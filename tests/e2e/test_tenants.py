"""Who may read and write what: tokens x endpoints x ways to ask for somebody else's tenant."""

import hashlib
import http.client
import re
import socket
import subprocess
import unittest

from answers import ask, values
from harness import CROFT, Croft, free_port, main, new_folder, now_ms, wait_until, write_json
from remote_write import COUNTER, HEADERS, message, send
from tenants_case import CANARY, NOW_S, TenantsCase, basic, bearer, credential, new_token

import snappy


def raw_get(port, target, pairs):
    """(code, headers, body), with header fields as they stand: also twice the same."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest("GET", target, skip_accept_encoding=True)
        for name, value in pairs:
            connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        return reply.status, str(reply.headers), reply.read().decode()
    finally:
        connection.close()


SPAN = f"start={NOW_S - 600}&end={NOW_S}"

# With what each may hold of a matcher on the tenant, and of everything.
READS = [
    f"/api/v1/query?query=m&time={NOW_S}",
    f"/api/v1/query?query=count(%7B__name__%3D~%22.%2B%22%7D)&time={NOW_S}",
    f"/api/v1/query?query=%7B__name__%3D~%22.%2B%22%2Ctenant_id%3D%22b%22%7D&time={NOW_S}",
    f"/api/v1/query?query=%7B__name__%3D~%22.%2B%22%2C__tenant_id__%3D%22b%22%7D&time={NOW_S}",
    f"/api/v1/query?query=%7B__name__%3D~%22.%2B%22%2Ctenant_id%3D~%22.*%22%7D&time={NOW_S}",
    f"/api/v1/query?query=absent(canary_metric)&time={NOW_S}",
    f"/api/v1/query_range?query=%7B__name__%3D~%22.%2B%22%7D&{SPAN}&step=60",
    f"/api/v1/query_exemplars?query=m&{SPAN}",
    f"/api/v1/series?match[]=%7B__name__%3D~%22.%2B%22%7D&{SPAN}",
    "/api/v1/series?match[]=canary_metric&match[]=m",
    "/api/v1/labels",
    "/api/v1/labels?match[]=canary_metric",
    "/api/v1/label/__name__/values",
    "/api/v1/label/tenant_id/values",
    "/api/v1/label/__tenant_id__/values",
    "/api/v1/label/canary_label/values",
    "/api/v1/label/who/values?match[]=%7B__name__%3D~%22.%2B%22%7D",
    "/api/v1/metadata",
    "/api/v1/metadata?metric=canary_metric",
    "/api/v1/format_query?query=m",
    "/api/v1/parse_query?query=m",
    "/api/v1/rules",
    "/api/v1/alerts",
    "/api/v1/targets",
    "/api/v1/targets/metadata",
    "/api/v1/scrape_pools",
    "/api/v1/alertmanagers",
    "/api/v1/status/config",
    "/api/v1/status/flags",
    "/api/v1/tenants",
    "/api/v1/tenants/a",
    "/api/v1/tenants/a/rejections",
    "/api/v1/user_limits",
    "/api/v1/status/tsdb",
    "/api/v1/cardinality/label_names",
    "/api/v1/cardinality/active_series?selector=m",
    "/api/v1/cardinality/label_values?label_names[]=who",
    "/prometheus/api/v1/labels",
    "/prometheus/api/v1/label/who/values",
]
# How a request may name a tenant in its headers -> what becomes of it, with the token of tenant a.
HEADER_FORMS = [
    ([], 200),
    ([("X-Scope-OrgID", "a")], 200),
    ([("x-scope-orgid", "a  ")], 200),
    ([("X-Scope-OrgID", "")], 400),
    ([("X-Scope-OrgID", "a|a")], 200),
    ([("X-Scope-OrgID", "b")], 403),
    ([("x-SCOPE-orgid", "b")], 403),
    ([("X-Scope-OrgID", "A")], 403),
    ([("X-Scope-OrgID", "a|b")], 403),
    ([("X-Scope-OrgID", "b|a")], 403),
    ([("X-Scope-OrgID", "nobody")], 403),
    ([("X-Scope-OrgID", "*")], 403),
    ([("X-Scope-OrgID", "a,b")], 400),
    ([("X-Scope-OrgID", "a|")], 400),
    ([("X-Scope-OrgID", "..")], 400),
    ([("X-Scope-OrgID", "a"), ("X-Scope-OrgID", "b")], 400),
    ([("X-Scope-OrgID", "a"), ("x-scope-orgid", "a")], 400),
    ([("X-Scope-Org-ID", "b"), ("X-Tenant", "b"), ("AccountID", "b")], 200),
]


class Tenants(TenantsCase):
    # ---- reading ----

    def test_no_answer_for_a_shows_that_b_exists(self):
        authorization = list(self.headers("a").items())
        self.write_a()
        before = {target: raw_get(self.croft.port, target, authorization) for target in READS}
        self.write_canaries()
        for target in READS:
            code, _, body = raw_get(self.croft.port, target, authorization)
            self.assertEqual((code, body), (before[target][0], before[target][2]), target)
            self.assertNotIn(CANARY, body, target)

    def test_every_form_of_the_header_at_every_endpoint(self):
        self.write_a()
        self.write_canaries()
        authorization = list(self.headers("a").items())
        for target in READS:
            for form, want in HEADER_FORMS:
                with self.subTest(target=target, form=form):
                    code, headers, body = raw_get(self.croft.port, target, authorization + form)
                    self.assertEqual(code, want, body)
                    self.assertNotIn(CANARY, headers + body)

    def test_without_the_right_token_nothing_but_health(self):
        wrong = [[], [("Authorization", "Bearer " + new_token())],
                 [("Authorization", "Bearer " + self.tokens["a"][:-1])],
                 [("Authorization", "Bearer " + self.tokens["a"] + "0")],
                 [("Authorization", self.tokens["a"])],
                 [("Authorization", "Token " + self.tokens["a"])],
                 [("Authorization", "Bearer " + self.config["credentials"][0]["token_sha256"])],
                 [("Authorization", "Bearer " + self.tokens["a"]),
                  ("Authorization", "Bearer " + self.tokens["a"])],
                 list(basic("b", self.tokens["a"]).items())]
        codes = set()
        for target in READS + ["/metrics", "/api/v1/status/buildinfo",
                               f"/api/v1/labels?token={self.tokens['a']}"]:
            for pairs in wrong:
                with self.subTest(target=target, pairs=pairs):
                    code, headers, _ = raw_get(self.croft.port, target, pairs)
                    codes.add(code)
                    self.assertIn(code, [401, 429])
                    self.assertIn("WWW-Authenticate: Bearer" if code == 401 else "Retry-After: 1", headers)
        self.assertIn(429, codes, "so many wrong tokens that most are no longer looked at")
        self.assertEqual(self.http.get("/api/v1/labels", headers=self.headers("a")).code, 200)
        for target in ["/-/healthy", "/-/ready"]:
            self.assertEqual(raw_get(self.croft.port, target, [])[0], 200)

    def test_readers_of_several_tenants(self):
        self.write_a()
        self.write_canaries()
        self.assertEqual(self.who("ab"), [CANARY, "me"])
        self.assertEqual(self.who("ab", "a"), ["me"])
        self.assertEqual(self.who("ab", "b|a"), [CANARY, "me"])
        self.assertEqual(self.who("all"), [CANARY, "me"])
        found = values(self.http, "sum by (tenant_id) (m)", NOW_S, headers=self.headers("ab"))
        self.assertEqual({dict(labels)["tenant_id"]: value for labels, value in found.items()},
                         {"a": "1", "b": "7"})
        reply = self.http.get("/api/v1/labels", headers=basic("grafana", self.tokens["ab"]))
        self.assertEqual(reply.code, 200)
        reply = self.http.get("/api/v1/labels", headers={**self.headers("ab"), "X-Scope-OrgID": "c"})
        self.assertEqual((reply.code, reply.json()["errorType"]), (403, "forbidden"))

    def test_status_pages_are_for_who_sees_everything(self):
        for name, want in [("a", 403), ("ab", 403), ("agent", 403), ("all", 200), ("ops", 200)]:
            self.assertEqual(self.http.get("/metrics", headers=self.headers(name)).code, want, name)
        for name in ["a", "ab", "all", "agent", "nobody"]:
            self.tokens.setdefault(name, new_token())
            reply = self.http.send("POST", "/api/v1/admin/tsdb/flush", headers=self.headers(name))
            self.assertEqual(reply.code, 401 if name == "nobody" else 403, name)
            self.assertEqual(self.http.get("/api/v1/admin/tsdb/flush", headers=self.headers(name)).code, 405, name)
        for name in ["a", "agent", "ops"]:
            reply = self.http.get("/api/v1/status/buildinfo", headers=self.headers(name))
            self.assertEqual(reply.code, 200, name)
        for name in ["agent", "ops"]:
            self.assertEqual(self.http.get("/api/v1/labels", headers=self.headers(name)).code, 403)

    def test_one_connection_with_alternating_tokens(self):
        """Sent at once: what the one was granted must not stick to the other."""
        self.write_a()
        self.write_canaries()
        order = ["a", "b", "none", "ab", "a", "none", "b", "a"] * 10
        requests = b""
        for name in order:
            authorization = f"Authorization: Bearer {self.tokens.get(name, 'x')}\r\n"
            requests += (f"GET /api/v1/label/who/values HTTP/1.1\r\nHost: croft\r\n{authorization}"
                         "\r\n").encode()
        requests = requests[:-2] + b"Connection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.croft.port), timeout=60) as connection:
            connection.sendall(requests)
            received = b""
            while part := connection.recv(1 << 16):
                received += part
        bodies = re.findall(rb'\{"status":[^\n]*?\}(?=HTTP/1.1|$)', received)
        want = {"a": b'"data":["me"]', "b": b'"data":["canary"]', "ab": b'"data":["canary","me"]',
                "none": b'"unauthorized"'}
        self.assertEqual(len(bodies), len(order))
        for name, body in zip(order, bodies):
            self.assertIn(want[name], body)

    # ---- writing ----

    def test_refused_writes_make_no_tenants(self):
        before = self.http.get("/metrics", headers=self.headers("all")).text()
        headers = {**self.headers("agent")}
        for ts_ms, labels in [(1, {}), (now_ms() + 86_400_000, {}), (now_ms(), {"": "no name"})]:
            series = [({"__name__": "m", "tenant_id": f"made-up-{i}", **labels}, [(ts_ms, 1.0)]) for i in range(50)]
            self.assertEqual(send(self.http, message(series), headers=headers).code, 400)
        reply = send(self.http, message([], [(COUNTER, "m", "help")]), tenant="made-up", headers=headers)
        self.assertEqual(reply.code, 204)
        after = self.http.get("/metrics", headers=self.headers("all")).text()
        self.assertEqual(*[re.search(r"^croft_tenants (\d+)$", text, re.MULTILINE)[1] for text in (before, after)])

    def test_a_token_of_one_tenant_writes_to_it_only(self):
        for labels in [{"tenant_id": "b"}, {"__tenant__": "b"}, {"vm_account_id": "b"}]:
            self.assertEqual(self.send("a", [{"who": "w", **labels}]).code, 204)
        self.assertEqual(self.who("b"), [])
        self.assertEqual(self.who("a"), ["w"])
        self.assertEqual(self.send("a", [{"who": "x"}], tenant="a").code, 204)
        for tenant, want in [("b", 403), ("A", 403), ("anonymous", 403), ("a|b", 400), ("a,b", 400),
                             ("", 400), ("a b", 400)]:
            self.assertEqual(self.send("a", [{"who": "y"}], tenant=tenant).code, want, tenant)
        self.assertEqual(self.who("all"), ["w", "x"])

    def test_labels_choose_among_the_granted_tenants(self):
        reply = self.send("team", [{"who": "1", "tenant_id": "a"}, {"who": "2", "tenant_id": "c"},
                                   {"who": "3", "tenant_id": "b"}, {"who": "4"}])
        self.assertEqual(reply.code, 403)
        self.assertIn('2 tenant-not-granted (err-croft-tenant-not-granted): tenant "c": this credential '
                      "may not write it", reply.text())
        self.assertEqual(self.who("all"), ["1", "3"])
        reply = self.send("team", [{"who": "5", "tenant_id": "c"}, {"who": "6", "tenant_id": ".."}])
        self.assertEqual(reply.code, 400)
        self.assertEqual(self.send("agent", [{"who": "7", "tenant_id": "c"}, {"who": "8"}]).code, 204)
        self.assertEqual(self.who("all", "c"), ["7"])
        self.assertEqual(self.who("all", "anonymous"), ["8"])
        # who may write all, but not by label, writes what has no header to the default tenant
        self.assertEqual(self.send("all", [{"who": "9", "tenant_id": "c"}]).code, 204)
        self.assertEqual(self.who("all", "anonymous"), ["8", "9"])
        self.assertEqual(self.send("all", [{"who": "0"}], tenant="d").code, 204)
        self.assertEqual(self.who("all", "d"), ["0"])

    def test_no_label_puts_samples_among_those_of_another_tenant(self):
        self.assertEqual(self.send("b", [{"who": "b"}]).code, 204)
        self.assertEqual(self.send("all", [{"who": "forged", "tenant_id": "b"}]).code, 204)
        self.assertEqual(self.send("a", [{"who": "forged too", "tenant_id": "b"}]).code, 204)
        found = values(self.http, "count by (tenant_id, original_tenant_id) (m)", NOW_S, headers=self.headers("all"))
        self.assertEqual(found, {frozenset({("tenant_id", "b")}): "1", frozenset({("original_tenant_id", "b")}): "1",
                                 frozenset({("tenant_id", "a"), ("original_tenant_id", "b")}): "1"})
        self.assertEqual(ask(self.http, "/api/v1/label/who/values", [("match[]", 'm{tenant_id="b"}')],
                             headers=self.headers("all")), ["b"])
        self.assertEqual(ask(self.http, "/api/v1/label/tenant_id/values", headers=self.headers("all")), ["a", "b"])
        pairs = ask(self.http, "/api/v1/status/tsdb", headers=self.headers("all"))["seriesCountByLabelValuePair"]
        self.assertEqual({pair["name"]: pair["value"] for pair in pairs if "tenant_id" in pair["name"]},
                         {"tenant_id=a": 1, "tenant_id=b": 1, "original_tenant_id=b": 2})

    def test_writers_need_the_right_to_write(self):
        for name, want in [("ab", 403), ("ops", 403), ("nobody", 401)]:
            self.tokens.setdefault(name, new_token())
            self.assertEqual(self.send(name, [{"who": "x"}]).code, want, name)
        body = snappy.compress(message([]))
        self.assertEqual(self.http.send("POST", "/api/v1/push", body, HEADERS).code, 401)
        self.assertEqual(self.who("all"), [])

    # ---- keeping ----

    def test_a_reload_revokes_and_admits_at_once(self):
        self.assertEqual(self.http.get("/api/v1/labels", headers=self.headers("a")).code, 200)
        self.config["credentials"][0] = credential("a", self.tokens["old"], read=["a"])
        write_json(self.croft.folder, "croft.yml", self.config)
        self.croft.reload()
        wait_until("the new token is known", lambda: self.http.get(
            "/api/v1/labels", headers=self.headers("old")).code == 200)
        self.assertEqual(self.http.get("/api/v1/labels", headers=self.headers("a")).code, 401)
        self.assertEqual(self.send("old", [{}]).code, 403)
        # a file with an error changes nothing
        write_json(self.croft.folder, "croft.yml", {"credentials": [{"name": "x"}]})
        self.croft.reload()
        wait_until("the refusal is logged", lambda: "configuration not applied" in self.log())
        self.assertEqual(self.http.get("/api/v1/labels", headers=self.headers("old")).code, 200)

    def test_neither_logs_nor_metrics_show_a_token(self):
        self.send("a", [{}])
        self.send("a", [{}], tenant="b")
        raw_get(self.croft.port, "/api/v1/labels?token=" + self.tokens["a"], [])
        self.http.get("/api/v1/labels", headers=basic("x", self.tokens["a"]))
        said = self.log() + self.http.get("/metrics", headers=self.headers("ops")).text()
        for token in self.tokens.values():
            self.assertNotIn(token, said)
        self.assertIn('croft_credential_refusals_total{code="401"} 2', said)


class Start(unittest.TestCase):
    def test_beyond_loopback_only_with_credentials(self):
        folder = new_folder(self, "tenants")
        port = free_port()
        command = [CROFT, "serve", "--listen", f"0.0.0.0:{port}", "--data-dir", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there are no credentials", done.stderr)

    def test_a_new_token_opens_what_its_hash_is_granted(self):
        done = subprocess.run([CROFT, "token", "new"], capture_output=True, text=True, timeout=60,
                              check=True)
        lines = re.fullmatch(r"token: ([0-9a-f]{64})\ntoken_sha256: ([0-9a-f]{64})\n", done.stdout)
        token, digest = lines.groups()
        self.assertEqual(hashlib.sha256(token.encode()).hexdigest(), digest)
        croft = Croft(self, config={"credentials": [{"name": "x", "token_sha256": digest,
                                                     "read": ["*"]}]})
        croft.start()
        self.assertEqual(croft.http.get("/api/v1/labels", headers=bearer(token)).code, 200)
        again = subprocess.run([CROFT, "token", "new"], capture_output=True, text=True, timeout=60,
                               check=True)
        self.assertNotEqual(again.stdout, done.stdout)


if __name__ == "__main__":
    main()
