from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, INFO, LIKELY, Evidence, Finding, NotApplicable, check, plain, t
from forgedoctor.facts import Exchange, Exchanges, Launch

# Options whose default is None and whose value is no text: the response model of /cmd-flags refuses them.
_NOT_TEXT = ("port", "gpu_device_id", "directml", "sub_quad_kv_chunk_size", "sub_quad_chunk_threshold")
_DEFECTIVE = ("/sdapi/v1/cmd-flags", "/sdapi/v1/script-info")


@check("api-server-defect", severity=ERROR, group="endpoint")
def api_server_defect(launch: Launch | None, exchanges: Exchanges | None) -> Iterator[Finding]:
    """A known defect of this server, and no mistake of yours.

    What happens: GET /sdapi/v1/cmd-flags answers 500 in Forge and Neo as soon as --port (or another option that is no
    text) is given; /sdapi/v1/script-info 500 with ValidationError.
    Why: the answer's schema was made from the defaults, where these options are None and so taken for texts.
    Fix: do not ask these routes; /sdapi/v1/progress and /sdapi/v1/samplers are good signs of life.
    Source: modules/api/models.py FlagsModel; tried with the real server.
    """
    if launch is None and exchanges is None:
        raise NotApplicable(t("nothing is known of the launch or the answers"))
    seen = [one for one in exchanges.exchanges if one.status == 500 and one.path in _DEFECTIVE] if exchanges else []
    if seen:
        yield _seen(seen[0])
    elif launch and exchanges is None:
        yield from _expected(launch)


def _seen(one: Exchange) -> Finding:
    return Finding(
        t("{path} fails in this version for reasons of its own; your request is not at fault.", path=one.path),
        evidence=[Evidence(plain(f"{one.method} {one.path} -> 500"), one.where)],
        fixes=[fixes.advise(t("Do not use {path}; update the web UI", path=one.path))],
        confidence=LIKELY,
    )


def _expected(launch: Launch) -> Iterator[Finding]:
    it = launch.effective
    if not launch.running or it.fork not in ("forge", "neo") or not it.api or not launch.fork_known:
        return  # of a start that is only planned nobody asks that route
    odd = [dest for dest in _NOT_TEXT if it.options.get(dest) is not None]
    if odd:
        flag = "--" + odd[0].replace("_", "-")
        yield Finding(
            t("GET /sdapi/v1/cmd-flags will answer 500 because {flag} is given: a defect of this fork.", flag=flag),
            evidence=[
                Evidence(t("{flag} is no text, and the answer's schema takes texts only", flag=flag), launch.origin)
            ],
            fixes=[fixes.advise(t("Do not use it as a health check; /sdapi/v1/progress is a good one"))],
            severity=INFO,
            confidence=CERTAIN,
        )
