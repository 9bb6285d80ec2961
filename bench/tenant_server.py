"""What the benches about tenants share: requests as a tenant, quick writes of many series, percentiles."""
import http.client
import os
import sys
import time
import urllib.parse

import snappy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "e2e"))
from remote_write import HEADERS, message  # noqa: E402

SERIES_PER_WRITE = 500


class TenantConnection:
    """One kept connection, as one tenant (None: as nobody in particular)."""

    def __init__(self, port, tenant=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self.tenant = {} if tenant is None else {"X-Scope-OrgID": tenant}

    def send(self, method, path, body=None, headers=None):
        """Code, body, and the seconds until all of it was there."""
        begin = time.monotonic()
        self.connection.request(method, path, body, {**self.tenant, **(headers or {})})
        reply = self.connection.getresponse()
        return reply.status, reply.read(), time.monotonic() - begin

    def get(self, path, **params):
        return self.send("GET", f"{path}?{urllib.parse.urlencode(params)}")

    def write(self, series):
        return self.write_body(body_of(series))

    def write_body(self, body):
        return self.send("POST", "/api/v1/push", body, HEADERS)

    def write_all(self, series):
        """Any number of series, which must all be taken."""
        for first in range(0, len(series), SERIES_PER_WRITE):
            code, text, _ = self.write(series[first:first + SERIES_PER_WRITE])
            if code // 100 != 2:
                sys.exit(f"write: {code} {text[:300]}")

    def metrics(self):
        values = {}
        for line in self.get("/metrics")[1].decode().splitlines():
            if line and not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                values[series] = float(value)
        return values


def shard_of(connection, ts_ms):
    """In which shard the tenant's series are: where one that it has not had becomes one more."""
    def series():
        return {name: value for name, value in connection.metrics().items() if name.startswith("croft_series{")}
    before = series()
    connection.write_all([({"__name__": "where", "at": str(ts_ms)}, [(ts_ms, 1.0)])])
    return next(name for name, value in series().items() if value > before[name])


def tenants_beside(port, tenant, count):
    """So many names of tenants that share the shard of `tenant` (None: of nobody in particular)."""
    ts_ms = int(time.time() * 1000)
    shard, names, number = shard_of(TenantConnection(port, tenant), ts_ms), [], 0
    while len(names) < count:
        if shard_of(TenantConnection(port, f"beside-{number}"), ts_ms) == shard:
            names.append(f"beside-{number}")
        number += 1
    return names


def be_another_machine():
    """Whoever is to disturb only the server gives way to all other processes: he stands for a machine of his
    own, while here the clients that are measured and the server share their processors with him."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def print_latencies(title, rows):
    """`rows`: names and the seconds of each request; the last against the first."""
    shares = (0.5, 0.9, 0.99)
    width = max(len(name) for name, _ in [(title, None), *rows])
    print(f"{title:{width}} {'count':>7} {'p50 ms':>8} {'p90 ms':>8} {'p99 ms':>8}")
    for name, took in rows:
        print(f"{name:{width}} {len(took):>7} " + " ".join(f"{1000 * percentile(took, p):>8.2f}" for p in shares))
    print(f"{'ratio':{width}} {'':>7} " +
          " ".join(f"{percentile(rows[-1][1], p) / percentile(rows[0][1], p):>8.2f}" for p in shares))


def body_of(series):
    return snappy.compress(message(series))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
