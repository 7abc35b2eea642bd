"""The lines of a text that a person gave: without the prompts and fences it was pasted with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor.message import t

COMMANDS = frozenset({"add", "create", "insert", "delete", "destroy", "flush", "replace", "rename", "reset"})
_PROMPT = re.compile(r"\s*(?:\(\w+\)\s*)?(?:\[?[\w.-]+@[\w.-]+[^\n$#%>]{0,200}[$#%>]+|[$%>])(?:\s+|$)")
_NFT = re.compile(r"(?:(?:sudo|doas)\s+(?:-\S+\s+)*)?(?:/\S*/)?nft\s+(.*)")
_OPTION = re.compile(r"-[-\w]+\s+")
_FENCE = re.compile(r"\s*(?:```|~~~)")


def lines(text: str, source: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, from 1. ``ValueError`` for what is plainly something else."""
    if "\x00" in text:
        raise ValueError(t("{source} is not text.", source=source))
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] == "{":
        raise ValueError(t("{source} is JSON, not the text of a listing: run “sudo nft list ruleset”.", source=source))
    for number, line in enumerate(text.split("\n"), 1):
        if line[:1] in "\t }":
            if line:
                yield number, line
        elif kept := _unwrapped(line, source):
            yield number, kept


def _unwrapped(line: str, source: str) -> str:
    if _FENCE.match(line):
        return ""
    prompt = _PROMPT.match(line)
    if prompt:
        line = line[prompt.end() :]
    command = _NFT.match(line)
    if command:
        return _command(command[1])
    if prompt:
        return ""
    if line[0] == "*" and "\t" not in line:
        raise ValueError(t("{source} is a listing of iptables, not of nftables.", source=source))
    if "Operation not permitted" in line and not line.startswith("table "):
        raise ValueError(
            t("{source} holds no rules: nft may read them with administrator rights only (sudo).", source=source)
        )
    return line


def _command(line: str) -> str:
    """A command on a shell's line as it would stand in a rule file; nothing where it only lists."""
    while found := _OPTION.match(line):
        line = line[found.end() :]
    line = line.strip().rstrip("\r")
    if len(line) > 1 and line[0] == line[-1] and line[0] in "'\"":
        line = line[1:-1]
    line = line.replace("'", "").replace("\\", "")
    return line if line.split(" ", 1)[0] in COMMANDS else ""
