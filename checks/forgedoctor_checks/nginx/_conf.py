"""What several checks ask of nginx's configuration, and the lines that mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from forgedoctor.check import (
    CERTAIN,
    ERROR,
    LIKELY,
    POSSIBLE,
    WARNING,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Message,
    Severity,
    Step,
    edit,
    manual,
    shell,
    t,
)
from forgedoctor.facts import Host, Launch, Nginx
from forgedoctor.forge.bind import GRADIO_4
from forgedoctor.proxies.effective import MOST as LOOKED_AT
from forgedoctor.proxies.model import Location, Place, Setting
from forgedoctor.proxies.paths import beginning, prefix, serves

_UNDO = t("put the lines back as they were, and reload nginx")
_TITLE = t("In nginx's configuration, then reload nginx:")
MOST = 5  # places that one finding shows, and findings of one check
_STEPS = 12  # of one fix
_BODY = "client_max_body_size"


def serving(nginx: Nginx, route: str) -> tuple[Location, ...]:
    """The locations that a request for one of Forge's addresses comes to: one for each server and prefix."""
    best: dict[tuple[object, ...], Location] = {}
    for one in nginx.locations:
        public = prefix(one) or beginning(one)
        rank = _rank(one, public, route)
        key = (one.names, one.listens, public)
        if rank >= 0 and (key not in best or rank > _rank(best[key], public, route)):
            best[key] = one
    return tuple(best.values())


def _rank(one: Location, public: str, route: str) -> int:
    """How near a location fits, as nginx decides; -1: not at all."""
    if one.lost:
        return 0
    path = one.path.removeprefix(public) or "/"
    if one.modifier == "=":
        return 10_000 if path == route else -1
    if one.modifier in ("~", "~*"):
        return 5_000 if serves(one, route) else -1
    return len(path) if route.startswith(path) or path == "/" else -1


def page_is_served(launch: Launch | None) -> bool | None:
    """Whether the web page is in use; None where that is not known."""
    return launch.effective.mode == "webui" if launch else None


def api_is_served(launch: Launch | None) -> bool | None:
    """Whether the API is in use; None where that is not known."""
    return launch.effective.api if launch else None


def gradio_major(launch: Launch | None, nginx: Nginx) -> int | None:
    """The gradio of the fork, 3 or 4; None where the fork is not known. Source: the forks' requirements."""
    fork = launch.effective.fork if launch and launch.fork_known else nginx.fork
    return None if not fork else 4 if fork in GRADIO_4 else 3


def sure(nginx: Nginx, *settings: Setting) -> Confidence:
    """How sure a finding on these settings can be: a line that was read is certain, one not seen may stand elsewhere."""
    if all(one.at for one in settings):
        return CERTAIN
    return LIKELY if nginx.complete else POSSIBLE


def weighed(severity: Severity, confidence: Confidence) -> Severity:
    """How grave a finding is: what may be set where nobody looked is no error yet."""
    return WARNING if severity == ERROR and confidence == POSSIBLE else severity


def headers_seen(nginx: Nginx, location: Location) -> bool:
    """Whether all headers for Forge were read: a block with one of its own takes none from those above it."""
    unread = any(one.kind in ("unread", "unseen") for one in nginx.problems)
    return nginx.complete or (location.headers_at is not None and not unread)


def evidence(nginx: Nginx, locations: Sequence[Location], show: Callable[[Location], Evidence]) -> Iterator[Evidence]:
    """The first places of a finding, each once, and how many there are besides."""
    found = list({(str(one.text), one.source): one for one in map(show, locations)}.values())
    yield from found[:MOST]
    if len(found) > MOST:
        yield more(nginx, len(found) - MOST)


def more(nginx: Nginx, count: int) -> Evidence:
    """That there are further places; of very many only some were looked at."""
    if len(nginx.locations) >= LOOKED_AT:
        return Evidence(t("and at least {count} more", count=count), nginx.source)
    return Evidence(t("and {count} more", count=count), nginx.source)


