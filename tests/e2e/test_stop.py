"""SIGTERM at any moment of a run with writers, flushes and merges: exit status 0, nothing answered is lost, nothing was
invented, and the next process serves. CROFT_FAULT_FULL=1: at 200 moments."""

import os
import random
import threading
import time
import unittest

from answers import raw_samples
from harness import Croft, main, now_ms
from remote_write import message, send

MOMENTS = 200 if os.environ.get("CROFT_FAULT_FULL") else 20
WRITERS, MOMENT_MAX_S = 3, 0.7
SIGTERM_STATUS = -15


class Writers:
    """Each writes one sample after another until nobody listens any more."""

    def __init__(self, http, first_ms):
        self.http, self.first_ms = http, first_ms
        self.lock = threading.Lock()
        self.next, self.answered, self.codes = 0, set(), set()

    def take_number(self):
        with self.lock:
            self.next += 1
            return self.next

    def write(self):
        while True:
            number = self.take_number()
            one = message([({"__name__": "m", "writer": f"{number % 50}"}, [(self.first_ms + number, number)])])
            try:
                code = send(self.http, one).code
            except OSError:
                return
            with self.lock:
                self.codes.add(code)
                if code == 204:
                    self.answered.add(number)

    def disturb(self):
        """What has files under way."""
        for wish in ("flush", "compact") * 10000:
            try:
                self.http.send("POST", f"/api/v1/admin/tsdb/{wish}")
            except OSError:
                return

    def run_until(self, stop):
        jobs = [self.write] * WRITERS + [self.disturb]
        threads = [threading.Thread(target=job) for job in jobs]
        for thread in threads:
            thread.start()
        stop()
        for thread in threads:
            thread.join()


class Stop(unittest.TestCase):
    def setUp(self):
        self.croft = Croft(self)
        self.http = self.croft.http
        self.first_ms = now_ms() - 3_600_000
        self.random = random.Random(int(os.environ.get("CROFT_FAULT_ROUND", "1")))

    def stop_somewhere(self):
        time.sleep(self.random.uniform(0, MOMENT_MAX_S))
        self.assertEqual(self.croft.stop(), 0, self.croft.tail())

    def stop_while_starting(self):
        """Before it listens for signals there is nothing to lose."""
        self.croft.spawn()
        time.sleep(self.random.uniform(0, 0.3))
        self.assertIn(self.croft.stop(), (0, SIGTERM_STATUS), self.croft.tail())

    def read(self):
        found = raw_samples(self.http, "m[2h]", self.first_ms / 1000 + 3660)
        return {int(value) for samples in found.values() for _, value in samples}

    def test_sigterm_at_any_moment_loses_nothing_and_ends_with_status_0(self):
        writers = Writers(self.http, self.first_ms)
        for moment in range(MOMENTS):
            if moment % 4 == 3:
                self.stop_while_starting()
            self.croft.start()
            shown = self.read()
            self.assertLessEqual(writers.answered, shown, moment)
            self.assertLessEqual(shown, set(range(1, writers.next + 1)), moment)
            writers.run_until(self.stop_somewhere)
        self.assertGreater(len(writers.answered), MOMENTS)
        self.assertLessEqual(writers.codes, {204, 503})
        self.croft.start()
        self.assertLessEqual(writers.answered, self.read())
        self.croft.expect_verified()


if __name__ == "__main__":
    main()
