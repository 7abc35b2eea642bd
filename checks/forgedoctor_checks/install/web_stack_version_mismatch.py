from __future__ import annotations

import re
from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, LIKELY, WARNING, Evidence, Finding, Message, check, t
from forgedoctor.facts import Host, Packages
from forgedoctor_checks.install._packages import STACK, pip, same_version

# pydantic 2.11 makes schemas with "additionalProperties": true, which gradio_client before 1.7.1 cannot read.
_BOOL_SCHEMA, _READS_IT = (2, 11), (1, 7, 1)
_FASTAPI_FOR_2 = (0, 100)  # the first fastapi that works with pydantic 2


@check(
    "web-stack-version-mismatch", severity=ERROR, group="install", explains=["server-thread-dead", "server-half-dead"]
)
def web_stack_version_mismatch(packages: Packages, host: Host | None) -> Iterator[Finding]:
    """gradio, fastapi, pydantic and their kin are not the versions that this fork pins.

    What happens: "TypeError: argument of type 'bool' is not iterable", "cannot import name ... from pydantic",
    "'FieldInfo' object has no attribute 'type_'", 500 on the page; it may end in "When localhost is not accessible",
    like a proxy problem.
    Why: an extension or a manual pip install pulled other versions in; the pins are installed once and not watched.
    Fix: install the pinned versions again, in Forge's own venv.
    Source: requirements_versions.txt of the checkout; gradio issues on pydantic 2.11.
    """
    have, pins = packages.packages, packages.pins
    drifted = {
        name: pins[name] for name in STACK if name in pins and name in have and not same_version(have[name], pins[name])
    }
    broken = _broken(packages)
    if not drifted and not broken:
        return
    evidence = [
        Evidence(t("{name} {have} is installed, {pin} is pinned", name=name, have=have[name], pin=pin), packages.venv)
        for name, pin in drifted.items()
    ]
    wanted = " ".join(f"{name}=={pin}" for name, pin in drifted.items())
    if broken:
        evidence.append(Evidence(broken[0]))
        wanted = wanted if "pydantic" in drifted else f"{wanted} {broken[1]}".strip()
    names = ", ".join(drifted) or "pydantic"
    yield Finding(
        t("The web packages are not the ones this Forge was made for: {names}.", names=names),
        evidence=evidence,
        fixes=[fixes.paste(t("Install these in Forge's venv:"), f"{pip(packages, host)} install {wanted}", host)],
        severity=ERROR if broken else WARNING,
        confidence=CERTAIN if broken else LIKELY,
    )


def _broken(packages: Packages) -> tuple[Message, str] | None:
    """What is known not to work together, and the requirement that mends it."""
    pydantic, client, fastapi = (
        _version(packages.packages.get(n, "")) for n in ("pydantic", "gradio-client", "fastapi")
    )
    version = packages.packages.get("pydantic", "")
    if pydantic >= (2,) and fastapi and fastapi < _FASTAPI_FOR_2:
        return t("pydantic {version} breaks this fastapi: it wants pydantic 1", version=version), '"pydantic<2"'
    if pydantic >= _BOOL_SCHEMA and packages.packages.get("gradio", "").startswith("4.") and client < _READS_IT:
        return t("pydantic {version} breaks this gradio: 'bool' is not iterable", version=version), "pydantic==2.10.6"
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
