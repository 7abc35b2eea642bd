"""``forgedoctor firewall``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from forgedoctor.cli.options import FORMATS, language

if TYPE_CHECKING:
    from forgedoctor.firewall.host_view import HostView
    from forgedoctor.firewall.model import Ruleset
    from forgedoctor.firewall.probes import Probe
    from forgedoctor.message import Message

LARGEST = 64_000_000  # bytes of one file


@click.group("firewall")
def command() -> None:
    """What a packet filter does with connections from outside, judged from its listed rules."""


@command.command("evaluate")
@click.option(
    "--rules", multiple=True, metavar="FILE|-", help="A listing of rules; may be repeated. - is standard input."
)
@click.option("--probes", "probes_file", default="", metavar="FILE", help="The connections to judge, as JSON.")
@click.option(
    "--host", "host_file", default="", metavar="FILE", help="Addresses, routes and listeners of the host, as JSON."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help="The port to judge, where no probes are given."
)
@click.option("--from", "source", default="", metavar="ADDRESS", help="Where the client is (an address or a network).")
@click.option("--to", "target", default="", metavar="ADDRESS", help="The address of the host it connects to.")
@click.option("--interface", default="", metavar="NAME", help="The interface it comes in by.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="How to report."
)
@click.option("--lang", default="", metavar="LANGUAGE", help="Language of the report, such as en or zh_CN.")
def evaluate(
    rules: tuple[str, ...], probes_file: str, host_file: str, port: int | None, source: str, target: str,
    interface: str, format_: str, lang: str,
) -> None:  # fmt: skip
    """Does the packet filter of this listing let a client in?

    FILE is the output of "nft list ruleset", "nft -j list ruleset", "iptables-save", "ip6tables-save", "ipset save",
    "ufw status verbose" or "firewall-cmd --list-all-zones"; which one is seen from the text. Nothing on this machine
    is looked at or changed. Exit status: 0 all can connect, 1 some cannot, 3 it could not be judged.

    For example: sudo nft list ruleset | forgedoctor firewall evaluate --rules - --port 7860
    """
    from forgedoctor.firewall import report
    from forgedoctor.firewall.evaluate import evaluate as judge

    spoken = language(lang)
    if not rules:
        raise click.UsageError("Give the listing of the rules with --rules FILE.")
    if bool(probes_file) == (port is not None):
        raise click.UsageError("Say what to judge: --port PORT, or --probes FILE.")
    if probes_file and (source or target or interface):
        raise click.UsageError("--from, --to and --interface go with --port; a file of probes says these itself.")
    host = _host(host_file)
    listings, problems = _listings(rules)
    asked = _probes(probes_file) if probes_file else _asked(listings, host, port or 0, source, target, interface)
    answers = judge(listings, asked, host)
    made = report.Report(tuple(answers), tuple(listings), tuple(problems), host is not None)
    click.echo(report.as_json(made, spoken) if format_ == "json" else report.as_text(made, spoken), nl=False)
    raise SystemExit(report.status(made))


def _asked(
    listings: list[Ruleset], host: HostView | None, port: int, source: str, target: str, interface: str
) -> list[Probe]:
    from forgedoctor.firewall import ask
    from forgedoctor.firewall.assemble import assemble
    from forgedoctor.firewall.probes import network

    for option, text in (("--from", source), ("--to", target)):
        if text and network(text) is None:
            raise click.BadParameter(f"{text} is no IP address.", param_hint=option)
    if source and target and network(source)[0] != network(target)[0]:  # type: ignore[index]
        raise click.UsageError("--from and --to are addresses of different families.")
    six = "ip6" not in assemble(listings).missing
    return ask.probes(port, host, source=source, target=target, interface=interface, six=six)


def _listings(files: tuple[str, ...]) -> tuple[list[Ruleset], list[Message]]:
    """The listings that could be read, and a sentence for each that could not."""
    from forgedoctor.firewall import recognise
    from forgedoctor.message import t

    texts, problems = [], []
    for file in files:
        try:
            data = _bytes(file)
        except OSError as error:
            problems.append(t("{file} cannot be read: {why}.", file=file, why=error.strerror or "not a file"))
            continue
        name = "stdin" if file == "-" else file.replace("\\", "/").rsplit("/", 1)[-1]
        if len(data) > LARGEST:
            problems.append(
                t("{file} is larger than {limit} MB, so it was not read.", file=name, limit=LARGEST // 10**6)
            )
        else:
            texts.append((name, _decoded(data)))
    rulesets, unread = recognise.read(texts)
    return rulesets, [*problems, *unread]


def _bytes(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(LARGEST + 1)
    with open(file, "rb") as opened:
        return opened.read(LARGEST + 1)


def _decoded(data: bytes) -> str:
    from forgedoctor.forge.scripts import decode

    return decode(data)[0]


def _json(file: str, option: str) -> str:
    try:
        data = _bytes(file)
    except OSError as error:
        raise click.BadParameter(f"{file} cannot be read: {error.strerror}.", param_hint=option) from None
    if len(data) > LARGEST:
        raise click.BadParameter(f"{file} is too large.", param_hint=option)
    return _decoded(data)


def _probes(file: str) -> list[Probe]:
    from forgedoctor.firewall import probes

    try:
        return probes.read(_json(file, "--probes"))
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{file}: {error}.", param_hint="--probes") from None


def _host(file: str) -> HostView | None:
    import json

    from forgedoctor.firewall import host_file

    if not file:
        return None
    try:
        return host_file.read(json.loads(_json(file, "--host")))
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{file}: {error}.", param_hint="--host") from None
