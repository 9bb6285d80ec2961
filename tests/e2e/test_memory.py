"""Queries, requests and series of many tenants never hold more memory together than they may, and who asks for little
is answered meanwhile.

What is held is read from the server's own count; whoever got too much would be refused there, not counted.
"""

import http.client
import socket
import threading
import unittest

from answers import query
from harness import Croft, is_open, main, now_ms, wait_until
from remote_write import GAUGE, message, send, write

QUERY_MAX, REQUEST_MAX = 12 << 20, 32 << 20
CONNECTION_BYTES = 160 << 10
CONNECTIONS = REQUEST_MAX // 2 // CONNECTION_BYTES
TENANTS, ROUNDS, SERIES, SAMPLES, STEP_S = 4, 2, 400, 400, 15


class Memory(unittest.TestCase):
    def setUp(self):
        self.croft = Croft(self, "--query-memory", str(QUERY_MAX), "--request-memory", str(REQUEST_MAX)).start()
        self.http = self.croft.http
        self.end_s = now_ms() // 60_000 * 60
        times = range((self.end_s - SAMPLES * STEP_S) * 1000, self.end_s * 1000, STEP_S * 1000)
        for number in range(TENANTS):
            for first in range(0, SERIES, 100):
                write(self.http, [({"__name__": "m", "n": str(n)}, [(ts, ts / 7 + n) for ts in times])
                                  for n in range(first, first + 100)], tenant=f"large{number}")
        write(self.http, [({"__name__": "m"}, [(self.end_s * 1000, 1)])], tenant="small")
        # a client has its answer before the server has ended the request
        wait_until("the writes hold nothing", lambda: self.held("requests") == 0)

    def held(self, use):
        return self.http.metrics()[f'croft_memory_held_bytes{{use="{use}"}}']

    def ask(self, tenant, steps):
        """Some 13 KB of text for each step, and up to as much again while it is made."""
        params = [("query", "m"), ("start", self.end_s - steps * STEP_S), ("end", self.end_s), ("step", STEP_S)]
        reply = self.http.get("/api/v1/query_range", params, {"X-Scope-OrgID": tenant}, timeout_s=120)
        if reply.code != 200:
            self.assertEqual((reply.code, reply.headers["Retry-After"]), (503, "1"))
            self.assertIn("(err-croft-query-memory)", reply.json()["error"])
        return reply.code

    def ask_in_turn(self, tenant, codes):
        for _ in range(ROUNDS):
            codes[SAMPLES].append(self.ask(tenant, SAMPLES))
            codes[SAMPLES // 4].append(self.ask(tenant, SAMPLES // 4))

    def test_queries_share_what_there_is(self):
        codes = {SAMPLES: [], SAMPLES // 4: []}
        threads = [threading.Thread(target=self.ask_in_turn, args=[f"large{number % TENANTS}", codes])
                   for number in range(TENANTS * 3)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.assertLessEqual(self.held("queries"), QUERY_MAX)
            answer = query(self.http, "m", self.end_s, headers={"X-Scope-OrgID": "small"})
            self.assertEqual([series["value"][1] for series in answer["result"]], ["1"])
        for thread in threads:
            thread.join()
        # half of it is not enough for the larger of the two, even when nobody else asks
        self.assertEqual(codes[SAMPLES], [503] * TENANTS * 3 * ROUNDS)
        self.assertEqual(len(codes[SAMPLES // 4]), TENANTS * 3 * ROUNDS)
        wait_until("all is given back", lambda: self.held("queries") == 0)
        self.assertEqual(self.ask("large0", SAMPLES // 4), 200)
        self.assertGreater(self.http.metrics()['croft_memory_refusals_total{use="queries"}'], 0)

    def look_up(self, path, codes):
        reply = self.http.get(path, headers={"X-Scope-OrgID": "wide"}, timeout_s=120)
        codes.append(reply.code)
        if reply.code != 200:
            self.assertIn("(err-croft-query-memory)", reply.json()["error"])

    def test_lookups_share_what_there_is(self):
        write(self.http, [({"__name__": "m", "v": f"{n:0100d}"}, [(self.end_s * 1000, 1)])
                          for n in range(10_000)], tenant="wide")
        for path in ("/api/v1/label/v/values", "/api/v1/label/v/values?match%5B%5D=m", "/api/v1/series?match%5B%5D=m"):
            codes = []
            refusals = self.http.metrics()['croft_memory_refusals_total{use="queries"}']
            threads = [threading.Thread(target=self.look_up, args=[path, codes]) for _ in range(16)]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                self.assertLessEqual(self.held("queries"), QUERY_MAX)
            for thread in threads:
                thread.join()
            self.assertEqual(len(codes), 16)
            self.assertLessEqual(set(codes), {200, 503})
            refusals = self.http.metrics()['croft_memory_refusals_total{use="queries"}'] - refusals
            self.assertLessEqual(refusals, 3 * 16)
        wait_until("all is given back", lambda: self.held("queries") == 0)

    def test_metadata_is_charged_to_who_reads_it(self):
        for first in range(0, 16_000, 4000):
            entries = [(GAUGE, f"m{n}", "help " * 200) for n in range(first, first + 4000)]
            reply = send(self.http, message([({"__name__": "m"}, [(self.end_s * 1000, 1)])], entries), "small")
            self.assertEqual(reply.code, 204, reply)
        for limit, code in (0, 503), (1000, 200):
            reply = self.http.get("/api/v1/metadata", [("limit", limit)], {"X-Scope-OrgID": "small"})
            self.assertEqual(reply.code, code, reply)
        self.assertEqual(self.http.get("/api/v1/metadata", [], {"X-Scope-OrgID": "large0"}).code, 200)
        wait_until("all is given back", lambda: self.held("queries") == 0)

    def connect(self):
        """A connection on which a request was answered."""
        connection = socket.create_connection(("127.0.0.1", self.croft.port), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b" 200 ", connection.recv(1000))
        return connection

    def test_connections_are_as_many_as_there_is_memory_for(self):
        connections = [self.connect() for _ in range(3 * CONNECTIONS)]
        wait_until("those who waited longest are closed",
                   lambda: sum(map(is_open, connections)) <= CONNECTIONS)
        self.assertTrue(all(map(is_open, connections[-CONNECTIONS // 2:])))

    def announce(self, tenant, length):
        """A write that does not come; the connection, with what the server says at once."""
        connection = socket.create_connection(("127.0.0.1", self.croft.port), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall((f"POST /api/v1/push HTTP/1.1\r\nHost: localhost\r\nX-Scope-OrgID: {tenant}\r\n"
                            "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n"
                            f"Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n").encode())
        return connection, connection.recv(1000).decode()

    def test_bodies_that_do_not_come_keep_nobody_else_out(self):
        half = (REQUEST_MAX - CONNECTIONS * CONNECTION_BYTES) // 2
        connection, reply = self.announce("greedy", half)
        self.assertIn("100 Continue", reply)
        self.assertEqual(self.held("requests"), half)
        for length in (1, half):
            _, reply = self.announce("greedy", length)
            self.assertIn(" 503 ", reply)
            self.assertIn("err-croft-request-memory", reply)
        write(self.http, [({"__name__": "m"}, [(self.end_s * 1000 + 1, 1)])], tenant="small")
        connection.close()
        wait_until("all is given back", lambda: self.held("requests") == 0)


class Crowd(unittest.TestCase):
    """A quarter of 2,048 connections may wait for the queries of one tenant."""
    CLIENTS = 400

    def test_queries_of_one_tenant_wait_for_each_other(self):
        croft = Croft(self, "--request-memory", str(2 * 2048 * CONNECTION_BYTES)).start()
        crowd = [http.client.HTTPConnection("127.0.0.1", croft.port, timeout=60) for _ in range(self.CLIENTS)]
        for connection in crowd:
            self.addCleanup(connection.close)
            connection.request("GET", "/api/v1/query?query=count_over_time(vector(1)%5B100h:1s%5D)")
        self.assertEqual({connection.getresponse().status for connection in crowd}, {200})


class HeadMemory(unittest.TestCase):
    BATCH, BATCHES, MAX = 1000, 60, 8 << 20

    def setUp(self):
        self.croft = Croft(self, "--head-memory", str(self.MAX)).start()
        self.http = self.croft.http

    def batch(self, number):
        """A thousand series of their own, at one time."""
        first = number * self.BATCH
        return message([({"__name__": "m", "n": str(n)}, [(now_ms(), 1)]) for n in range(first, first + self.BATCH)])

    def count(self, tenant):
        return int(query(self.http, "count(m)", now_ms() // 1000 + 1, headers={"X-Scope-OrgID": tenant})["result"][0]["value"][1])

    def test_a_tenant_that_wants_all_of_it_costs_nobody_else(self):
        taken = 0
        for number in range(self.BATCHES):
            reply = send(self.http, self.batch(number), tenant="large")
            if reply.code == 429:
                self.assertEqual(reply.headers["Retry-After"], "30")
                self.assertIn("err-croft-head-memory", reply.text())
            else:
                self.assertEqual((reply.code, taken), (204, number))
                taken += 1
            self.assertEqual(send(self.http, self.batch(0), tenant="small").code, 204)
        self.assertGreater(taken, 5)
        self.assertLess(taken, self.BATCHES - 10)
        for number in range(taken):
            self.assertEqual(send(self.http, self.batch(number), tenant="large").code, 204)
        metrics = self.http.metrics()
        self.assertEqual(metrics['croft_memory_max_bytes{use="heads"}'], self.MAX)
        self.assertLessEqual(metrics['croft_memory_held_bytes{use="heads"}'], self.MAX)
        series = self.count("large")
        self.assertGreaterEqual(series, taken * self.BATCH)
        self.croft.kill()
        self.croft.start()
        self.assertEqual((self.count("large"), self.count("small")), (series, self.BATCH))


class Strangers(unittest.TestCase):
    def peak_bytes(self, croft):
        with open(f"/proc/{croft.process.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) << 10

    def test_refused_series_of_tenants_that_are_not_there_take_no_memory(self):
        """They are refused before anybody could be charged for them."""
        croft = Croft(self).start()
        before = self.peak_bytes(croft)
        series = [({"__name__": "m", "tenant_id": f"t{number}"}, [(1, 1.0)]) for number in range(200_000)]
        reply = send(croft.http, message(series))
        self.assertEqual(reply.code, 400)
        self.assertIn("200000 too-old", reply.text())
        self.assertLess(self.peak_bytes(croft) - before, 256 << 20)


if __name__ == "__main__":
    main()
