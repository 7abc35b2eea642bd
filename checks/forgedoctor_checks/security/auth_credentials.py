from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Exchanges, Launch


@check(
    "auth-credentials", severity=ERROR, group="security",
    explains=["endpoint-unreachable", "server-half-dead", "server-thread-dead", "insecure-exposure"],
)  # fmt: skip
def auth_credentials(launch: Launch | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    """The user:password pair is not formed as Forge wants it.

    What happens: --api-auth without a colon, or with a second one in the password, kills the API's set-up: the page
    answers, /sdapi is 404; with --nowebui nothing answers. --gradio-auth without a colon kills the server's thread:
    nothing listens, the process stays.
    Why: the value is split at commas, then at colons, and not checked.
    Fix: user:password, with no further colon or comma in it.
    Source: modules/api/api.py, modules/initialize_util.py get_gradio_auth_creds; recorded starts with such values.
    """
    if launch is None and exchanges is None:
        raise NotApplicable(t("no command line and no answer was seen"))
    if launch and launch.effective.exit is None:
        yield from _pairs(launch)
    for one in exchanges.exchanges if exchanges else ():
        if one.path == "/login" and one.status == 422:
            form = t(
                "Send username and password as form fields; the pair is the one after --gradio-auth in the launch line"
            )
            yield Finding(
                t("The login was sent without user name and password fields."),
                evidence=[Evidence(plain(f"{one.method} {one.path} -> {one.status}"), one.where)],
                fixes=[fixes.advise(form)],
                confidence=LIKELY,
            )


def _pairs(launch: Launch) -> Iterator[Finding]:
    api, page = launch.option("api_auth"), launch.option("gradio_auth")
    wrong = [pair for pair in api.split(",") if pair.count(":") != 1] if api else []
    if wrong and launch.effective.api:
        yield _malformed_api(launch, wrong[0].count(":"))
    if api and not launch.effective.api:
        yield Finding(
            t("--api-auth does nothing here: the API is off."),
            evidence=[Evidence(t("neither --api nor --nowebui is given"), launch.origin)],
            fixes=[fixes.change_flags(launch, add=["--api"])],
            severity=WARNING,
            confidence=CERTAIN,
        )
    if page and launch.effective.mode == "webui" and any(":" not in pair for pair in page.split(",") if pair.strip()):
        shape = t("each pair needs a colon between user and password; a comma begins a new pair")
        yield Finding(
            t("--gradio-auth is malformed, so the server never starts, though the process stays.")
            if _stays(launch)
            else t("--gradio-auth is malformed, so the server never starts."),
            evidence=[Evidence(shape, launch.origin)],
            fixes=[fixes.change_flags(launch, drop=["--gradio-auth"], add=[f"--gradio-auth {fixes.LOGIN}"])],
            confidence=CERTAIN,
        )


def _malformed_api(launch: Launch, colons: int) -> Finding:
    summary = t("--api-auth is malformed, so the API is never set up: the page answers, /sdapi is 404.")
    if launch.effective.mode == "api-only":
        summary = t("--api-auth is malformed, so the server never starts, though the process stays.")
    if not _stays(launch):
        summary = t("--api-auth is malformed, so the program ends before the API is set up.")
    shape = t("each pair needs exactly one colon, and a comma begins a new pair; this one has {count}", count=colons)
    return Finding(
        summary,
        evidence=[Evidence(shape, launch.origin)],
        fixes=[fixes.change_flags(launch, drop=["--api-auth"], add=[f"--api-auth {fixes.LOGIN}"])],
        confidence=CERTAIN,
    )


def _stays(launch: Launch) -> bool:
    return launch.effective.fails is None or launch.effective.fails.process_stays
