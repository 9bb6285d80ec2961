"""Starting and stopping: what cannot work is one clear line and exit status 1; SIGTERM drains."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import threading
import unittest

import snappy

from answers import raw_samples
from harness import CROFT, PROCESSORS, Croft, free_port, is_open, main, new_folder, now_ms, wait_until
from remote_write import HEADERS, message, send, write

# Each processor has some for itself.
FEW_DESCRIPTORS = max(256, 8 * PROCESSORS)
LOG_LINE = re.compile(r'^ts=\S+ level=info msg="')


def run(*arguments, folder):
    """(exit status, standard output, lines of standard error that are not plain information)."""
    done = subprocess.run([CROFT, *arguments], capture_output=True, text=True, timeout=60, cwd=folder,
                          check=False)
    return done.returncode, done.stdout, [line for line in done.stderr.splitlines()
                                          if not LOG_LINE.match(line)]


class Refused(unittest.TestCase):
    def setUp(self):
        self.folder = new_folder(self, "start")
        self.listen = f"127.0.0.1:{free_port()}"

    def serve(self, *flags):
        return run("serve", *flags, folder=self.folder)

    def expect_refused(self, flags, *texts):
        with self.subTest(" ".join(flags)):
            status, output, lines = self.serve(*flags)
            self.assertEqual((status, output, len(lines)), (1, "", 1), lines)
            self.assertTrue(lines[0].startswith("croft: "), lines)
            for text in texts:
                self.assertIn(text, lines[0])

    def expect_nothing_opened(self):
        self.assertFalse(os.path.exists(os.path.join(self.folder, "data")))

    def test_a_data_folder_that_cannot_be_one(self):
        path = os.path.join(self.folder, "file")
        with open(path, "w", encoding="utf-8") as file:
            file.write("not a folder")
        self.expect_refused(["--listen", self.listen, "--data-dir", path], path)
        self.expect_refused(["--listen", self.listen, "--data-dir", path + "/below"], path)
        self.expect_refused(["--listen", self.listen, "--data-dir", "/proc/croft"], "/proc/croft")

    def test_a_data_folder_that_can_only_be_read(self):
        """Whether there is a store in it, which could be replayed and asked, or nothing."""
        empty = os.path.join(self.folder, "empty")
        os.mkdir(empty)
        croft = Croft(self).start()
        write(croft.http, [({"__name__": "m"}, [(now_ms(), 1)])])
        croft.stop()
        for data in (os.path.join(croft.folder, "data"), empty):
            mount = f"mount --bind {data} {data} && mount -o remount,ro,bind {data}"
            if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "sh", "-c", mount], check=False).returncode:
                self.skipTest("skipped: only root may mount")
            done = subprocess.run(["unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh", CROFT, "serve",
                                   "--listen", self.listen, "--data-dir", data], capture_output=True, text=True,
                                  timeout=60, check=False)
            lines = [line for line in done.stderr.splitlines() if not LOG_LINE.match(line)]
            self.assertEqual((done.returncode, len(lines)), (1, 1), lines)
            for text in (f"croft: disk: {data}: ", "Read-only file system", "want a folder"):
                self.assertIn(text, lines[0])

    def test_a_data_folder_of_somebody_else(self):
        """The refusal leaves it as it is."""
        data = os.path.join(self.folder, "data")
        os.mkdir(data)
        with open(os.path.join(data, "croft.layout"), "w", encoding="utf-8") as file:
            file.write("something else altogether")
        self.expect_refused(["--listen", self.listen, "--data-dir", data], "croft.layout")
        self.assertEqual(os.listdir(data), ["croft.layout"])

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            listen = f"127.0.0.1:{taken.getsockname()[1]}"
            self.expect_refused(["--listen", listen, "--data-dir", "data"], listen, "in use")
        self.expect_nothing_opened()

    def test_an_address_that_is_none(self):
        for listen in ("127.0.0.1:99999", "127.0.0.1:http", "127.0.0.1", "127.0.0.1:", "localhost:x"):
            self.expect_refused(["--listen", listen, "--data-dir", "data"], listen)
        self.expect_refused(["--listen", "localhost", "--data-dir", "data"], "localhost", "an address and a port")
        self.expect_nothing_opened()

    def test_more_memory_than_there_is(self):
        for query, request in (("60%", "50%"), ("1TiB", "1MiB"), ("1%", "1TiB")):
            self.expect_refused(["--listen", self.listen, "--data-dir", "data", "--query-memory", query,
                                 "--request-memory", request], "query_memory, request_memory and head_memory")

    def test_an_address_beyond_loopback_without_credentials(self):
        for listen in ("0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:9009", "127.example.org:9009"):
            self.expect_refused(["--listen", listen, "--data-dir", "data"], "loopback", "--insecure")
        self.expect_nothing_opened()

    def test_a_tenant_label_that_names_the_metric(self):
        self.expect_refused(["--tenant-label", "__name__", "--data-dir", "data"], "tenant_label")

    def test_a_configuration_that_is_wrong(self):
        path = os.path.join(self.folder, "croft.yml")
        for text, parts in [("limits: {max_serie: 1}\n", [":1: ", "max_serie", 'nearest known key is "max_series"']),
                            ("\nlimits: {max_series: many}\n", [":2: ", "many"]),
                            ("listen: [\n", ["YAML"]), ("retention: 5m\n", [":1: ", "retention", "1h"]),
                            ("tenants: {a/b: {limits: {}}}\n", [":1: ", "a/b"]), ("- x\n", ["mapping"])]:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self.expect_refused(["--listen", self.listen, "--config", path], path, *parts)
        self.expect_refused(["--listen", self.listen, "--config", path + ".gone"], path + ".gone")
        self.expect_refused(["--listen", self.listen, "--retention", "soon"], "retention", "soon")

    def test_a_flag_that_is_none_gets_the_usage(self):
        for flags in (["--lisen", "x"], ["--listen"], ["extra"], ["--insecure=yes"]):
            status, _, lines = self.serve(*flags)
            self.assertEqual(status, 2)
            self.assertTrue(lines[0].startswith("croft: "))
            self.assertIn("usage: croft serve", lines[1])

    def test_help_and_version(self):
        self.assertEqual(run("serve", "--help", folder=self.folder)[0], 0)
        status, output, _ = run("version", folder=self.folder)
        self.assertEqual(status, 0)
        self.assertRegex(output, r"^croft \d+\.\d+\.\d+\n$")


class Running(unittest.TestCase):
    def setUp(self):
        self.croft = Croft(self).start()
        self.http = self.croft.http
        self.now_ms = now_ms()

    def write(self, value):
        write(self.http, [({"__name__": "m"}, [(self.now_ms + value, value)])])

    def read(self):
        found = raw_samples(self.http, "m[1h]", self.now_ms / 1000 + 600)
        return [int(text) for samples in found.values() for _, text in samples]

    def test_a_second_process_on_the_same_data_is_refused(self):
        data = os.path.join(self.croft.folder, "data")
        self.write(1)
        status, _, lines = run("serve", "--listen", f"127.0.0.1:{free_port()}", "--data-dir", data,
                               folder=self.croft.folder)
        self.assertEqual((status, len(lines)), (1, 1), lines)
        self.assertTrue(lines[0].startswith("croft: "), lines)
        self.assertIn(data, lines[0])
        self.write(2)
        self.assertEqual(self.read(), [1, 2])

    def test_sigterm_ends_with_status_0_and_everything_is_there_afterwards(self):
        for round_number in range(3):
            self.write(round_number)
            self.assertEqual(self.croft.stop(), 0, self.croft.tail())
            self.croft.start()
        self.assertEqual(self.read(), [0, 1, 2])

    def test_sigint_ends_like_sigterm(self):
        self.assertEqual(self.croft.stop(signal.SIGINT), 0)

    def test_sigterm_lets_no_write_without_an_answer_be_lost_or_an_answered_one(self):
        """Writers go on until nobody listens any more; what was answered is there."""
        answered, lock = set(), threading.Lock()

        def write_until_refused(writer):
            for number in range(writer, 1_000_000, 4):
                one = message([({"__name__": "m"}, [(self.now_ms + number, number)])])
                try:
                    code = send(self.http, one).code
                except OSError:
                    return
                with lock:
                    answered.add(number if code == 204 else f"code {code}")

        threads = [threading.Thread(target=write_until_refused, args=[writer]) for writer in range(4)]
        for thread in threads:
            thread.start()
        wait_until("writes are under way", lambda: len(answered) > 100)
        self.assertEqual(self.croft.stop(), 0, self.croft.tail())
        for thread in threads:
            thread.join()
        self.croft.start()
        self.assertLessEqual(answered, set(self.read()))

    def test_silent_connections_leave_descriptors_for_the_log(self):
        """As many as are let in, on a process that may have few: who comes after them is served, and a write that
        needs a new file goes on."""
        self.assertEqual(self.croft.stop(), 0)
        whole = self.croft.command
        self.croft.command = lambda: ["prlimit", f"--nofile=128:{FEW_DESCRIPTORS}", *whole()]
        self.croft.start()
        self.assertEqual(self.http.metrics()["process_max_fds"], FEW_DESCRIPTORS)
        with contextlib.ExitStack() as open_ones:
            silent = []
            for _ in range(400):
                silent.append(socket.create_connection(("127.0.0.1", self.croft.port)))
                open_ones.callback(silent[-1].close)
            wait_until("half of the descriptors are left", lambda: sum(map(is_open, silent)) <= FEW_DESCRIPTORS / 2)
            writer = http.client.HTTPConnection("127.0.0.1", self.croft.port, timeout=60)
            open_ones.callback(writer.close)
            for number in range(20):
                one = message([({"__name__": "m", "tenant_id": f"t{number}"}, [(self.now_ms, number)])])
                writer.request("POST", "/api/v1/push", snappy.compress(one), HEADERS)
                reply = writer.getresponse()
                self.assertEqual((reply.status, reply.read()), (204, b""))

    def test_a_configuration_that_is_wrong_at_reload_changes_nothing(self):
        self.croft.reload()
        path = os.path.join(self.croft.folder, "croft.yml")
        wait_until("the reload is in the log", lambda: "applied" in self.croft.tail())
        self.assertFalse(os.path.exists(path))
        self.write(1)
        self.assertEqual(self.read(), [1])


if __name__ == "__main__":
    main()
