"""tenants_case: a server with credentials of every kind, and short words for what they may do."""

import base64
import hashlib
import json
import secrets
import unittest

from answers import ask
from harness import Croft, now_ms
from remote_write import COUNTER, message, send, write

CANARY = "canary"
NOW_S = now_ms() // 1000


def new_token():
    return secrets.token_hex(32)


def credential(name, token, **rights):
    return {"name": name, "token_sha256": hashlib.sha256(token.encode()).hexdigest(), **rights}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(user, token):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


class TenantsCase(unittest.TestCase):
    """Each test has a server of its own; `config` may be changed and reloaded."""

    def setUp(self):
        self.tokens = {name: new_token() for name in
                       ["a", "b", "ab", "all", "agent", "team", "ops", "old"]}
        self.config = {"credentials": [
            credential("a", self.tokens["a"], read=["a"], write=["a"]),
            credential("b", self.tokens["b"], read=["b"], write=["b"]),
            credential("ab", self.tokens["ab"], read=["a", "b"], basic_user="grafana"),
            credential("all", self.tokens["all"], read=["*"], write=["*"]),
            credential("agent", self.tokens["agent"], write=["*"], tenant_from="label"),
            credential("team", self.tokens["team"], write=["a", "b"], tenant_from="label"),
            credential("ops", self.tokens["ops"], admin=True),
        ]}
        self.croft = Croft(self, config=self.config)
        self.croft.start()
        self.http = self.croft.http

    def headers(self, name):
        return bearer(self.tokens[name])

    def send(self, name, labels_list, tenant=None, **more):
        series = [({"__name__": "m", **labels}, [((NOW_S - 60) * 1000, 1.0)])
                  for labels in labels_list]
        return send(self.http, message(series), tenant=tenant, headers={**self.headers(name), **more})

    def write_a(self):
        write(self.http, [({"__name__": "m", "who": "me"}, [((NOW_S - 60) * 1000, 1.0)])],
              headers=self.headers("a"))

    def write_canaries(self):
        entries = [({"__name__": "canary_metric", "canary_label": "canary-value", "who": CANARY},
                    [((NOW_S - 60) * 1000, 7.0)]),
                   ({"__name__": "m", "who": CANARY, "tenant_id": "a"}, [((NOW_S - 60) * 1000, 7.0)])]
        reply = send(self.http, message(entries, [(COUNTER, "canary_metric", "canary help")]),
                     headers=self.headers("b"))
        self.assertEqual(reply.code, 204, reply)

    def who(self, name, tenant=None):
        """The values of the label `who` that a reader sees."""
        headers = self.headers(name)
        if tenant is not None:
            headers["X-Scope-OrgID"] = tenant
        return ask(self.http, "/api/v1/label/who/values", headers=headers)

    def limits_call(self, method, tenant, body=None, token="ops"):
        body = json.dumps(body).encode() if isinstance(body, dict) else body
        return self.http.send(method, f"/api/v1/admin/tenants/{tenant}/limits", body,
                              {"Content-Type": "application/json", **self.headers(token)})

    def log(self):
        with open(self.croft.log_path, encoding="utf-8") as file:
            return file.read()