def capped(nginx: Nginx, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first findings of a check, the last of them with the number of those that are left out."""
    found = list(findings)
    for one in found[: MOST - 1]:
        yield one
    for one in found[MOST - 1 : MOST]:
        rest = [more(nginx, len(found) - MOST)] if len(found) > MOST else []
        yield msgspec.structs.replace(one, evidence=[*one.evidence, *rest])


def shown(name: str, setting: Setting, location: Location) -> Evidence:
    """A setting as evidence: its line, or that there is none."""
    if setting.at:
        return Evidence(t("{name} is {value}", name=name, value=setting.value or '""'), str(setting.at))
    missing = t("no {name} is set here: nginx takes {value}", name=name, value=setting.value)
    return Evidence(missing, str(_block_of(location, name)))


def _block_of(location: Location, name: str) -> Place:
    """Where a setting belongs: with proxy_pass, or in the block where the request came in."""
    return (location.come_from if name == _BODY else None) or location.pass_at


def passes(location: Location) -> Evidence:
    """The line that passes requests on, as evidence. A user name in it is not shown."""
    return Evidence(
        t("{where} has proxy_pass {target}", where=location.label, target=location.target), str(location.pass_at)
    )


def unseen(nginx: Nginx) -> Iterator[Evidence]:
    """What was not read of the configuration, where something may be set after all."""
    if not nginx.whole:
        yield Evidence(t("the http block around it was not seen; it may set more"), nginx.source)
    for one in [one for one in nginx.problems if one.kind in ("unread", "unseen")][:2]:
        yield Evidence(t("{file} was not read; it may set more", file=one.text if one.kind == "unseen" else one.file))


def fix(nginx: Nginx, host: Host | None, steps: Iterable[Step], *, title: Message | None = None) -> Fix:
    """Lines to change, and the commands that let nginx take them up; it tests them before it does."""
    windows = bool(host and host.system == "windows")
    command = nginx.command if windows else f"sudo {nginx.command}"
    reload = shell(f"{command} -t && {command} -s reload", "cmd" if windows else "sh")
    merged = _merged(steps)
    rest = [manual(t("Do the same at the {count} other places", count=len(merged) - _STEPS))]
    rest = rest if len(merged) > _STEPS else []
    return Fix(
        title=title or _TITLE,
        steps=(*merged[:_STEPS], *rest, reload),
        needs_admin=not windows,
        undo=_UNDO,
    )


def _merged(steps: Iterable[Step]) -> Sequence[Step]:
    """The steps, each once: what several of them do to one line becomes one edit."""
    merged: dict[tuple[str, str, int, str], Step] = {}
    for one in steps:
        key = (one.kind, one.file, one.line, one.before or str(one.text))
        old = merged.get(key)
        if old and one.kind == "edit":
            first, *more = old.after.split("\n")
            line, *added = one.after.split("\n")
            kept = [*more, *(each for each in added if each not in more)]
            one = edit(one.file, one.line, one.before, "\n".join([line if line != one.before else first, *kept]))
        merged[key] = one
    return tuple(merged.values())


def set_line(location: Location, name: str, value: str) -> Step:
    """Set a directive for a location: its line changed where it has one, else a line after proxy_pass."""
    setting = location.setting(name)
    line = f"{name} {value};"
    if setting.at and setting.own:
        return changed(setting.at, line)
    return added(_block_of(location, name), line)


def set_headers(location: Location, wanted: Mapping[str, str]) -> Iterator[Step]:
    """Set headers for Forge where the others are set: a block with one of its own takes none from above."""
    for name, value in wanted.items():
        line = f"proxy_set_header {name} {value};"
        old = location.headers.get(name.lower())
        if old and old.at:
            yield changed(old.at, line)
        else:
            yield added(location.headers_at or location.pass_at, line)


def changed(place: Place, line: str) -> Step:
    """Write a line otherwise, or as several, with its indentation."""
    if not place.raw:
        return manual(t("Write at {place}: {line}", place=str(place), line=line.replace("\n", " ")))
    indent = place.raw[: len(place.raw) - len(place.raw.lstrip())]
    return edit(place.file, place.line, place.raw, indent + line.replace("\n", "\n" + indent))


def added(place: Place, line: str) -> Step:
    """Write a line after another, with the indentation that belongs there."""
    if not place.raw:
        return manual(t("Add after {place}: {line}", place=str(place), line=line))
    indent = place.raw[: len(place.raw) - len(place.raw.lstrip())]
    indent += "    " if place.raw.rstrip().endswith("{") else ""
    return edit(place.file, place.line, place.raw, f"{place.raw}\n{indent}{line}")
