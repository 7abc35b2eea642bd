"""Run a program of the system that only tells, with a limit on its time and on what is read of it."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

LIMIT = 16 * 2**20  # bytes of output; more says more than anybody can use
_PLACES = ("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin")


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. ``outcome``: ok, missing (no such program), denied (no right to run it or to know), timeout, large
    (the output passed the limit; ``text`` is its beginning) or failed. ``said``: the last line of its error output."""

    outcome: str
    text: str = ""
    said: str = ""
    code: int | None = None


def run(argv: Sequence[str], *, timeout: float, limit: int = LIMIT, env: dict[str, str] | None = None) -> Ran:
    """Run ``argv`` in the C locale, with nothing to read, for at most ``timeout`` seconds.

    The program is looked for in the usual folders too: those of administrators are often missing from PATH.
    """
    import subprocess
    import tempfile

    program = found(argv[0])
    if not program:
        return Ran(outcome="missing")
    surroundings = {**os.environ, "LC_ALL": "C", **(env or {})}
    with tempfile.TemporaryFile() as out:
        try:
            done = subprocess.run(
                [program, *argv[1:]], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                timeout=timeout, env=surroundings, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Ran(outcome="timeout")
        except PermissionError as error:
            return Ran(outcome="denied", said=str(error))
        except OSError as error:
            return Ran(outcome="failed", said=str(error))
        size = out.tell()
        out.seek(0)
        text = out.read(limit).decode("utf-8", "replace")
    errors = done.stderr[-2000:].decode("utf-8", "replace").strip()
    said = (errors.splitlines() or [""])[-1]
    if size > limit:
        return Ran(outcome="large", text=text, said=said, code=done.returncode)
    return Ran(outcome=_judged(done.returncode, errors), text=text, said=said, code=done.returncode)


def found(program: str) -> str:
    """The path of a program, in PATH or where administrators' programs are; empty if it is nowhere."""
    import shutil

    return shutil.which(program) or shutil.which(program, path=os.pathsep.join(_PLACES)) or ""


def _judged(code: int, errors: str) -> str:
    if code == 0:
        return "ok"
    told = errors.lower()
    refused = ("not permitted", "permission denied", "must be root", "need to be root", "authorization failed")
    return "denied" if any(words in told for words in refused) else "failed"
