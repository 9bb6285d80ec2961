"""The pages list every metric, endpoint, flag and limit that the server has."""

import os
import re
import subprocess
import unittest

from answers import ask
from harness import CROFT, Croft, main

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def page(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def first_cells(text, begin):
    """What stands in backticks in the first cell of each row of a table, where it begins so."""
    cells = re.findall(r"^\|([^|]*)\|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(rf"`({begin}[^`{{ ]*)", cell)}


class Docs(unittest.TestCase):
    def setUp(self):
        self.maxDiff = None
        self.croft = Croft(self).start()

    def test_every_metric_is_on_its_page_as_the_server_explains_it(self):
        text = self.croft.http.get("/metrics").text()
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        helps = re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE)
        rows = re.findall(r"^\| `(\w+)(?:\{[^}]*\})?` \| (\w+) \| (.*) \|$", page("docs", "metrics.md"), re.MULTILINE)
        self.assertEqual([(name, types[name], text) for name, text in helps], rows)

    def test_every_endpoint_is_in_a_table(self):
        routes = {route["pattern"] for route in ask(self.croft.http, "/api/v1/admin/routes")}
        told = first_cells(page("docs", "http_api.md"), "/")
        self.assertEqual({re.sub(r"<\w+>", "*", path) for path in told}, routes)

    def test_every_flag_is_in_the_table(self):
        text = subprocess.run([CROFT, "serve", "--help"], capture_output=True, text=True, timeout=60,
                              check=True).stdout
        flags = set(re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE)) - {"--help"}
        self.assertEqual(first_cells(page("docs", "operations.md"), "--"), flags)

    def test_every_limit_is_explained_and_has_a_test_at_its_boundary(self):
        rows = ask(self.croft.http, "/api/v1/tenants/anonymous")["limits"]
        bounds = {name for name, row in rows.items() if "hard" in row}
        self.assertIn("max_series", bounds)
        self.assertEqual(set(rows) - first_cells(page("docs", "tenants.md"), "[a-z]"), set())
        self.assertEqual(bounds - first_cells(page("tests", "README.md"), "[a-z]"), set())


if __name__ == "__main__":
    main()
