"""Causes that the web layer prints. Each entry is a cause; what else is known of it stands in the check of that id."""

from __future__ import annotations

from forgedoctor.check import Check
from forgedoctor.signature import as_check
from forgedoctor_checks.log import _address, _reach, _start

SIGNATURES = (*_address.SIGNATURES, *_start.SIGNATURES, *_reach.SIGNATURES)


def checks() -> list[Check]:
    """The entries as checks."""
    return [as_check(one, __name__) for one in SIGNATURES]
