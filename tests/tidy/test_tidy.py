"""Every rule of tidy finds a planted violation, and finds none in a clean tree."""

import os
import tempfile
import unittest

import tidy



def header(noun, guard, body=""):
    return f"/*\n * {noun}: what it is.\n */\n#ifndef {guard}\n#define {guard}\n{body}#endif\n"


def function(lines, parameters="int a"):
    return f"int f({parameters})\n{{\n" + "    a++;\n" * lines + "}\n"


CLEAN = {
    "README.md": "# croft\n\n[base](base), [http](http/README.md), [query](query), [tsdb](tsdb),\n"
                 "[wal](tsdb/wal), [index](tsdb/index), [pages](docs)\n",
    "docs/README.md": "# pages\n",
    "base/README.md": "# base\n\nMay include: base\n\n`mem`, `disk_*`, thread, regex, forgotten\n",
    "base/CMakeLists.txt": "croft_module(base SOURCES mem.c disk_real.c thread.c regex.cc)\n",
    "base/mem.c": '#include "base/mem.h"\nvoid *mem_alloc(size_t n) { return malloc(n); }\n',
    "base/mem.h": header("mem", "CROFT_BASE_MEM_H", "void *mem_alloc(size_t n);\n"),
    "base/disk_real.c": "int f(void) { return open(1) + fsync(2); }\n",
    "base/thread.c": "#include <pthread.h>\nstatic _Atomic int x;\nvoid f(void) { pthread_self(); }\n",
    "base/regex.cc": '#include <re2/re2.h>\nextern "C" {\n#include "base/mem.h"\n}\n',
    "http/README.md": "# http\n\nMay include: base.\n\n"
                      "| noun | what |\n|---|---|\n| `route` | rows |\n\nmem\n",
    "http/CMakeLists.txt": "croft_module(http SOURCES route.c)\n",
    "http/route.c": '#include "http/route.h"\n\n#include "base/mem.h"\n',
    "http/route.h": header("route", "CROFT_HTTP_ROUTE_H"),
    "query/README.md": "# query\n\nMay include: base, http, query\n\n```\n# not a title\n```\n"
                       "eval, api_http, api, route, forgotten, long\n",
    "query/CMakeLists.txt": "croft_module(query SOURCES eval.c api_http.c long.c)\n",
    "query/eval.c": '/* malloc(1); TODAY; as in mem.c and api_*.c */\n#include "base/mem.h"\n'
                    'const char *s = "free(x) // " "open(y)";\n'
                    "void f(void) { mem_free(1); kind->open(2); kind.free(3); reopen(4); }\n",
    "query/api_http.c": '#include "http/route.h"\n#include "query/api_impl.h"\n',
    "query/api_http.h": header("api_http", "CROFT_QUERY_API_HTTP_H", '#include "http/route.h"\n'),
    "query/api_impl.h": header("api_impl", "CROFT_QUERY_API_IMPL_H",
                               '#include "query/api_http.h"\n'),
    "tsdb/README.md": "# tsdb\n\nMay include: base, tsdb\n",
    "tsdb/CMakeLists.txt": "croft_module(tsdb SOURCES wal/frame.c)\n",
    "tsdb/wal/README.md": "# wal\n\nMay include: base, tsdb/index\nframe\n",
    "tsdb/wal/frame.c": '#include "tsdb/wal/frame.h"\n\n#include "tsdb/index/slab.h"\n',
    "tsdb/wal/frame.h": header("frame", "CROFT_TSDB_FRAME_H", '#include "base/mem.h"\n'),
    "tsdb/index/README.md": "# index\n\nMay include: base\nslab.h\n",
    "tsdb/index/slab.h": header("slab", "CROFT_TSDB_INDEX_SLAB_H"),
    "tests/query/CMakeLists.txt": "croft_test(query eval LIBRARIES croft_query)\n",
    "tests/query/test_eval.c": '#include "query/eval_impl.h"\n',
    "query/eval_impl.h": header("eval_impl", "CROFT_QUERY_EVAL_IMPL_H"),
    "query/long.c": function(60, "int (*a)(int, int), " + ", ".join("bcdefg")) * 9,
    "build/dev/junk.c": "TODO malloc(1);\n",
}

