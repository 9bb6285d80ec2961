"""Croft and its peers, each started as a user would, on folders of their own, and their load."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "release")
INTERVAL_MS = 15000


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One server under test on a fresh folder, or on one that is kept."""

    def __init__(self, name, command, write_path, ready_path, keep=None):
        self.name, self.write_path, self.ready_path = name, write_path, ready_path
        self.is_kept = keep is not None
        self.folder = os.path.join(keep, name) if keep else tempfile.mkdtemp(
            prefix=f"croft-bench-{name}-")
        os.makedirs(self.folder, exist_ok=True)
        self.port = free_port()
        values = {"port": self.port, "folder": self.folder, "build": BUILD}
        self.command = [part.format(**values) for part in command]
        self.log = open(os.path.join(self.folder, "log"), "w")
        self.start()

    def start(self):
        """Returns the seconds until the server is ready."""
        begin = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
        while time.monotonic() < begin + 300:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended at once, see {self.folder}/log")
            try:
                if self.call("GET", self.ready_path, timeout_s=1) == 200:
                    return time.monotonic() - begin
            except OSError:
                pass
            time.sleep(0.01)
        sys.exit(f"{self.name} did not become ready")

    def call(self, method, path, timeout_s=600):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=timeout_s) as reply:
            return reply.status

    def get(self, path, parameters, timeout_s=600):
        query = urllib.parse.urlencode(parameters)
        url = f"http://127.0.0.1:{self.port}{path}?{query}"
        try:
            with urllib.request.urlopen(url, timeout=timeout_s) as reply:
                return reply.read().decode()
        except urllib.error.HTTPError as error:
            sys.exit(f"{self.name}: {error.code}: {error.read()[:1000].decode()}")

    def metric(self, name):
        """The sum of its samples in the server's own metrics."""
        return sum(float(line.split()[-1]) for line in self.get("/metrics", {}).splitlines()
                   if line.split("{")[0].split(" ")[0] == name)

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        return self.status_bytes("VmRSS")

    def most_resident_bytes(self):
        return self.status_bytes("VmHWM")

    def status_bytes(self, key):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))

    def disk_bytes(self, below="data"):
        """What files hold: neither space reserved behind their end nor holes in them."""
        total = 0
        for folder, _, names in os.walk(os.path.join(self.folder, below)):
            for name in names:
                try:
                    status = os.stat(os.path.join(folder, name))
                except FileNotFoundError:
                    continue
                total += min(status.st_size, status.st_blocks * 512)
        return total

    def kill(self):
        self.process.kill()
        self.process.wait(60)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.log.close()
        if not self.is_kept:
            shutil.rmtree(self.folder)


def write_prometheus_config():
    path = os.path.join(tempfile.gettempdir(), "croft-bench-prometheus.yml")
    with open(path, "w") as file:
        file.write("storage:\n  tsdb:\n    out_of_order_time_window: 0s\n")
    return path


def peers(wanted, keep=None):
    known = {
        "croft": (["{build}/croft", "serve", "--listen", "127.0.0.1:{port}", "--data-dir",
                   "{folder}/data"], "/api/v1/write", "/-/ready"),
        "victoria-metrics": (["victoria-metrics", "-httpListenAddr=127.0.0.1:{port}",
                              "-storageDataPath={folder}/data", "-retentionPeriod=1"],
                             "/api/v1/write", "/health"),
        "prometheus": (["prometheus", "--web.enable-remote-write-receiver",
                        "--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path={folder}/data",
                        "--web.enable-admin-api", f"--config.file={write_prometheus_config()}"], "/api/v1/write", "/-/ready"),
    }
    for name in wanted:
        if name != "croft" and shutil.which(known[name][0][0]) is None:
            print(f"{name:18} skipped: not installed")
            continue
        yield Server(name, *known[name], keep=keep)


class Load:
    """croft_load at work, a slice of scrapes at a time: goes on when it is asked for the next."""

    def __init__(self, server, series, scrapes, start_ms, interval_ms=INTERVAL_MS,
                 slice_scrapes=None, batch=2000, tenants=0, metric=""):
        slice_scrapes = slice_scrapes or scrapes
        self.slices = -(-scrapes // slice_scrapes)
        numbers = {"port": server.port, "pid": server.process.pid, "series": series,
                   "scrapes": scrapes, "slice": slice_scrapes, "start-ms": start_ms,
                   "interval-ms": interval_ms, "batch": batch, "tenants": tenants}
        options = [text for name, value in numbers.items() for text in (f"--{name}", str(value))]
        self.process = subprocess.Popen(
            [f"{BUILD}/bench/croft_load", "--path", server.write_path, "--metric", metric,
             *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __iter__(self):
        for i in range(self.slices):
            row = json.loads(self.process.stdout.readline())
            if row["2xx"] != row["requests"]:
                sys.exit(f"not all was written: {row}")
            yield i
            if i + 1 < self.slices:
                print(file=self.process.stdin, flush=True)
        self.process.wait()


def settle(server):
    """Brings the server to rest; returns the folder whose size counts."""
    if server.name == "croft":
        server.call("POST", "/api/v1/admin/tsdb/compact")
        return "data"
    if server.name == "victoria-metrics":
        server.call("GET", "/internal/force_flush")
        server.call("GET", "/internal/force_merge")
        size_bytes, cpu_s = 0, -1
        while server.disk_bytes() != size_bytes or server.cpu_s() > cpu_s + 0.5:
            size_bytes, cpu_s = server.disk_bytes(), server.cpu_s()
            time.sleep(5)
        return "data"
    # what is in memory becomes a block there
    server.call("POST", "/api/v1/admin/tsdb/snapshot")
    return "data/snapshots"
