"""Deleting series and tenants over HTTP, with the words and codes of Prometheus and Mimir."""

import contextlib
import os
import subprocess
import unittest

from answers import raw_samples
from harness import Croft, main, now_ms, wait_until
from remote_write import write

HOUR_MS = 3_600_000
DELETE, CLEAN = "/api/v1/admin/tsdb/delete_series", "/api/v1/admin/tsdb/clean_tombstones"
FLUSH = "/api/v1/admin/tsdb/flush"
DELETE_TENANT, TENANT_STATUS = "/compactor/delete_tenant", "/compactor/delete_tenant_status"
ACME = {"X-Scope-OrgID": "acme"}
RESERVE_BYTES = 2 << 20  # an eighth of the disk, and a quarter of that


class Deletion(unittest.TestCase):
    def setUp(self):
        self.croft = Croft(self).start()
        self.http = self.croft.http
        self.now_ms = now_ms() // HOUR_MS * HOUR_MS
        for tenant in ("acme", "beta"):
            write(self.http, [({"__name__": "m", "job": job},
                               [(self.now_ms + number, number) for number in range(3)])
                              for job in ("a", "b")], tenant=tenant)

    def read(self, tenant="acme"):
        found = raw_samples(self.http, "m[2h]", self.now_ms / 1000 + 600,
                            headers={"X-Scope-OrgID": tenant})
        return {dict(key)["job"]: [int(text) for _, text in samples]
                for key, samples in found.items()}

    def labels(self, tenant="acme"):
        return self.http.get("/api/v1/label/job/values",
                             headers={"X-Scope-OrgID": tenant}).json()["data"]

    def delete(self, *params, headers=ACME, path=DELETE):
        return self.http.post_form(path, params, headers=headers)

    def test_series_are_gone_when_it_is_answered_and_stay_gone(self):
        reply = self.delete(("match[]", 'm{job="a"}'))
        self.assertEqual((reply.code, reply.body), (204, b""))
        for _ in range(2):
            self.assertEqual(self.read(), {"b": [0, 1, 2]})
            self.assertEqual(self.labels(), ["b"])
            self.assertEqual(self.read("beta"), {"a": [0, 1, 2], "b": [0, 1, 2]})
            self.croft.kill()
            self.croft.start()
        self.assertEqual(self.http.send("POST", CLEAN).code, 204)
        self.assertEqual(self.read(), {"b": [0, 1, 2]})

    def test_only_the_range_goes_and_what_comes_later_stays(self):
        reply = self.delete(("match[]", '{job="a"}'), ("match[]", '{job="b"}'),
                            ("start", f"{self.now_ms / 1000 + 0.001:.3f}"),
                            ("end", f"{self.now_ms / 1000 + 0.001:.3f}"))
        self.assertEqual(reply.code, 204)
        self.assertEqual(self.read(), {"a": [0, 2], "b": [0, 2]})
        write(self.http, [({"__name__": "m", "job": "a"}, [(self.now_ms + 1, 7)])], tenant="acme")
        self.assertEqual(self.read(), {"a": [0, 7, 2], "b": [0, 2]})
        self.assertEqual(self.http.send("PUT", CLEAN).code, 204)
        self.assertEqual(self.read(), {"a": [0, 7, 2], "b": [0, 2]})

    def test_bad_requests_are_told_so_in_the_words_of_prometheus(self):
        for params, text in (
                ((), "no match[] parameter provided"),
                ((("match[]", "{"),), 'invalid parameter "match[]": 1:2: parse error: '),
                ((("match[]", "m"), ("start", "x")), 'invalid parameter "start": ')):
            with self.subTest(params=params):
                reply = self.delete(*params)
                self.assertEqual(reply.code, 400)
                self.assertEqual(reply.json()["errorType"], "bad_data")
                self.assertTrue(reply.json()["error"].startswith(text), reply.json()["error"])
        self.assertEqual(self.http.get(DELETE).code, 405)
        self.assertEqual(self.read(), {"a": [0, 1, 2], "b": [0, 1, 2]})

    def test_a_tenant_goes_as_a_whole_and_its_bytes_as_well(self):
        self.assertEqual(self.http.send("POST", FLUSH).code, 204)  # of the other one as well
        self.assertEqual(self.delete(path=DELETE_TENANT, headers={}).code, 400)
        reply = self.delete(path=DELETE_TENANT)
        self.assertEqual((reply.code, reply.body), (200, b""))
        self.assertEqual(self.read(), {})
        self.assertEqual(self.labels(), [])
        self.assertEqual(self.http.send("POST", CLEAN).code, 204)
        self.assertEqual(self.http.get(TENANT_STATUS, headers=ACME).json(),
                         {"tenant_id": "acme", "blocks_deleted": True})
        self.assertEqual(self.http.get(TENANT_STATUS, headers={"X-Scope-OrgID": "beta"}).json(),
                         {"tenant_id": "beta", "blocks_deleted": False})
        self.assertEqual(self.read("beta"), {"a": [0, 1, 2], "b": [0, 1, 2]})


class FullDisk(unittest.TestCase):
    """The data lies on a small disk of its own, which something else fills."""

    def setUp(self):
        self.croft = Croft(self)
        self.data = os.path.join(self.croft.folder, "data")
        self.reserve = os.path.join(self.data, "croft.reserve")
        os.mkdir(self.data)
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", self.data]
        if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
            self.skipTest("skipped: only root may mount")
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.data], check=True)
        self.croft.start()
        self.http = self.croft.http

    def is_held(self):
        """All of it: the file is there before its space is."""
        return os.path.exists(self.reserve) and os.stat(self.reserve).st_blocks * 512 >= RESERVE_BYTES

    def fill(self):
        path = os.path.join(self.data, "filler")
        with open(path, "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(1 << 20))
        return path

    def test_a_tenant_goes_and_the_space_for_the_next_one_is_held_again_later(self):
        for _ in range(2):
            write(self.http, [({"__name__": "m"}, [(now_ms(), 1)])], tenant="acme")
            wait_until("space is held", self.is_held)
            filler = self.fill()
            self.assertEqual(os.statvfs(self.data).f_bavail, 0)
            self.assertEqual(self.http.send("POST", DELETE_TENANT, headers=ACME).code, 200)
            self.assertFalse(os.path.exists(self.reserve))
            self.assertEqual(self.http.send("POST", CLEAN).code, 204)
            self.assertEqual(self.http.get(TENANT_STATUS, headers=ACME).json()["blocks_deleted"], True)
            os.unlink(filler)
            wait_until("space is held again, and writes are taken", self.is_held)
        self.croft.expect_verified()


if __name__ == "__main__":
    main()
