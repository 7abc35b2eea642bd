"""Pasted listings of a Linux firewall: what each is, and all of them read together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from forgedoctor.firewall import firewalld, ipset, iptables, ufw
from forgedoctor.firewall.assemble import UNSEEN
from forgedoctor.firewall.firewalld_zones import Zone, active_zones, zones
from forgedoctor.firewall.model import Ruleset
from forgedoctor.firewall.pasted import CUT_HERE, LONGEST, cleaned
from forgedoctor.firewall.recognise_kinds import Piece, kind, pieces
from forgedoctor.message import Message, plain, t

__all__ = ["firewalld_zones", "kind", "pieces", "read"]

ACCEPTED = (
    "nft list ruleset, nft -j list ruleset, iptables-save, ip6tables-save, ipset save, ufw status verbose, "
    "firewall-cmd --list-all-zones"
)
_UNREAD = {
    "denied": t("{source}: the command was not allowed to read the rules: run it with sudo."),
    "absent": t("{source}: what was run is not installed there, so it listed nothing."),
    "ufw-rules": t("{source} holds the rules that ufw has stored, not those in force: give “sudo iptables-save”."),
    "ufw-added": t("{source} holds what ufw was told, even while it is off: give “sudo LC_ALL=C ufw status verbose”."),
    "ufw-conf": t("{source} says only whether ufw starts with the machine: give “sudo LC_ALL=C ufw status verbose”."),
    "ufw-defaults": t("{source} holds ufw's settings, not its rules: give “sudo LC_ALL=C ufw status verbose”."),
    "ebtables": t("{source} is of bridges or of ARP (ebtables, arptables), which is not looked at here."),
    "binary": t("{source} is not text."),
    "asked": t("{source} ends with sudo's question for a password: give what is printed once it is answered."),
}
_PERMANENT = t("{source} holds permanent settings of firewalld, which are in force only after “firewall-cmd --reload”.")
_STOPPED = t("{source} says that firewalld is not running, so that its zones are not in force.")
_UNKNOWN = t("{source} is no listing of a firewall that is known here: give one of {accepted}.")
_EMPTY = t("{source} is empty, which is right only if the command was run with sudo and printed no error.")
_LONG = t(
    "{source}, line {line} is longer than {limit} MB, which no rule is: nothing of that listing is read from there on."
)
_RULE_FILE = t("{source} is a file of rules: it is taken as if it were loaded and nothing else were.")
_IN_ORDER = ("nft-text", "nft-config", "iptables", "iptables-list", "ufw-status")


class _Listing(msgspec.Struct, frozen=True):
    """One piece of a file with its kind."""

    source: str
    kind: str
    piece: Piece
    long: int = 0  # the line from which on it is not read

    @property
    def permanent(self) -> bool:
        """Whether it lists the permanent settings: the command or the name says so, and no zone of it is active."""
        said = "--permanent" in self.piece.command or "permanent" in self.source.rpartition("/")[2]
        return said and not any(one.active for one in zones(self.piece.text))


def read(files: Sequence[tuple[str, str]]) -> tuple[list[Ruleset], list[Message]]:
    """The rulesets of some texts (name, content) of one machine, and a sentence for each that gave none.

    What could not be read within a ruleset is in its ``problems``. Sets of ``ipset save`` are put into the tables of
    iptables that ask them. A text may hold several listings, with prompts between them.
    """
    rulesets, messages = _Together(_listings(files)).read()
    # What iptables says on standard error, wherever it stands.
    seen = [Ruleset(kind=UNSEEN, source=source) for source, text in files if iptables.SEEN_LEGACY in text]
    return [*seen, *rulesets], messages


def firewalld_zones(files: Sequence[tuple[str, str]]) -> tuple[tuple[Zone, ...], tuple[Zone, ...]]:
    """The zones of firewalld in force, and the permanent ones, for :func:`firewalld.differences`."""
    together = _Together(_listings(files))
    return tuple(together.zones(permanent=False)), tuple(together.zones(permanent=True))


def _listings(files: Sequence[tuple[str, str]]) -> list[_Listing]:
    found = []
    for source, given in files:
        text, _, asked = cleaned(given)
        kinds = [_listing(source, piece) for piece in pieces(text)] if "\0" not in text else []
        if asked:
            kinds = [*(kinds[:-1] if kinds and kinds[-1].kind == "empty" else kinds), _asked(source)]
        telling = [one for one in kinds if one.kind not in ("unknown", "empty")]
        alone = _Listing(source, kind(text), Piece("", text))
        # What stands around listings (a greeting, a prompt) is nothing to complain of.
        found += telling or ([one for one in kinds if one.kind == "empty" and one.piece.command] or [alone])
    return found


def _asked(source: str) -> _Listing:
    return _Listing(source, "asked", Piece("", ""))


def _listing(source: str, piece: Piece) -> _Listing:
    """One piece; behind a line that is too long nothing of it is read."""
    if CUT_HERE not in piece.text:
        return _Listing(source, _kind(piece), piece)
    before = piece.text.partition(CUT_HERE)[0]
    read = Piece(piece.command, before)
    found = _kind(read)
    # A part of a set or of a zone would say something else than the whole.
    known = found if found in _IN_ORDER else "long"
    return _Listing(source, known, read, long=before.count("\n") + 1)


def _kind(piece: Piece) -> str:
    found = kind(piece.text)
    bare = piece.text.strip()
    if "get-default-zone" in piece.command and bare and " " not in bare:
        return "firewalld-default"
    if found == "firewalld-panic" and piece.command and "panic" not in piece.command:
        return "unknown"
    return found


def _nft(one: _Listing) -> Ruleset:
    from forgedoctor.firewall import nft_json, nft_text

    found: Ruleset = (nft_json if one.kind == "nft-json" else nft_text).read(one.piece.text, one.source)
    return found


class _Together:
    """Listings of one machine, which complete each other."""

    def __init__(self, listings: list[_Listing]) -> None:
        self.listings = listings
        self.messages: list[Message] = []
        self.sets: dict[str, ipset.IpSet] | None = None
        self.ruled: list[Ruleset] = []

    def read(self) -> tuple[list[Ruleset], list[Message]]:
        for one in self.listings:
            if one.long:
                limit = LONGEST // 10**6
                self.messages.append(
                    msgspec.structs.replace(_LONG, params={"source": one.source, "line": one.long, "limit": limit})
                )
        for one in self._of("ipset"):
            self._try(one, self._ipset)
        for one in self.listings:
            if one.kind not in ("ipset", "iptables"):
                self._one(one)
        for one in self._of("iptables", "iptables-list"):
            self._try(one, self._iptables)
        self._firewalld()
        return self.ruled, self.messages

    def _of(self, *kinds: str) -> list[_Listing]:
        return [one for one in self.listings if one.kind in kinds]

    def _try(self, one: _Listing, reader: Callable[[_Listing], Ruleset]) -> None:
        try:
            read = reader(one)
            self.ruled.append(msgspec.structs.replace(read, cut=True) if one.long else read)
        except ValueError as error:
            found = error.args[0] if error.args else ""
            self.messages.append(found if isinstance(found, Message) else plain(str(error)))

    def _one(self, one: _Listing) -> None:
        if one.kind in ("nft-text", "nft-config", "nft-json"):
            self._try(one, _nft)
            if one.kind == "nft-config":
                self._say(_RULE_FILE, one.source)
        elif one.kind in ("ufw-status", "ufw-foreign"):
            self._try(one, self._ufw)
        elif one.kind == "windows":
            self.ruled.append(Ruleset(kind="windows", source=one.source))
        elif one.kind == "empty":
            self._empty(one)
        elif one.kind in ("ufw-conf", "ufw-defaults") and self._of("ufw-status", "iptables", "nft-text", "nft-json"):
            return
        elif one.kind in _UNREAD:
            self._say(_UNREAD[one.kind], one.source)
        elif one.kind in ("unknown", "json"):
            self._say(_UNKNOWN, one.source)

    def _say(self, sentence: Message, source: str) -> None:
        message = msgspec.structs.replace(sentence, params={"source": source, "accepted": plain(ACCEPTED)})
        if message not in self.messages:
            self.messages.append(message)

    def _empty(self, one: _Listing) -> None:
        """Nothing was printed: no rules, if the name or the command says of what."""
        name = one.piece.command or one.source.rpartition("/")[2]
        named = re.findall(r"ip6tables|iptables|ipset", name) or re.findall(
            "nft", name
        )  # iptables-nft-save is iptables
        if named:
            listed = "nft-text" if named[-1] == "nft" else named[-1]
            legacy = bool(re.search(r"tables[-_.]legacy", name))
            self.ruled.append(Ruleset(kind=listed, source=one.source, legacy=legacy))
        self._say(_EMPTY, one.source)

    def _ipset(self, one: _Listing) -> Ruleset:
        found, _ = ipset.load(one.piece.text, one.source)
        self.sets = {**(self.sets or {}), **found}
        return ipset.read(one.piece.text, one.source)

    def _iptables(self, one: _Listing) -> Ruleset:
        source = one.source
        found = iptables.read(one.piece.text, source, self.sets)
        if iptables.engine(one.piece.text, source):
            return found
        # The version does not tell the engines apart: what an nft listing would show and does not is legacy.
        if one.piece.command:
            legacy = "-legacy" in one.piece.command
        else:
            nft = [each for each in self.ruled if each.kind in ("nft-text", "nft-json")]
            shown = {(table.family, table.name) for each in nft for table in each.tables}
            legacy = bool(nft) and not any((table.family, table.name) in shown for table in found.tables)
        return iptables.as_legacy(found) if legacy else found

    def _ufw(self, one: _Listing) -> Ruleset:
        settings = self._of("ufw-defaults")
        return ufw.read(one.piece.text, one.source, settings=ufw.defaults(settings[0].piece.text) if settings else None)

    # -- firewalld ---------------------------------------------------------------------------------------------

    def zones(self, permanent: bool) -> list[Zone]:
        """In force, or permanent: of a zone listed twice the active one is in force, else the first."""
        found: list[Zone] = []
        later: list[Zone] = []
        for one in self._of("firewalld"):
            for zone in zones(one.piece.text):
                place = next((at for at, each in enumerate(found) if each.name == zone.name), None)
                if one.permanent:
                    later.append(zone)
                elif place is None:
                    found.append(zone)
                elif zone.active and not found[place].active:
                    later.append(found[place])
                    found[place] = zone
                else:
                    later.append(zone)
        return later if permanent else found

    def _firewalld(self) -> None:
        states = self._of("firewalld-state")
        stopped = next((one for one in states if "not running" in one.piece.text), None)
        if stopped:
            self._say(_STOPPED, stopped.source)
            return
        runtime = [one for one in self._of("firewalld") if not one.permanent]
        for one in self._of("firewalld"):
            if one.permanent:
                self._say(_PERMANENT, one.source)
        bound = "\n".join(one.piece.text for one in self._of("firewalld-active"))
        default = next((one.piece.text.strip() for one in self._of("firewalld-default")), "")
        panic = any(one.piece.text.strip() == "yes" for one in self._of("firewalld-panic"))
        found = self.zones(permanent=False)
        if not runtime and not bound:
            return
        source = (runtime or self._of("firewalld-active"))[0].source
        made = firewalld.ruleset(found, source, bound=active_zones(bound), default_zone=default, panic=panic)
        if made.kind == "firewalld":
            self.ruled.append(made)
        else:
            self.messages += made.problems
