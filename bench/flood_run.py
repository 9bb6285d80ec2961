"""One tenant sends samples that are taken, as fast as it is answered; what do nine others notice when they write?

Then it sends the same once more, as who repeats what he thinks was lost: each sample is late and there already.
With --same-shard all nine live in its shard, which is the worst case; else where their names put them.
"""
import subprocess
import time

from attack_run import OTHERS, write_normally
from servers import BUILD, INTERVAL_MS
from tenant_server import be_another_machine, print_latencies, tenants_beside

SERIES, SCRAPES, BATCH, CONNECTIONS = 17500, 1000, 2000, 4
PHASE_S = 4


def flood(server, same_machine, start_ms):
    """Begins to send; returns when the server has begun to work."""
    load = subprocess.Popen(
        [f"{BUILD}/bench/croft_load", "--port", str(server.port), "--pid", str(server.process.pid),
         "--path", server.write_path, "--series", str(SERIES), "--scrapes", str(SCRAPES), "--batch", str(BATCH),
         "--connections", str(CONNECTIONS), "--start-ms", str(start_ms)],
        stdout=subprocess.DEVNULL, preexec_fn=None if same_machine else be_another_machine)
    cpu_s, used_s = server.cpu_s(), 0
    while used_s < 0.1 and load.poll() is None:
        time.sleep(0.2)
        used_s, cpu_s = server.cpu_s() - cpu_s, server.cpu_s()
    return load


def write_beside(server, others, args, start_ms):
    load = flood(server, args.same_machine, start_ms)
    took = write_normally(server.port, PHASE_S, others)
    load.kill()
    load.wait()
    return took


def run(server, args):
    span_ms = SCRAPES * INTERVAL_MS
    first_ms = int(time.time() * 1000) - args.rounds * span_ms
    others = tenants_beside(server.port, None, len(OTHERS)) if args.same_shard else OTHERS
    alone, flooded, repeated = [], [], []
    write_normally(server.port, 2, others)
    for number in range(args.rounds):
        start_ms = first_ms + number * span_ms
        alone += write_normally(server.port, PHASE_S, others)
        flooded += write_beside(server, others, args, start_ms)
        alone += write_normally(server.port, PHASE_S, others)
        repeated += write_beside(server, others, args, start_ms)
    print_latencies("writes of the others", [("alone", alone), ("beside a flood", flooded)])
    print_latencies("writes of the others", [("alone", alone), ("beside a repetition", repeated)])
