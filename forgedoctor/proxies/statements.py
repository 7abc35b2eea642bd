"""nginx's configuration as a tree of statements, its includes in place. Text in, data out; no file is opened.

The words and blocks are crossplane's (the maintained fork, ngxparse); the includes are followed here, because its own
way opens whatever a configuration names, without a bound, and does not end where two files include each other.
"""

from __future__ import annotations

import importlib
import posixpath
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from forgedoctor.proxies.model import Problem

DEEPEST = 20  # includes within includes; nginx itself stops at the limit of open files
MOST = 200_000  # statements: a hostile set of includes grows without bound
BOM = "\ufeff"  # before a file's first word; nginx takes it for a part of that. Measured with 1.22.1
_SECTION = re.compile(r"^# configuration file (?P<name>\S.*):\s*$", re.M)


class Statement(NamedTuple):
    """One directive with its arguments and, for a block, what is in it."""

    name: str
    args: tuple[str, ...]
    file: str
    line: int
    block: tuple[Statement, ...] | None = None


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a configuration by name, the main one first. ``problems``: those that could not be had.

    ``complete``: there are no others, so that a pattern that fits none of them fits nothing.
    """

    files: dict[str, str]
    problems: tuple[Problem, ...] = ()
    complete: bool = True

    @property
    def main(self) -> str:
        return next(iter(self.files), "")


class Tree(NamedTuple):
    """What was read, and what was in the way."""

    statements: tuple[Statement, ...]
    problems: tuple[Problem, ...]


def sections(text: str, name: str = "") -> Sources:
    """The files in the output of ``nginx -T``; a text without its headings is one file, and others may be missing."""
    text = text.removeprefix(BOM)  # of whoever saved or pasted it, in most cases: no ground for a verdict
    heads = list(_SECTION.finditer(text))
    if not heads:
        return Sources(files={name or "pasted text": text}, complete=False)
    files: dict[str, str] = {}
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        files.setdefault(head["name"], text[head.end() + 1 : after.start() if after else None])
    return Sources(files=files)


def read(sources: Sources) -> Tree:
    """The statements of the main file, with what it includes in their place. Never raises for what a text holds."""
    reader = _Reader(sources)
    found = tuple(reader.file(sources.main, ())) if sources.files else ()
    return Tree(found, tuple(dict.fromkeys((*sources.problems, *reader.problems))))


def includes(text: str) -> list[str]:
    """What a file includes, as written: possibly some more, never less."""
    bare = re.sub(r"(?m)(^|\s)#.*$", "", text.removeprefix(BOM))
    return [one.strip().strip("\"'") for one in re.findall(r"(?<![^\s;{}])include\s+([^;{}]{1,500});", bare)]


def absolute(pattern: str, main: str) -> str:
    """An include's path: a relative one counts from the folder of the main file. Source: nginx.org, include."""
    path = pattern.replace("\\", "/")
    if path.startswith("/") or re.match(r"[A-Za-z]:/", path):
        return posixpath.normpath(path)
    return posixpath.normpath(posixpath.join(posixpath.dirname(main.replace("\\", "/")), path))


def is_pattern(path: str) -> bool:
    """Whether it may stand for many files, or none."""
    return any(sign in path for sign in "*?[")


def not_there(path: str) -> str:
    """What nginx says of an included file that does not exist."""
    return f'open() "{path}" failed (2: No such file or directory)'


