"""Walk one packet through one base chain as the kernel does, in every way that what is known allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from forgedoctor.firewall import nat
from forgedoctor.firewall.lookup import Lookup, refined
from forgedoctor.firewall.model import (
    Chain,
    Match,
    NoTrack,
    Rule,
    SetField,
    Table,
    Translate,
    Unknown,
    Verdict,
    VerdictMap,
)  # fmt: skip
from forgedoctor.firewall.packet import BEFORE, UNTRACKED, Packet
from forgedoctor.firewall.trail import Base, Fork, Place, Trail, chose

DEEPEST = 256  # chains; the kernel refuses circles, and nft more than 16
MOST_STATES = 200_000  # places in the rules looked at for one probe
MOST_PACKETS = 500  # that one packet may become in one chain

ACCEPT, DROP, REJECT, STUCK = "accept", "drop", "reject", "stuck"
_NEXT = Verdict(kind="next")
_ACCEPTED, _DROPPED = Verdict(kind="accept"), Verdict(kind="drop")
_ELSEWHERE = Verdict(kind=STUCK, target="translation")  # what a nat rule that is not understood may do besides


class End(NamedTuple):
    """How a walk ends: ``accept`` (on to the next chain), ``drop``, ``reject``, ``stuck``; ``what``: sent, or why."""

    kind: str
    packet: Packet
    trail: Trail
    place: Place
    what: str = ""


class Frame(NamedTuple):
    """Where to go on after a chain."""

    chain: Chain
    at: int
    below: Frame | None
    depth: int
    key: tuple[object, ...]


class Walker:
    """Walks chains; keeps prepared sets and counts what it has looked at, so that no ruleset keeps it for ever."""

    def __init__(self) -> None:
        self.lookup = Lookup()
        self.states = 0

    def chain(self, base: Base, packet: Packet, trail: Trail) -> list[End]:
        """Every way the walk of a base chain can end, each kind of end once."""
        ends: dict[tuple[str, str, frozenset[object]], End] = {}
        for end in self._ends(base, packet, trail):
            ends.setdefault((end.kind, end.what, end.packet.key), end)
        return list(ends.values())

    def _ends(self, base: Base, packet: Packet, trail: Trail) -> Iterator[End]:
        begun = trail
        seen: set[tuple[object, ...]] = set()
        packets: set[frozenset[object]] = set()
        work: list[tuple[Chain, int, Frame | None, Packet, Trail]] = [(base.chain, 0, None, packet, trail)]
        while work:
            chain, at, frame, packet, trail = work.pop()
            while True:
                if at >= len(chain.rules):
                    if frame is None:
                        yield self._policy(base, packet, trail)
                        break
                    chain, at, frame = frame.chain, frame.at, frame.below
                    continue
                if trail is not begun:
                    key = (chain.name, at, frame.key if frame else (), packet.key)
                    if key in seen:
                        break
                    seen.add(key)
                    packets.add(packet.key)
                    self.states += 1
                if self.states > MOST_STATES or len(packets) > MOST_PACKETS:
                    yield End(STUCK, packet, trail, Place(base.table, chain.name, chain.rules[at], base.source), "size")
                    return
                rule = chain.rules[at]
                results = self._rule(base, chain, rule, packet, trail)
                if len(results) == 1 and results[0][0] is _NEXT:
                    _, packet, trail = results[0]
                    at += 1
                    continue
                for verdict, after, way in results:
                    step = self._step(base, chain, at, frame, verdict, after, way)
                    if isinstance(step, End):
                        yield step
                    else:
                        work.append(step)
                break

    def _policy(self, base: Base, packet: Packet, trail: Trail) -> End:
        kind = DROP if base.chain.policy == "drop" else ACCEPT
        return End(kind, packet, trail, Place(base.table, base.chain.name, None, base.source))

    def _step(
        self, base: Base, chain: Chain, at: int, frame: Frame | None, verdict: Verdict, packet: Packet, trail: Trail
    ) -> End | tuple[Chain, int, Frame | None, Packet, Trail]:
        """What a verdict leads to."""
        place = Place(base.table, chain.name, chain.rules[at], base.source)
        if verdict.kind in (ACCEPT, DROP, REJECT):
            return End(verdict.kind, packet, trail, place, verdict.target if verdict.kind == REJECT else "")
        if verdict.kind == STUCK:
            return End(STUCK, packet, trail, place, verdict.target)
        if verdict.kind == "return":
            if frame is None:
                return self._policy(base, packet, trail)._replace(place=place)
            return frame.chain, frame.at, frame.below, packet, trail
        if verdict.kind in ("jump", "goto"):
            target = base.table.chains.get(verdict.target)
            if target is None:
                return End(STUCK, packet, trail, place, f"chain {verdict.target}")
            if verdict.kind == "jump":
                depth = frame.depth + 1 if frame else 1
                if depth > DEEPEST:
                    return End(STUCK, packet, trail, place, "circle")
                frame = Frame(chain, at + 1, frame, depth, (chain.name, at, frame.key if frame else ()))
            elif self._circles(packet, trail):
                return End(STUCK, packet, trail, place, "circle")
            return target, 0, frame, packet, trail
        return chain, at + 1, frame, packet, trail

    def _circles(self, packet: Packet, trail: Trail) -> bool:
        """A goto leaves no frame, so circles of them are only seen by the number of steps."""
        self.states += 1
        return self.states > MOST_STATES

    # -- one rule ----------------------------------------------------------------------------------------------

    def _rule(
        self, base: Base, chain: Chain, rule: Rule, packet: Packet, trail: Trail
    ) -> list[tuple[Verdict, Packet, Trail]]:
        """What a rule does: verdicts, or the next rule; each with the packet and the choices that lead there."""
        statements = rule.statements
        for at, statement in enumerate(statements):
            if not isinstance(statement, Match):
                return self._forked(base, chain, rule, at, packet, trail)
            held = self.lookup.holds(statement, packet, base.table)
            if held is False:
                break
            if held is None:
                return self._forked(base, chain, rule, at, packet, trail)
        return [(_NEXT, packet, trail)]

    def _forked(
        self, base: Base, chain: Chain, rule: Rule, at: int, packet: Packet, trail: Trail
    ) -> list[tuple[Verdict, Packet, Trail]]:
        place = Place(base.table, chain.name, rule, base.source)
        out: list[tuple[Verdict, Packet, Trail]] = []
        work: list[tuple[int, Packet, Trail]] = [(at, packet, trail)]
        while work:
            at, packet, trail = work.pop()
            if at >= len(rule.statements):
                out.append((_NEXT, packet, trail))
                continue
            for verdict, after, way in self._statement(base, place, rule.statements[at], packet, trail):
                if verdict is None:
                    work.append((at + 1, after, way))
                else:
                    out.append((verdict, after, way))
        return out

    def _statement(
        self, base: Base, place: Place, statement: object, packet: Packet, trail: Trail
    ) -> Iterator[tuple[Verdict | None, Packet, Trail]]:
        """The ways a statement can go; a verdict of None: on to the next statement."""
        if isinstance(statement, Match):
            yield from self._match(base.table, place, statement, packet, trail)
        elif isinstance(statement, Verdict):
            yield (None if statement.kind == "continue" else statement), packet, trail
        elif isinstance(statement, Unknown):
            yield from self._unknown(place, statement, packet, trail)
        elif isinstance(statement, VerdictMap):
            yield from self._mapped(base.table, place, statement, packet, trail)
        elif isinstance(statement, SetField):
            yield from self._set(base.table, place, statement, packet, trail)
        elif isinstance(statement, Translate):
            yield from self._translate(base.table, place, statement, packet, trail)
        elif isinstance(statement, NoTrack):
            fresh = packet.values.get("_track") == BEFORE
            yield None, packet.put({"_track": UNTRACKED}) if fresh else packet, trail

    def _match(
        self, table: Table, place: Place, match: Match, packet: Packet, trail: Trail
    ) -> Iterator[tuple[Verdict | None, Packet, Trail]]:
        held = self.lookup.holds(match, packet, table)
        if held is None:
            fork = self.lookup.fork(match, packet, table, place)
            yield _NEXT, refined(match, packet, False), chose(trail, fork, "no")
            yield None, refined(match, packet, True), chose(trail, fork, "yes")
        else:
            yield (None if held else _NEXT), packet, trail

    def _unknown(
        self, place: Place, unknown: Unknown, packet: Packet, trail: Trail
    ) -> Iterator[tuple[Verdict | None, Packet, Trail]]:
        fork = Fork(unknown.construct, "anything" if unknown.anything else "match", place)
        yield _NEXT, packet, chose(trail, fork, "no")
        yield None, packet, chose(trail, fork, "yes")
        if unknown.anything:
            yield _ACCEPTED, packet, chose(trail, fork, "accept")
            yield _DROPPED, packet, chose(trail, fork, "drop")
            if any(chain.type == "nat" for chain in place.table.chains.values() if chain.hook):
                yield _ELSEWHERE, packet, chose(trail, fork, "elsewhere")

    def _mapped(
        self, table: Table, place: Place, wanted: VerdictMap, packet: Packet, trail: Trail
    ) -> Iterator[tuple[Verdict | None, Packet, Trail]]:
        entries = self._entries(table, wanted.named, wanted.entries)
        if entries is None:
            yield from self._unknown(place, Unknown(construct=f"map @{wanted.named}", anything=True), packet, trail)
            return
        found, sure = self.lookup.entries(wanted.fields, entries, packet)
        fork = Fork(" . ".join(wanted.fields), "field", place)
        for verdict in dict.fromkeys(one for one in found if isinstance(one, Verdict)):
            answer = None if verdict.kind == "continue" else verdict
            yield answer, packet, trail if sure else chose(trail, fork, f"{verdict.kind} {verdict.target}".strip())
        if not found or not sure:
            yield _NEXT, packet, trail if sure else chose(trail, fork, "no")

    def _set(
        self, table: Table, place: Place, statement: SetField, packet: Packet, trail: Trail
    ) -> Iterator[tuple[Verdict | None, Packet, Trail]]:
        if not (statement.fields or statement.named):
            value = packet[statement.source] if statement.source else statement.value
            yield None, nat.assigned(packet, statement, value), trail
            return
        entries = self._entries(table, statement.named, statement.entries)
        found, sure = self.lookup.entries(statement.fields, entries or (), packet)
        sure = sure and entries is not None
        fork = Fork(" . ".join(statement.fields) or f"map @{statement.named}", "field", place)
        for number in dict.fromkeys(one for one in found if isinstance(one, int)):
            way = trail if sure else chose(trail, fork, str(number))
            yield None, nat.assigned(packet, statement, number), way
        if entries is None:
            yield None, nat.assigned(packet, statement, None), chose(trail, fork, "any")
        if not found or not sure:
            yield _NEXT, packet, trail if sure else chose(trail, fork, "no")

    def _translate(
        self, table: Table, place: Place, statement: Translate, packet: Packet, trail: Trail
    ) -> Iterator[tuple[Verdict | None, Packet, Trail]]:
        if statement.kind == "tproxy":
            yield from self._unknown(place, Unknown(construct="tproxy", anything=True), packet, trail)
            return
        if not (statement.fields or statement.named):
            after = nat.translated(packet, statement, statement.address, statement.last, statement.port)
            yield (_NEXT, packet, trail) if after is None else (_ACCEPTED, after, trail)
            return
        entries = self._entries(table, statement.named, statement.entries)
        if entries is None:
            yield from self._unknown(place, Unknown(construct=f"map @{statement.named}", anything=True), packet, trail)
            return
        found, sure = self.lookup.entries(statement.fields, entries, packet)
        fork = Fork(" . ".join(statement.fields), "field", place)
        for each in dict.fromkeys(found):
            address, port = each if isinstance(each, tuple) and len(each) == 2 else ("", None)
            ports = (port, port) if isinstance(port, int) else statement.port
            after = nat.translated(packet, statement, str(address), "", ports)
            yield (_ACCEPTED if after else _NEXT), after or packet, trail if sure else chose(trail, fork, str(each))
        if not found or not sure:
            yield _NEXT, packet, trail if sure else chose(trail, fork, "no")

    @staticmethod
    def _entries(
        table: Table, named: str, written: tuple[tuple[object, object], ...] | Mapping[str, object]
    ) -> tuple[tuple[object, object], ...] | None:
        """The entries of a map; None for a named one that the listing lacks."""
        if not named:
            return tuple(written)  # type: ignore[arg-type]
        return table.maps.get(named)
