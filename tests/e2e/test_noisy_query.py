"""One tenant's queries do not get in the way of another's.

Not a measurement: the noisy tenant has more queries than there are processors from the first to the last
question of the quiet one. What each got of the processors is read from the server's own count of processor time.
"""

import threading
import unittest

from answers import query, query_range
from harness import PROCESSORS, Croft, main, now_ms, wait_until
from remote_write import write

SERIES, STEP_MS, HOURS = 20, 15_000, 3
NOISY_QUERIES, ROUNDS = max(20, 2 * PROCESSORS), 10

# Sorts 108,000 numbers 11,000 times for each series: it ends by its timeout, or with the server.
ENDLESS = "quantile_over_time(0.5, m[3h:100ms])"

DASHBOARD = ["sum(rate(m[5m]))", "avg by (n) (m)", "topk(3, m)", "max_over_time(m[10m])", "count(m) > 1"]


class NoisyQuery(unittest.TestCase):
    def setUp(self):
        self.croft = Croft(self).start()
        self.http = self.croft.http
        self.end_s = now_ms() // 60_000 * 60
        times = range((self.end_s - HOURS * 3600) * 1000, self.end_s * 1000, STEP_MS)
        for tenant in ("noisy", "quiet"):
            write(self.http, [({"__name__": "m", "n": str(n)}, [(ts, ts % 1000 + n) for ts in times])
                              for n in range(SERIES)], tenant=tenant)

    def ask_endlessly(self, tenant):
        """Again when it has ended by its timeout, however slow the machine is, until the server is gone."""
        params = [("query", ENDLESS), ("start", self.end_s - 11000), ("end", self.end_s), ("step", 1)]
        try:
            while True:
                self.http.get("/api/v1/query_range", params, {"X-Scope-OrgID": tenant}, timeout_s=600)
        except OSError:
            pass

    def make_noise(self, tenant, count):
        for _ in range(count):
            thread = threading.Thread(target=self.ask_endlessly, args=[tenant])
            self.addCleanup(thread.join)
            thread.start()
        self.addCleanup(self.croft.kill)

    def queue_length(self):
        return self.http.metrics()["croft_query_queue_length"]

    def cpu_s(self, tenant):
        return self.http.metrics()[f'croft_tenant_query_cpu_seconds_total{{tenant="{tenant}"}}']

    def dashboard(self):
        as_quiet = {"X-Scope-OrgID": "quiet"}
        return ([query(self.http, text, self.end_s, headers=as_quiet) for text in DASHBOARD] +
                [query_range(self.http, text, self.end_s - 3600, self.end_s, 60, headers=as_quiet)
                 for text in DASHBOARD])

    def test_a_dashboard_is_answered_rightly_while_another_tenant_asks_the_worst(self):
        want = self.dashboard()
        self.make_noise("noisy", NOISY_QUERIES)
        wait_until("noisy waits for itself", self.queue_length)
        for _ in range(ROUNDS):
            self.assertEqual(self.dashboard(), want)
        wait_until("it is still noisy", self.queue_length)

    def test_tenants_that_want_everything_get_the_same(self):
        self.make_noise("noisy", NOISY_QUERIES)
        self.make_noise("quiet", max(2, PROCESSORS))
        wait_until("both have begun", lambda: min(self.cpu_s("noisy"), self.cpu_s("quiet")) > 0.7)
        noisy_s, quiet_s = self.cpu_s("noisy"), self.cpu_s("quiet")
        wait_until("much has been used",
                   lambda: self.cpu_s("noisy") + self.cpu_s("quiet") > noisy_s + quiet_s + 4)
        used_s = [self.cpu_s("noisy") - noisy_s, self.cpu_s("quiet") - quiet_s]
        self.assertLess(max(used_s), 1.5 * min(used_s), used_s)


if __name__ == "__main__":
    main()
