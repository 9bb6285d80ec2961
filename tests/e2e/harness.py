"""harness: the processes of an end-to-end test, each with a port and a folder of its own.

A server belongs to one test: it ends with it, and dies with the test program at the latest. What it
said is in its log, whose end is part of every failure that has to do with it.
"""

import ctypes
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CROFT = os.path.join(ROOT, os.environ.get("CROFT_BINARY", "build/release/croft"))
PROMETHEUS = "/usr/bin/prometheus"
NODE_EXPORTER = "/usr/bin/prometheus-node-exporter"

# Generous: they bound what is broken, and are never what a test measures.
REPLY_TIMEOUT_S = 120
WAIT_TIMEOUT_S = 120

LOG_TAIL_LINES = 20
PR_SET_PDEATHSIG = 1
# That a server started here makes use of.
PROCESSORS = len(os.sched_getaffinity(0))

LIBC = ctypes.CDLL(None)


def now_ms():
    return time.time_ns() // 1_000_000


def wait_until(what, condition, timeout_s=WAIT_TIMEOUT_S):
    """The first true value that `condition` returns."""
    end_s = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end_s:
            raise AssertionError(f"waited {timeout_s} s in vain until {what}")
        time.sleep(0.05)


def free_port():
    """A port that no other test takes until this program ends, not even while its server is down for a restart.

    Outside of the range from which the kernel takes those of outgoing connections: such a port could be taken
    even by the very connection that somebody attempts to it.
    """
    while True:
        port = random.randrange(20000, 32000)
        if reserve(port) and is_free(port):
            return port


def reserve(port):
    """False: another test has it. The name is the kernel's, which forgets it when this program ends."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0croft-e2e-port-{port}")
    except OSError:
        mark.close()
        return False
    mark.detach()  # stays open
    return True


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def is_open(connection):
    """Whether the server has left the connection open, on which it owes no reply."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


class Reply:
    def __init__(self, code, headers, body):
        self.code, self.headers, self.body = code, headers, body

    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.code} {self.body[:500]!r}"


class Http:
    """Requests to one server on loopback; each on a connection of its own. Any thread."""

    def __init__(self, port):
        self.port = port

    def connect(self, timeout_s=REPLY_TIMEOUT_S):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def send(self, method, target, body=None, headers=None, timeout_s=REPLY_TIMEOUT_S):
        """`target` as it stands in the request line."""
        connection = self.connect(timeout_s)
        try:
            connection.request(method, target, body, headers or {})
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def get(self, path, params=(), headers=None, **options):
        query = urllib.parse.urlencode(params)
        return self.send("GET", f"{path}?{query}" if query else path, None, headers, **options)

    def post_form(self, path, params=(), headers=None, **options):
        form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self.send("POST", path, urllib.parse.urlencode(params), form, **options)

    def is_ready(self):
        try:
            return self.get("/-/ready", timeout_s=5).code == 200
        except OSError:
            return False

    def metrics(self):
        """What /metrics shows: text of a series -> value."""
        values = {}
        for line in self.get("/metrics").text().splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                values[series] = float(value)
        return values


class KeptConnection(Http):
    """The same on one connection that stays open, for tests with thousands of requests. One thread."""

    def __init__(self, port):
        super().__init__(port)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REPLY_TIMEOUT_S)

    def send(self, method, target, body=None, headers=None):
        try:
            return self.exchange(method, target, body, headers or {})
        except (http.client.RemoteDisconnected, ConnectionError):
            # closed for having been idle; a server that is gone fails the second attempt
            self.connection.close()
            return self.exchange(method, target, body, headers or {})

    def exchange(self, method, target, body, headers):
        self.connection.request(method, target, body, headers)
        reply = self.connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())

    def close(self):
        self.connection.close()


class Server:
    """A process that is ready when /-/ready (or `ready_path`) answers 200.

    The folder outlives restarts; the port stays the same.
    """

    def __init__(self, test, name):
        self.name = name
        self.port = free_port()
        self.http = Http(self.port)
        self.folder = new_folder(test, name)
        self.log_path = os.path.join(self.folder, "log")
        self.process = None
        self.may_end = False
        test.addCleanup(self.finish)

    def command(self):
        raise NotImplementedError

    def is_up(self):
        return self.http.is_ready()

    def start(self):
        self.spawn()
        wait_until(f"{self.name} is ready", lambda: self.is_up() or self.fail_if_ended())
        return self

    def spawn(self):
        self.may_end = False
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)

    def fail_if_ended(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")

    def stop(self, with_signal=signal.SIGTERM):
        """Asks it to end; the exit status."""
        self.may_end = True
        self.process.send_signal(with_signal)
        try:
            return self.process.wait(WAIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end:\n{self.tail()}") from None

    def kill(self):
        """As kill -9 does; nothing when it has ended already."""
        self.may_end = True
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def finish(self):
        """A server that ended unasked fails its test, whatever else the test saw."""
        try:
            if self.process is not None and not self.may_end:
                self.fail_if_ended()
        finally:
            self.kill()

    def tail(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-LOG_TAIL_LINES:])


class Croft(Server):
    def __init__(self, test, *flags, config=None):
        super().__init__(test, "croft")
        self.flags = list(flags)
        if config is not None:
            self.flags += ["--config", write_json(self.folder, "croft.yml", config)]

    def command(self):
        return [CROFT, "serve", "--listen", f"127.0.0.1:{self.port}",
                "--data-dir", os.path.join(self.folder, "data"), "--retention", "30d", *self.flags]

    def expect_verified(self):
        """All files are without fault, whether it runs or not."""
        done = subprocess.run([CROFT, "inspect", "--data-dir", os.path.join(self.folder, "data"), "--verify"],
                              capture_output=True, text=True, timeout=WAIT_TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: {done.stdout}{done.stderr}")

    def reload(self):
        """Asks it to read its configuration again."""
        self.process.send_signal(signal.SIGHUP)


class Prometheus(Server):
    def __init__(self, test, *flags, config=None):
        super().__init__(test, "prometheus")
        self.flags = list(flags)
        self.configure(config or {})

    def configure(self, config):
        self.config_path = write_json(self.folder, "prometheus.yml", config)

    def command(self):
        return [PROMETHEUS, f"--web.listen-address=127.0.0.1:{self.port}",
                f"--config.file={self.config_path}", "--web.enable-lifecycle",
                f"--storage.tsdb.path={os.path.join(self.folder, 'data')}", "--log.level=warn",
                *self.flags]

    def reload(self, config):
        self.configure(config)
        reply = self.http.send("POST", "/-/reload")
        if reply.code != 200:
            raise AssertionError(f"prometheus does not reload: {reply}")


class NodeExporter(Server):
    def __init__(self, test):
        super().__init__(test, "node-exporter")

    def command(self):
        return [NODE_EXPORTER, f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"]

    def is_up(self):
        try:
            return self.http.get("/").code == 200
        except OSError:
            return False


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def new_folder(test, name):
    folder = tempfile.mkdtemp(prefix=f"croft-e2e-{name}-")
    test.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write_json(folder, name, value):
    """JSON is YAML, so this is how configurations are written."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)
    return path


def main():
    unittest.main(verbosity=2)
