from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, INFO, Evidence, Finding, check, t
from forgedoctor.facts import Launch


@check("nowebui-listens-everywhere", severity=INFO, group="reach")
def nowebui_listens_everywhere(launch: Launch) -> Iterator[Finding]:
    """--nowebui listens on all addresses, though no --listen was given.

    What happens: the API is reachable from the network, IPv4 and IPv6, on port 7861. --listen makes it narrower: IPv4
    only.
    Why: the host is passed to uvicorn as None, which is every interface; only the web UI has gradio's 127.0.0.1.
    Fix: --server-name 127.0.0.1 keeps it to this machine; --listen says that it is meant.
    Source: modules/api/api.py launch; recorded start: 0.0.0.0:7861 and [::]:7861.
    """
    it = launch.effective
    if it.exit is not None or it.mode != "api-only" or it.host != "*" or not launch.seen:
        return
    title = t("If only this machine should reach it:")
    yield Finding(
        t("--nowebui alone opens the API to the whole network, on {address}.", address=launch.listens_on),
        evidence=[Evidence(t("neither --server-name nor --listen is given"), launch.origin)],
        fixes=[fixes.change_flags(launch, add=["--server-name 127.0.0.1"], title=title)],
        confidence=CERTAIN,
    )
