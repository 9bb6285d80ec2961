"""croft test promql: its report and its exit status."""

import os
import subprocess
import unittest

from harness import CROFT, main, new_folder

GOOD = """load 1m
  a{x="1"} 0+60x5

eval instant at 5m rate(a[2m])
  {x="1"} 1
"""
BAD = GOOD + """
eval instant at 5m a
  a{x="1"} 299
"""


class ScriptCommand(unittest.TestCase):
    def setUp(self):
        self.folder = new_folder(self, "script")

    def run_scripts(self, *arguments):
        done = subprocess.run([CROFT, "test", *arguments], capture_output=True, text=True, timeout=60, cwd=self.folder,
                              check=False)
        return done.returncode, done.stdout, done.stderr

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_exit_status_and_report(self):
        self.write("good.test", GOOD)
        self.write("bad.test", BAD)
        self.assertEqual(self.run_scripts("promql", "good.test"),
                         (0, "", "croft: 1 queries in 1 files, 0 failures\n"))
        self.assertEqual(self.run_scripts("promql", "good.test", "bad.test"),
                         (1, 'bad.test:7: a{x="1"} at 300000 ms: got 300, want 299\n',
                          "croft: 3 queries in 2 files, 1 failures\n"))
        self.assertEqual(self.run_scripts("promql", "gone.test"),
                         (2, "", "croft: gone.test: No such file or directory\n"
                                 "croft: 0 queries in 1 files, 0 failures\n"))

    def test_usage(self):
        for arguments in ((), ("promql",), ("sql", "x"), ("--fast", "promql", "x")):
            status, output, errors = self.run_scripts(*arguments)
            self.assertEqual((status, output), (2, ""), arguments)
            self.assertIn("usage: croft test promql FILE...", errors)
        status, output, errors = self.run_scripts("--help")
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("usage: croft test promql FILE...", output)


if __name__ == "__main__":
    main()
