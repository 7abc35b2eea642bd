from __future__ import annotations

from collections.abc import Iterator

from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, NotApplicable, check, t
from forgedoctor.facts import Endpoint


@check("generation-works", severity=INFO, group="endpoint")
def generation_works(endpoint: Endpoint) -> Iterator[Finding]:
    """One small image was made through the API; this is how long it took.

    What happens: with --generate the doctor asks for 64x64 pixels and one step, and an image comes back.
    Why: it proves the whole way: network, login, queue, model, sampler, answer.
    Fix: none is needed. The first image after a start also loads the model, which takes much longer.
    Source: the answer of POST /sdapi/v1/txt2img.
    """
    made = endpoint.generated
    if made is None:
        raise NotApplicable(t("no image was made; --generate asks for one"))
    if made.ok:
        yield Finding(
            t("An image of 64x64 pixels and one step took {seconds} s.", seconds=round(made.seconds, 1)),
            evidence=[Evidence(t("POST /sdapi/v1/txt2img answered 200 with an image"), endpoint.url)],
            confidence=CERTAIN,
        )
