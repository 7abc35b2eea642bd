"""What the site takes from the program itself, so that it cannot say anything else: mkdocs hooks.

* a page for every check, and their index by group, from the catalogue;
* ``{{ file PATH }}``: a file of the repository;
* ``{{ output COMMAND }}``: what that ``forgedoctor`` command prints;
* ``{{ options COMMAND }}``: the options of that command;
* ``{{ schema }}``: the report's structures.

A directive stands on a line of its own. What cannot be filled in ends the build.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from forgedoctor import catalogue
from forgedoctor.check import Check
from forgedoctor.fact import name_of
from forgedoctor.report.document import schema

ROOT = Path(__file__).resolve().parents[1]
GROUPS = {
    "launch": "The command line and the files that hold it",
    "port": "The port and the address",
    "reach": "From another machine, container or subsystem",
    "endpoint": "The server, seen by a client",
    "call": "A call that is answered with an error",
    "proxy": "Proxies and names",
    "nginx": "nginx and other proxies in front",
    "gpu": "The graphics card and its driver",
    "torch": "torch, and whether it runs on the card",
    "models": "Model files",
    "memory": "Will the chosen model fit on the card",
    "host": "Main memory and disks",
    "security": "What others could do",
    "install": "The installation",
    "log": "What the program printed",
}
ORDER = {name: number for number, name in enumerate(GROUPS)}
DIRECTIVE = re.compile(r"^\{\{ (?P<what>file|output|options|schema) ?(?P<rest>.*?) \}\}$", re.M)
PART = re.compile(r"^(What happens|Why|Fix|Source):[ \n]", re.M)
CODE = re.compile(
    r"(``?[^`]+``?|(?<![\w-])--[a-z][\w-]*(?:=[\w:/.*-]+)?|\b[A-Z]+(?:_[A-Z]+)+\b"  # code, flags, variables
    r"|/(?:sdapi|internal)/[\w/-]+|(?<![\w.])[\w/.-]*\w\.(?:py|bat|sh)\b)"  # paths, files
)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the checks."""
    found = catalogue.load()
    if found.faults:
        raise PluginError("; ".join(map(str, found.faults)))
    files.append(File.generated(config, "checks/index.md", content=index(found.checks)))
    explained = explained_by(found.checks)
    for one in found.checks:
        content = check_page(one, explained.get(one.id, []), {each.id: each for each in found.checks})
        files.append(File.generated(config, f"checks/{one.group}/{one.id}.md", content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the directives of a page."""
    return DIRECTIVE.sub(lambda match: FILLERS[match["what"]](match["rest"]), markdown)


# -- checks --------------------------------------------------------------------------------------------------------


def index(checks: Iterable[Check]) -> str:
    """The checks by group."""
    every = list(checks)
    lines = ["# The checks", "", f"There are {len(every)}. Each is a cause. Names never change.", ""]
    for group in sorted({one.group for one in every}, key=lambda name: (ORDER.get(name, len(ORDER)), name)):
        lines += [f"## {group}", "", f"{GROUPS.get(group, '')}", "", "| check | severity | |", "| --- | --- | --- |"]
        members = [one for one in every if one.group == group]
        lines += [f"| [{one.id}]({group}/{one.id}.md) | {one.severity.value} | {prose(one.title)} |" for one in members]
        lines.append("")
    return "\n".join(lines)


def explained_by(checks: Iterable[Check]) -> dict[str, list[str]]:
    """For each check those whose findings explain it."""
    found: dict[str, list[str]] = {}
    for one in checks:
        for other in one.explains:
            found.setdefault(other, []).append(one.id)
    return found


def check_page(one: Check, causes: list[str], known: dict[str, Check]) -> str:
    """A check's page: its docstring, and what the catalogue knows of it."""
    title, _, body = one.page.partition("\n")
    needs = sorted({name_of(need.fact).replace("_", " ") for way in (one, *one.ways) for need in way.needs})
    group = f"[{one.group}](../index.md#{one.group})"
    about = [f"Severity: **{one.severity.value}**, unless the evidence says otherwise. Group: {group}."]
    about += [f"Only for: {', '.join(one.forks)}."] if one.forks else []
    about += [f"Only on: {', '.join(one.systems)}."] if one.systems else []
    lines = [f"# {one.id}", "", f"**{prose(title)}**", "", " ".join(about), "", sections(body), ""]
    for heading, names in (("Explains", one.explains), ("May be a consequence of", causes)):
        if names:
            links = [f"[{name}](../{known[name].group}/{name}.md)" if name in known else name for name in names]
            lines += [f"## {heading}", "", ", ".join(links), ""]
    shown = fenced(f"forgedoctor explain {one.id}\nforgedoctor triage --select {one.id}", "sh")
    lines += ["## In the terminal", "", shown, ""]
    lines += [f"It looks at: {', '.join(needs)}." if needs else "", ""]
    return "\n".join(lines)


def sections(body: str) -> str:
    """The parts of a page as sections."""
    pieces = PART.split(body.strip())
    text = [prose(pieces[0].strip()), ""] if pieces[0].strip() else []
    for heading, content in zip(pieces[1::2], pieces[2::2], strict=True):
        text += [f"## {heading}", "", prose(sentence(content.strip())), ""]
    return "\n".join(text)


def sentence(text: str) -> str:
    """The text with a capital at its beginning, where that is a word."""
    return text[:1].upper() + text[1:] if re.match(r"[a-z]+[ ,\n]", text) else text


def prose(text: str) -> str:
    """Plain text as Markdown: flags, variables, paths and files as code, the rest as it stands."""
    pieces = CODE.split(text)
    return "".join(f"`{piece.strip('`')}`" if number % 2 else escaped(piece) for number, piece in enumerate(pieces))


def escaped(text: str) -> str:
    """Text without a meaning in Markdown or HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\*_`|\[\]])", r"\\\1", text)


# -- directives ----------------------------------------------------------------------------------------------------


def file(path: str) -> str:
    """A file of the repository, as a block of code."""
    place = ROOT / path
    if not place.is_file():
        raise PluginError(f"{{{{ file {path} }}}}: there is no such file")
    return fenced(place.read_text(encoding="utf-8"), {".py": "python"}.get(place.suffix, place.suffix.lstrip(".")))


def output(command: str) -> str:
    """The command and what it prints. Ends the build where the program itself fails or is used wrongly."""
    words = shlex.split(command)
    if words[:1] != ["forgedoctor"]:
        raise PluginError(f"{{{{ output {command} }}}}: only forgedoctor commands are run")
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT / "docs" / "samples", capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise PluginError(f"{command} ended with {done.returncode}: {done.stderr}")
    return fenced(f"$ {command}\n{done.stdout.rstrip()}\n", "text")


def options(command: str) -> str:
    """The options of a command, as a table."""
    import click

    from forgedoctor.cli import cli

    found = cli.get_command(click.Context(cli), command)
    if found is None:
        raise PluginError(f"{{{{ options {command} }}}}: there is no such command")
    lines = ["| option | |", "| --- | --- |"]
    with click.Context(found, info_name=command) as context:
        records = [one.get_help_record(context) for one in found.params if isinstance(one, click.Option)]
    lines += [f"| `{names}` | {escaped(text)} |" for names, text in filter(None, records)]
    return "\n".join(lines)


def structures(_: str) -> str:
    """The report's structures, one table each, in the order in which they are met."""
    made = schema()
    definitions = made["$defs"]
    first = made["$ref"].rsplit("/", 1)[-1]
    names = [first, *(name for name in definitions if name != first)]
    lines: list[str] = []
    for name in names:
        one = definitions[name]
        about = prose(" ".join(one.get("description", "").split()))
        lines += [f"## {name}", "", about, "", "| field | type |", "| --- | --- |"]
        lines += [*(f"| `{field}` | {shown(kind)} |" for field, kind in one["properties"].items()), ""]
    return "\n".join(lines)


def shown(kind: dict[str, Any]) -> str:
    """A JSON Schema type in words."""
    if "$ref" in kind:
        name = kind["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in kind:
        return " or ".join(shown(one) for one in kind["anyOf"])
    if kind.get("type") == "array":
        return f"list of {shown(kind.get('items', {}))}"
    return str(kind.get("type", "anything"))


def fenced(text: str, language: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


FILLERS: dict[str, Callable[[str], str]] = {"file": file, "output": output, "options": options, "schema": structures}
