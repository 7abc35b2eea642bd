from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, WARNING, Evidence, Finding, Message, Undecided, check, plain, t
from forgedoctor.facts import Host, Nginx
from forgedoctor.proxies.model import Problem
from forgedoctor.proxies.statements import BOM

_WHY: dict[str, Message] = {
    "folder": t("it is a folder"),
    "special": t("it is no ordinary file"),
    "binary": t("it is no text"),
    "too-large": t("it is too large"),
}


@check("nginx-config-broken", severity=ERROR, group="nginx")
def config_broken(nginx: Nginx, host: Host | None) -> Iterator[Finding]:
    """nginx cannot read its configuration.

    What happens: "[emerg]" and the file with its line; nginx does not start, or goes on with what it read before.
    Why: a brace or a semicolon that is missing or too many, an included file that does not exist, or a mark (BOM) that
    an editor has written before the first word.
    Fix: that line; nginx -t says whether all is well.
    Source: nginx.org; nginx -t.
    """
    for one in nginx.broken[:3]:
        if BOM in one.text:
            yield _marked(nginx, one, host)
            continue
        command = nginx.command if host and host.system == "windows" else f"sudo {nginx.command}"
        yield Finding(
            t("nginx cannot read its configuration: {why}", why=one.text),
            evidence=[Evidence(plain(one.text), _where(one))],
            fixes=[fixes.paste(t("Mend that line, then ask nginx:"), f"{command} -t", host, safety="safe")],
            severity=WARNING if nginx.pid else ERROR,
            confidence=CERTAIN,
        )
    unread = next((one for one in nginx.problems if one.kind == "unread"), None)
    if unread and not nginx.broken:
        raise Undecided(
            t("{file} could not be read: {why}", file=unread.file, why=_WHY.get(unread.text, unread.text)),
            t("run: sudo nginx -T | forgedoctor nginx -"),
        )


def _marked(nginx: Nginx, one: Problem, host: Host | None) -> Finding:
    command = nginx.command if host and host.system == "windows" else f"sudo {nginx.command}"
    said = one.text.replace(BOM, "\\ufeff")
    return Finding(
        t("nginx cannot read its configuration: {file} begins with an invisible mark (BOM).", file=one.file),
        evidence=[Evidence(plain(said), _where(one))],
        fixes=[
            fixes.paste(
                t(
                    'Save {file} as UTF-8 without BOM (Notepad: Save as, encoding "UTF-8"), then ask nginx:',
                    file=one.file,
                ),
                f"{command} -t",
                host,
                safety="safe",
            )
        ],
        severity=WARNING if nginx.pid else ERROR,
        confidence=CERTAIN,
    )


def _where(one: Problem) -> str:
    return f"{one.file}:{one.line}" if one.line else one.file
