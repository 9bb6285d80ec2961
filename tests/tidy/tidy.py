"""tidy: what every file of the repository must keep to, and a compiler does not see.

Usage: tidy.py ROOT. Prints one line per violation; exit status 1 when there is any.

A new rule is one function that takes a Tree and yields violations, one row in RULES, and one planted
violation in test_tidy.py.
"""

import fnmatch
import os
import re
import sys

SKIPPED_FOLDERS = {".git", "build", "data", "node_modules", "__pycache__"}
CODE = (".c", ".h", ".cc")
TEXT = CODE + (".md", ".py", ".txt", ".cmake", ".proto")

# Folders that look at everything from outside.
UNBOUND_FOLDERS = {"tests"}

# In these folders only *_http.c files know that there is HTTP.
HTTP_FREE_FOLDERS = {"ingest", "query"}

# (names of functions, files or folders that may call them, what to use instead)
BANNED_CALLS = [
    (["strcpy", "strcat", "sprintf"], [], "snprintf or struct buffer"),
    (["strtok"], [], "str_find and str_slice"),
    (["atoi", "strtol"], [], "base/number.h"),
    (["gmtime"], [], "gmtime_r"),
    (["assert"], [], "CHECK"),
    (["malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "strdup", "strndup",
      "asprintf"], ["base/mem.c"], "base/mem.h"),
    (["open", "openat", "creat", "pread", "pwrite", "fsync", "fdatasync", "fallocate", "ftruncate",
      "truncate", "rename", "renameat", "unlink", "unlinkat"],
     ["base/disk_real.c", "base/file_real.c"], "base/disk.h"),
]

# Where a second look is no longer enough; docs/CONVENTIONS.md says what to aim at.
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 600
PARAMETERS_MAX = 7
# Their callers are other people's libraries, who say what they take.
CALLBACKS = {"on_request", "on_handshake"}

# (pattern, folders that may use it, what to use instead)
BANNED_WORDS = [
    (r"\b_Atomic\b|\bstdatomic\.h\b|\batomic_\w+", ["base/"], "base/counter.h"),
    (r"\bpthread_\w+|\bpthread\.h\b", ["base/"], "base/thread.h"),
]

COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
LINK = re.compile(r"\]\(([^)\s:#]*)(?:#([\w-]+))?\)")  # to a place in this tree
TABLE_OF_FILES = re.compile(r"^\| (?:noun|file) \|.*\n\|[-| ]+\n((?:\|.*\n)+)", re.MULTILINE)
FUNCTION = re.compile(r"^(?=[A-Za-z_])[^;{}#=]*?(\w+)\(([^;{}]*)\n\{\n(.*?)^\}",
                      re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FILE_NAME = re.compile(r"(?<![\w./*<-])(?:[\w-]+/)*([\w-]+\.(?:c|h|cc|py|md))\b(?![\w(])")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def without_comments_and_literals(text):
    """The same text with blanks instead, so that line numbers stay; paths of #include stay too."""
    def blank(match):
        line_start = text.rfind("\n", 0, match.start()) + 1
        if re.match(r"\s*#\s*include", text[line_start:match.start()]):
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())
    return COMMENT_OR_LITERAL.sub(blank, text)


class Tree:
    """All files below a root: path relative to the root, with '/', and text."""

    def __init__(self, root):
        self.texts = {}
        self.names = set()
        for folder, inner, names in os.walk(root):
            inner[:] = sorted(set(inner) - SKIPPED_FOLDERS)
            for name in sorted(names):
                self.add(root, os.path.join(folder, name))
        self.folders = {folder for path in self.names for folder in folders_above(path)}
        self.code = {path: without_comments_and_literals(text)
                     for path, text in self.texts.items() if path.endswith(CODE)}

    def add(self, root, full_path):
        path = os.path.relpath(full_path, root).replace(os.sep, "/")
        self.names.add(path)
        if path.endswith(TEXT):
            with open(full_path, encoding="utf-8", errors="replace") as file:
                self.texts[path] = file.read()

    def includes(self, path):
        """(line, path) of each include in quotes."""
        for match in INCLUDE.finditer(self.code[path]):
            if match.group(1) == '"':
                yield line_of(self.code[path], match.start(2)), match.group(2)

    def reached(self, header):
        """`header` and all that it includes, directly or not."""
        found, waiting = set(), [header]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                if path in self.code:
                    waiting += [included for _, included in self.includes(path)]
        return found


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def folder_of(path):
    return path.rpartition("/")[0]


def top_folder_of(path):
    return path.split("/")[0] if "/" in path else ""


