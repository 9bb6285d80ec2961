"""A start after kill -9 holds no more memory than the process that wrote the log: who ran out of memory once does not
run out of it at each start. CROFT_FAULT_FULL=1: 400,000 series."""

import os
import unittest

from harness import Croft, main, now_ms
from remote_write import write

SERIES = 400_000 if os.environ.get("CROFT_FAULT_FULL") else 40_000
SERIES_PER_REQUEST, SCRAPES, SAMPLES_PER_SCRAPE, STEP_MS = 2000, 4, 5, 15_000
TENANTS = 3
PART_MORE = 1.1  # of what was held before,
LINE_BYTES = 4 << 20  # and the batches on their way from the log to the heads


class ReplayMemory(unittest.TestCase):
    def peak_bytes(self):
        with open(f"/proc/{self.croft.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM:"))

    def scrape(self, number):
        """A part of the series is new in each."""
        begin_ms = self.first_ms + number * SAMPLES_PER_SCRAPE * STEP_MS
        first = number * SERIES // SCRAPES // 2
        for part in range(first, first + SERIES // 2, SERIES_PER_REQUEST):
            write(self.croft.http,
                  [({"__name__": f"metric_{n % 100}", "instance": f"host-{n // 100}:9100", "number": str(n)},
                    [(begin_ms + i * STEP_MS, n * 0.1 + i) for i in range(SAMPLES_PER_SCRAPE)])
                   for n in range(part, part + SERIES_PER_REQUEST)], tenant=f"tenant{part // SERIES_PER_REQUEST % TENANTS}")

    def test_replay_needs_no_more_memory_than_writing(self):
        self.croft = Croft(self).start()
        self.first_ms = now_ms() - SCRAPES * SAMPLES_PER_SCRAPE * STEP_MS
        for number in range(SCRAPES):
            self.scrape(number)
        written_bytes = self.peak_bytes()
        for _ in range(2):
            self.croft.kill()
            self.croft.start()
            self.assertGreater(self.croft.http.metrics()["croft_replay_samples"], 0)
            self.assertLess(self.peak_bytes(), written_bytes * PART_MORE + LINE_BYTES)
        self.croft.kill()
        self.croft.expect_verified()


if __name__ == "__main__":
    main()
