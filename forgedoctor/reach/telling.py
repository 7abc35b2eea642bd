"""What a client's attempts add up to, told and reported."""

from __future__ import annotations

import os
import time

import msgspec

from forgedoctor import __version__
from forgedoctor.facts._network import parsed_address
from forgedoctor.facts._url import Url, bracketed
from forgedoctor.message import Message, t
from forgedoctor.reach.asking import Attempt, attempts
from forgedoctor.reach.caller import Surroundings
from forgedoctor.reach.document import (
    CANCELLED,
    NOT_REACHED,
    NOTHING_JUDGED,
    REACHED,
    ClientReport,
    ReachAttempt,
    ReachCause,
)
from forgedoctor.reach.meaning import Reading, read
from forgedoctor.reach.paper import Paper

_SURE = {"certain": t("certain"), "likely": t("likely"), "possible": t("possible")}


class Telling:
    """One look from the client's side."""

    def __init__(self, url: Url, timeout: float, around: Surroundings, paper: Paper, *, no_port: bool = False) -> None:
        self.url, self.timeout, self.around, self.paper, self.no_port = url, timeout, around, paper, no_port
        self.tried: list[tuple[Attempt, Reading]] = []

    def run(self) -> ClientReport:
        """Try, tell, report."""
        began = time.monotonic()
        say = self.paper
        say.line(t("forgedoctor reach tries {url}", url=self.url.base), style="bold")
        notes = self._notes()
        for note in notes:
            say.line(note, sign="!", style="yellow")
        say.line()
        cancelled = False
        try:
            for attempt in attempts(self.url, self.timeout, self.around):
                place = f"{bracketed(attempt.address or self.url.host)}:{self.url.port}"
                reading = read(attempt.symptom, place, self.url.port)
                self.tried.append((attempt, reading))
                self._tell(attempt, reading)
        except KeyboardInterrupt:
            cancelled = True
        word, summary, code = self._judged(cancelled)
        steps = self._next(word)
        say.line(
            summary,
            sign=say.signs["ok"] if code == REACHED else say.signs["error"],
            style="green" if code == REACHED else "red",
        )
        for step in steps:
            say.line(step, indent=3, sign=say.signs["arrow"])
        return ClientReport(
            tool={"name": "forgedoctor", "version": __version__},
            verdict=word,
            summary=say.say(summary),
            exit_code=code,
            url=self.url.base,
            attempts=[_attempt(one, reading, say) for one, reading in self.tried],
            notes=[say.say(note) for note in notes],
            next=[say.say(step) for step in steps],
            seconds=round(time.monotonic() - began, 1),
            language=say.language,
        )

    def _notes(self) -> list[Message]:
        from forgedoctor.facts import proxy
        from forgedoctor.target import Target

        notes = []
        if self.no_port:
            notes.append(
                t("The address names no port, so {port} is asked; Forge's is mostly 7860.", port=self.url.port)
            )
        found = proxy.collect(Target(scope="endpoint", env=dict(os.environ)), None)
        setting = found.for_url(self.url.scheme)
        if setting and not found.bypasses(self.url.host, self.url.port):
            notes.append(
                t(
                    "{name} is set ({source}): browsers and clients go through that proxy. This goes without it.",
                    name=setting.name,
                    source=setting.source,
                )
            )
        return notes

    def _tell(self, attempt: Attempt, reading: Reading) -> None:
        say = self.paper
        good = attempt.answered in ("forge", "reach")
        sign = say.signs["ok"] if good else say.signs["error"]
        say.line(_headline(attempt, reading), sign=sign, style="bold" if good else "")
        if not good and attempt.detail:
            say.line(f"({attempt.detail}, {attempt.symptom.elapsed:.1f} s)", indent=3, style="dim")
        for caveat in reading.caveats:
            say.line(caveat, indent=3, sign="!")
        if good:
            say.line()
            return
        for number, cause in enumerate(reading.causes, 1):
            sure = _SURE[cause.confidence.value]
            say.line(t("{meaning} ({sure})", meaning=cause.meaning, sure=sure), indent=3, sign=f"{number}.")
            if cause.settle:
                say.line(cause.settle, indent=6, sign=say.signs["arrow"], style="dim")
        for system, command in reading.look:
            say.verbatim(f"{system + ':':<9} {command}", indent=6)
        say.line()

    def _judged(self, cancelled: bool) -> tuple[str, Message, int]:
        found = [one for one, _ in self.tried]
        where = self.url.base
        good = [one for one in found if one.answered in ("forge", "reach") and one.symptom.kind == "open"]
        if any(one.symptom.place != "own" for one in good):
            here = all(one.symptom.place in ("loopback", "own") for one in good)
            if here:
                return "reached", t("{where} answers on this machine itself.", where=where), REACHED
            return "reached", t("Reached: the way from here to {where} is open.", where=where), REACHED
        if good:
            return (
                "itself",
                t("{where} answers, and it is this machine: whether others get there is not known.", where=where),
                NOTHING_JUDGED,
            )
        if cancelled:
            return "cancelled", t("Cancelled: this is what was known by then."), CANCELLED
        if any(one.symptom.kind in _TAKEN for one in found):
            return "not-forge", t("{where} takes connections, and no Forge answers there.", where=where), NOT_REACHED
        return "not-reached", t("Not reached: {where} takes no connection from here.", where=where), NOT_REACHED

    def _next(self, word: str) -> list[Message]:
        answered = {one.answered for one, _ in self.tried}
        port = self.url.port
        if word in ("reached", "itself") and "forge" in answered:
            return [t("How its API does: forgedoctor api {url}", url=self.url.base)]
        if word == "reached" and all(one.symptom.here for one, _ in self.tried):
            return [t("Ask from another machine too: what is open here need not be open from there.")]
        if word == "reached":
            return [t("Start Forge there on port {port}; the way to it is open.", port=port)]
        if word == "itself":
            return [t("Ask from another machine: forgedoctor reach --to {url}", url=self.url.base)]
        if any(one.symptom.kind == "unresolvable" for one, _ in self.tried):
            return [t("Ask again with the machine's IP address.")]
        if self.tried and all(one.symptom.here for one, _ in self.tried):
            return [t("What is wrong with the Forge on this machine: forgedoctor triage")]
        steps = [t("On that machine, in place of Forge: forgedoctor reach --port {port}", port=port)]
        if word == "not-forge":
            steps.append(t("What answers there, in more detail: forgedoctor api {url}", url=self.url.base))
        return steps


