"""The rules of doc/HACKING.md as a program: lint.py ROOT [--self-test].

Prints "file:line: rule: finding" for each finding and a summary; status 1 if there are any.
The order of the folders is read from the list in src/meson.build, the format from
.clang-format. --self-test runs the same checks over test/lint/bad and compares what they
find with its list of what is wrong there, so that a rule that has gone blind is noticed.
"""
import collections
import dataclasses
import functools
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from source import Source

LINES_MAX, BRANCHES_MAX = 120, 30
COMMENT_WIDTH_MAX = 100
FILES_MAX, PREFIXED_MIN = 22, 3
FORMAT_VERSION = 14
LINES_LONG, BRANCHES_LONG, LONG_SHARE_MAX = 70, 15, 0.05

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|gets)\s*\(")
HEAP = re.compile(
    r"(?<![\w.>])(malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|alloca)"
    r"\s*\(|_cleanup_\s*\(\s*(free)\s*\)")
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "X" "XX")) + r")\b")
NOT_READ = ("test/lint/", "test/fuzz/corpus/")
TABLE = re.compile(r"/\*\s*lint:\s*table,\s*\S.*\*/$", re.S)

# In a comment: a file of ours, with or without its folder; a function.
NAMED = re.compile(
    r"(?<![\w/.*<-])(?P<path>(?:\w+/)*\w+(?:\.tbl)?\.[ch])\b(?![\w.])"
    r"|(?<![\w.*-])(?P<function>[a-z_]\w+)\(\)")


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str = dataclasses.field(compare=False)

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


class Tree:
    """The files under root, by what they are."""

    def __init__(self, root):
        self.root = root
        self.folders = self._folders()
        self.sources = [self._source(path) for path in self._files("src", "test")
                        if path.suffix in (".c", ".h")]

        self.words = {word for s in self.sources for word in re.findall(r"\w+", s.code)}

    def has_file(self, source, name):
        """As seen from a comment in source: beside it, or from src/, test/ or the root."""
        own = pathlib.PurePath(source.path).parent
        places = [own, "src", "test", "."]
        if own.parts[:2] == ("test", "unit"):
            places.append(pathlib.PurePath("src", *own.parts[2:]))
        return any((self.root / place / name).is_file() for place in places)

    def _files(self, *folders):
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                name = path.relative_to(self.root)
                if path.is_file() and not str(name).startswith(NOT_READ):
                    yield path

    def _source(self, path):
        return Source(str(path.relative_to(self.root)), path.read_text(encoding="utf-8"))

    def _folders(self):
        text = (self.root / "src/meson.build").read_text(encoding="utf-8")
        found = re.search(r"foreach\s+folder\s*:\s*\[(.*?)\]", text, re.S)
        return re.findall(r"'([^']+)'", found.group(1)) if found else []

    def texts(self):
        """(name, text) of everything that is written by hand, binary test data aside."""
        for path in self._files("src", "test", "script", "doc"):
            try:
                yield str(path.relative_to(self.root)), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def in_src(source):
    return source.path.startswith("src/")


def folder_of(source):
    """src/FOLDER/x.c, test/unit/FOLDER/x.c -> FOLDER; None for what stands in no folder."""
    parts = source.path.split("/")
    at = 1 if in_src(source) else 2
    return parts[at] if len(parts) > at + 1 else None


def check_folder(tree, source):
    folder = folder_of(source)
    if in_src(source) and folder and folder not in tree.folders:
        yield 1, "folder", f"{folder} is not in the list of src/meson.build"


def check_includes(tree, source):
    own = folder_of(source)
    for line, name in source.includes():
        folder = name.split("/")[0]
        if "/" not in name or folder not in tree.folders:
            if in_src(source):
                yield line, "include", f'"{name}" is no path from src/ ("folder/x.h")'
            continue
        if not (tree.root / "src" / name).is_file():
            yield line, "include", f'"{name}" does not exist'
        # A fuzz target belongs to the parser that it tries, though its folder has no rooms.
        if name.endswith("_priv.h") and folder != own and not source.path.startswith("test/fuzz/"):
            yield line, "private", f'"{name}" is for {folder}/ alone'
        if in_src(source) and own in tree.folders:
            if tree.folders.index(folder) > tree.folders.index(own):
                yield line, "direction", f"{own}/ stands above {folder}/ and may not include it"


def check_opening(tree, source):
    if not source.text.startswith("/*"):
        yield 1, "essay", "a file opens with a comment that says what it is"
    if source.path.endswith(".h") and not source.path.endswith(".tbl.h"):
        if "#pragma once" not in source.text:
            yield 1, "once", "a header has #pragma once"