def folders_above(path):
    """The folders that a path names, from the outermost to its own."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def stem_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def is_below(path, places):
    return any(path == place or (place.endswith("/") and path.startswith(place))
               for place in places)


def allowed_includes(tree, folder):
    """The folders that the README's line "May include: a, b/c" names, or None without such a line; a
    folder stands for those below it too."""
    match = re.search(r"May include:(.*)", tree.texts.get(folder + "/README.md", ""))
    if match is None:
        return None
    sentence = re.split(r"\.(?:\s|$)", match.group(1))[0]
    return set(re.findall(r"[\w/]+", sentence)) & tree.folders


def check_readmes(tree):
    bound = {folder_of(path) for path in tree.code if top_folder_of(path) not in UNBOUND_FOLDERS}
    for folder in sorted(bound):
        if allowed_includes(tree, folder) is None:
            yield f'{folder}/README.md:1: no line "May include: ..."'


def words_of(text):
    """The names in a text, and patterns of names: noun, noun.c, show_*."""
    return set(re.findall(r"\w+_\*|\w+", text))


def check_readmes_name_their_files(tree):
    """A file by its stem, a private header by its noun's."""
    for path in tree.texts:
        folder = folder_of(path)
        readme = folder + "/README.md"
        if not path.endswith(CODE + (".py",)) or not folder or readme not in tree.texts:
            continue
        noun = re.sub(r"_impl$", "", stem_of(path))
        if not any(fnmatch.fnmatchcase(noun, word) for word in words_of(tree.texts[readme])):
            yield f"{path}:1: {readme} does not say what it is for"


def check_readmes_name_no_other_files(tree):
    for path, text in tree.texts.items():
        if os.path.basename(path) != "README.md":
            continue
        folder = folder_of(path)
        here = {stem_of(name) for name in tree.names | tree.folders if folder_of(name) == folder}
        for table in TABLE_OF_FILES.finditer(text):
            for cell in re.finditer(r"^\|([^|]*)\|", table.group(1), re.MULTILINE):
                for word in words_of(re.sub(r"\.\w+", "", cell.group(1))):
                    if not fnmatch.filter(here, word):
                        line = line_of(text, table.start(1) + cell.start())
                        yield f"{path}:{line}: there is no {word} here"


def check_directions(tree):
    for path in tree.code:
        folder = folder_of(path)
        allowed = allowed_includes(tree, folder)
        if top_folder_of(path) in UNBOUND_FOLDERS or allowed is None:
            continue
        for line, included in tree.includes(path):
            above = folders_above(included)
            is_ours = above[:1] and above[0] in tree.folders
            if is_ours and above[-1] != folder and not allowed & set(above):
                yield f"{path}:{line}: {folder} may not include {included} (see {folder}/README.md)"


def check_http_stays_at_the_edge(tree):
    for path in tree.code:
        is_edge = path.endswith(".h") or stem_of(path).endswith("_http")
        if top_folder_of(path) not in HTTP_FREE_FOLDERS or is_edge:
            continue
        for line, included in tree.includes(path):
            if any(folder_of(reached) == "http" for reached in tree.reached(included)):
                yield f"{path}:{line}: {included} leads to http, which is for *_http.c files"


def check_includes_are_root_relative(tree):
    for path in tree.code:
        for line, included in tree.includes(path):
            if top_folder_of(included) not in tree.folders or ".." in included.split("/"):
                yield f"{path}:{line}: {included} is not relative to the root"


def check_private_headers(tree):
    for path in tree.code:
        for line, included in tree.includes(path):
            owner = folder_of(included)
            is_owner = folder_of(path) == owner or path.startswith(
                f"tests/{top_folder_of(included)}/")
            if owner and stem_of(included).endswith("_impl") and not is_owner:
                yield f"{path}:{line}: {included} belongs to {owner} alone"


def check_banned_calls(tree):
    for names, places, instead in BANNED_CALLS:
        # not of a member: kind->open(...) is a call of something else
        call = re.compile(r"(?<![\w.])(?<!->)(" + "|".join(names) + r")\s*\(")
        for path, code in tree.code.items():
            if is_below(path, places):
                continue
            for match in call.finditer(code):
                yield f"{path}:{line_of(code, match.start())}: {match.group(1)}: use {instead}"


def check_banned_words(tree):
    for pattern, places, instead in BANNED_WORDS:
        for path, code in tree.code.items():
            if is_below(path, places):
                continue
            for match in re.finditer(pattern, code):
                yield f"{path}:{line_of(code, match.start())}: {match.group()}: use {instead}"


def is_listed(path, lists):
    """By its name, or as test_NOUN.c or fuzz_NOUN.c by its noun, in its folder or one above."""
    name = os.path.basename(path)
    wanted = [re.escape(name)]
    noun = re.match(r"(?:test|fuzz)_(\w+)\.c$", name)
    if path.startswith("tests/") and noun:
        wanted.append(noun.group(1))
    pattern = re.compile(r"(?<![\w.-])(?:" + "|".join(wanted) + r")(?![\w.-])")
    return any(path.startswith(os.path.dirname(place) + "/" if "/" in place else "")
               and pattern.search(text) for place, text in lists.items())


def check_sources_are_listed(tree):
    lists = {path: re.sub(r"#[^\n]*", "", text) for path, text in tree.texts.items()
             if os.path.basename(path) == "CMakeLists.txt"}
    for path in tree.code:
        if path.endswith((".c", ".cc")) and not is_listed(path, lists):
            yield f"{path}:1: in no CMakeLists.txt"


def check_names_are_unique(tree):
    first = {}
    for path in sorted(tree.code):
        kind = "header" if path.endswith(".h") else "source"
        other = first.setdefault((stem_of(path), kind), path)
        if other != path:
            yield f"{path}:1: {other} has the same name"