# (changed files, what a violation must say)
PLANTED = [
    ({"http/README.md": "# http\nroute\n"}, "http/README.md:1: no line"),
    ({"base/README.md": "# base\n\nMay include: base\n\nmem, thread, regex, disk_simulated\n"},
     "base/disk_real.c:1: base/README.md does not say what it is for"),
    ({"http/README.md": "# http\n\nMay include: base.\n\n"
                        "| file | what |\n|---|---|\n| route.c, gone | |\n"},
     "http/README.md:7: there is no gone here"),
    ({"base/mem.c": '#include "http/route.h"\n'}, "base/mem.c:1: base may not include http/route.h"),
    ({"http/route.c": '\n  #  include "query/eval.h"\n'}, "http/route.c:2: http may not include"),
    ({"base/regex.cc": '#include "query/eval.h"\n'}, "base/regex.cc:1: base may not include"),
    ({"http/route.h": header("route", "CROFT_HTTP_ROUTE_H", '#include "tests/support/test.h"\n')},
     "http/route.h:6: http may not include"),
    ({"tsdb/index/slab.h": header("slab", "CROFT_TSDB_SLAB_H", '#include "tsdb/wal/frame.h"\n')},
     "tsdb/index/slab.h:6: tsdb/index may not include tsdb/wal/frame.h (see tsdb/index/README.md)"),
    ({"tsdb/wal/README.md": "# wal\nframe\n"}, "tsdb/wal/README.md:1: no line"),
    ({"tsdb/index/slab_impl.h": header("slab_impl", "CROFT_TSDB_SLAB_IMPL_H"),
      "tsdb/wal/frame.c": '#include "tsdb/index/slab_impl.h"\n'},
     "belongs to tsdb/index alone"),
    ({"query/eval.c": '#include "http/route.h"\n'}, "query/eval.c:1: http/route.h leads to http"),
    ({"query/eval.c": '#include "query/api_impl.h"\n'}, "query/eval.c:1: query/api_impl.h leads to"),
    ({"query/eval.c": '#include "eval_impl.h"\n'}, "query/eval.c:1: eval_impl.h is not relative"),
    ({"query/eval.c": '#include "query/../base/mem.h"\n'}, "is not relative to the root"),
    ({"http/README.md": "# http\n\nMay include: base, query\n\nroute\n",
      "http/route.c": '#include "query/eval_impl.h"\n'}, "belongs to query alone"),
    ({"tests/query/test_eval.c": '#include "base/disk_impl.h"\n'}, "belongs to base alone"),
    ({"base/thread.c": "void f(void) { free (x); }\n"}, "base/thread.c:1: free: use base/mem.h"),
    ({"query/eval.c": "/*\n*/ int x = fsync(fd);\n"}, "query/eval.c:2: fsync: use base/disk.h"),
    ({"query/eval.c": "int x = openat(fd);\n"}, "openat: use base/disk.h"),
    ({"query/eval.c": "const char *s = \"'\"; int x = unlink(s); // '\n"}, "unlink: use"),
    ({"query/eval.c": "struct tm *t = gmtime(&now);\n"}, "gmtime: use gmtime_r"),
    ({"query/eval.c": "assert(x);\n"}, "assert: use CHECK"),
    ({"tests/query/test_eval.c": "strcpy(a, b);\n"}, "strcpy: use"),
    ({"query/eval.c": "strcat(a, b);\n"}, "strcat: use"),
    ({"query/eval.c": "sprintf(a, b);\n"}, "sprintf: use"),
    ({"query/eval.c": "strtok(a, b);\n"}, "strtok: use"),
    ({"query/eval.c": "atoi(a);\n"}, "atoi: use base/number.h"),
    ({"query/eval.c": "strtol(a, b, 10);\n"}, "strtol: use base/number.h"),
    ({"query/eval.c": "static _Atomic int x;\n"}, "_Atomic: use base/counter.h"),
    ({"query/eval.c": "#include <stdatomic.h>\n"}, "stdatomic.h: use base/counter.h"),
    ({"query/eval.c": "atomic_load(&x);\n"}, "atomic_load: use base/counter.h"),
    ({"query/eval.c": "pthread_t t;\n"}, "pthread_t: use base/thread.h"),
    ({"query/forgotten.c": "\n"}, "query/forgotten.c:1: in no CMakeLists.txt"),
    ({"base/forgotten.cc": "\n"}, "base/forgotten.cc:1: in no CMakeLists.txt"),
    ({"tests/query/test_forgotten.c": "\n"}, "test_forgotten.c:1: in no CMakeLists.txt"),
    ({"base/CMakeLists.txt": "croft_module(base SOURCES # mem.c\n disk_real.c thread.c regex.cc)\n"},
     "base/mem.c:1: in no CMakeLists.txt"),
    ({"http/mem.h": header("mem", "CROFT_HTTP_MEM_H")}, "http/mem.h:1: base/mem.h has the same"),
    ({"query/route.c": "\n", "query/CMakeLists.txt": "route.c eval.c api_http.c long.c"},
     "query/route.c:1: http/route.c has the same name"),
    ({"tsdb/index/slab.h": "/* slots */\n#ifndef CROFT_TSDB_INDEX_SLAB_H\n#endif\n"},
     'slab.h:1: does not open with "slab: what it is"'),
    ({"tsdb/index/slab.h": header("slots", "CROFT_TSDB_INDEX_SLAB_H")}, "slab.h:1: does not open"),
    ({"tsdb/index/slab.h": header("slab", "CROFT_TSDB_WAL_SLAB_H")},
     "slab.h:4: guard, want CROFT_TSDB_SLAB_H"),
    ({"query/long.c": "\n" + function(61)}, "query/long.c:2: f: 61 lines, want at most 60"),
    ({"query/long.c": function(1, "int a, int b, int c, int d, int e, int f, int g, int h")},
     "query/long.c:1: f: too many parameters, want at most 7"),
    ({"query/long.c": "\n" * 601}, "query/long.c:1: 601 lines, want at most 600"),
    ({"query/long.c": "\n/*\n * As in gone.c, or in its header.\n */\n"},
     "query/long.c:3: there is no gone.c"),
    ({"docs/page.md": "# one\n\n`tests/e2e/gone.py`\n"}, "docs/page.md:3: there is no gone.py"),
    ({"docs/page.md": "no title\n"}, "docs/page.md:1: 0 titles"),
    ({"docs/page.md": "# one\n\n# two\n"}, "docs/page.md:1: 2 titles"),
    ({"docs/page.md": "# one\n\n[a](../base/README.md#base), [b](gone.html)\n"},
     "docs/page.md:3: gone.html is not"),
    ({"docs/page.md": "# one\n\n## A `b`, c\n[a](#a-b-c), [b](#c)\n"}, "docs/page.md:4: #c is not"),
    ({"notes/page.md": "# page\n\n[itself](#page)\n"}, "notes/page.md:1: no page links to it"),
    ({"query/eval.c": "/* TODO: later */\n"}, "query/eval.c:1: TODO"),
    ({"docs/page.md": "# page\nFIXME\n"}, "docs/page.md:2: FIXME"),
]


def violations_of(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full_path = os.path.join(root, path)
            os.makedirs(os.path.dirname(full_path), exist_ok=True)
            with open(full_path, "w", encoding="utf-8") as file:
                file.write(text)
        return tidy.violations(root)


class TidyTest(unittest.TestCase):
    def test_a_clean_tree_has_no_violation(self):
        self.assertEqual(violations_of(CLEAN), [])

    def test_every_planted_violation_is_found_and_nothing_else(self):
        for changes, want in PLANTED:
            with self.subTest(want):
                found = violations_of({**CLEAN, **changes})
                self.assertEqual(len(found), 1, found)
                self.assertIn(want, found[0])


if __name__ == "__main__":
    unittest.main()