def matches(pattern, source):
    for found in pattern.finditer(source.code):
        yield source.line_of(found.start()), next(filter(None, found.groups()))


def check_banned(tree, source):
    for line, name in matches(BANNED, source):
        yield line, "banned", f"{name}() is banned"
    if in_src(source) and folder_of(source) != "base":
        for line, name in matches(HEAP, source):
            yield line, "heap", f"{name}() outside base/: use mem_*() or an arena"


def check_style(tree, source):
    for found in re.finditer(r"\btypedef\s+(struct|union|enum)\b", source.plain):
        yield source.line_of(found.start()), "typedef", f"plain {found.group(1)}, no typedef"
    for comment in source.comments:
        if comment.text.startswith("//"):
            yield comment.line, "comment", "/* */ comments only"


def check_comment_width(tree, source):
    lines = source.text.split("\n")
    for number in sorted({n for c in source.comments for n in range(c.line, c.end_line + 1)}):
        width = len(lines[number - 1].expandtabs(8))
        if width > COMMENT_WIDTH_MAX:
            yield number, "width", f"{width} columns, {COMMENT_WIDTH_MAX} at most beside a comment"


def check_named(tree, source):
    """What a comment names is there: whoever follows it must not search for what has moved."""
    for comment in source.comments:
        for found in NAMED.finditer(comment.text):
            line = comment.line + comment.text.count("\n", 0, found.start())
            path, function = found.group("path", "function")
            if path and not tree.has_file(source, path):
                yield line, "named", f"{path} does not exist"
            if function and function not in tree.words:
                yield line, "named", f"{function}() does not exist"


def is_long(function):
    return function.lines > LINES_LONG or function.branches > BRANCHES_LONG


def check_functions(tree, source):
    marks = {c.end_line + 1: c for c in source.comments if TABLE.match(c.text)}
    for function in source.functions():
        mark = marks.pop(function.line, None)
        if mark:
            if not is_long(function):
                yield mark.line, "table", f"{function.name}() is short and needs no mark"
            continue
        if function.lines > LINES_MAX:
            yield function.line, "length", \
                f"{function.name}() has {function.lines} lines, {LINES_MAX} at most"
        if function.branches > BRANCHES_MAX:
            yield function.line, "branches", \
                f"{function.name}() has {function.branches} branches, {BRANCHES_MAX} at most"
    for mark in marks.values():
        yield mark.line, "table", "no function stands below this mark"


def check_documented(tree, source):
    """Blank lines outside of braces end a group; one comment in it documents all of it."""
    if not in_src(source) or not source.path.endswith(".h") or source.path.endswith("_priv.h"):
        return
    inside = {n for item in source.items for n in range(item.line, item.end_line)}
    blank = [n for n, text in enumerate(source.text.split("\n"), 1)
             if not text.strip() and n not in inside]
    group = lambda line: sum(n < line for n in blank)
    commented = {group(c.line) for c in source.comments[1:] if c.line not in inside}
    for function in source.declared():
        if group(function.line) not in commented:
            yield function.line, "undocumented", f"{function.name}() has no comment"


CHECKS = (check_folder, check_includes, check_opening, check_banned, check_style,
          check_comment_width, check_named, check_functions, check_documented)


def share_findings(tree):
    """At most one function in twenty may be long: the tail is where quality is lost."""
    functions = [(s, f) for s in tree.sources if in_src(s) for f in s.functions()]
    long = [(s, f) for s, f in functions if is_long(f) and not is_marked(s, f)]
    if len(long) <= len(functions) * LONG_SHARE_MAX:
        return
    for source, function in long:
        yield Finding(source.path, function.line, "long",
                      f"{function.name}() has {function.lines} lines and {function.branches} "
                      f"branches; {len(long)} of {len(functions)} functions are over "
                      f"{LINES_LONG} lines or {BRANCHES_LONG} branches, "
                      f"{LONG_SHARE_MAX:.0%} may be")


def is_marked(source, function):
    return any(c.end_line + 1 == function.line and TABLE.match(c.text) for c in source.comments)


# One file a verb; files named by the process that runs them.
PREFIXES_MAX = {"cli": 99, "serve": 2}


