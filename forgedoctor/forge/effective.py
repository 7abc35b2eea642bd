"""What a command line makes Forge do: the records that :func:`forgedoctor.forge.predict.predict` fills."""

from __future__ import annotations

from typing import Any

import msgspec


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """The program ends by itself.

    ``code``: its exit status (1 stands for a traceback). ``stage``: ``early`` is at once; ``late`` is after packages
    were installed and, unless ``--exit`` asked for it, torch was loaded. ``message``: its last words.
    """

    code: int
    stage: str
    message: str


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The command line is accepted, yet no full server comes up.

    ``kind`` is stable: port-out-of-range, port-zero; gradio-port-not-a-number, gradio-no-ports, gradio-host-empty,
    gradio-host-not-ipv4 (variables); gradio-auth-no-colon, api-auth-no-colon, api-auth-extra-colon;
    tls-keyfile-without-certfile, tls-certfile-without-keyfile; server-name-is-url, server-name-has-port,
    server-name-invalid, server-name-ipv6-bare, server-name-brackets. ``process_stays``: the process lives on and looks
    well, which is so in the Forge family.
    """

    kind: str
    message: str
    process_stays: bool = True


class Ignored(msgspec.Struct, frozen=True, kw_only=True):
    """A flag that was given, was accepted and does nothing here. ``flag`` is as it was written."""

    flag: str
    why: str
    instead: str = ""


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """A word that no parser knows what to do with.

    ``nearest``: what it may have meant; ``elsewhere``: the forks that have it; ``instead``: what this fork has for it.
    """

    token: str
    nearest: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    instead: str = ""


class Abbreviation(msgspec.Struct, frozen=True, kw_only=True):
    """A flag that was not written in full."""

    given: str
    flag: str


class EffectiveLaunch(msgspec.Struct, frozen=True, kw_only=True):
    """What a command line, with its environment, makes a fork do.

    ``mode``: ``webui`` or ``api-only``. ``api``: whether the /sdapi routes are made. ``host``: the address bound;
    ``*`` is every address, IPv4 and IPv6, and ``0.0.0.0`` every IPv4 one. ``port``: the one asked for, None where the
    web UI takes the first free of ``port_range`` (first and last). ``listens``: the port that is really opened, None
    where that is not known beforehand (a range, a random port) or nothing is opened.
    ``exit``: it ends instead; the rest is then what was understood so far. ``fails``: it starts, yet not fully.
    ``options``: parsed options that differ from their defaults, by argparse's name; paths as given, an option that can
    be repeated as the list of what was given. ``sources``: where each of these came from; of ``port`` and
    ``server_name`` also when a GRADIO_ variable decides.
    ``argv``: the words as the program sees them in the end, COMMANDLINE_ARGS included.
    ``extension_access_disabled``: visitors cannot install extensions, because the server counts as public.
    """

    fork: str
    mode: str
    api: bool
    host: str
    port: int | None
    port_range: tuple[int, int] | None
    listens: int | None
    exit: Exit | None = None
    fails: Failure | None = None
    options: dict[str, Any] = {}
    ignored: tuple[Ignored, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    abbreviations: tuple[Abbreviation, ...] = ()
    argv: tuple[str, ...] = ()
    sources: dict[str, str] = {}
    extension_access_disabled: bool = False
