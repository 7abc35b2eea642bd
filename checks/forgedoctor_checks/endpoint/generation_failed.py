from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, Fix, Message, NotApplicable, Undecided, check, plain, t
from forgedoctor.facts import Endpoint
from forgedoctor_checks.endpoint._seen import GATEWAY, kind, told

_CUT = frozenset({413, *GATEWAY})
# The server's own words for the commonest failures. Source: recorded answers of Forge; OSError texts.
_KNOWN: tuple[tuple[str, Message], ...] = (
    (
        r"do not have any model|Failed to recognize model|model .* not found",
        t(
            "Put a whole model file into models/Stable-diffusion; one that Forge could not read is renamed to .corrupted"
        ),
    ),
    (
        r"DefaultCPUAllocator|Cannot allocate memory",
        t("Free memory (RAM): end other programs, add swap, or take a smaller model"),
    ),
    (
        r"(?i)out of memory|CUBLAS_STATUS_ALLOC_FAILED|not enough memory",
        t("Free graphics memory: end other programs that use the card, or take a smaller model"),
    ),
    (r"(?i)no space left|Errno 28", t("Free space on the disk that holds outputs/")),
    (
        r"(?i)read-only file system|permission denied|Errno (?:13|30)",
        t("Let the user who runs Forge write to outputs/, or name another folder in the settings"),
    ),
    (
        r"do not have (?:CLIP|VAE|T5) state dict",
        t("Choose the text encoders and the VAE of this model, once, with POST /sdapi/v1/options"),
    ),
)


@check("generation-failed", severity=ERROR, group="endpoint")
def generation_failed(endpoint: Endpoint) -> Iterator[Finding]:
    """The API answers, and making one small image fails.

    What happens: with --generate the doctor asks for 64x64 pixels and one step; the answer is an error, no image, or
    does not come.
    Why: no model, or a broken one; no memory; a full or read-only output folder; an extension. A missing or broken
    model does not hinder the start: only the first image tells.
    Fix: what the server's own words say; its log has the whole error.
    Source: recorded answers of txt2img; modules/api/api.py.
    """
    made = endpoint.generated
    if made is None:
        raise NotApplicable(t("no image was made; --generate asks for one"))
    if made.ok:
        return
    if kind(endpoint) != "usable":
        raise Undecided(_why(endpoint), _settle(endpoint))
    asked = Evidence(plain(f"POST /sdapi/v1/txt2img -> {made.status or made.detail}"), endpoint.url)
    yield Finding(
        _summary(made.status, made.detail, made.seconds),
        evidence=[asked, *told(endpoint, "progress")],
        fixes=[
            *_fixes(made.status, made.detail),
            fixes.advise(t("Forge's log has the whole error at the same moment")),
        ],
        confidence=CERTAIN,
    )


def _why(endpoint: Endpoint) -> Message:
    if kind(endpoint) == "login":
        return t("no image could be made without the login")
    return t("no image could be made, since the API itself is not usable")


def _settle(endpoint: Endpoint) -> Message:
    if kind(endpoint) == "login":
        return t("give it with --auth USER:PASSWORD")
    return t("mend that first, then try --generate again")


def _summary(status: int | None, words: str, seconds: float) -> Message:
    if status in _CUT:
        return t("A proxy in front of Forge cut the request for an image (status {status}).", status=status)
    if status is None and words == "timeout":
        return t("No image came within {seconds} s.", seconds=round(seconds))
    if status == 200:
        return t("Forge answered the request for an image without an image.")
    return t("Forge answers, but cannot make an image: {words}", words=" ".join(words.split())[:300])


def _fixes(status: int | None, words: str) -> list[Fix]:
    if status in _CUT:
        return [
            fixes.advise(
                t("Raise the proxy's limits (nginx: client_max_body_size, proxy_read_timeout), or ask Forge directly")
            )
        ]
    if status is None and words == "timeout":
        return [fixes.advise(t("Wait for the model to be loaded and the queue to be empty, then try --generate again"))]
    return [fixes.advise(advice) for pattern, advice in _KNOWN if re.search(pattern, words)]
