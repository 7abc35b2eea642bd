"""Where Forge would listen: as asked, else as its flags and launcher files say, else as it does with --listen."""

from __future__ import annotations

import msgspec

from forgedoctor.case import Case
from forgedoctor.engine import Collection
from forgedoctor.fact import Fact, Missing
from forgedoctor.facts import Host, Launch
from forgedoctor.message import Message, t
from forgedoctor.target import Target

DEFAULT_HOST, DEFAULT_PORT = "0.0.0.0", 7860


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to listen on. ``host`` as Forge is told it (``*``: all of both families). ``why``: where that comes from.

    ``closed``: Forge itself would listen for this machine only, so that nobody could come. ``last``: the last port that
    Forge would try where it walks. ``https``: Forge would serve TLS there, which the test page does not. ``stops``: why
    that launch would not come up at all; empty where it would.
    """

    host: str
    port: int
    why: Message
    closed: bool = False
    last: int = 0
    https: bool = False
    stops: str = ""


def make(target: Target, host: str = "", port: int | None = None) -> tuple[Plan, Host | None]:
    """The plan, and what is known of this machine. ``host`` and ``port``: what was asked for, if anything."""
    case = Case()
    Collection(target, case, lambda name: None).gather([Launch, Host])
    launch = case.look(Launch)
    plan = _of(launch) if isinstance(launch, Launch) and (launch.seen or launch.fork_known) else _default(launch)
    if host:
        plan = msgspec.structs.replace(plan, host=host, closed=False, why=t("as asked for"))
    if port is not None:
        plan = msgspec.structs.replace(plan, port=port, last=0, why=t("as asked for") if host else plan.why)
    return plan, case.get(Host)


def _default(launch: Fact | Missing) -> Plan:
    why = t("no launch of Forge was found here, so as it does with --listen")
    if isinstance(launch, Missing) and launch.sought:
        why = t("the launch of Forge is not known ({why}), so as it does with --listen", why=launch.reason)
    return Plan(host=DEFAULT_HOST, port=DEFAULT_PORT, why=why)


def _of(launch: Launch) -> Plan:
    it = launch.effective
    first, last = it.port_range or (0, 0)
    failure = it.exit.message if it.exit else it.fails.message if it.fails and it.listens is None else ""
    return Plan(
        host=it.host or "*",
        port=it.listens or it.port or first or DEFAULT_PORT,
        why=_why(launch),
        closed=launch.loopback,
        last=last,
        https=launch.tls,
        stops=failure,
    )


def _why(launch: Launch) -> Message:
    if launch.origin == "command line":
        return t("as the command line says")
    if launch.origin == "environment":
        return t("as COMMANDLINE_ARGS in the environment says")
    if launch.origin == "defaults":
        return t("as Forge does without flags")
    return t("as {file} says", file=launch.origin)