def room_findings(tree):
    """A room is one idea: a folder that grows past about twenty files, or has files of two names, is two."""
    for folder in tree.folders:
        files = [s.path.split("/")[-1] for s in tree.sources if in_src(s) and folder_of(s) == folder and s.path.endswith(".c")]
        if folder != "cli" and len(files) > FILES_MAX:
            yield Finding(f"src/{folder}", 1, "room", f"{len(files)} files, {FILES_MAX} at most")
        prefixes = collections.Counter(name.split("_")[0] for name in files if "_" in name)
        shared = sorted(p for p, n in prefixes.items() if n >= PREFIXED_MIN)
        if len(shared) > PREFIXES_MAX.get(folder, 1):
            yield Finding(f"src/{folder}", 2, "room", f"files of several rooms: {', '.join(f'{p}_' for p in shared)}")


def unfinished_findings(tree):
    for name, text in tree.texts():
        for number, line in enumerate(text.split("\n"), 1):
            found = UNFINISHED.search(line)
            if found:
                yield Finding(name, number, "unfinished", f"{found.group()} is not delivered")


@functools.cache
def formatter():
    """clang-format, if it is of the version that the tree is formatted by; others differ in details."""
    program = shutil.which(f"clang-format-{FORMAT_VERSION}") or shutil.which("clang-format")
    if not program:
        sys.exit(f"lint: clang-format is missing (Debian 12: clang-format-{FORMAT_VERSION})")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if f"version {FORMAT_VERSION}." in version:
        return program
    print(f"lint: the format is not checked: that takes clang-format {FORMAT_VERSION}, here is {version.strip()}")
    return None


def format_findings(tree, style):
    """One finding a file: the first line that clang-format would change."""
    program = formatter()
    if not program:
        return
    paths = [s.path for s in tree.sources]
    if not paths:
        return
    run = subprocess.run([program, "--dry-run", "-Werror", f"--style=file:{style}", *paths],
                         cwd=tree.root, capture_output=True, text=True, check=False)
    places = re.findall(r"^(\S+?):(\d+):\d+: error:", run.stderr, re.M)
    if run.returncode and not places:
        sys.exit(f"lint: {program}: {run.stderr.strip()}")
    for path, line in {path: line for path, line in reversed(places)}.items():
        yield Finding(path, int(line), "format", f"clang-format -i {path}")


def findings(tree, style):
    for source in tree.sources:
        for check in CHECKS:
            for line, rule, text in check(tree, source):
                yield Finding(source.path, line, rule, text)
    yield from share_findings(tree)
    yield from room_findings(tree)
    yield from unfinished_findings(tree)
    yield from format_findings(tree, style)


def summary(tree, count):
    functions = [f for s in tree.sources if in_src(s) for f in s.functions()]
    lines = sorted(f.lines for f in functions) or [0]
    print(f"lint: {len(tree.sources)} files, {len(functions)} functions in src/: median "
          f"{statistics.median(lines):.0f} lines, 95 % up to {lines[len(lines) * 95 // 100]}, "
          f"{sum(map(is_long, functions))} over {LINES_LONG} lines or {BRANCHES_LONG} branches; "
          f"{count or 'no'} finding{'s' * (count != 1)}")


def self_test(root):
    """Findings in test/lint/bad against the list in its file `expected`, both ways."""
    bad = root / "test/lint/bad"
    expected = set((bad / "expected").read_text(encoding="utf-8").split("\n")) - {""}
    with tempfile.TemporaryDirectory() as copy:
        copy = pathlib.Path(copy) / "bad"
        shutil.copytree(bad, copy)
        # Too long and too many to be kept as examples.
        with (copy / "src/web/long.c").open("a", encoding="utf-8") as file:
            file.write("\nint web_long(int n)\n{\n" + "\tn++;\n" * 117 + "\treturn n;\n}\n")
        (copy / "src/many").mkdir()
        for name in [f"one_{i}" for i in range(20)] + [f"two_{i}" for i in range(3)]:
            (copy / f"src/many/{name}.c").write_text("/* One of many. */\n", encoding="utf-8")
        found = {f"{f.path}:{f.line}: {f.rule}"
                 for f in findings(Tree(copy), root / ".clang-format")}
    if not formatter():
        expected = {line for line in expected if not line.endswith(": format")}
    for line in sorted(expected - found):
        print(f"lint: self-test: not found: {line}")
    for line in sorted(found - expected):
        print(f"lint: self-test: wrongly found: {line}")
    return found == expected


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    if "--self-test" in sys.argv[2:]:
        sys.exit(0 if self_test(root) else 1)
    tree = Tree(root)
    found = sorted(findings(tree, root / ".clang-format"))
    for finding in found:
        print(finding)
    summary(tree, len(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
