"""Decision: what one thing in the way does with a new connection, and why."""

from __future__ import annotations

import msgspec

from forgedoctor.message import Message

OPEN, REFUSED, FILTERED, UNDECIDED = "open", "refused", "filtered", "undecided"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a connection, as far as one gate decides.

    ``verdict``: open; refused (the client is told at once: a reset or ICMP port-unreachable); filtered (the client
    times out, or gets another ICMP error); undecided (what is known does not say). ``because``: the reasons, the
    deciding one first. ``rule``: the deciding rule as it is written, ``where`` it stands (file and line, chain).
    ``manager``: who keeps that rule (ufw, firewalld, docker, iptables, nftables, windows, macos …), so that a fix can
    speak its language. ``settle``: what would decide an undecided one.
    """

    verdict: str
    because: tuple[Message, ...] = ()
    rule: str = ""
    where: str = ""
    manager: str = ""
    settle: Message | None = None
