"""One tenant sends samples that are taken, as fast as it is answered; what do nine others notice when they write?

Then it sends the same once more, as who repeats what he thinks was lost: each sample is late and there already.
"""
import subprocess
import time

from attack_run import write_normally
from servers import BUILD, INTERVAL_MS
from tenant_server import be_another_machine, print_latencies

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


def write_beside(server, same_machine, start_ms):
    load = flood(server, same_machine, start_ms)
    took = write_normally(server.port, PHASE_S)
    load.kill()
    load.wait()
    return took


def run(server, same_machine, rounds):
    span_ms = SCRAPES * INTERVAL_MS
    first_ms = int(time.time() * 1000) - rounds * span_ms
    alone, flooded, repeated = [], [], []
    write_normally(server.port, 2)
    for number in range(rounds):
        start_ms = first_ms + number * span_ms
        alone += write_normally(server.port, PHASE_S)
        flooded += write_beside(server, same_machine, start_ms)
        alone += write_normally(server.port, PHASE_S)
        repeated += write_beside(server, same_machine, start_ms)
    print_latencies("writes of the others", [("alone", alone), ("beside a flood", flooded)])
    print_latencies("writes of the others", [("alone", alone), ("beside a repetition", repeated)])
