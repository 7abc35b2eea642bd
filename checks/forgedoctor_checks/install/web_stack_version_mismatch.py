from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, LIKELY, WARNING, Evidence, Finding, check, t
from forgedoctor.facts import Host, Packages

STACK = ("gradio", "gradio-client", "fastapi", "starlette", "pydantic", "httpx", "httpcore", "uvicorn")
# pydantic 2.11 makes schemas with "additionalProperties": true, which gradio_client before 1.7.1 cannot read.
_BOOL_SCHEMA = (2, 11)


@check("web-stack-version-mismatch", severity=WARNING, group="install", explains=["server-thread-dead", "server-half-dead"])
def web_stack_version_mismatch(packages: Packages, host: Host | None) -> Iterator[Finding]:
    """gradio, fastapi, pydantic and their kin are not the versions that this fork pins.

    What happens: "TypeError: argument of type 'bool' is not iterable", "cannot import name ... from pydantic",
    "'FieldInfo' object has no attribute 'type_'", 500 on the page; it may end in "When localhost is not accessible",
    like a proxy problem.
    Why: an extension or a manual pip install pulled other versions in; the pins are installed once and not watched.
    Fix: install the pinned versions again, in Forge's own venv.
    Source: requirements_versions.txt of the checkout; gradio issues on pydantic 2.11.
    """
    drifted = {n: (packages.pins[n], packages.packages[n]) for n in STACK if n in packages.pins and n in packages.packages and packages.pins[n] != packages.packages[n]}
    pydantic = _version(packages.packages.get("pydantic", ""))
    known_break = pydantic >= _BOOL_SCHEMA and packages.packages.get("gradio", "").startswith("4.")
    if not drifted and not known_break:
        return
    evidence = [
        Evidence(t("{name} {have} is installed, {pin} is pinned", name=name, have=have, pin=pin), packages.venv)
        for name, (pin, have) in drifted.items()
    ]
    if known_break:
        evidence.append(Evidence(t("pydantic {version} breaks this gradio: 'bool' is not iterable", version=packages.packages["pydantic"])))
    wanted = " ".join(f"{name}=={pin}" for name, (pin, _) in drifted.items()) or "pydantic==2.10.6"
    yield Finding(
        t("The web packages are not the ones this Forge was made for: {names}.", names=", ".join(drifted) or "pydantic"),
        evidence=evidence,
        fixes=[fixes.paste(t("Install the pinned versions in Forge's venv:"), f"{pip(packages, host)} install {wanted}", host)],
        confidence=CERTAIN if known_break else LIKELY,
    )


def pip(packages: Packages, host: Host | None) -> str:
    """pip of Forge's venv, as a command for this system."""
    if host and host.system == "windows":
        return f'"{packages.venv}\\Scripts\\python.exe" -m pip'
    return f"{packages.venv}/bin/python -m pip"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
