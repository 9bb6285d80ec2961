"""Slow queries never delay writes.

Not a measurement: every processor has a query and more queries wait for one when the writes begin, and still
do when the last write has been answered. So no write can have waited for a query.
"""

import threading
import unittest

from answers import raw_samples
from harness import PROCESSORS, Croft, main, now_ms, wait_until
from remote_write import write

SERIES, STEP_MS, HOURS = 200, 15_000, 3
QUERIES, WRITES = max(16, 2 * PROCESSORS), 100

# Sorts 108,000 numbers 11,000 times for each series: it ends by its timeout, or with the server.
ENDLESS = "quantile_over_time(0.5, m[3h:100ms])"


class SlowQuery(unittest.TestCase):
    def setUp(self):
        self.croft = Croft(self).start()
        self.http = self.croft.http
        self.now_ms = now_ms()

    def write_history(self):
        times = range(self.now_ms - HOURS * 3_600_000, self.now_ms - 60_000, STEP_MS)
        for first in range(0, SERIES, 50):
            write(self.http, [({"__name__": "m", "n": str(n)}, [(ts, ts % 1000 + n) for ts in times])
                              for n in range(first, first + 50)])

    def ask_endlessly(self, timeout, **options):
        end_s = self.now_ms / 1000
        params = [("query", ENDLESS), ("start", end_s - 11000), ("end", end_s), ("step", 1),
                  ("timeout", timeout)]
        return self.http.get("/api/v1/query_range", params, **options)

    def ask_in_vain(self, codes):
        try:
            codes.append(self.ask_endlessly("100s", timeout_s=120).code)
        except OSError:
            codes.append(None)

    def queue_length(self):
        return self.http.metrics()["croft_query_queue_length"]

    def test_writes_go_on_while_every_processor_has_a_query(self):
        self.write_history()
        codes = []
        threads = [threading.Thread(target=self.ask_in_vain, args=[codes]) for _ in range(QUERIES)]
        for thread in threads:
            thread.start()
        # as many as there are processors run before another one waits
        wait_until("queries wait for a processor", self.queue_length)
        for number in range(WRITES):
            write(self.http, [({"__name__": "quick"}, [(self.now_ms + number, number)])])
            self.assertEqual(self.http.get("/-/healthy").code, 200)
        self.assertGreater(self.queue_length(), 0, "queries still wait")
        self.expect_written()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(codes), {None, 503}, "503 for those that waited in the queue for too long")

    def expect_written(self):
        """Acknowledged means durable, so the next process has it; the queries die with this one."""
        self.croft.kill()
        self.croft.start()
        found = raw_samples(self.http, "quick[5m]", self.now_ms / 1000 + 60)
        self.assertEqual([text for samples in found.values() for _, text in samples],
                         [str(number) for number in range(WRITES)])

    def test_a_query_ends_when_its_time_is_over(self):
        self.write_history()
        reply = self.ask_endlessly("500ms")
        self.assertEqual((reply.code, reply.json()["errorType"]), (503, "timeout"), reply)

    def test_a_query_ends_when_its_client_is_gone(self):
        self.write_history()
        for _ in range(QUERIES):
            with self.assertRaises(TimeoutError):
                self.ask_endlessly("100s", timeout_s=0.2)
        wait_until("a query thread is free again",
                   lambda: self.http.get("/api/v1/query", [("query", "1")]).code == 200)
        wait_until("no query waits", lambda: self.queue_length() == 0)


if __name__ == "__main__":
    main()
