"""Answers do not change while the server is busy: written to, flushed, merged, deleted from.

Random questions (promql_generator.py) are asked of a quiet server first. Then many clients ask them again while other
series come, also late ones between the samples that are asked for, and go. What is asked for stays as it is: so does
every answer, to the byte.
"""

import os
import random
import re
import threading
import unittest

from harness import Croft, KeptConnection, main, now_ms
from promql_fixture import MINUTE_MS, SPAN_MS, Fixture
from promql_generator import Generator
from remote_write import message, send, write

SEED = int(os.environ.get("CROFT_DIFFERENTIAL_SEED", "1"))
QUESTIONS = 400
CLIENTS = 16
ROUNDS = 12
DAY_MS = 24 * 60 * MINUTE_MS
# which of several groups an error names is not defined
NAMED_SERIES = re.compile(rb"(found duplicate series for the match group|multiple matches for labels).*")
BUSY = (429, 503)


class BusyQueries(unittest.TestCase):
    def setUp(self):
        self.start_ms = now_ms() // DAY_MS * DAY_MS - DAY_MS
        self.croft = Croft(self).start()
        self.http = self.croft.http
        for number, portion in enumerate(Fixture(self.start_ms).slices()):
            write(self.http, portion)
            if number in (2, 4):
                self.maintain("flush")
        self.is_over = threading.Event()
        self.found = []

    def maintain(self, what, params=()):
        reply = self.http.post_form(f"/api/v1/admin/tsdb/{what}", params)
        self.assertEqual(reply.code, 204, reply)

    def questions(self):
        picks = random.Random(SEED)
        generator = Generator(picks, self.start_ms)
        for _ in range(QUESTIONS):
            asked, time_s = generator.query(), generator.seconds()
            if "matrix" in asked.traits or picks.random() < 0.5:
                yield "/api/v1/query", [("query", asked.text), ("time", time_s)]
            else:
                yield "/api/v1/query_range", [("query", asked.text), ("start", time_s),
                                              ("end", time_s + 900), ("step", 61)]

    def ask_again(self, answers, picks):
        connection = KeptConnection(self.croft.port)
        try:
            while not self.is_over.is_set():
                (path, params), want = picks.choice(answers)
                reply = connection.post_form(path, params)
                if reply.code not in BUSY and answer_of(reply) != want:
                    self.found.append(f"{path} {params}\n  {want}\n  {answer_of(reply)}")
        except (OSError, AssertionError) as error:
            self.found.append(repr(error))
        finally:
            connection.close()

    def write_others(self, number):
        """New series of now, and late samples of series of yesterday."""
        now = now_ms()
        for n in range(20):
            fresh = [({"__name__": "other", "job": "api", "n": str(n * 50 + k), "round": str(number)},
                      [(now, float(k))]) for k in range(50)]
            late = [({"__name__": "other", "job": "node", "n": str(n)},
                     [(self.start_ms + (number * 20 + n) * SPAN_MS // (20 * ROUNDS), 1.0)])]
            reply = send(self.http, message(fresh + late))
            self.assertIn(reply.code, (200, 204, 400), reply)

    def test_answers_are_those_of_a_quiet_server(self):
        questions = list(self.questions())
        answers = [(asked, answer_of(self.http.post_form(*asked))) for asked in questions]
        self.assertGreater(sum(code == 200 for _, (code, _) in answers), QUESTIONS / 2)
        threads = [threading.Thread(target=self.ask_again, args=(answers, random.Random(n)))
                   for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            for number in range(ROUNDS):
                self.write_others(number)
                self.maintain("flush")
                if number % 3 == 1:
                    self.maintain("delete_series", [("match[]", f'other{{n=~".*{number % 10}"}}')])
                if number % 3 == 2:
                    self.maintain("clean_tombstones")
                    self.maintain("compact")
        finally:
            self.is_over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(self.found[:5], [], f"seed {SEED}")


def answer_of(reply):
    return reply.code, NAMED_SERIES.sub(b"", reply.body)


if __name__ == "__main__":
    main()