_TAKEN = ("closed", "reset", "silent", "tls-wanted", "tls-not-wanted", "not-http", "other-program", "gateway")


def _headline(attempt: Attempt, reading: Reading) -> Message:
    if attempt.reply:
        return t(
            "{summary} It is forgedoctor reach: received at {here}, it saw you as {you}.",
            summary=reading.summary, here=_number(attempt.reply.here), you=_number(attempt.reply.you),
        )  # fmt: skip
    if attempt.answered == "forge":
        return t("{summary} A Forge answers.", summary=reading.summary)
    if attempt.name:
        return t("{summary} It calls itself {name}.", summary=reading.summary, name=attempt.name)
    return reading.summary


def _number(text: str) -> str:
    """An address that a foreign program told: shown only where it is one."""
    parsed = parsed_address(text)
    return str(parsed) if parsed else "?"


def _attempt(one: Attempt, reading: Reading, paper: Paper) -> ReachAttempt:
    return ReachAttempt(
        address=one.address,
        family=one.symptom.family,
        place=one.symptom.place,
        symptom=one.symptom.kind,
        answered=one.answered,
        elapsed=one.symptom.elapsed,
        detail=one.name or one.detail,
        summary=paper.say(_headline(one, reading)),
        causes=[
            ReachCause(
                id=cause.id,
                meaning=paper.say(cause.meaning),
                confidence=cause.confidence.value,
                settle=paper.say(cause.settle) if cause.settle else "",
            )
            for cause in reading.causes
        ],
        caveats=[paper.say(text) for text in reading.caveats],
        look=[{"system": system, "command": command} for system, command in reading.look],
        reply=msgspec.to_builtins(one.reply) if one.reply else {},
    )
