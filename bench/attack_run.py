"""One tenant at its series limit sends new series as fast as it can; what do nine others notice when they write?

Alone and under attack in turns, so that whatever else happens on the machine hits both.
"""
import json
import multiprocessing
import time

from tenant_server import TenantConnection, be_another_machine, body_of, print_latencies

LIMIT, OTHER_SERIES, KNOWN = 10000, 200, 100
OTHERS = [f"other-{i}" for i in range(9)]
ATTACKERS, BODIES, NEW_PER_BODY = 4, 40, 2000
PHASE_S, PAUSE_S = 10, 0.02


def body_of_attack(number, ts_ms):
    """Series that are new each, and a sample of each known one."""
    return body_of([({"__name__": "new", "id": f"{number}-{i}", "pod": f"pod-{number * 7919 + i}"}, [(ts_ms, 1.0)])
                    for i in range(NEW_PER_BODY)])


def body_of_known(ts_ms):
    return body_of([({"__name__": "known", "n": str(n)}, [(ts_ms, 1.0)]) for n in range(KNOWN)])


def attack(port, same_machine, number, is_on, counts):
    """Its known series go on, a sample of each after every request of new ones."""
    if not same_machine:
        be_another_machine()
    connection = TenantConnection(port, "attacker")
    start_ms = int(time.time() * 1000)
    bodies = [body_of_attack(number * BODIES + i, start_ms) for i in range(BODIES)]
    sent = refused = kept = 0
    while is_on.is_set():
        code, text, _ = connection.write_body(bodies[sent % BODIES])
        refused += code == 400 and b"err-croft-max-series" in text
        sent += 1
        if number == 0:
            code, _, _ = connection.write_body(body_of_known(start_ms + sent))
            kept += code == 204
    counts.put((sent, refused, kept, sent if number == 0 else 0))


def write_normally(port, for_s, others=OTHERS):
    """Seconds of each write of the others, nine tenants."""
    connections = [TenantConnection(port, tenant) for tenant in others]
    labels = [{"__name__": "m", "n": str(n)} for n in range(OTHER_SERIES)]
    took, until = [], time.monotonic() + for_s
    while time.monotonic() < until:
        ts_ms = int(time.time() * 1000)
        body = body_of([(series, [(ts_ms, 1.0)]) for series in labels])
        for connection in connections:
            code, text, seconds = connection.write_body(body)
            if code != 204:
                raise SystemExit(f"other: {code} {text[:200]}")
            took.append(seconds)
        time.sleep(PAUSE_S)
    return took


class Attack:
    def __init__(self, port, same_machine):
        self.is_on, self.counts = multiprocessing.Event(), multiprocessing.SimpleQueue()
        self.is_on.set()
        self.processes = [multiprocessing.Process(target=attack, args=[port, same_machine, i, self.is_on, self.counts])
                          for i in range(ATTACKERS)]
        for process in self.processes:
            process.start()
        time.sleep(2)  # they make their bodies first

    def stop(self):
        self.is_on.clear()
        sums = [sum(column) for column in zip(*(self.counts.get() for _ in self.processes))]
        for process in self.processes:
            process.join()
        return sums


def set_limit(port):
    body = json.dumps({"max_series": {"hard": LIMIT}}).encode()
    code, text, _ = TenantConnection(port).send("PUT", "/api/v1/admin/tenants/attacker/limits", body,
                                                {"Content-Type": "application/json"})
    if code // 100 != 2:
        raise SystemExit(f"limit: {code} {text[:200]}")


def run(server, args):
    attacker = TenantConnection(server.port, "attacker")
    set_limit(server.port)
    attacker.write_body(body_of_known(int(time.time() * 1000) - 1000))
    alone, attacked, memory, totals, cpu_s = [], [], [], [0, 0, 0, 0], 0
    write_normally(server.port, 2)
    for _ in range(args.rounds):
        alone += write_normally(server.port, PHASE_S)
        assault = Attack(server.port, args.same_machine)
        cpu_s -= server.cpu_s()
        attacked += write_normally(server.port, PHASE_S)
        cpu_s += server.cpu_s()
        totals = [a + b for a, b in zip(totals, assault.stop())]
        memory.append((server.resident_bytes() / 1e6, server.metric("croft_head_memory_bytes") / 1e6))
    active = TenantConnection(server.port).metrics()['croft_tenant_active_series{tenant="attacker"}']
    sent, refused, kept, sent_known = totals
    print(f"{ATTACKERS} connections of the attacker, {NEW_PER_BODY} new series a request: {sent} requests, "
          f"{sent * NEW_PER_BODY / (args.rounds * PHASE_S) / 1e6:.2f} M series a second, {refused} answered 400")
    print(f"active series {active:.0f}, limit {LIMIT}; writes of its known series taken: {kept} of {sent_known}")
    print("resident MB after each attack: " + ", ".join(f"{resident:.1f}" for resident, _ in memory))
    print("of them not in the heads, which keep what was taken until it is flushed: " +
          ", ".join(f"{resident - heads:.1f}" for resident, heads in memory))
    print(f"the server used {cpu_s / (args.rounds * PHASE_S):.2f} processors under attack")
    print_latencies("writes of the others", [("alone", alone), ("under attack", attacked)])
