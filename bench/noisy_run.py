"""One tenant asks twenty of the worst queries at once; what does another's dashboard notice?

The dashboard is asked alone and under noise in turns, so that whatever else happens on the machine hits both.
"""
import collections
import multiprocessing
import time

from tenant_server import TenantConnection, be_another_machine, print_latencies

NOISY_SERIES, QUIET_SERIES, SCRAPES, INTERVAL_MS = 4000, 200, 240, 15000
PHASE_S, NOISY_QUERIES = 8, 20

WORST = [
    "quantile_over_time(0.5, m[1h:1s])",
    "sort_desc(sum by (n) (rate(m[1h])))",
    "count_values('v', m)",
    "m * on(n) group_left() m",
    "label_replace(m, 'x', '$1$1$1', 'n', '(.*)')",
    "topk(3000, m)",
    "count({n=~'.*(1|2|3).*(4|5|6).*'})",
    "stddev by (n) (max_over_time(m[1h:15s]))",
]

PANELS = [
    "sum(rate(m[5m]))",
    "avg by (job) (m)",
    "topk(3, m)",
    "max_over_time(m{n='7'}[10m])",
    "histogram_quantile(0.9, sum by (le) (rate(m[5m])))",
]


def fill(server, end_ms):
    times = [end_ms - i * INTERVAL_MS for i in range(SCRAPES)][::-1]
    for tenant, count in ("noisy", NOISY_SERIES), ("quiet", QUIET_SERIES):
        TenantConnection(server.port, tenant).write_all(
            [({"__name__": "m", "n": str(n), "job": str(n % 10)}, [(ts, ts % 997 + n) for ts in times])
             for n in range(count)])


def ask_the_worst(port, end_s, same_machine, number, is_on, codes):
    if not same_machine:
        be_another_machine()
    connection = TenantConnection(port, "noisy")
    while is_on.is_set():
        query = WORST[number % len(WORST)]
        code, _, _ = connection.get("/api/v1/query_range", query=query, start=end_s - 3600, end=end_s,
                                    step=1, timeout="5s")
        codes.put(code)
        number += 1


class Noise:
    """Asks without a pause until it is stopped, in processes of its own: threads of this one would keep
    it from looking at its watch."""

    def __init__(self, port, end_s, same_machine):
        self.is_on, self.codes = multiprocessing.Event(), multiprocessing.SimpleQueue()
        self.is_on.set()
        self.processes = [
            multiprocessing.Process(target=ask_the_worst,
                                    args=[port, end_s, same_machine, i, self.is_on, self.codes])
            for i in range(NOISY_QUERIES)]
        for process in self.processes:
            process.start()

    def stop(self):
        """How often each code was the answer."""
        self.is_on.clear()
        counts = collections.Counter()
        while any(process.is_alive() for process in self.processes) or not self.codes.empty():
            while not self.codes.empty():
                counts[self.codes.get()] += 1
            time.sleep(0.01)
        return counts


def ask_dashboard(connection, end_s, for_s):
    """Seconds of each panel."""
    took, until = [], time.monotonic() + for_s
    while time.monotonic() < until:
        for panel in PANELS:
            code, body, seconds = connection.get("/api/v1/query_range", query=panel, start=end_s - 3600,
                                                 end=end_s, step=15)
            if code != 200:
                raise SystemExit(f"{panel}: {code} {body[:200]}")
            took.append(seconds)
        time.sleep(0.05)
    return took


def run(server, args):
    end_s = int(time.time()) // 60 * 60
    fill(server, end_s * 1000)
    quiet = TenantConnection(server.port, "quiet")
    alone, under_noise, codes = [], [], collections.Counter()
    for _ in range(args.rounds):
        alone += ask_dashboard(quiet, end_s, PHASE_S)
        noise = Noise(server.port, end_s, args.same_machine)
        time.sleep(1)
        under_noise += ask_dashboard(quiet, end_s, PHASE_S)
        codes += noise.stop()
    metrics = TenantConnection(server.port).metrics()
    print(f"{NOISY_QUERIES} of the worst queries at once over {NOISY_SERIES} series; dashboard of "
          f"{len(PANELS)} panels over {QUIET_SERIES}")
    print_latencies("panels", [("alone", alone), ("under noise", under_noise)])
    used_s = {tenant: metrics[f'croft_tenant_query_cpu_seconds_total{{tenant="{tenant}"}}']
              for tenant in ("noisy", "quiet")}
    print(f"processor seconds: noisy {used_s['noisy']:.1f}, quiet {used_s['quiet']:.1f}; noisy's answers: " +
          ", ".join(f"{count} x {code}" for code, count in sorted(codes.items())))
