"""Causes that lie in the machine and what is installed on it: card, torch, models, memory, Python, files.

Each entry is a cause; what else is known of it stands in the check of that id.
"""

from __future__ import annotations

from forgedoctor.check import Check
from forgedoctor.signature import as_check
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


def checks() -> list[Check]:
    """The entries as checks."""
    return [as_check(one, __name__) for one in SIGNATURES]
