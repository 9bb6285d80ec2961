"""Ten thousand tenants of twenty series each: what a small tenant costs."""
import time

from tenant_server import TenantConnection

TENANTS, SERIES, SCRAPES, INTERVAL_MS = 10000, 20, 3, 15000


def series_of_all(ts_ms):
    return [({"__name__": f"metric_{n % 5}", "job": "app", "instance": f"host-{n}", "tenant_id": f"tenant-{tenant}"},
             [(ts_ms, float(n))]) for tenant in range(TENANTS) for n in range(SERIES)]


def show(name, value):
    print(f"{name:52} {value}", flush=True)


def timed(connection, cpu_s, name, path, **params):
    begin_cpu_s = cpu_s()
    code, body, seconds = connection.get(path, **params)
    if code != 200:
        raise SystemExit(f"{name}: {code} {body[:200]}")
    show(name, f"{1000 * seconds:.0f} ms, {1000 * (cpu_s() - begin_cpu_s):.0f} ms of processor, "
               f"{len(body) / 1024:.0f} KiB")


def ask_all(server):
    connection = TenantConnection(server.port)
    for name, query in ("one query over all", "sum by (tenant_id) (metric_0)"), ("one number of all", "count(metric_0)"):
        for attempt in "first", "second":
            timed(connection, server.cpu_s, f"{name}, {attempt}", "/api/v1/query", query=query)
    timed(connection, server.cpu_s, "range over all, 3 steps", "/api/v1/query_range",
          query="sum by (tenant_id) (metric_0)", start=time.time() - 45, end=time.time(), step=15)
    timed(TenantConnection(server.port, "tenant-77"), server.cpu_s, "one tenant of them", "/api/v1/query",
          query="sum(metric_0)")
    timed(connection, server.cpu_s, "label values of tenant_id", "/api/v1/label/tenant_id/values")
    timed(connection, server.cpu_s, "page of all tenants", "/api/v1/tenants")
    timed(connection, server.cpu_s, "/metrics", "/metrics")


def run(server):
    connection = TenantConnection(server.port)
    empty = server.resident_bytes()
    begin_cpu_s, start_ms = server.cpu_s(), int(time.time() * 1000) - SCRAPES * INTERVAL_MS
    for scrape in range(SCRAPES):
        connection.write_all(series_of_all(start_ms + scrape * INTERVAL_MS))
        held = server.resident_bytes() - empty
        show(f"resident memory per tenant after scrape {scrape + 1}", f"{held / TENANTS / 1024:.1f} KiB "
             f"({held / TENANTS / SERIES:.0f} bytes a series)")
    show("processor for writing", f"{server.cpu_s() - begin_cpu_s:.1f} s")
    ask_all(server)
    server.kill()
    show("ready after kill -9", f"{server.start():.2f} s, {server.cpu_s():.2f} s of processor")
    show("resident memory per tenant then", f"{(server.resident_bytes() - empty) / TENANTS / 1024:.1f} KiB")
    server.call("POST", "/api/v1/admin/tsdb/compact")
    show("resident memory per tenant, all in blocks", f"{(server.resident_bytes() - empty) / TENANTS / 1024:.1f} KiB")
    server.kill()
    show("ready after kill -9, all in blocks", f"{server.start():.2f} s, {server.cpu_s():.2f} s of processor")
    ask_all(server)
