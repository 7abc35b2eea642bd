"""Causes that lie in the machine and what is installed on it: card, torch, models, memory, Python, files.

Each entry is a cause; what else is known of it stands in the check of that id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from forgedoctor.check import Check, Finding
from forgedoctor.facts import Transcript
from forgedoctor.signature import Signature, findings
from forgedoctor_checks.log import (
    _download,
    _driver,
    _extensions,
    _files,
    _gpu,
    _install,
    _maker,
    _memory,
    _models,
    _python,
    _torch,
)  # fmt: skip

SIGNATURES = (
    *_gpu.SIGNATURES,
    *_driver.SIGNATURES,
    *_maker.SIGNATURES,
    *_torch.SIGNATURES,
    *_models.SIGNATURES,
    *_memory.SIGNATURES,
    *_python.SIGNATURES,
    *_install.SIGNATURES,
    *_files.SIGNATURES,
    *_download.SIGNATURES,
    *_extensions.SIGNATURES,
)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


def _as_check(signature: Signature) -> Check:
    """The check that judges by a signature. The line itself is sought first: names of cards are slow to look for."""

    def judge(transcript: Transcript) -> Iterator[Finding]:
        if any(_compiled(line).search(transcript.text) for line in signature.lines):
            yield from findings(signature, transcript, None)

    judge.__doc__ = signature.page
    judge.__module__ = __name__
    return Check(
        judge, id=signature.id, severity=signature.severity, group=signature.group, explains=signature.explains
    )


def checks() -> list[Check]:
    """The entries as checks."""
    return [_as_check(one) for one in SIGNATURES]
