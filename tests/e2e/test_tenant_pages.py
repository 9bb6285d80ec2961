"""Pages and metrics about tenants: what each has, what it is limited to, how many series have what."""

from answers import ask
from harness import main, now_ms
from tenants_case import TenantsCase


class TenantPages(TenantsCase):
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
        self.assertEqual(limits["compactor_blocks_retention_period_seconds"], 30 * 86400)
        self.limits_call("PUT", "not-yet", {"max_series": 7, "retention": "90d"})
        limits = self.http.get("/api/v1/user_limits", headers={**self.headers("all"), "X-Scope-OrgID": "not-yet"}).json()
        self.assertEqual((limits["max_global_series_per_user"],
                          limits["compactor_blocks_retention_period_seconds"]), (7, 90 * 86400))
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

    def test_a_page_shows_where_warnings_begin_also_where_a_soft_limit_is_out_of_reach(self):
        self.write_a()
        self.limits_call("PUT", "a", {"max_label_values": 500, "max_series": {"hard": 10, "soft": 9}})
        rows = ask(self.http, "/api/v1/tenants/a", headers=self.headers("a"))["limits"]
        self.assertEqual([(rows[name]["hard"], rows[name]["warnsBeyond"])
                          for name in ("max_label_values", "max_series")], [(500, 399), (10, 9)])

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


if __name__ == "__main__":
    main()
