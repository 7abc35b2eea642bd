"""Forge's side: listen as Forge would, tell at once who comes, end with a verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from forgedoctor import __version__
from forgedoctor.facts import Host
from forgedoctor.facts._network import own_addresses
from forgedoctor.facts._url import bracketed
from forgedoctor.message import Message, t
from forgedoctor.reach import addresses, opening, verdict
from forgedoctor.reach.caller import Surroundings, Way, way_of
from forgedoctor.reach.document import NOT_REACHED, ListenerReport, ReachVisit
from forgedoctor.reach.listener import HEAD_SECONDS, MOST_TAKEN, Listener, Visit
from forgedoctor.reach.page import Seen, answer
from forgedoctor.reach.paper import Paper
from forgedoctor.reach.plan import Plan
from forgedoctor.reach.verdict import Verdict

MOST_KEPT = 200  # visits in the report
MOST_SHOWN, MOST_OF_ONE = 40, 4  # visits that are told of, in all and of one address
_BORING = ("/favicon.ico", "/apple-touch-icon.png", "/apple-touch-icon-precomposed.png")


def inside(host: Host | None) -> str:
    """What this machine sits in: container, wsl or empty."""
    return ("container" if host.container else "wsl" if host.wsl else "") if host else ""


def surroundings(host: Host | None) -> Surroundings:
    """What is known of the networks around this machine."""
    return Surroundings(
        owns=own_addresses(),
        gateways=addresses.gateways(),
        inside=inside(host),
        system=host.system if host else "",
    )


class Waiting:
    """One wait for visitors: what is listened on, who came, and what it adds up to."""

    def __init__(
        self,
        plan: Plan,
        host: Host | None,
        paper: Paper,
        *,
        once: bool = False,
        qr: bool = False,
        known: Sequence[Message] = (),
    ) -> None:
        """``known``: what is known to be in the way already, in sentences."""
        self.plan, self.paper, self.once, self.qr, self.known = plan, paper, once, qr, tuple(known)
        self.around = surroundings(host)
        self.offers = addresses.Offers()
        self.listening: list[str] = []
        self.visits: list[ReachVisit] = []
        self.origins: Counter[str] = Counter()
        self.whats: Counter[str] = Counter()
        self._shown: set[tuple[str, str, str, str]] = set()
        self._of_one: Counter[str] = Counter()
        self._quiet = False
        self._began = time.monotonic()

    @property
    def url(self) -> str:
        """The first address to try; empty where there is none."""
        offered = self.offers.offered
        return offered[0].url(self.plan.port) if offered else ""

    def run(self, seconds: float) -> ListenerReport:
        """Wait that long, or until Ctrl-C; tell, and report."""
        if self.plan.closed:
            place = f"{bracketed(self.plan.host)}:{self.plan.port}"
            return self._end(verdict.of_closed(place))
        try:
            sockets = opening.open_sockets(self.plan.host, self.plan.port)
        except opening.CannotListen as error:
            bound = ["0.0.0.0", "::"] if self.plan.host in ("", "*") else [self.plan.host]
            self.offers = addresses.offers(bound, self.around.owns, addresses.main_addresses())
            urls = [one.url(self.plan.port) for one in self.offers.offered]
            return self._end(verdict.of_refusal(error.refusal, self.plan.host, self.plan.port, urls, self.plan.last))
        places = [one.getsockname() for one in sockets]
        self.plan = msgspec.structs.replace(self.plan, port=places[0][1])
        self.listening = [f"{bracketed(str(place[0]))}:{place[1]}" for place in places]
        bound = [str(place[0]) for place in places]
        self.offers = addresses.offers(bound, self.around.owns, addresses.main_addresses())
        self._head(seconds)
        cancelled, ended = False, ""
        self._began = time.monotonic()
        listener = Listener(sockets, self._answer, self._told)
        try:
            ended = listener.serve(seconds)
        except KeyboardInterrupt:
            cancelled = True
        if ended == "many":
            self.paper.line(t("Stopped: {count} connections came, which is a flood.", count=MOST_TAKEN), sign="!")
        return self._end(self._judged(cancelled), cancelled=cancelled)

    def _judged(self, cancelled: bool) -> Verdict:
        return verdict.of_visits(
            self.origins,
            url=self.url,
            seconds=time.monotonic() - self._began,
            cancelled=cancelled,
            inside=self.around.inside,
            system=self.around.system,
            known=self.known,
        )

    # -- visitors ----------------------------------------------------------------------------------------------

    def _way(self, visit: Visit) -> Way:
        return way_of(visit.peer, visit.local, visit.request.proxy if visit.request else "", self.around)

    def _answer(self, visit: Visit) -> bytes:
        assert visit.request
        way = self._way(visit)
        seen = Seen(
            peer=visit.peer, peer_port=visit.peer_port, local=visit.local, port=visit.port, way=way.words,
            origin=way.origin,
        )  # fmt: skip
        return answer(visit.request, seen)

    def _told(self, visit: Visit) -> bool:
        """Count a visit, show it where that says something new; True to end the wait."""
        way = self._way(visit)
        self.origins[way.origin] += 1
        self.whats[visit.what] += 1
        if len(self.visits) < MOST_KEPT:
            self.visits.append(_kept(visit, way, self.paper))
        self._show(visit, way)
        return self.once and way.outside and visit.what in ("http", "tls")

    def _show(self, visit: Visit, way: Way) -> None:
        asked = visit.request
        key = (visit.peer, visit.local, visit.what, asked.host if asked else "")
        if visit.what == "pushed-out" or key in self._shown or (asked and asked.path in _BORING):
            return
        if visit.what in ("nothing", "slow") and self._of_one[visit.peer]:
            return  # browsers open connections that they do not use
        if len(self._shown) >= MOST_SHOWN or self._of_one[visit.peer] >= MOST_OF_ONE:
            if not self._quiet:
                self.paper.line(t("More connections come; they are counted and not shown."), sign="!", style="yellow")
            self._quiet = True
            return
        self._shown.add(key)
        self._of_one[visit.peer] += 1
        sign = self.paper.signs["ok"] if way.outside else self.paper.signs["info"]
        place = f"{bracketed(visit.local)}:{visit.port}"
        through = f"{way.interface}, {_FAMILIES[visit.family]}" if way.interface else _FAMILIES[visit.family]
        text = t(
            "{peer} got to {local} ({through}): {way}.", peer=visit.peer, local=place, through=through, way=way.words
        )
        self.paper.line(text, sign=sign, style="green" if way.outside else "")
        more = _remark(visit)
        if more:
            self.paper.line(more, indent=3)

    # -- words -------------------------------------------------------------------------------------------------

    def _head(self, seconds: float) -> None:
        say = self.paper
        where = " + ".join(self.listening)
        wait = t("forgedoctor reach waits on {where} for {seconds} s", where=where, seconds=f"{seconds:.0f}")
        say.line(t("{what}, {why}.", what=wait, why=self.plan.why), style="bold")
        say.line()
        if self.offers.offered:
            say.line(t("Open one of these on a phone or another computer of the same network:"))
            for one in self.offers.offered:
                say.verbatim(f"{one.url(self.plan.port):<34} {say.say(_about(one))}", style="bold")
        else:
            say.line(t("No address of this machine can be tried from another one."), sign="!", style="yellow")
            for address, why in self.offers.withheld[:4]:
                say.line(t("{address}: {why}", address=address, why=why), indent=3)
        if self.qr and self.url:
            self._qr()
        for note in self._notes():
            say.line(note, sign="!", style="yellow")
        say.line()
        say.line(t("Whoever comes is shown here at once. Ctrl-C ends it."), style="dim")

    def _qr(self) -> None:
        from forgedoctor.reach.qr import drawn

        lines = drawn(self.url, ascii_only=self.paper.ascii_only, color=self.paper.color, columns=self.paper.width)
        if lines:
            self.paper.line()
            self.paper.raw(lines)

    def _notes(self) -> list[Message]:
        notes = list(self.known)
        if self.around.inside == "container":
            notes.append(
                t("This is a container: from other machines use the address of the machine around it, and the port "
                  "that is published there.")
            )  # fmt: skip
        if self.around.inside == "wsl":
            notes.append(
                t("This is WSL: unless its networking is mirrored, other machines use the address of Windows, and "
                  "Windows has to pass the port on.")
            )  # fmt: skip
        if self.around.system == "windows":
            notes.append(t("If Windows asks whether to let Python in, allow it for this kind of network."))
        if self.plan.https:
            notes.append(t("Forge will be https:// with these flags; this test is http:// on the same port."))
        if self.plan.stops:
            notes.append(
                t("This launch would not come up ({why}); forgedoctor preflight tells more.", why=self.plan.stops)
            )
        return notes

    def _end(self, judged: Verdict, *, cancelled: bool = False) -> ListenerReport:
        say = self.paper
        say.line()
        colour = "green" if judged.word == "reached" else "red" if judged.exit_code == NOT_REACHED else "yellow"
        sign = {"reached": say.signs["ok"]}.get(judged.word, say.signs["error"] if colour == "red" else "?")
        say.line(judged.summary, sign=sign, style=colour)
        if sum(self.whats.values()) > len(self._shown) > 0:
            counted = ", ".join(f"{count} {name}" for name, count in self.whats.most_common())
            say.line(t("Connections: {counted}.", counted=counted), indent=3, style="dim")
        for step in judged.next:
            say.line(step, indent=3, sign=say.signs["arrow"])
        return ListenerReport(
            tool={"name": "forgedoctor", "version": __version__},
            verdict=judged.word,
            summary=say.say(judged.summary),
            exit_code=judged.exit_code,
            cancelled=cancelled,
            host=self.plan.host,
            port=self.plan.port,
            listening=self.listening,
            offered=[
                {"address": one.address, "interface": one.interface, "kind": one.kind, "url": one.url(self.plan.port)}
                for one in self.offers.offered
            ],
            withheld=[{"address": address, "why": say.say(why)} for address, why in self.offers.withheld],
            visits=self.visits,
            counts={"origin": dict(self.origins), "what": dict(self.whats)},
            notes=[say.say(note) for note in self._notes()],
            next=[say.say(step) for step in judged.next],
            seconds=round(time.monotonic() - self._began, 1),
            language=say.language,
        )


_FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def _about(one: addresses.Offer) -> Message | str:
    if one.kind == "tunnel":
        return t("{interface}, only for those in the same VPN", interface=one.interface)
    return f"{one.interface}, IPv6" if one.family == "ipv6" else one.interface


def _remark(visit: Visit) -> Message | None:
    asked = visit.request
    if visit.what == "http" and asked:
        name = asked.host.rpartition(":")[0].strip("[]") or asked.host
        if name and name not in (visit.local, visit.local.strip("[]")):
            return t("It asked for {name}.", name=asked.host)
        return None
    if visit.what == "tls":
        return t("It spoke TLS: somebody wrote https:// where only http:// answers. The way is open.")
    if visit.what == "nothing":
        return t("It connected and sent nothing, as a test of the port does.")
    if visit.what == "slow":
        return t("It connected and sent no whole request in {seconds} s.", seconds=f"{HEAD_SECONDS:.0f}")
    return t("What it sent is no request for a web page.")


def _kept(visit: Visit, way: Way, paper: Paper) -> ReachVisit:
    asked = visit.request
    return ReachVisit(
        at=visit.at,
        peer=visit.peer,
        peer_port=visit.peer_port,
        local=visit.local,
        interface=way.interface,
        family=visit.family,
        what=visit.what,
        origin=way.origin,
        outside=way.outside,
        way=paper.say(way.words),
        host=asked.host if asked else "",
        path=asked.path if asked else "",
        agent=asked.agent if asked else "",
        proxy=asked.proxy if asked else "",
    )
