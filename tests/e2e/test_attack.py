"""A tenant at its limit sends new series, many and at once, while nine others write.

Not a measurement: what holds is that nothing of it leaks out of the tenant. bench/attack_run.py has the long form,
with latencies.
"""

import threading
import unittest

from answers import ask, query
from harness import Croft, main, now_ms
from remote_write import message, send, write

LIMIT, KNOWN, OTHERS = 500, 50, 9
ATTACKERS, REQUESTS, NEW_PER_REQUEST = 4, 30, 400
START_MS = now_ms() - 600_000


def known(ts_ms):
    return [({"__name__": "known", "n": str(n)}, [(ts_ms, n)]) for n in range(KNOWN)]


class Attack(unittest.TestCase):
    def setUp(self):
        config = {"tenants": {"attacker": {"limits": {"max_series": LIMIT}}}}
        self.croft = Croft(self, config=config).start()
        self.http = self.croft.http
        write(self.http, known(START_MS), tenant="attacker")

    def in_threads(self, work, count):
        failures = []

        def guarded(number):
            try:
                work(number)
            except Exception as failure:  # of whatever kind: the test names it
                failures.append(failure)
        threads = [threading.Thread(target=guarded, args=[number]) for number in range(count)]
        for thread in threads:
            thread.start()
        return threads, failures

    def attack(self, number):
        """New series with, in each request, a sample of every known one."""
        for i in range(REQUESTS):
            ts_ms = START_MS + 1 + number * REQUESTS + i
            new = [({"__name__": "new", "id": f"{number}-{i}-{k}"}, [(ts_ms, 1)]) for k in range(NEW_PER_REQUEST)]
            reply = send(self.http, message(known(ts_ms) + new), tenant="attacker")
            if reply.code not in (204, 400) or reply.code == 400 and "err-croft-max-series" not in reply.text():
                raise AssertionError(reply)

    def write_normally(self, number):
        for i in range(REQUESTS):
            write(self.http, [({"__name__": "m", "n": str(n)}, [(START_MS + i, n)]) for n in range(20)],
                  tenant=f"other-{number}")

    def active_series(self):
        return self.http.metrics()['croft_tenant_active_series{tenant="attacker"}']

    def test_nothing_but_its_new_series_is_refused(self):
        attackers, failures = self.in_threads(self.attack, ATTACKERS)
        others, other_failures = self.in_threads(self.write_normally, OTHERS)
        while any(thread.is_alive() for thread in attackers):
            self.assertLessEqual(self.active_series(), LIMIT)
        for thread in attackers + others:
            thread.join()
        self.assertEqual(failures + other_failures, [])
        self.assertEqual(self.active_series(), LIMIT)
        as_attacker = {"X-Scope-OrgID": "attacker"}
        found = query(self.http, "count_over_time(known[15m])", now_ms() // 1000, headers=as_attacker)["result"]
        self.assertEqual([series["value"][1] for series in found], [str(1 + ATTACKERS * REQUESTS)] * KNOWN)
        self.assertEqual(len(ask(self.http, "/api/v1/series", [("match[]", "new")], as_attacker)), LIMIT - KNOWN)
        for number in range(OTHERS):
            found = query(self.http, "count_over_time(m[15m])", now_ms() // 1000,
                          headers={"X-Scope-OrgID": f"other-{number}"})["result"]
            self.assertEqual([series["value"][1] for series in found], [str(REQUESTS)] * 20, number)

    def test_refusals_take_no_memory(self):
        def head_bytes():
            return sum(value for name, value in self.http.metrics().items()
                       if name.startswith("croft_head_memory_bytes"))
        self.attack(0)
        before = head_bytes()
        for number in range(5):
            new = [({"__name__": f"other{number}", "id": f"{number}-{k}"}, [(START_MS, 1)]) for k in range(20_000)]
            self.assertEqual(send(self.http, message(new), tenant="attacker").code, 400)
        self.assertEqual(head_bytes(), before)


if __name__ == "__main__":
    main()
