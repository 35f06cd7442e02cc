"""A C file as the linter sees it: comments apart, strings emptied, functions found.

This is no C parser. It knows comments, literals, preprocessor lines and brackets, and takes
for a function what stands outside all braces and ends in a parameter list: enough for code
that clang-format has put into shape.
"""
import bisect
import dataclasses
import re

BRANCH = re.compile(r"\b(?:if|for|while|case)\b|&&|\|\||\?")
LEXEME = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)


@dataclasses.dataclass
class Comment:
    line: int
    end_line: int
    text: str


@dataclasses.dataclass
class Item:
    """What stands outside all braces: a declaration, or something with a body."""
    line: int
    end_line: int
    head: str           # without attributes
    body: str           # "" for a declaration

    @property
    def lines(self):
        return self.end_line - self.line + 1

    @property
    def branches(self):
        return len(BRANCH.findall(self.body))

    @property
    def is_function(self):
        head = self.head.strip()
        if not head.endswith(")") or re.match(r"(typedef|_Static_assert)\b", head):
            return False
        before = head[:last_group(head)].rstrip()
        return re.search(r"\w\s+\**\w+$", before) is not None and "=" not in before

    @property
    def name(self):
        return re.search(r"\w*$", self.head[:last_group(self.head.rstrip())].rstrip()).group()


def blanked(match):
    """The same number of characters and lines, nothing in them."""
    return re.sub(r"[^\n]", " ", match.group())


def last_group(text):
    """Where the last bracket that closes at the end of text opens."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return 0


def without_attributes(text):
    for found in iter(lambda: re.search(r"__attribute__\s*\(", text), None):
        depth, at = 1, found.end()
        while depth and at < len(text):
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        text = text[:found.start()] + text[at:]
    return text


class Source:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]
        self.comments = []
        self.code = LEXEME.sub(self._take_lexeme, text)         # directives still in it
        self.plain = DIRECTIVE.sub(blanked, self.code)
        self.items = list(self._find_items())

    def line_of(self, at):
        return bisect.bisect_right(self.starts, at)

    def _take_lexeme(self, match):
        text = match.group()
        if not text.startswith("/"):
            return text[0] + " " * (len(text) - 2) + text[-1]
        self.comments.append(
            Comment(self.line_of(match.start()), self.line_of(match.end() - 1), text))
        return blanked(match)

    def _item(self, start, brace, end):
        head = self.plain[start:brace]
        lead = len(head) - len(head.lstrip())
        return Item(self.line_of(start + lead), self.line_of(end), without_attributes(head),
                    self.plain[brace:end])

    def _find_items(self):
        depth, start, brace = 0, 0, 0
        for match in re.finditer(r"[{};]", self.plain):
            at, char = match.start(), match.group()
            if char == "{":
                if depth == 0:
                    brace = at
                depth += 1
            elif char == "}":
                depth = max(depth - 1, 0)
                item = self._item(start, brace, at)
                # After the brace of a struct or a table comes more, up to its semicolon.
                if depth == 0 and item.is_function:
                    yield item
                    start = at + 1
            elif depth == 0:
                yield self._item(start, min(brace, at) if brace > start else at, at)
                start = at + 1

    def functions(self):
        return [item for item in self.items if item.is_function and item.body]

    def declared(self):
        """Functions that the file promises, inline ones included."""
        return [item for item in self.items if item.is_function]

    def includes(self):
        """(line, what stands between the quotes); <system> headers are nobody's business."""
        for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]*)"', self.text, re.M):
            yield self.line_of(match.start()), match.group(1)
