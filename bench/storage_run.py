"""Measures what storing costs: one phase after the other, each on fresh folders.

    day      a day of samples: bytes on disk, samples per CPU second, and whether they come back
    kill     many series: memory at rest, then kill -9 amid a load: ready when, and what is lost
    churn    every series is new
    tenants  many tenants that are idle
    decode   what a core decodes in a second: bench_chunk on a day of a machine
"""
import json
import struct
import subprocess
import sys
import time

from servers import BUILD, INTERVAL_MS, Load, peers, settle

PHASES = ["day", "kill", "churn", "tenants", "decode"]
CROFT_PHASES = ["tenants", "decode"]  # the others have nothing to compare
REST_S = 3600  # between the end of what is written and now: no server treats it as just arriving


def say(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def begin_ms(scrapes):
    return (int(time.time()) - REST_S) * 1000 // INTERVAL_MS * INTERVAL_MS - scrapes * INTERVAL_MS


def load_and_flush(server, load):
    """Croft flushes every half hour, but hours take seconds here and its clock does not see them."""
    for i in load:
        if server.name == "croft" and i + 1 < load.slices:
            server.call("POST", "/api/v1/admin/tsdb/flush")


# ---- a day ----


def sent_series(series, scrapes, start_ms, every):
    """Labels, and the value at each time, of every so many of the series."""
    lines = subprocess.run(
        [f"{BUILD}/bench/croft_fleet", str(series), str(scrapes), str(start_ms), str(INTERVAL_MS),
         str(every)], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    for line in lines:
        row = json.loads(line)
        yield dict(row["labels"]), dict(zip(row["timestamps"], row["values"]))


def stored_samples(server, labels, start_ms, end_ms):
    selector = "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"
    if server.name == "victoria-metrics":
        reply = server.get("/api/v1/export", {"match[]": selector, "start": start_ms / 1000,
                                              "end": end_ms / 1000})
        found = {}
        for line in reply.splitlines():
            row = json.loads(line)
            found.update(zip(row["timestamps"], row["values"]))
        return found
    reply = json.loads(server.get("/api/v1/query", {
        "query": f"{selector}[{end_ms - start_ms}ms]", "time": end_ms / 1000}))
    return {round(float(at) * 1000): float(value)
            for row in reply["data"]["result"] for at, value in row["values"]}


def count_changed(server, args, start_ms):
    """Of a sample of series: how many samples there should be, and how many are not the same bits."""
    checked = changed = 0
    end_ms = start_ms + (args.scrapes + 1) * INTERVAL_MS
    every = max(1, args.series // args.check_series)
    for labels, sent in sent_series(args.series, args.scrapes, start_ms, every):
        stored = stored_samples(server, labels, start_ms, end_ms)
        checked += len(sent)
        changed += sum(1 for at, value in sent.items()
                       if at not in stored or struct.pack("<d", stored[at]) != struct.pack("<d", value))
        changed += sum(1 for at in stored if at not in sent)
    return checked, changed


def measure_day(server, args):
    samples = args.series * args.scrapes
    start_ms = begin_ms(args.scrapes)
    load_and_flush(server, Load(server, args.series, args.scrapes, start_ms,
                                slice_scrapes=args.flush_every))
    if server.name == "victoria-metrics":
        time.sleep(10)  # has no log: what it has not flushed yet is nowhere
    fresh_bytes = server.disk_bytes()
    settled_bytes = server.disk_bytes(settle(server))
    cpu_s = server.cpu_s()
    checked, changed = count_changed(server, args, start_ms)
    row = {"settled_bytes_per_sample": settled_bytes / samples,
           "fresh_bytes_per_sample": fresh_bytes / samples,
           "changed_percent": 100 * changed / checked,
           "samples_per_cpu_s": samples / cpu_s}
    if server.name == "croft":
        row["rewritten_times"] = server.metric("croft_compaction_written_bytes_total") / settled_bytes
        row["compaction_percent"] = (100 * server.metric("croft_compaction_cpu_seconds_total") /
                                     (samples / 100000))
    return row


# ---- kill -9 ----


def count_samples(server, start_ms, end_ms):
    names = json.loads(server.get("/api/v1/label/__name__/values", {
        "start": start_ms / 1000, "end": end_ms / 1000}))["data"]
    count = 0
    for name in names:
        reply = json.loads(server.get("/api/v1/query", {
            "query": f"sum(count_over_time({name}[{end_ms - start_ms}ms]))",
            "time": end_ms / 1000, "nocache": 1}))
        count += sum(int(row["value"][1]) for row in reply["data"]["result"])
    return count


def measure_kill(server, args):
    scrapes = args.kill_scrapes
    start_ms = begin_ms(2 * scrapes)
    middle_ms = start_ms + scrapes * INTERVAL_MS
    end_ms = middle_ms + (scrapes + 1) * INTERVAL_MS
    list(Load(server, args.kill_series, scrapes, start_ms, slice_scrapes=10))
    settle(server)
    resident_bytes = server.resident_bytes()
    list(Load(server, args.kill_series, scrapes, middle_ms, slice_scrapes=10))
    server.kill()
    ready_s = server.start()
    ready_cpu_s = server.cpu_s()
    found = count_samples(server, start_ms, end_ms)
    return {"resident_per_series": resident_bytes / args.kill_series, "ready_s": ready_s,
            "ready_cpu_s": ready_cpu_s, "lost": 2 * args.kill_series * scrapes - found}


# ---- new series ----


def measure_churn(server, args):
    before_s = server.cpu_s()
    list(Load(server, args.churn_series, 1, begin_ms(1)))
    return {"new_series_per_cpu_s": args.churn_series / (server.cpu_s() - before_s)}


# ---- idle tenants ----


def measure_tenants(server, args):
    """What a start with many tenants, none of which writes, takes more than one with none."""
    empty_bytes = server.resident_bytes()
    list(Load(server, args.tenants * args.tenant_series, 1, begin_ms(1), batch=args.tenant_series,
              tenants=args.tenants))
    settle(server)
    active_bytes = server.resident_bytes()
    server.kill()
    server.start()
    idle_bytes = server.resident_bytes()
    return {"active_tenant_bytes": (active_bytes - empty_bytes) / args.tenants,
            "idle_tenant_bytes": (idle_bytes - empty_bytes) / args.tenants}


# ---- decoding ----


def measure_decode(_server, _args):
    lines = subprocess.run([f"{BUILD}/bench/bench_chunk"], stdout=subprocess.PIPE, check=True,
                           text=True).stdout.splitlines()
    day = next(line for line in lines if line.startswith("a day of a machine"))
    return {"decoded_per_s": 1e6 * float(day.split()[-1])}


# ---- the table ----

MEASURES = {"day": measure_day, "kill": measure_kill, "churn": measure_churn,
            "tenants": measure_tenants, "decode": measure_decode}


def rows(args):
    """Text, what to reach, the figure, how to show it."""
    hours = args.scrapes * INTERVAL_MS / 3600000
    return [
        (f"bytes per sample on disk, settled, {hours:.3g} h of {args.series} series", "0.30",
         "settled_bytes_per_sample", lambda x: f"{x:.3f}"),
        ("the same before settling, log included", "0.8", "fresh_bytes_per_sample",
         lambda x: f"{x:.3f}"),
        ("samples that come back with other bits, or not at all", "0 %", "changed_percent",
         lambda x: f"{x:.3g} %"),
        (f"RSS per active series, settled, {args.kill_series} series", "400 B",
         "resident_per_series", lambda x: f"{x:.0f} B"),
        (f"ready after kill -9, {args.kill_series * args.kill_scrapes / 1e6:.3g} M samples since rest",
         "0.3 s", "ready_s", lambda x: f"{x:.2f} s"),
        ("CPU time until it is ready", "-", "ready_cpu_s", lambda x: f"{x:.2f} s"),
        ("of those, lost", "0", "lost", lambda x: f"{x:,}"),
        ("samples per CPU second, all background work included", "5 M", "samples_per_cpu_s",
         lambda x: f"{x / 1e6:.2f} M"),
        ("decode, one core, samples a second", "1 G", "decoded_per_s", lambda x: f"{x / 1e9:.2f} G"),
        ("new series per CPU second", "500 k", "new_series_per_cpu_s", lambda x: f"{x / 1e3:.0f} k"),
        (f"memory per idle tenant, {args.tenants} tenants", "8 KB", "idle_tenant_bytes",
         lambda x: f"{x / 1000:.1f} KB"),
        (f"memory per tenant with {args.tenant_series} active series", "-", "active_tenant_bytes",
         lambda x: f"{x / 1000:.1f} KB"),
        ("times that compaction wrote each byte", "3", "rewritten_times", lambda x: f"{x:.2f}"),
        ("compaction's share of a core at 100 k samples/s", "20 %", "compaction_percent",
         lambda x: f"{x:.2f} %"),
    ]


def print_table(args, figures):
    names = list(figures)
    print(f"| what | reach | {' | '.join(names)} |")
    print("|---|---|" + "---|" * len(names))
    for text, reach, key, show in rows(args):
        cells = [show(figures[name][key]) if key in figures[name] else "-" for name in names]
        if any(cell != "-" for cell in cells):
            print(f"| {text} | {reach} | {' | '.join(cells)} |", flush=True)


def run(args):
    names = args.servers.split(",")
    figures = {}
    for phase in args.phases.split(","):
        wanted = ["croft"] if phase in CROFT_PHASES else names
        for server in peers([name for name in wanted if name in names]):
            say(f"{phase}: {server.name}")
            try:
                row = MEASURES[phase](server, args)
            finally:
                server.stop()
            say(f"{phase}: {server.name}: {row}")
            figures.setdefault(server.name, {}).update(row)
    print_table(args, figures)
