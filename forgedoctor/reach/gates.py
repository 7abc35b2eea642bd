"""What this machine's own firewall and networks would do with visitors, told before anybody waits for one."""

from __future__ import annotations

from forgedoctor.check import Verdict
from forgedoctor.message import Message, t
from forgedoctor.reach.plan import Plan
from forgedoctor.target import Target

QUESTION = "other-devices"
PATIENCE = 0.5  # seconds for one probe; a whole look ends after five of them


def judged(plan: Plan) -> Verdict | None:
    """The answer of the check ``other-devices`` for what ``plan`` listens on; None where there is none.

    The launch is made up of the plan, so that it holds too where an address or port was asked for.
    """
    from forgedoctor import api

    host = {"*": ["--nowebui"], "0.0.0.0": ["--listen"]}.get(plan.host, ["--server-name", plan.host])
    target = Target(scope="preflight", fork="forge", argv=(*host, "--port", str(plan.port)), timeout=PATIENCE)
    found = api.examination(target, select=[QUESTION])
    return next((one for one in found.verdicts if one.question == QUESTION), None)


def warning(answer: Verdict | None) -> tuple[Message, ...]:
    """What to say of it beforehand: nothing where nothing is in the way, or nothing is known."""
    if answer is None or answer.answer not in ("no", "partly"):
        return ()
    more = t(
        "forgedoctor preflight shows the very rule, and how to let your own network in ({check}).", check=answer.by
    )
    return answer.summary, more
