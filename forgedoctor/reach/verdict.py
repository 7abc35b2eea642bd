"""What the visits add up to, and what to do next. Pure: the same visits give the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from forgedoctor.message import Message, t
from forgedoctor.reach.caller import OUTSIDE
from forgedoctor.reach.document import CANCELLED, NOT_REACHED, NOTHING_JUDGED, REACHED
from forgedoctor.reach.opening import Refusal


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``word`` for programs, ``summary`` for people, the exit status, and what to do ``next``."""

    word: str
    summary: Message
    exit_code: int
    next: tuple[Message, ...] = ()


def of_visits(
    origins: Mapping[str, int],
    *,
    url: str,
    seconds: float,
    cancelled: bool,
    inside: str,
    system: str,
    known: Sequence[Message] = (),
) -> Verdict:
    """The verdict on what came. ``origins``: how many connections of each origin; ``url``: what was to be opened;
    ``known``: what this machine's own rules are known to do."""
    outside = sum(origins.get(one, 0) for one in OUTSIDE)
    if outside:
        return Verdict(
            word="reached",
            summary=t("Reached from outside: another machine got through to this port."),
            exit_code=REACHED,
            next=(
                t("Start Forge on this port, with --listen where it is the web UI. If others then get nowhere, look at "
                  "Forge first: forgedoctor triage"),
                *_per_program(system),
            ),
        )  # fmt: skip
    code = CANCELLED if cancelled else NOTHING_JUDGED
    steps = (*known, *_try(url), *(() if known else _in_the_way(inside, system)))
    if any(origins.values()):
        return Verdict(word="unproved", summary=_unproved(origins), exit_code=code, next=steps)
    waited = f"{seconds:.0f}"
    summary = t("Nobody came in {seconds} s. If somebody tried, something keeps them away.", seconds=waited)
    return Verdict(word="nobody", summary=summary, exit_code=code, next=steps)


def _unproved(origins: Mapping[str, int]) -> Message:
    if origins.get("gateway"):
        return t("Somebody came, with an address that hides who it was: this machine, or another one.")
    if origins.get("proxy-here"):
        return t("Only a proxy or tunnel on this machine came: that way works, the direct one is not proved.")
    return t("Only this machine itself came, or a container on it: that proves nothing about other machines.")


def _try(url: str) -> tuple[Message, ...]:
    if not url:
        return ()
    return (
        t("Open {url} on a phone or computer in the same network while this waits.", url=url),
        t("If it fails there, this tells what the failure means: forgedoctor reach --to {url}", url=url),
    )


def _in_the_way(inside: str, system: str) -> tuple[Message, ...]:
    """The likely things in the way, on this side, then between."""
    if inside == "container":
        first = t("This is a container: the port must be published on the machine around it (docker run -p).")
    elif inside == "wsl":
        first = t("This is WSL: unless its networking is mirrored, Windows needs a portproxy and a firewall rule.")
    elif system == "windows":
        first = t("Windows' firewall: a network set to Public, a missing rule, or a Block rule for python.exe from a "
                  "question that was once answered with Cancel.")  # fmt: skip
    elif system == "macos":
        first = t("macOS' firewall: it may hold back this Python (System Settings, Network, Firewall).")
    else:
        first = t("A firewall on this machine: ufw, firewalld, nftables; in a cloud also its security group.")
    between = t("Between the two: guest Wi-Fi or AP isolation, another network or VLAN, a VPN that takes all traffic.")
    return (first, between, *_per_program(system))


def _per_program(system: str) -> tuple[Message, ...]:
    if system not in ("windows", "macos"):
        return ()
    return (
        t("The firewall here decides by program: what holds for this Python need not hold for Forge's. To be sure, run "
          "this with the python of Forge's venv."),
    )  # fmt: skip


def of_closed(place: str) -> Verdict:
    """Forge would listen for this machine only."""
    port = place.rpartition(":")[2]
    summary = t(
        "Started like this, Forge listens on {place}, for this machine only: nobody else can come.", place=place
    )
    return Verdict(
        word="closed",
        summary=summary,
        exit_code=NOT_REACHED,
        next=(
            t("Add --listen to the launch flags to let other machines in."),
            t("To test the way all the same: forgedoctor reach --host 0.0.0.0 --port {port}", port=port),
        ),
    )


def of_refusal(refusal: Refusal, host: str, port: int, urls: Sequence[str], last: int = 0) -> Verdict:
    """The port could not be had."""
    where = f"{host}:{port}" if host not in ("", "*") else str(port)
    if refusal.why != "taken":
        return Verdict(word="cannot-listen", summary=_cannot(refusal, where), exit_code=NOT_REACHED)
    names = ", ".join(f"{one.process or '?'} (pid {one.pid})" for one in refusal.holders[:3] if one.pid)
    if names:
        summary = t("Port {port} is taken already, by {names}.", port=port, names=names)
    else:
        summary = t("Port {port} is taken already, by a program that cannot be seen from here.", port=port)
    steps = [
        t("If that is Forge, test it from the other machine: forgedoctor reach --to {url}", url=one) for one in urls[:1]
    ]
    steps.append(t("Or end that program, and run this again."))
    if last > port:
        steps.append(t("Forge would go on to the next free port: forgedoctor reach --port {port}", port=port + 1))
    return Verdict(word="taken", summary=summary, exit_code=NOT_REACHED, next=tuple(steps))


def _cannot(refusal: Refusal, where: str) -> Message:
    if refusal.why == "denied":
        return t("{where} may not be listened on: {words}. A port below 1024 needs rights; Windows reserves some.",
                 where=where, words=refusal.words)  # fmt: skip
    if refusal.why == "not-here":
        return t("{where} cannot be listened on: this machine has no such address.", where=where)
    if refusal.why == "unresolvable":
        return t("{where} cannot be listened on: the name is not known.", where=where)
    return t("{where} cannot be listened on: {words}.", where=where, words=refusal.words)