class _Reader:
    """One reading: each file is split into words once, and may be included in several places."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.problems: list[Problem] = []
        self.parsed: dict[str, list[dict[str, Any]]] = {}
        self.count = 0
        self.names = {posixpath.normpath(name.replace("\\", "/")): name for name in sources.files}
        self.failed = {one.file for one in sources.problems}

    def file(self, name: str, above: tuple[str, ...]) -> Iterator[Statement]:
        """The statements of one file; ``above`` are the files that include it."""
        if name not in self.parsed:
            self.parsed[name] = self.split(name, self.sources.files[name])
        yield from self.block(self.parsed[name], name, (*above, name))

    def block(self, raw: list[dict[str, Any]], name: str, above: tuple[str, ...]) -> Iterator[Statement]:
        """The statements of one block."""
        for one in raw:
            self.count += 1
            if self.count > MOST:
                return
            args = tuple(one.get("args", ()))
            if one["directive"] == "include" and args:
                yield from self.included(args[0], Problem(kind="syntax", text="", file=name, line=one["line"]), above)
                continue
            inner = tuple(self.block(one["block"], name, above)) if "block" in one else None
            yield Statement(one["directive"], args, name, one["line"], inner)

    def included(self, pattern: str, here: Problem, above: tuple[str, ...]) -> Iterator[Statement]:
        """The statements of what one include names."""
        wanted = absolute(pattern, self.sources.main)
        found = [self.names[wanted]] if wanted in self.names else []
        if not found and is_pattern(wanted):
            found = [name for path, name in sorted(self.names.items()) if _fits(path, wanted)]
        if not found:
            self.not_there(wanted, here)
        for name in found:
            if name in above or len(above) > DEEPEST:
                self.problems.append(msgspec.structs.replace(here, text=f'"{pattern}" includes itself'))
            else:
                yield from self.file(name, above)

    def not_there(self, wanted: str, here: Problem) -> None:
        """Nothing is at hand under that name: why?"""
        told = wanted in self.failed or (self.sources.complete and is_pattern(wanted))
        if not told:
            kind, text = ("syntax", not_there(wanted)) if self.sources.complete else ("unseen", wanted)
            self.problems.append(msgspec.structs.replace(here, kind=kind, text=text))

    def split(self, name: str, text: str) -> list[dict[str, Any]]:
        """A file's statements as crossplane gives them; where a brace is amiss, as much as can be read."""
        parsed, wrong = _parsed(text.removeprefix(BOM))
        if text.startswith(BOM):
            wrong.insert(0, Problem(kind="syntax", text=_begins_with_mark(parsed), line=1))
        for problem in wrong:
            self.problems.append(msgspec.structs.replace(problem, file=name))
        if wrong and not parsed:
            mended = _mended(text.removeprefix(BOM), wrong[-1])
            parsed = _parsed(mended)[0] if mended else []
        return parsed


def _crossplane() -> Any:
    """The library, loaded when a configuration is read; it has no types."""
    return importlib.import_module("crossplane")


def _parsed(text: str) -> tuple[list[dict[str, Any]], list[Problem]]:
    payload = _crossplane().parse_string(text, filename="/nginx.conf", single=True, check_ctx=False, check_args=False)
    config = payload["config"][0]
    wrong = [
        Problem(kind="syntax", text=_words(one["error"]), line=one.get("line") or 0) for one in payload["errors"][:20]
    ]
    wrong += [one for one in [_unclosed(config["parsed"])] if one and not wrong]
    return config["parsed"], wrong


def _begins_with_mark(parsed: list[dict[str, Any]]) -> str:
    """What nginx says of a file with a byte order mark, which is part of its first word."""
    first = next((one["directive"] for one in parsed), "")
    return f'unknown directive "{BOM}{first}"'


def _words(error: str) -> str:
    if "recursion" in error:
        return "blocks stand too deep in one another"
    return re.sub(r" in /nginx\.conf(:\d+)?$", "", error)[:300]


def _unclosed(parsed: list[dict[str, Any]]) -> Problem | None:
    """A directive that has swallowed the next line, because its ";" is missing.

    Only where no doubt is left: a value that nothing else looks like, such as another directive of ours.
    """
    for one in parsed:
        inner = _unclosed(one["block"]) if "block" in one else None
        if inner:
            return inner
        if one["directive"] in _ONE_VALUE and len(one.get("args", ())) > 1:
            words = f'directive "{one["directive"]}" is not terminated by ";"'
            return Problem(kind="syntax", text=words, line=one["line"])
    return None


# Directives that take one argument, for ever: with more, the line was not ended.
_ONE_VALUE = frozenset({
    "proxy_pass", "client_max_body_size", "proxy_read_timeout", "proxy_send_timeout", "proxy_connect_timeout",
    "proxy_buffering", "proxy_http_version",
})  # fmt: skip


def _mended(text: str, problem: Problem) -> str:
    """The text with the braces that are missing, or up to the one that is too many; empty where nothing helps."""
    if problem.text.startswith('unexpected "}"'):
        return "\n".join(text.split("\n")[: max(problem.line - 1, 0)])
    if 'expecting "}"' not in problem.text:
        return ""
    library = _crossplane()
    depth = 0
    try:
        for token, _, quoted in library.lexer.lex_string(text):
            depth += 0 if quoted else {"{": 1, "}": -1}.get(token, 0)
    except library.errors.NgxParserSyntaxError:  # the end that is known to be wrong
        pass
    return f"{text}\n{'}' * min(depth, 100)}" if depth else ""


def _fits(path: str, pattern: str) -> bool:
    """Whether a path fits a pattern, whose signs do not cross a slash. Source: glob(7), which nginx uses."""
    import fnmatch

    ours, theirs = path.split("/"), pattern.split("/")
    return len(ours) == len(theirs) and all(
        fnmatch.fnmatchcase(one, other) and (other[:1] == "." or one[:1] != ".")
        for one, other in zip(ours, theirs, strict=True)
    )
