"""Limits of tenants, from the configuration, reloaded, and set at run time."""

import os
import threading

from answers import ask
from harness import Croft, main, wait_until, write_json
from tenants_case import NOW_S, TenantsCase, new_token


class TenantLimits(TenantsCase):
    def test_a_reload_names_what_takes_a_restart(self):
        self.config.update(retention="5d", tenant_label="tenant", data_dir="elsewhere", listen="127.0.0.1:1")
        write_json(self.croft.folder, "croft.yml", self.config)
        self.croft.reload()
        wait_until("the configuration is applied", lambda: "of the configuration applied" in self.log())
        # flags that were given go over the file
        named = [name for name in ("listen", "data_dir", "retention", "tenant_label", "enable_feature", "tls")
                 if f"configuration: {name} has changed, which takes a restart" in self.log()]
        self.assertEqual(named, ["tenant_label"])

    def test_a_changed_file_is_read_without_being_asked_to(self):
        self.write_a()
        self.config["tenants"] = {"a": {"limits": {"max_series": 7}}}
        write_json(self.croft.folder, "croft.yml", self.config)
        wait_until("the limit holds", lambda: self.http.get("/api/v1/user_limits", headers=self.headers("a")).json()
                   ["max_global_series_per_user"] == 7)

    def test_a_pipe_in_the_place_of_the_file_stops_nothing(self):
        path = self.croft.folder + "/croft.yml"
        os.remove(path)
        os.mkfifo(path)
        wait_until("the refusal is logged", lambda: "croft.yml: not a regular file" in self.log())
        self.write_a()
        os.remove(path)
        self.config["tenants"] = {"a": {"limits": {"max_series": 7}}}
        write_json(self.croft.folder, "croft.yml", self.config)
        wait_until("the limit holds", lambda: self.http.get("/api/v1/user_limits", headers=self.headers("a")).json()
                   ["max_global_series_per_user"] == 7)

    def test_what_came_through_a_pipe_holds(self):
        path = self.croft.folder + "/pipe"
        os.mkfifo(path)
        croft = Croft(self, "--config", path)
        writer = threading.Thread(target=write_json, args=(self.croft.folder, "pipe", self.config))
        writer.start()
        croft.start()
        writer.join()
        croft.reload()
        wait_until("the refusal is logged", lambda: "pipe: not a regular file" in croft.tail())
        self.assertEqual(croft.http.get("/api/v1/labels").code, 401)
        self.assertEqual(croft.stop(), 0)

    def test_a_file_that_lost_its_content_changes_nothing(self):
        self.write_a()
        def refusals():
            return self.log().count("configuration not applied")
        for text in ["", "# limits\n", "limits: {max_series: 5}\n", "limits:\n"]:
            before = refusals()
            with open(self.croft.folder + "/croft.yml", "w", encoding="utf-8") as file:
                file.write(text)
            self.croft.reload()
            # once more when the change was seen before it was told of
            wait_until("the refusal is logged",
                       lambda: refusals() > before)  # pylint: disable=cell-var-from-loop
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

    def test_bad_limits_at_run_time_change_nothing(self):
        for body, want in [({"max_seris": 1}, 'the nearest known key is "max_series"'),
                           ({"max_series": {"hard": "x"}}, "want a whole number"),
                           ({"max_series": {"soft": 1000001}}, "max_series: soft: got 1000001, want at most "
                                                               "the hard limit, which is 1000000"),
                           (b"", "want a mapping"), (b"[1]", "want a mapping"), (b"{", "not valid YAML")]:
            reply = self.limits_call("PUT", "a", body)
            self.assertEqual((reply.code, reply.json()["errorType"]), (400, "bad_data"), body)
            self.assertIn(want, reply.json()["error"])
        reply = self.http.send("PUT", "/api/v1/admin/tenants/a/limits", b'{"max_series": 2}',
                               {"Content-Type": "application/x-www-form-urlencoded", **self.headers("ops")})
        self.assertEqual((reply.code, reply.json()["error"]),
                         (400, "Content-Type: got application/x-www-form-urlencoded, want application/json"))
        self.assertEqual(self.limits_call("PUT", "a%2Fb", {}).code, 400)
        self.assertEqual(self.limits_call("POST", "a", {}).code, 405)
        self.assertEqual(self.limits_call("GET", "a").json()["data"], {})
        self.assertEqual(self.http.send("PUT", "/api/v1/admin/tenants/a/limits", b"x" * 70000,
                                        self.headers("ops")).code, 413)

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


if __name__ == "__main__":
    main()
