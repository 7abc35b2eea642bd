from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Fix, check, t
from forgedoctor.facts import Launch
from forgedoctor_checks.launch._words import shown, stop_note

# Failures that have a check of their own, with a better word for them.
_ELSEWHERE = {
    "port-out-of-range", "port-zero", "gradio-port-not-a-number", "gradio-auth-no-colon", "api-auth-no-colon",
    "api-auth-extra-colon", "tls-keyfile-without-certfile", "tls-certfile-without-keyfile", "server-name-is-url",
    "server-name-has-port", "server-name-invalid", "gradio-host-not-ipv4", "gradio-host-empty", "gradio-no-ports",
}  # fmt: skip


@check(
    "server-cannot-start", severity=ERROR, group="launch",
    explains=["endpoint-unreachable", "server-thread-dead", "insecure-exposure"],
)  # fmt: skip
def server_cannot_start(launch: Launch) -> Iterator[Finding]:
    """The flags are accepted, and yet the server cannot come up with them.

    What happens: the program loads for a minute, then its server's thread ends with a traceback; in the Forge family
    the process stays and serves nothing.
    Why: values are used without being checked first: beside the web UI an IPv6 address needs brackets, with --nowebui
    it goes without.
    Fix: correct that value.
    Source: recorded starts; gradio launch, uvicorn.
    """
    it = launch.effective
    if it.fails and it.fails.kind not in _ELSEWHERE:
        stays = [Evidence(t("the process stays alive without a server"))] if it.fails.process_stays else []
        yield Finding(
            t("The server cannot come up with these flags: {message}", message=it.fails.message),
            evidence=[shown(launch), *stays],
            fixes=[_fix(launch, it.fails.kind)],
            confidence=CERTAIN,
        )
    elif it.exit and it.exit.code not in (0, 2) and not _splitting(it.exit.message) and "GRADIO" not in it.exit.message:
        yield Finding(
            t("The program stops with these flags: {message}", message=it.exit.message),
            evidence=[item for item in (stop_note(launch), shown(launch)) if item],
            fixes=[fixes.advise(t("Correct or drop what the message names"))],
            confidence=CERTAIN,
        )


def _splitting(message: str) -> bool:
    return "quotation" in message or "escaped" in message  # args-quoting


def _fix(launch: Launch, kind: str) -> Fix:
    if kind in ("server-name-ipv6-bare", "server-name-brackets"):
        address = launch.option("server_name").strip("[]")
        right = address if launch.effective.mode == "api-only" else f"[{address}]"
        return fixes.change_flags(launch, drop=["--server-name"], add=[f"--server-name {right}"])
    return fixes.advise(t("Correct or drop what the message names"))
