"""Who may read and write what: tokens x endpoints x ways to ask for somebody else's tenant."""

import base64
import hashlib
import http.client
import json
import re
import secrets
import socket
import subprocess
import unittest

from answers import ask, values
from harness import CROFT, Croft, free_port, main, new_folder, now_ms, wait_until, write_json
from remote_write import COUNTER, HEADERS, message, send, write

import snappy

CANARY = "canary"


def new_token():
    return secrets.token_hex(32)


def credential(name, token, **rights):
    return {"name": name, "token_sha256": hashlib.sha256(token.encode()).hexdigest(), **rights}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(user, token):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


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


NOW_S = now_ms() // 1000
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


class Tenants(unittest.TestCase):
    def setUp(self):
        self.tokens = {name: new_token() for name in
                       ["a", "b", "ab", "all", "agent", "team", "ops", "old"]}
        self.config = {"credentials": [
            credential("a", self.tokens["a"], read=["a"], write=["a"]),
            credential("b", self.tokens["b"], read=["b"], write=["b"]),
            credential("ab", self.tokens["ab"], read=["a", "b"], basic_user="grafana"),
            credential("all", self.tokens["all"], read=["*"], write=["*"]),
            credential("agent", self.tokens["agent"], write=["*"], tenant_from="label"),
            credential("team", self.tokens["team"], write=["a", "b"], tenant_from="label"),
            credential("ops", self.tokens["ops"], admin=True),
        ]}
        self.croft = Croft(self, config=self.config)
        self.croft.start()
        self.http = self.croft.http

    def headers(self, name):
        return bearer(self.tokens[name])

    def send(self, name, labels_list, tenant=None, **more):
        series = [({"__name__": "m", **labels}, [((NOW_S - 60) * 1000, 1.0)])
                  for labels in labels_list]
        return send(self.http, message(series), tenant=tenant, headers={**self.headers(name), **more})

    def write_a(self):
        write(self.http, [({"__name__": "m", "who": "me"}, [((NOW_S - 60) * 1000, 1.0)])],
              headers=self.headers("a"))

    def write_canaries(self):
        entries = [({"__name__": "canary_metric", "canary_label": "canary-value", "who": CANARY},
                    [((NOW_S - 60) * 1000, 7.0)]),
                   ({"__name__": "m", "who": CANARY, "tenant_id": "a"}, [((NOW_S - 60) * 1000, 7.0)])]
        reply = send(self.http, message(entries, [(COUNTER, "canary_metric", "canary help")]),
                     headers=self.headers("b"))
        self.assertEqual(reply.code, 204, reply)

    def who(self, name, tenant=None):
        """The values of the label `who` that a reader sees."""
        headers = self.headers(name)
        if tenant is not None:
            headers["X-Scope-OrgID"] = tenant
        return ask(self.http, "/api/v1/label/who/values", headers=headers)

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
        for target in READS + ["/metrics", "/api/v1/status/buildinfo",
                               f"/api/v1/labels?token={self.tokens['a']}"]:
            for pairs in wrong:
                with self.subTest(target=target, pairs=pairs):
                    code, headers, _ = raw_get(self.croft.port, target, pairs)
                    self.assertIn(code, [401, 429])
                    self.assertIn("WWW-Authenticate: Bearer" if code == 401 else "Retry-After: 1", headers)
        self.assertEqual(code, 429, "so many wrong tokens that they are no longer looked at")
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

    def test_pages_about_tenants(self):
        self.write_a()
        self.write_canaries()
        tenants = ask(self.http, "/api/v1/tenants", headers=self.headers("ab"))
        self.assertEqual({t["tenant"]: t["activeSeries"] for t in tenants}, {"a": 1, "b": 2})
        self.assertEqual([t["tenant"] for t in
                          ask(self.http, "/api/v1/tenants", headers=self.headers("a"))], ["a"])
        detail = ask(self.http, "/api/v1/tenants/b", headers=self.headers("ab"))
        self.assertEqual((detail["seriesInMemory"], detail["limits"]["max_series"]),
                         (2, {"hard": 1000000, "warnsBeyond": 799999, "current": 2,
                              "source": "default", "warnings": 0, "wouldRefuse": 0}))
        self.assertEqual(detail["limits"].pop("ha_cluster_label"), {"value": "cluster", "source": "default"})
        self.assertEqual(detail["limits"].pop("ha_replica_label"), {"value": "__replica__", "source": "default"})
        limits = {name: row["hard"] for name, row in detail["limits"].items()}
        self.assertEqual(len(limits), 22)
        self.assertEqual({name: limits[name] for name in [
            "creation_grace_period", "query_timeout", "retention", "out_of_order_time_window",
            "max_series_per_metric", "accept_ha_samples"]},
            {"creation_grace_period": 600, "query_timeout": 120, "retention": 30 * 86400,
             "out_of_order_time_window": 30 * 86400, "max_series_per_metric": None,
             "accept_ha_samples": False})
        self.assertGreaterEqual(limits["max_concurrent_queries"], 4)
        self.assertEqual(detail["topMetrics"], [{"metric": "canary_metric", "series": 1},
                                                {"metric": "m", "series": 1}])
        self.assertEqual(detail["topLabels"][0], {"label": "__name__", "values": 2,
                                                  "isBeyondSoftLimit": False})
        for path, want in [("b", 403), ("b/rejections", 403), ("nobody", 403), ("a%2Fb", 400)]:
            reply = self.http.get("/api/v1/tenants/" + path, headers=self.headers("a"))
            self.assertEqual(reply.code, want, path)
        reply = self.http.get("/api/v1/tenants/nobody", headers=self.headers("all"))
        self.assertEqual((reply.code, reply.json()["errorType"]), (404, "not_found"))
        self.send("b", [{"": "x"}])
        rejections = ask(self.http, "/api/v1/tenants/b/rejections", headers=self.headers("b"))
        self.assertLess(abs(rejections[0].pop("lastAt") * 1000 - now_ms()), 60000)
        self.assertEqual(rejections, [{"reason": "invalid-labels", "samples": 1,
                                       "lastError": 'label: empty name for the value: "x"'}])
        limits = self.http.get("/api/v1/user_limits", headers=self.headers("a")).json()
        self.assertEqual(limits["max_global_series_per_user"], 1000000)
        self.assertEqual(limits["ingestion_rate"], 0)
        status = ask(self.http, "/api/v1/status/tsdb", headers=self.headers("b"))
        self.assertEqual(status["headStats"]["numSeries"], 2)
        self.assertEqual(status["seriesCountByMetricName"], [{"name": "canary_metric", "value": 1},
                                                             {"name": "m", "value": 1}])
        self.assertIn({"name": "who=canary", "value": 2}, status["seriesCountByLabelValuePair"])
        names = self.http.get("/api/v1/cardinality/label_names", [("limit", 1)],
                              headers=self.headers("b")).json()
        self.assertEqual(names, {"label_values_count_total": 5, "label_names_count": 4, "cardinality": [
            {"label_name": "__name__", "label_values_count": 2}]})
        found = self.http.get("/api/v1/cardinality/label_values", [("label_names[]", "who")],
                              headers=self.headers("b")).json()
        self.assertEqual(found, {"series_count_total": 2, "labels": [
            {"label_name": "who", "label_values_count": 1, "series_count": 2,
             "cardinality": [{"label_value": "canary", "series_count": 2}]}]})
        self.assertEqual(self.http.get("/api/v1/user_limits", headers=self.headers("ab")).code, 400)

    def cardinality(self, page, token, *params):
        reply = self.http.get("/api/v1/cardinality/" + page, list(params), headers=self.headers(token))
        self.assertEqual(reply.code, 200, reply.text())
        return reply.json()

    def test_cardinality_over_several_tenants(self):
        self.write_a()
        self.write_canaries()
        found = self.cardinality("label_values", "ab", ("label_names[]", "tenant_id"),
                                 ("label_names[]", "who"))
        self.assertEqual(found["series_count_total"], 3)
        self.assertEqual(found["labels"][0]["cardinality"], [{"label_value": "b", "series_count": 2},
                                                             {"label_value": "a", "series_count": 1}])
        self.assertEqual(found["labels"][1]["label_values_count"], 2)
        status = ask(self.http, "/api/v1/status/tsdb", [("limit", "1")], headers=self.headers("ab"))
        self.assertEqual(status["headStats"]["numSeries"], 3)
        self.assertEqual(status["seriesCountByMetricName"], [{"name": "m", "value": 2}])
        self.assertEqual(status["memoryInBytesByLabelName"][0]["name"], "__name__")

    def test_cardinality_of_a_selector(self):
        self.write_canaries()
        for method in ["inmemory", "active"]:
            names = self.cardinality("label_names", "b", ("selector", "canary_metric"),
                                     ("count_method", method))
            self.assertEqual((names["label_values_count_total"], names["label_names_count"]),
                             (len(names["cardinality"]), len(names["cardinality"])))
            values_of_who = self.cardinality("label_values", "b", ("label_names[]", "who"),
                                             ("selector", '{__name__="m"}'), ("count_method", method))
            self.assertEqual((values_of_who["series_count_total"],
                              values_of_who["labels"][0]["series_count"]), (1, 1))
        for params in [[("count_method", "x")], [("selector", "{")], [("selector", "{}")], [("limit", "x")]]:
            reply = self.http.get("/api/v1/cardinality/label_names", params, headers=self.headers("b"))
            self.assertEqual((reply.code, reply.json()["errorType"]), (400, "bad_data"), params)

    def test_active_series(self):
        self.write_a()
        self.write_canaries()
        found = self.cardinality("active_series", "ab", ("selector", '{who=~".+"}'))["data"]
        self.assertEqual(sorted((s["tenant_id"], s["who"]) for s in found),
                         [("a", "me"), ("b", "canary"), ("b", "canary")])
        self.assertEqual(len(self.cardinality("active_series", "ab",
                                              ("selector", 'm{tenant_id="b"}'))["data"]), 1)
        alone = self.cardinality("active_series", "a", ("selector", "m"))["data"]
        self.assertEqual([(s["__name__"], s["who"]) for s in alone], [("m", "me")])
        self.assertEqual(self.http.get("/api/v1/cardinality/active_series",
                                       headers=self.headers("a")).code, 400)

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

    def test_writers_need_the_right_to_write(self):
        for name, want in [("ab", 403), ("ops", 403), ("nobody", 401)]:
            self.tokens.setdefault(name, new_token())
            self.assertEqual(self.send(name, [{"who": "x"}]).code, want, name)
        body = snappy.compress(message([]))
        self.assertEqual(self.http.send("POST", "/api/v1/push", body, HEADERS).code, 401)
        self.assertEqual(self.who("all"), [])

    # ---- keeping ----

    def test_a_reload_names_what_takes_a_restart(self):
        self.config.update(retention="5d", tenant_label="tenant", data_dir="elsewhere", listen="127.0.0.1:1")
        write_json(self.croft.folder, "croft.yml", self.config)
        self.croft.reload()
        wait_until("the configuration is applied", lambda: "of the configuration applied" in self.log())
        # flags that were given go over the file
        named = [name for name in ("listen", "data_dir", "retention", "tenant_label", "enable_feature", "tls")
                 if f"configuration: {name} has changed, which takes a restart" in self.log()]
        self.assertEqual(named, ["tenant_label"])

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

    def test_a_file_that_lost_its_content_changes_nothing(self):
        self.write_a()
        for number, text in enumerate(["", "# limits\n", "limits: {max_series: 5}\n", "limits:\n"], 1):
            with open(self.croft.folder + "/croft.yml", "w", encoding="utf-8") as file:
                file.write(text)
            self.croft.reload()
            wait_until("the refusal is logged",
                       lambda: self.log().count("configuration not applied") == number)  # pylint: disable=cell-var-from-loop
        self.assertEqual(self.http.get("/api/v1/labels").code, 401)
        self.assertEqual(self.http.get("/api/v1/user_limits", headers=self.headers("a")).json()
                         ["max_global_series_per_user"], 1000000)

    def test_soft_limits_and_dry_runs_are_told(self):
        self.config["tenants"] = {"a": {"limits": {"max_series": {"soft": 1, "dry_run": 2}}}}
        write_json(self.croft.folder, "croft.yml", self.config)
        self.croft.reload()
        wait_until("the limits hold", lambda: "1 tenants have their own" in self.log())
        self.assertEqual(self.send("a", [{"who": str(i)} for i in range(4)]).code, 204)
        metrics = self.http.get("/metrics", headers=self.headers("ops")).text()
        self.assertIn('croft_limit_warnings_total{tenant="a",limit="max_series"} 1\n', metrics)
        self.assertIn('croft_limit_would_refuse_total{tenant="a",limit="max_series"} 2\n', metrics)
        self.assertIn('croft_limit_current{tenant="a",limit="max_series"} 4\n', metrics)
        self.assertIn('croft_limit_max{tenant="a",limit="max_series"} 1000000\n', metrics)
        self.assertIn('tenant \\"a\\": max_series: more than 1 active series, refused beyond 1000000',
                      self.log())

    def limits_call(self, method, tenant, body=None, token="ops"):
        body = json.dumps(body).encode() if isinstance(body, dict) else body
        return self.http.send(method, f"/api/v1/admin/tenants/{tenant}/limits", body,
                              {"Content-Type": "application/json", **self.headers(token)})

    def series_max(self, tenant):
        return ask(self.http, "/api/v1/tenants/" + tenant,
                   headers=self.headers("all"))["limits"]["max_series"]["hard"]

    def test_limits_set_at_run_time_hold_and_stay(self):
        self.write_a()
        for token, want in [("a", 403), ("all", 403), ("nobody", 401)]:
            self.tokens.setdefault(token, new_token())
            for method in ["GET", "PUT", "DELETE"]:
                self.assertEqual(self.limits_call(method, "a", {}, token).code, want, (token, method))
        self.assertEqual(self.limits_call("PUT", "a", {"max_series": 2}).json(),
                         {"status": "success", "data": {"max_series": {"hard": 2}}})
        self.assertEqual(self.series_max("a"), 2)
        reply = self.send("a", [{"who": "1"}, {"who": "2"}])
        self.assertEqual(reply.code, 400)
        self.assertIn('1 max-series (err-croft-max-series): tenant "a" has 2 active series, limit max_series '
                      'is 2: refused 1 new series of metric "m"; label "who" has the most new values (1 in '
                      'the first 1), such as "2"', reply.text())
        rejection = ask(self.http, "/api/v1/tenants/a/rejections", headers=self.headers("a"))[0]
        self.assertEqual([rejection[key] for key in ("reason", "metric", "label", "newValues", "examples")],
                         ["max-series", "m", "who", 1, ["2"]])
        self.config["tenants"] = {"a": {"limits": {"max_series": 7}}}
        write_json(self.croft.folder, "croft.yml", self.config)
        self.croft.reload()
        wait_until("the configuration holds", lambda: "1 tenants have their own" in self.log())
        self.assertEqual(self.series_max("a"), 2)
        self.croft.stop()
        self.croft.start()
        self.assertEqual(self.series_max("a"), 2)
        self.assertEqual(self.limits_call("GET", "a").json()["data"], {"max_series": {"hard": 2}})
        self.assertEqual(self.limits_call("DELETE", "a").json()["data"], {})
        self.assertEqual(self.limits_call("DELETE", "a").code, 404)
        self.assertEqual(self.series_max("a"), 7)

    def test_a_page_shows_where_warnings_begin_also_where_a_soft_limit_is_out_of_reach(self):
        self.write_a()
        self.limits_call("PUT", "a", {"max_label_values": 500, "max_series": {"hard": 10, "soft": 9}})
        rows = ask(self.http, "/api/v1/tenants/a", headers=self.headers("a"))["limits"]
        self.assertEqual([(rows[name]["hard"], rows[name]["warnsBeyond"])
                          for name in ("max_label_values", "max_series")], [(500, 399), (10, 9)])

    def test_bad_limits_at_run_time_change_nothing(self):
        for body, want in [({"max_seris": 1}, 'the nearest known key is "max_series"'),
                           ({"max_series": {"hard": "x"}}, "want a whole number"),
                           ({"max_series": {"soft": 1000001}}, "max_series: soft: got 1000001, want at most "
                                                               "the hard limit, which is 1000000"),
                           (b"", "want a mapping"), (b"[1]", "want a mapping"), (b"{", "not valid YAML")]:
            reply = self.limits_call("PUT", "a", body)
            self.assertEqual((reply.code, reply.json()["errorType"]), (400, "bad_data"), body)
            self.assertIn(want, reply.json()["error"])
        self.assertEqual(self.limits_call("PUT", "a%2Fb", {}).code, 400)
        self.assertEqual(self.limits_call("POST", "a", {}).code, 405)
        self.assertEqual(self.limits_call("GET", "a").json()["data"], {})
        self.assertEqual(self.http.send("PUT", "/api/v1/admin/tenants/a/limits", b"x" * 70000,
                                        self.headers("ops")).code, 413)

    def test_what_a_tenant_uses_is_in_the_metrics(self):
        self.limits_call("PUT", "a", {"max_series": 4, "max_label_values": {"soft": 2}})
        self.send("a", [{"who": str(i)} for i in range(5)])
        self.assertEqual(self.who("a"), ["0", "1", "2", "3"])
        ask(self.http, "/api/v1/query", [("query", "count(m)")], headers=self.headers("a"))
        metrics = self.http.get("/metrics", headers=self.headers("ops")).text()
        for line in ['croft_tenant_series{tenant="a"} 4', 'croft_tenant_block_bytes{tenant="a"} 0',
                     'croft_tenant_rejections_total{tenant="a",reason="max-series"} 1',
                     'croft_tenant_label_values{tenant="a",label="who"} 4',
                     'croft_tenant_query_samples_total{tenant="a"} 4']:
            self.assertIn(line + "\n", metrics)
        self.assertEqual(self.http.send("POST", "/api/v1/admin/tsdb/flush", b"",
                                        self.headers("ops")).code, 204)
        metrics = self.http.get("/metrics", headers=self.headers("ops")).text()
        self.assertRegex(metrics, r'croft_tenant_block_bytes{tenant="a"} [1-9]')
        detail = ask(self.http, "/api/v1/tenants/a", headers=self.headers("a"))
        self.assertEqual(detail["topLabels"][0], {"label": "who", "values": 4, "isBeyondSoftLimit": True})

    def test_limits_of_requests_and_queries(self):
        self.send("a", [{"who": str(i)} for i in range(5)])
        self.limits_call("PUT", "a", {"max_samples_per_query": {"hard": 4, "soft": 2, "dry_run": 1},
                                      "max_query_expression_size_bytes": 20, "max_request_bytes": 100})
        self.limits_call("PUT", "b", {"max_request_bytes": 100})
        reply = self.http.get("/api/v1/query", [("query", "count(m)")], headers=self.headers("a"))
        self.assertEqual((reply.code, reply.json()["errorType"]), (422, "execution"))
        reply = self.http.get("/api/v1/query_range", [("query", "m"), ("start", NOW_S - 90), ("end", NOW_S),
                                                      ("step", 30)], headers=self.headers("a"))
        self.assertEqual((reply.code, reply.json()["errorType"]), (422, "execution"))
        # over several tenants the smallest limit holds
        reply = self.http.get("/api/v1/query", [("query", "count(m)")], headers=self.headers("ab"))
        self.assertEqual(reply.code, 422)
        found = ask(self.http, "/api/v1/query", [("query", 'm{who=~"[1-4]"}')], headers=self.headers("a"))
        self.assertEqual(len(found["result"]), 4)
        metrics = self.http.get("/metrics", headers=self.headers("ops")).text()
        for line in ['croft_limit_warnings_total{tenant="a",limit="max_samples_per_query"} 3',
                     'croft_limit_would_refuse_total{tenant="a",limit="max_samples_per_query"} 3']:
            self.assertIn(line, metrics)
        reply = self.http.get("/api/v1/query", [("query", "m" + " " * 20)], headers=self.headers("a"))
        self.assertEqual((reply.code, reply.json()["error"]),
                         (400, "query: got 21 bytes, limit max_query_expression_size_bytes is 20 "
                               "(err-croft-max-query-expression-size-bytes)"))
        self.assertEqual(self.send("a", [{"who": "x"}]).code, 204)
        for token in ["a", "b"]:  # whether it has been written to or not
            reply = self.send(token, [{"who": "x" * 100}])
            self.assertEqual(reply.code, 413)
            self.assertIn(f'tenant "{token}": limit max_request_bytes is 100 (err-croft-max-request-bytes)',
                          reply.text())
        self.limits_call("PUT", "a", {"query_timeout": "0s"})
        reply = self.http.get("/api/v1/query", [("query", "m")], headers=self.headers("a"))
        self.assertEqual((reply.code, reply.json()["errorType"]), (503, "timeout"))

    def test_of_an_ha_pair_one_replica_is_stored(self):
        self.assertEqual(self.limits_call("PUT", "a", {"accept_ha_samples": True}).json()["data"],
                         {"accept_ha_samples": {"hard": True}})
        self.assertEqual(self.send("a", [{"who": "1", "cluster": "c", "__replica__": "r1"}]).code, 204)
        reply = self.send("a", [{"who": "2", "cluster": "c", "__replica__": "r2"}])
        self.assertEqual((reply.code, reply.text()),
                         (202, 'tenant "a": cluster "c" is kept from replica "r1", not from "r2"\n'))
        self.assertEqual(self.send("a", [{"who": "3", "cluster": "c", "__replica__": "r1"}]).code, 204)
        self.assertEqual(self.who("a"), ["1", "3"])
        series = ask(self.http, "/api/v1/series", [("match[]", '{who="1"}')], headers=self.headers("a"))
        self.assertEqual(series, [{"__name__": "m", "cluster": "c", "who": "1"}])
        self.assertIn('croft_tenant_samples_deduplicated_total{tenant="a"} 1\n',
                      self.http.get("/metrics", headers=self.headers("ops")).text())

    def log(self):
        with open(self.croft.log_path, encoding="utf-8") as file:
            return file.read()

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
