"""Asks servers the same queries over the same data: what an answer takes, and what it costs.

A server's CPU time is what all its threads used while a query was asked several times, one after
the other over one kept connection. Answers are compared, so that nobody wins by not answering.
"""
import gzip
import http.client
import json
import math
import os
import statistics
import time
import urllib.parse
from dataclasses import dataclass, field

HOUR_S = 3600
ENOUGH_S = 5  # after that a slow query is not asked again


def cpu_ns(pid):
    """CPU time of all threads; finer than the ticks of /proc/PID/stat."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            continue
    return total


@dataclass
class Question:
    title: str
    query: str
    start_s: int
    end_s: int
    step_s: int


@dataclass
class Measured:
    latencies_ms: list = field(default_factory=list)
    cpu_ms: float = 0.0
    bytes: int = 0
    answer: dict = None  # labels, as JSON -> points

    @property
    def latency_ms(self):
        return statistics.median(self.latencies_ms)

    @property
    def size(self):
        return len(self.answer), sum(len(points) for points in self.answer.values())


class Asker:
    """A client of one server; each question has a connection, kept for its repetitions."""

    def __init__(self, server, encoding):
        self.server = server
        self.headers = {"Accept-Encoding": encoding}
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)

    def ask(self, question):
        """Seconds until the whole body is there, and the body as it came."""
        path = "/api/v1/query_range?" + urllib.parse.urlencode({
            "query": question.query, "start": question.start_s, "end": question.end_s,
            "step": question.step_s, "nocache": 1})
        begin = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        reply = self.connection.getresponse()
        body = reply.read()
        took_s = time.perf_counter() - begin
        plain = gzip.decompress(body) if reply.headers.get("Content-Encoding") == "gzip" else body
        if reply.status != 200:
            raise SystemExit(f"{self.server.name}: {question.query}: {plain[:500]}")
        return took_s, len(body), plain

    def measure(self, question, repetitions):
        measured = Measured()
        self.connection.close()
        plain = self.ask(question)[2]  # a first time to warm up
        measured.answer = {json.dumps(series["metric"], sort_keys=True): series["values"]
                           for series in json.loads(plain)["data"]["result"]}
        before_ns = cpu_ns(self.server.process.pid)
        while len(measured.latencies_ms) < repetitions and sum(
                measured.latencies_ms) < ENOUGH_S * 1e3:
            took_s, measured.bytes, _ = self.ask(question)
            measured.latencies_ms.append(took_s * 1e3)
        used_ns = cpu_ns(self.server.process.pid) - before_ns
        measured.cpu_ms = used_ns / len(measured.latencies_ms) / 1e6
        return measured


def is_close(one, other):
    a, b = float(one), float(other)
    return a == b or math.isnan(a) and math.isnan(b) or math.isclose(a, b, rel_tol=1e-9)


def have_same_values(mine, theirs):
    return mine.keys() == theirs.keys() and all(
        len(points) == len(theirs[labels]) and
        all(p[0] == q[0] and is_close(p[1], q[1]) for p, q in zip(points, theirs[labels]))
        for labels, points in mine.items())


def differences(measured):
    """How the answers of the peers differ from the first one's; VictoriaMetrics computes rates in
    its own way, so of its answers only the size is compared."""
    names = list(measured)
    first = measured[names[0]]
    for name in names[1:]:
        other = measured[name]
        if other.size != first.size:
            yield (f"{names[0]} {first.size[0]} series, {first.size[1]} points; "
                   f"{name} {other.size[0]}, {other.size[1]}")
        elif name == "prometheus" and not have_same_values(first.answer, other.answer):
            yield f"other values than {name}"


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def print_row(title, latencies, cpus, rest):
    cells = [f"{value:>8.2f}" for value in latencies + cpus]
    print(f"{''.join(cells)}  {rest:>15}  {title}", flush=True)


def ask_all(askers, questions, repetitions):
    rows, notes = [], []
    for question in questions:
        row = {name: asker.measure(question, repetitions) for name, asker in askers.items()}
        size = next(iter(row.values())).size
        print_row(question.title[:100], [m.latency_ms for m in row.values()],
                  [m.cpu_ms for m in row.values()], f"{size[0]} x {size[1] // max(size[0], 1)}")
        notes += [f"{question.query}: {text}" for text in differences(row)]
        rows.append(row)
    return rows, notes


def print_means(askers, rows):
    latencies = [geometric_mean([row[name].latency_ms for row in rows]) for name in askers]
    cpus = [geometric_mean([row[name].cpu_ms for row in rows]) for name in askers]
    print_row("GEOMETRIC MEAN", latencies, cpus, "")
    print_row("first / other", [latencies[0] / value for value in latencies],
              [cpus[0] / value for value in cpus], "")


def run(servers, dashboard, special, end_s, repetitions, encoding):
    """`servers` by name, all with the same samples up to `end_s`."""
    askers = {server.name: Asker(server, encoding) for server in servers}
    heads = [name[:7] for name in askers]
    print("".join(f"{head:>8}" for head in heads * 2) + f"  {'series x points':>15}")
    print(f"{'ms, median':>{8 * len(heads)}}{'server CPU ms':>{8 * len(heads)}}")
    questions = [Question(text, text, end_s - 6 * HOUR_S, end_s, 60) for text in dashboard]
    rows, notes = ask_all(askers, questions, repetitions)
    print_means(askers, rows)
    questions = [Question(f"{title}: {text}", text, end_s - hours * HOUR_S, end_s, step_s)
                 for title, text, hours, step_s in special]
    notes += ask_all(askers, questions, repetitions)[1]
    for server in servers:
        print(f"{server.name}: {server.resident_bytes() / 2**20:.0f} MiB resident at the end")
    print("answers differ:" if notes else "all answers have the same series and points")
    for note in notes:
        print("  " + note)


def run_memory(server, query, start_s, end_s, step_s):
    """What a query adds to the memory of its server, at the most and afterwards."""
    before = server.resident_bytes()
    with open(f"/proc/{server.process.pid}/clear_refs", "w") as file:
        file.write("5")  # VmHWM starts anew
    took_s, size, _ = Asker(server, "gzip").ask(Question(query, query, start_s, end_s, step_s))
    most, after = server.most_resident_bytes(), server.resident_bytes()
    print(f"{server.name:18} {before / 2**20:>9.1f} {(most - before) / 2**20:>+9.1f} "
          f"{(after - before) / 2**20:>+9.1f} {took_s * 1e3:>9.0f}", flush=True)


def run_values(server, label, selector, start_s, end_s, repetitions=9):
    """How long the values of a label take, of the series of a selector: what a variable asks."""
    times_ms, parameters = [], {"match[]": selector, "start": start_s, "end": end_s}
    before_s = server.cpu_s()
    for _ in range(repetitions):
        begin = time.monotonic()
        reply = server.get(f"/api/v1/label/{label}/values", parameters)
        times_ms.append((time.monotonic() - begin) * 1e3)
    print(f"{'':18} {len(json.loads(reply)['data'])} values of {label}: "
          f"{statistics.median(times_ms):.1f} ms, "
          f"{(server.cpu_s() - before_s) / repetitions * 1e3:.1f} ms of CPU", flush=True)
