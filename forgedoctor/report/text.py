"""The report for people: on a terminal, in a CI log, in a file. The cause first, then the rest."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

from forgedoctor.message import t
from forgedoctor.report.document import Report, ReportCheck, ReportFinding, ReportFix, ReportStep, ReportVerdict

if TYPE_CHECKING:
    from rich.console import Console

SIGNS = {"error": "✗", "warning": "!", "info": "·", "dot": "·", "ok": "✓", "arrow": "→"}
PLAIN = {"error": "x", "warning": "!", "info": "-", "dot": "-", "ok": "+", "arrow": "->"}
COLORS = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}
LABEL = 14  # columns before the body of a finding: 4 of indent, 9 of label, 1 blank
# Bidirectional controls and zero-width characters can make a line read as what it is not (CVE-2021-42574).
_HIDDEN = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF}


def terminal_width() -> int:
    """Columns to use: the terminal's, at most 100, at least 40."""
    return max(40, min(100, shutil.get_terminal_size((80, 24)).columns))


def can_show_signs(encoding: str) -> bool:
    """Whether a stream of this encoding can print our signs."""
    try:
        "".join(SIGNS.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def in_ascii(text: str) -> str:
    """The text in ASCII: quotation marks as plain ones, all else that is foreign written out."""
    plain = text.translate({ord(mark): '"' for mark in "‹›«»“”„"} | {ord("…"): "...", ord("→"): "->", ord("·"): "-"})
    return plain.encode("ascii", "backslashreplace").decode("ascii")


def harmless(text: str) -> str:
    """Untrusted text with control and direction characters made visible."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(
        char if (char.isprintable() or char in "\n\t") and ord(char) not in _HIDDEN else f"\\x{ord(char):02x}"
        for char in text
    )


def render(
    report: Report, *, color: bool = False, width: int = 80, ascii_only: bool = False, verbose: bool = False
) -> str:
    """The report as text, with ANSI colours when asked for."""
    from rich.console import Console

    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=color, no_color=not color, color_system="standard" if color else None,
        highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    _Page(console, report, PLAIN if ascii_only else SIGNS, width, verbose).draw()
    text = "\n".join(line.rstrip() for line in stream.getvalue().split("\n"))
    return in_ascii(text) if ascii_only else text


class _Page:
    def __init__(self, console: Console, report: Report, signs: dict[str, str], width: int, verbose: bool) -> None:
        self.console, self.report, self.signs, self.width, self.verbose = console, report, signs, width, verbose

    def say(self, template: str, **params: object) -> str:
        return t(template, **params).text(self.report.language)

    def draw(self) -> None:
        """The whole page."""
        self._head()
        followers: dict[str, list[ReportFinding]] = {}
        for one in self.report.findings:
            if one.explained_by:
                followers.setdefault(one.explained_by, []).append(one)
        for one in self.report.findings:
            if not one.explained_by:
                self._finding(one, followers.pop(one.check, []))
        if not self.report.findings:
            judged = self.report.summary.judged
            self._line(
                self.signs["ok"] if judged else "?", self.report.summary.headline, "bold green" if judged else "bold"
            )
            self.console.print()
        for verdict in self.report.verdicts:
            self._verdict(verdict)
        if not self.report.summary.judged and self.report.target.scope in ("live", "preflight"):
            where = self.say("Run it in the folder that holds launch.py, or name that with --dir FOLDER.")
            if self.report.target.scope == "live":
                where += " " + self.say("For a Forge elsewhere: --url http://HOST:PORT.")
            self._wrapped("   ", where, "")
            self.console.print()
        if self.report.advice:
            self._wrapped(" ", self.say("Beside the question, about this command line:"), "bold")
            for one in self.report.advice:
                self._wrapped("   ", f"{self.signs[one.severity]} {one.summary}  {one.check}", "")
            self.console.print()
        if self.report.launch and self.report.target.scope in ("args", "preflight"):
            self._launch()
        self._foot()

    def _head(self) -> None:
        target = self.report.target
        parts = [target.description]
        system = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}.get(target.system)
        if system:
            parts.append(system)
        self.console.print()
        self._wrapped(" ", f" {self.signs['dot']} ".join(parts), "bold")
        self.console.print()

    def _finding(self, one: ReportFinding, follow: list[ReportFinding]) -> None:
        tail = f"{one.check} ({self.say('possible')})" if one.confidence == "possible" else one.check
        self._line(self.signs[one.severity], one.summary, COLORS[one.severity], tail)
        label = self.say("because")
        for item in one.evidence:
            source = f"  ({item.source})" if item.source and item.source not in item.text else ""
            self._labelled(label, item.text + source, "")
            label = ""
        label = self.say("so")
        for each in follow:
            self._labelled(label, f"{each.summary}  {each.check}", "dim")
            label = ""
        for fix in one.fixes:
            self._fix(fix)
        self.console.print()

    def _verdict(self, one: ReportVerdict) -> None:
        """A question and its answer; what is in the way has said why already, above."""
        sign, style = {"yes": ("ok", "bold green"), "no": ("error", "bold red")}.get(one.answer, ("", "bold"))
        self._line(self.signs.get(sign, "?"), one.summary, style, one.by)
        for item in one.evidence:
            self._labelled("", item.text + (f"  ({item.source})" if item.source else ""), "")
        if one.settle:
            self._labelled(self.say("to prove"), one.settle, "dim")
        self.console.print()

    def _fix(self, fix: ReportFix) -> None:
        admin = f" {self.say('(needs administrator rights)')}" if fix.needs_admin else ""
        self._labelled(self.say("fix"), fix.title + admin, "")
        for step in fix.steps:
            for line in self._step(step):
                self._verbatim(line)
        if fix.undo and fix.undo_command:
            self._pasteable(self.say("undo"), fix.undo)
        elif fix.undo:
            self._labelled(self.say("undo"), fix.undo, "dim")

    def _step(self, step: ReportStep) -> list[str]:
        if step.kind == "shell":
            return step.command.split("\n")
        if step.kind == "edit":
            return [self.say("{file} line {line}:", file=step.file, line=step.line), *step.after.split("\n")]
        if step.kind == "flag":
            dropped = [self.say("drop  {flags}", flags=" ".join(step.drop))] if step.drop else []
            return dropped + ([self.say("add   {flags}", flags=" ".join(step.add))] if step.add else [])
        return [step.text] if step.text else []

    def _launch(self) -> None:
        assert self.report.launch
        it = self.report.launch.effective
        rows = []
        if it.get("exit"):
            end = it["exit"]
            why = self.say("the program stops with status {code}: {why}", code=end["code"], why=end["message"])
            rows.append((self.say("exit"), why))
        else:
            mode = self.say("API only") if it["mode"] == "api-only" else self.say("web UI")
            rows.append((self.say("starts"), f"{mode}, API {self.say('on') if it['api'] else self.say('off')}"))
            rows.append((self.say("listens"), self._where(it)))
        if it.get("ignored"):
            rows.append((self.say("no effect"), " ".join(dict.fromkeys(one["flag"] for one in it["ignored"]))))
        for label, value in rows:
            self._labelled(label, str(value), "")
        self.console.print()

    def _where(self, it: dict[str, Any]) -> str:
        if it.get("fails") and not it.get("listens"):
            return self.say("nowhere: {why}", why=it["fails"]["message"])
        host = {"*": "0.0.0.0 + [::]"}.get(it["host"], it["host"])
        if it.get("port_range"):
            first, last = it["port_range"]
            return f"{host}, {self.say('port')} {self.say('first free of {first} to {last}', first=first, last=last)}"
        return f"{host}, {self.say('port')} {it.get('listens') or it['port']}"

    def _foot(self) -> None:
        sums = self.report.summary
        parts = [self.say("{count} checks passed", count=sums.passed)]
        if sums.skipped:
            parts.append(self.say("{count} do not apply", count=sums.skipped))
        if sums.unknown:
            parts.append(self.say("{count} unknown", count=sums.unknown))
        if sums.crashed:
            parts.append(self.say("{count} failed to run", count=sums.crashed))
        self._wrapped(" ", f" {self.signs['dot']} ".join(parts), "dim")
        if self.report.cancelled:
            self._wrapped(" ", self.say("Cancelled: this is what was known by then."), "bold")
        for one in self.report.unknown if (self.verbose or sums.unknown <= 40) else []:
            settle = f" {self.signs['arrow']} {one.settle}" if one.settle else ""
            names = f" [{len(one.checks)}]" if len(one.checks) > 1 else f" [{one.checks[0]}]"
            self._wrapped("   ", f"? {one.reason}{names}{settle}", "dim")
        for note in self.report.notes:
            self._wrapped("   ", f"! {note}", "yellow")
        if self.verbose:
            self._all(self.report.checks)
        self.console.print()

    def _all(self, checks: list[ReportCheck]) -> None:
        self.console.print()
        for one in sorted(checks, key=lambda each: (each.status, each.check)):
            why = one.by or one.reason
            self._wrapped(" ", f"{one.status:<8} {one.check}{f'  ({why})' if why else ''}", "dim")

    # -- lines -------------------------------------------------------------------------------------------------

    def _line(self, sign: str, text: str, style: str, tail: str = "") -> None:
        from rich.text import Text

        body = Text(harmless(text), style="bold")
        if tail:
            body.append(f"  {tail}", style="dim")
        for number, line in enumerate(body.wrap(self.console, self.width - 4)):
            lead = Text(f" {sign} " if number == 0 else "   ", style=style)
            self.console.print(lead + line, soft_wrap=True)

    def _labelled(self, label: str, text: str, style: str) -> None:
        from rich.text import Text

        lead = self._lead(label)
        for line in Text(harmless(text), style=style).wrap(self.console, self.width - LABEL - 1):
            self.console.print(Text.assemble((lead, "dim"), line), soft_wrap=True)
            lead = " " * LABEL

    @staticmethod
    def _lead(label: str) -> str:
        from rich.cells import cell_len

        return "    " + label + " " * max(1, LABEL - 4 - cell_len(label))

    def _pasteable(self, label: str, text: str) -> None:
        """Lines to paste behind a label: never wrapped."""
        from rich.text import Text

        lead = self._lead(label)
        for line in text.split("\n"):
            self.console.print(Text.assemble((lead, "dim"), (harmless(line), "dim")), soft_wrap=True)
            lead = " " * LABEL

    def _wrapped(self, indent: str, text: str, style: str) -> None:
        from rich.text import Text

        for line in Text(harmless(text), style=style).wrap(self.console, self.width - len(indent) - 1):
            self.console.print(Text(indent) + line, soft_wrap=True)

    def _verbatim(self, text: str) -> None:
        """A line to paste: never wrapped."""
        from rich.text import Text

        self.console.print(Text(" " * LABEL) + Text(harmless(text), style="green"), soft_wrap=True)
