"""TLS: versions, exchanged certificates, client certificates; what cannot work refuses to start."""

import http.client
import os
import shutil
import ssl
import subprocess
import unittest

from harness import (CROFT, Croft, Http, free_port, main, new_folder, now_ms, wait_until,
                     write_json)
from remote_write import message, send


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Https(Http):
    """Trusts one certificate; may show one of its own."""

    def __init__(self, port, trusted, own=None, version=None):
        super().__init__(port)
        self.context = ssl.create_default_context(cafile=trusted)
        if version is not None:
            self.context.minimum_version = self.context.maximum_version = version
        if own is not None:
            self.context.load_cert_chain(own + ".crt", own + ".key")

    def connect(self, timeout_s=60):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout_s,
                                           context=self.context)


class Tls(unittest.TestCase):
    def setUp(self):
        self.folder = new_folder(self, "tls")

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, algorithm="ec", issuer=None):
        """NAME.crt and NAME.key: signed by itself, or by another."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "ec" else \
              ["-newkey", "rsa:2048"]
        signer = [] if issuer is None else ["-CA", self.path(issuer + ".crt"), "-CAkey",
                                            self.path(issuer + ".key")]
        openssl("req", "-x509", *key, "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.path(name + ".key"),
                "-out", self.path(name + ".crt"), *signer)

    def tls(self, name, **more):
        return {"tls": {"cert_file": self.path(name + ".crt"), "key_file": self.path(name + ".key"),
                        **more}}

    def start(self, config):
        croft = Croft(self, config=config)
        croft.is_up = lambda: "listens on port" in self.log(croft)
        return croft.start()

    def log(self, croft):
        with open(croft.log_path, encoding="utf-8") as file:
            return file.read()

    def client(self, croft, name, **more):
        return Https(croft.port, self.path(name + ".crt"), **more)

    def test_reads_and_writes(self):
        for algorithm in ["ec", "rsa"]:
            self.make(algorithm, algorithm)
            croft = self.start(self.tls(algorithm))
            client = self.client(croft, algorithm)
            series = [({"__name__": "m", "i": str(i)}, [(now_ms(), 1.0)]) for i in range(2000)]
            self.assertEqual(send(client, message(series)).code, 204)
            reply = client.get("/api/v1/query", [("query", "count(m)")])
            self.assertEqual(reply.json()["data"]["result"][0]["value"][1], "2000")
            connection = client.connect()
            for _ in range(20):
                connection.request("GET", "/api/v1/label/i/values")
                self.assertEqual(len(connection.getresponse().read()) > 10000, True)
            connection.close()
            self.assertEqual(croft.stop(), 0)

    def test_versions(self):
        self.make("x")
        croft = self.start(self.tls("x"))
        for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
            client = self.client(croft, "x", version=version)
            self.assertEqual(client.get("/-/ready").code, 200)
        old = self.client(croft, "x", version=ssl.TLSVersion.TLSv1_1)
        old.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, OSError)):
            old.get("/-/ready")
        with self.assertRaises((http.client.HTTPException, OSError)):
            Http(croft.port).get("/-/ready")

    def test_an_exchanged_certificate(self):
        self.make("old")
        self.make("new")
        config = self.tls("old")
        croft = self.start(config)
        kept = self.client(croft, "old").connect()
        kept.request("GET", "/-/ready")
        self.assertEqual(kept.getresponse().read(), b"Croft is Ready.\n")
        write_json(croft.folder, "croft.yml", self.tls("new"))
        croft.reload()
        wait_until("the new certificate is shown", lambda: self.accepts(croft, "new"))
        self.assertFalse(self.accepts(croft, "old"))
        kept.request("GET", "/-/ready")
        self.assertEqual(kept.getresponse().read(), b"Croft is Ready.\n")
        kept.close()
        # what does not fit together is not taken
        mixed = {"tls": {**self.tls("old")["tls"], "key_file": self.path("new.key")}}
        write_json(croft.folder, "croft.yml", mixed)
        croft.reload()
        wait_until("the refusal is logged", lambda: "configuration not applied" in self.log(croft))
        self.assertTrue(self.accepts(croft, "new"))

    def test_a_renewed_certificate_is_read_where_the_configuration_now_says(self):
        for name in ["first", "second", "renewed"]:
            self.make(name)
        croft = self.start(self.tls("first"))
        write_json(croft.folder, "croft.yml", self.tls("second"))
        croft.reload()
        wait_until("the second certificate is shown", lambda: self.accepts(croft, "second"))
        for end in [".crt", ".key"]:
            shutil.copy(self.path("renewed" + end), self.path("second" + end))
        wait_until("the renewed certificate is shown", lambda: self.accepts(croft, "renewed"))
        os.remove(self.path("second.key"))
        os.mkfifo(self.path("second.key"))
        wait_until("the refusal is logged", lambda: "second.key: not a regular file" in self.log(croft))
        self.assertTrue(self.accepts(croft, "renewed"))
        # one that the configuration names before it is there
        write_json(croft.folder, "croft.yml", self.tls("late"))
        croft.reload()
        wait_until("the refusal is logged", lambda: "late.crt: cannot be read" in self.log(croft))
        self.make("late")
        wait_until("the late certificate is shown", lambda: self.accepts(croft, "late"))

    def accepts(self, croft, name):
        try:
            return self.client(croft, name).get("/-/ready").code == 200
        except ssl.SSLError:
            return False

    def test_client_certificates(self):
        self.make("server")
        self.make("ca")
        self.make("agent", issuer="ca")
        self.make("stranger")
        croft = self.start(self.tls("server", client_ca_file=self.path("ca.crt")))
        agent = self.client(croft, "server", own=self.path("agent"))
        self.assertEqual(agent.get("/api/v1/labels").code, 200)
        self.assertEqual(self.client(croft, "server").get("/api/v1/labels").code, 403)
        stranger = self.client(croft, "server", own=self.path("stranger"))
        self.assertEqual(stranger.get("/-/ready").code, 403)

    def test_exchanged_client_cas(self):
        for name in ["server", "old", "new"]:
            self.make(name)
        for name in ["old", "new"]:
            self.make(f"{name}-agent", issuer=name)
        ca = self.path("ca.crt")
        shutil.copy(self.path("old.crt"), ca)
        croft = self.start(self.tls("server", client_ca_file=ca))
        kept = self.client(croft, "server", own=self.path("old-agent")).connect()
        self.assertEqual(self.code_on(kept), 200)
        self.assertEqual(self.codes_of_agents(croft), [200, 403])
        shutil.copy(self.path("new.crt"), ca)
        wait_until("the new CA holds", lambda: self.codes_of_agents(croft) == [403, 200])
        self.assertEqual(self.code_on(kept), 403)
        kept.close()
        with open(ca, "w", encoding="utf-8") as file:
            file.write("nothing")
        croft.reload()
        wait_until("the refusal is logged", lambda: "holds no certificate" in self.log(croft))
        self.assertEqual(self.codes_of_agents(croft), [403, 200])

    def codes_of_agents(self, croft):
        return [self.client(croft, "server", own=self.path(name)).get("/-/ready").code
                for name in ["old-agent", "new-agent"]]

    def code_on(self, connection):
        connection.request("GET", "/-/ready")
        reply = connection.getresponse()
        reply.read()
        return reply.status

    def test_what_cannot_work_does_not_start(self):
        self.make("x")
        self.make("y")
        with open(self.path("text"), "w", encoding="utf-8") as file:
            file.write("no certificate")
        for tls, text in [
                ({"cert_file": self.path("x.crt")}, "want both cert_file and key_file"),
                ({"cert_file": "/nowhere", "key_file": self.path("x.key")},
                 "tls: certificate /nowhere: cannot be read"),
                ({"cert_file": self.path("x.crt"), "key_file": self.path("y.key")}, "tls: certificate"),
                ({"cert_file": self.path("text"), "key_file": self.path("x.key")}, "tls: certificate"),
                ({**self.tls("x")["tls"], "client_ca_file": self.path("text")},
                 "holds no certificate")]:
            config = write_json(self.folder, "croft.yml", {"tls": tls})
            done = subprocess.run([CROFT, "serve", "--config", config, "--data-dir", self.path("data"),
                                   "--listen", f"127.0.0.1:{free_port()}"],
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    main()
