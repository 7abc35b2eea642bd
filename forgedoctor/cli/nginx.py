"""``forgedoctor nginx``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import click

from forgedoctor.cli.inputs import FORKS
from forgedoctor.cli.options import Output, examined, rendered, reporting, taken, write
from forgedoctor.message import Message, t

if TYPE_CHECKING:
    from forgedoctor.case import Case
    from forgedoctor.fact import Missing
    from forgedoctor.facts.launch import Launch
    from forgedoctor.facts.nginx import Nginx
    from forgedoctor.forge.effective import EffectiveLaunch
    from forgedoctor.proxies.statements import Sources
    from forgedoctor.proxies.suggest import Wanted

GROUP = "nginx"


@click.command("nginx")
@click.argument("file", required=False, default="", metavar="[FILE|-]")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="[-- FORGE_ARGS]")
@click.option("--fork", type=click.Choice(FORKS), default=None, help="Which fork is behind it.")
@click.option("--suggest", is_flag=True, help="Print a server block for this launch, and nothing else.")
@click.option("--server-name", default="", metavar="NAME", help="With --suggest: the public name.")
@click.option("--tls", is_flag=True, help="With --suggest: serve https.")
@reporting
def command(
    file: str, argv: tuple[str, ...], fork: str | None, suggest: bool, server_name: str, tls: bool, **options: Any
) -> None:
    """Does nginx in front of Forge let everything through? FILE is its main file, or one of a site.

    "-" reads the output of "nginx -T" from standard input. Without FILE it is the nginx that runs here, if it passes
    requests to Forge. FILE is judged by itself; give the flags of Forge after "--" to have it judged with them, as in:
    forgedoctor nginx /etc/nginx/nginx.conf -- --nowebui --port 7861
    """
    from forgedoctor.cli.inputs import arguments

    output = taken(options)
    if file.startswith("-") and file != "-":  # "--" was first: there is no FILE
        file, argv = "", (file, *argv)
    if suggest:
        if file:
            raise click.UsageError("--suggest takes no FILE; give the flags of Forge after --.")
        _suggest(fork or "forge", argv, server_name, tls, output.lang)
        return
    if server_name or tls:
        raise click.UsageError("--server-name and --tls belong to --suggest.")
    _examine(file, arguments(argv), fork or "", output)


def _examine(file: str, argv: tuple[str, ...] | None, fork: str, output: Output) -> NoReturn:
    from forgedoctor.case import Case
    from forgedoctor.target import Target

    if not output.select:
        output = output._replace(select=(GROUP,))
    if not file:
        if argv is not None:
            raise click.UsageError(
                "Name the FILE that these flags go with; without one the running Forge is looked at."
            )
        _report(Target(scope="live", fork=fork, timeout=output.timeout), output, Case())
    case = Case()
    target = Target(scope="nginx", argv=argv, fork=fork, timeout=output.timeout)
    launch = None
    if argv is not None:
        from forgedoctor.facts.launch import from_arguments

        launch = from_arguments(target)
        case.put(type(launch), launch)
    nginx = _read(file, fork, launch)
    case.put(type(nginx), nginx if nginx.locations or nginx.broken else _passes_nothing(nginx))
    _report(target, output, case)


def _passes_nothing(nginx: Nginx) -> Missing:
    """What is said of a configuration in which nothing leads to Forge, as far as that can be told."""
    from forgedoctor.fact import Missing, State

    reason = t("nothing in {file} passes requests to Forge", file=nginx.source)
    settle = t("give Forge's flags after --, such as: -- --port 7860")
    if nginx.others:
        where = ", ".join(nginx.others[:5])
        reason = t(
            "{file} passes requests to {where}, and which of them is Forge is not known", file=nginx.source, where=where
        )
    elif not nginx.complete:
        settle = t("run: sudo nginx -T | forgedoctor nginx -")
    return Missing(State.ABSENT, reason, settle)


def _read(file: str, fork: str, launch: Launch | None) -> Nginx:
    """The configuration that was named; what cannot be read at all is one sentence and status 2."""
    from forgedoctor.facts import _nginx_files, nginx
    from forgedoctor.proxies import statements

    if file == "-":
        from forgedoctor.cli.inputs import texts

        sources = statements.sections(texts(("-",))[0][1])
    else:
        try:
            sources = _nginx_files.gather(file)
        except _nginx_files.Unreadable as why:
            raise click.BadParameter(f"{file} cannot be read: {_said(str(why))}.", param_hint="FILE") from None
        if len(sources.files) == 1:  # a pasted "nginx -T" that was saved
            sources = _sections(next(iter(sources.files.items())), sources)
    return nginx.examined(sources, nginx.ports_of(launch), fork=fork)


def _sections(only: tuple[str, str], sources: Sources) -> Sources:
    from forgedoctor.proxies import statements

    found = statements.sections(only[1], only[0])
    return found if found.complete else sources


def _said(why: str) -> str:
    known = {
        "folder": "it is a folder; name a file in it",
        "special": "it is no ordinary file",
        "binary": "it is no text",
        "too-large": "it is too large to be a configuration",
    }
    return known.get(why, why)


def _report(target: Any, output: Output, case: Case) -> NoReturn:
    """The report on a case that holds what was read already. Why nothing could be is said on standard error."""
    from forgedoctor.fact import Missing
    from forgedoctor.facts import Nginx

    result, made = examined(target, output, case)
    write(rendered(made, output), output)
    missing = result.case.look(Nginx)
    if isinstance(missing, Missing):
        said = [missing.reason, missing.settle or t("name its main file: forgedoctor nginx FILE")]
        click.echo("; ".join(one.text(output.lang) for one in said), err=True)
    raise SystemExit(made.summary.exit_code)


def _suggest(fork: str, argv: tuple[str, ...], name: str, tls: bool, language: str) -> None:
    """The block for this launch on standard output; what is to be said about it on standard error."""
    from forgedoctor.forge.predict import predict
    from forgedoctor.proxies.suggest import block

    plan = predict(fork, argv)
    trouble = plan.exit.message if plan.exit else plan.fails.message if plan.fails else ""
    if trouble:
        raise click.UsageError(f"Forge would not start with these flags: {trouble}")
    prefix = str(plan.options.get("subpath") or "").strip("/")
    for given, allowed, hint in ((name, r"[\w.*-]*", "--server-name"), (prefix, r"[\w./~-]*", "--subpath")):
        if not re.fullmatch(allowed, given, re.ASCII):
            raise click.BadParameter(f"{given!r} cannot stand in nginx's configuration as it is.", param_hint=hint)
    click.echo(block(_wanted(plan, prefix, name, tls), language), nl=False)
    for note in _notes(plan, prefix):
        click.echo(note.text(language), err=True)


def _wanted(plan: EffectiveLaunch, prefix: str, name: str, tls: bool) -> Wanted:
    from forgedoctor.forge.bind import GRADIO_4
    from forgedoctor.proxies.suggest import Wanted

    host = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "localhost": "127.0.0.1", "::": "::1"}.get(plan.host, plan.host)
    port = plan.listens or plan.port or (plan.port_range[0] if plan.port_range else 7860)
    logins = [
        flag for flag, dest in (("--api-auth", "api_auth"), ("--gradio-auth", "gradio_auth")) if plan.options.get(dest)
    ]
    return Wanted(
        backend=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        prefix=prefix,
        page=plan.mode == "webui",
        gradio=4 if plan.fork in GRADIO_4 else 3,
        backend_tls=bool(plan.options.get("tls_keyfile") and plan.options.get("tls_certfile")),
        login=" ".join(logins),
        name=name,
        tls=tls,
    )  # fmt: skip


def _notes(plan: EffectiveLaunch, prefix: str) -> Iterator[Message]:
    """What the block cannot do alone."""
    if plan.port_range:
        port = plan.port_range[0]
        yield t("Start Forge with --port {port}: without it Forge takes the next port when {port} is taken.", port=port)
    if prefix and plan.mode == "api-only":
        yield t("Start Forge without --subpath: with --nowebui it makes every address 404 (uvicorn from 0.26 on).")
    if plan.host in ("*", "0.0.0.0", "::"):
        yield t("Others reach Forge beside nginx: start it with --server-name 127.0.0.1 in place of --listen.")
