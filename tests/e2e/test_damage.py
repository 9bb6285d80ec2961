"""Bytes of a block that change under a running server: the rest is answered, with a warning, and the block heals."""

import glob
import os
import subprocess
import threading
import unittest

from answers import raw_samples
from harness import CROFT, Croft, main, now_ms, wait_until
from remote_write import write

HOUR_MS = 3_600_000
FLUSH = "/api/v1/admin/tsdb/flush"
BLOCK_HEADER_BYTES = 32  # behind it are the timestamps of the first series


class Damage(unittest.TestCase):
    def setUp(self):
        self.croft = Croft(self).start()
        self.http = self.croft.http
        self.now_ms = now_ms() // HOUR_MS * HOUR_MS
        write(self.http, [({"__name__": "m", "job": job},
                           [(self.now_ms + number * step_ms, number) for number in range(3)])
                          for job, step_ms in (("a", 1000), ("b", 2000))], tenant="anonymous")
        self.assertEqual(self.http.send("POST", FLUSH).code, 204)
        self.block = self.only_file("blocks")

    def only_file(self, folder):
        paths = glob.glob(os.path.join(self.croft.folder, "data", "*", folder, "*"))
        self.assertEqual(len(paths), 1, paths)
        return paths[0]

    def change_block(self, change):
        with open(self.block, "r+b") as file:
            change(file)

    def ask(self, query="sum(m)"):
        return self.http.get("/api/v1/query", {"query": query, "time": self.now_ms / 1000 + 10}).json()

    def await_loss(self):
        """The metrics once the damaged file is put aside and its loss counted, which is after readers have the new one."""
        def counted():
            metrics = self.http.metrics()
            return metrics if metrics["croft_compaction_lost_samples_total"] > 0 else None
        return wait_until("the loss is counted", counted)

    def expect_healed(self, jobs):
        wait_until("the block is written anew", lambda: "warnings" not in self.ask())
        metrics = self.await_loss()
        found = raw_samples(self.http, "m[1h]", self.now_ms / 1000 + 600)
        self.assertEqual(sorted(dict(key)["job"] for key in found), jobs)
        self.assertEqual(os.path.basename(self.only_file("quarantine")), os.path.basename(self.block))
        self.assertEqual(metrics["croft_block_corruptions_total"], 1)
        self.assertEqual(metrics["croft_quarantine_files"], 1)
        self.assertEqual(metrics["croft_compaction_quarantined_blocks_total"], 1)
        self.assertEqual(metrics["croft_compaction_lost_series_total"], 2 - len(jobs))
        self.assertEqual(metrics["croft_compaction_lost_samples_total"], 3 * (2 - len(jobs)))
        self.expect_only_quarantine()

    def expect_only_quarantine(self):
        done = subprocess.run([CROFT, "inspect", "--data-dir", os.path.join(self.croft.folder, "data"),
                               "--verify"], capture_output=True, text=True, timeout=60, check=False)
        wrong = [line for line in done.stdout.splitlines() if line.startswith("shard-")]
        self.assertEqual((done.returncode, len(wrong)), (1, 1), done.stdout)
        self.assertIn("quarantine/", wrong[0])

    def expect_served(self, value):
        """The block is lost, the samples behind it are there, by the same process."""
        pid = self.croft.process.pid
        write(self.http, [({"__name__": "m", "job": "c"}, [(self.now_ms, 7)])], tenant="anonymous")
        answer = self.ask()
        self.assertEqual(answer["data"]["result"][0]["value"][1], value)
        self.assertEqual(len(answer["warnings"]), 1, answer)
        wait_until("the block is put aside", lambda: "warnings" not in self.ask())
        self.assertEqual(self.ask()["data"]["result"][0]["value"][1], value)
        self.assertGreater(self.await_loss()["croft_map_faults_total"], 0)
        self.assertEqual((self.croft.process.poll(), self.croft.process.pid), (None, pid))
        self.expect_only_quarantine()

    def expect_other_routes(self):
        """Who counts what is in memory answers as ever."""
        for path, params in (("status/tsdb", {}),
                             ("cardinality/label_names", {}),
                             ("cardinality/label_names", {"selector": "m", "count_method": "active"}),
                             ("cardinality/label_values", {"label_names[]": "job", "selector": "m"}),
                             ("cardinality/active_series", {"selector": "m"}),
                             ("labels", {}), ("label/job/values", {"match[]": "m"}), ("series", {"match[]": "m"}),
                             ("metadata", {})):
            reply = self.http.get(f"/api/v1/{path}", params)
            self.assertEqual(reply.code, 200, (path, reply))

    def test_a_block_that_is_emptied_while_it_is_open_costs_its_samples_and_not_the_process(self):
        self.ask()
        self.change_block(lambda file: file.truncate(0))
        self.expect_served("7")

    def test_a_block_that_is_cut_under_many_readers_gives_whole_answers_or_says_what_they_lack(self):
        count = 3000
        series = [({"__name__": "n", "number": f"{number * 2654435761 % 2 ** 32:08x}"}, [(self.now_ms, 1)])
                  for number in range(count)]
        write(self.http, series, tenant="anonymous")
        self.assertEqual(self.http.send("POST", FLUSH).code, 204)
        self.block = max(glob.glob(os.path.join(self.croft.folder, "data", "*", "blocks", "*")), key=os.path.getsize)
        answers, stop = [], threading.Event()
        def read():
            while not stop.is_set():
                answers.append(self.ask("count(n)"))

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        wait_until("there are readers", lambda: len(answers) > 20)
        os.truncate(self.block, os.path.getsize(self.block) // 2)
        wait_until("the block is put aside", lambda: not answers[-1]["data"]["result"] and "warnings" not in answers[-1])
        stop.set()
        for reader in readers:
            reader.join()
        self.assertTrue(any("warnings" in answer for answer in answers))
        for answer in answers:
            if "warnings" not in answer:
                self.assertIn([row["value"][1] for row in answer["data"]["result"]], ([str(count)], []), answer)
        self.assertIsNone(self.croft.process.poll())
        self.await_loss()
        self.expect_only_quarantine()

    def test_a_flipped_byte_costs_a_series_and_every_answer_without_it_says_so(self):
        self.change_block(lambda file: (file.seek(BLOCK_HEADER_BYTES), file.write(b"\xff")))
        for query, value in (("sum(m)", "2"), ('m{job="b"}', "2")):
            answer = self.ask(query)
            self.assertEqual([row["value"][1] for row in answer["data"]["result"]], [value])
            if query == "sum(m)":
                self.expect_other_routes()
                name = "/".join(self.block.split("/")[-3:])
                self.assertEqual(len(answer["warnings"]), 1, answer)
                self.assertTrue(answer["warnings"][0].startswith(f"Block {name} is damaged: some samples from "),
                                answer)
            else:
                self.assertNotIn("warnings", answer)  # nothing of it is missing here
        self.expect_healed(["b"])
        self.assertEqual(self.croft.stop(), 0)
        self.croft.start()
        self.assertEqual(self.http.metrics()["croft_quarantine_files"], 1)


if __name__ == "__main__":
    main()