def check_headers_open_alike(tree):
    """With what they are, and a guard that says where."""
    for path in tree.code:
        if not path.endswith(".h"):
            continue
        noun, text = stem_of(path), tree.texts[path]
        guard = re.search(r"^#ifndef (\w+)$", tree.code[path], re.MULTILINE)
        places = {top_folder_of(path), folder_of(path)}
        wanted = {re.sub(r"\W", "_", f"croft/{place}/{noun}_h").upper() for place in places}
        if not text.startswith(f"/*\n * {noun}: "):
            yield f'{path}:1: does not open with "{noun}: what it is"'
        elif guard is None or guard.group(1) not in wanted:
            yield f"{path}:{line_of(text, text.find('#'))}: guard, want {sorted(wanted)[-1]}"


def parameter_count(text):
    """Of the text behind the opening parenthesis."""
    depth, count = 1, 1
    for char in text:
        depth += {"(": 1, ")": -1}.get(char, 0)
        count += depth == 1 and char == ","
        if depth == 0:
            break
    return count


def check_sizes(tree):
    for path, code in tree.code.items():
        if code.count("\n") > FILE_LINES_MAX:
            yield f"{path}:1: {code.count(chr(10))} lines, want at most {FILE_LINES_MAX}"
        for match in FUNCTION.finditer(code):
            name, parameters, body = match.groups()
            place = f"{path}:{line_of(code, match.start(1))}: {name}"
            if body.count("\n") > FUNCTION_LINES_MAX:
                yield f"{place}: {body.count(chr(10))} lines, want at most {FUNCTION_LINES_MAX}"
            if parameter_count(parameters) > PARAMETERS_MAX and name not in CALLBACKS:
                yield f"{place}: too many parameters, want at most {PARAMETERS_MAX}"


def check_named_files_are_there(tree):
    """In pages and comments; the headers of the system are."""
    known = {os.path.basename(path) for path in tree.names}
    known |= {os.path.basename(match.group(2)) for code in tree.code.values()
              for match in INCLUDE.finditer(code)}
    for path, text in tree.texts.items():
        if not path.endswith(CODE + (".md",)) or path == "docs/CONVENTIONS.md":
            continue
        for match in COMMENT.finditer(text) if path.endswith(CODE) else [re.match("(?s).*", text)]:
            for name in FILE_NAME.finditer(match.group()):
                if name.group(1) not in known:
                    line = line_of(text, match.start() + name.start())
                    yield f"{path}:{line}: there is no {name.group(1)}"


def headings_of(text):
    """(level, text) of each, outside of code."""
    prose = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
    return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.*)$", prose, re.MULTILINE)]


def anchor_of(title):
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def check_pages_have_one_title(tree):
    for path, text in tree.texts.items():
        count = [level for level, _ in headings_of(text)].count(1)
        if path.endswith(".md") and count != 1:
            yield f"{path}:1: {count} titles, want one"


def check_links_lead_somewhere(tree):
    places = tree.names | tree.folders
    for path, text in tree.texts.items():
        for match in LINK.finditer(text) if path.endswith(".md") else ():
            place, anchor = match.groups()
            target = os.path.normpath(os.path.join(folder_of(path), place)) if place else path
            anchors = {anchor_of(title) for _, title in headings_of(tree.texts.get(target, ""))}
            if target not in places or (anchor and anchor not in anchors):
                yield f"{path}:{line_of(text, match.start())}: {match.group()[2:-1]} is not there"


def check_pages_are_linked(tree):
    """Or their folder is: whoever begins at README.md finds all of them."""
    linked = {os.path.normpath(os.path.join(folder_of(path), match.group(1)))
              for path, text in tree.texts.items() if path.endswith(".md")
              for match in LINK.finditer(text) if match.group(1)}
    for path in tree.texts:
        if path.endswith(".md") and "/" in path and not linked & {path, folder_of(path)}:
            yield f"{path}:1: no page links to it"


def check_nothing_is_left_to_do(tree):
    for path, text in tree.texts.items():
        if path.startswith("tests/tidy/"):
            continue
        for match in re.finditer(r"\b(TODO|FIXME)\b", text):
            yield (f"{path}:{line_of(text, match.start())}: {match.group()}: "
                   "do it, or write a page in docs/decisions")


RULES = [
    check_readmes,
    check_readmes_name_their_files,
    check_readmes_name_no_other_files,
    check_directions,
    check_http_stays_at_the_edge,
    check_includes_are_root_relative,
    check_private_headers,
    check_banned_calls,
    check_banned_words,
    check_sources_are_listed,
    check_names_are_unique,
    check_headers_open_alike,
    check_sizes,
    check_named_files_are_there,
    check_pages_have_one_title,
    check_links_lead_somewhere,
    check_pages_are_linked,
    check_nothing_is_left_to_do,
]


def violations(root):
    tree = Tree(root)
    return [violation for rule in RULES for violation in rule(tree)]


def main():
    found = violations(sys.argv[1])
    for violation in found:
        print(violation)
    print(f"{len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
