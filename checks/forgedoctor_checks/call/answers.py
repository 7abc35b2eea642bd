"""What one call to the API was answered, and what that means. Each entry is a cause."""

from __future__ import annotations

from forgedoctor.check import Check
from forgedoctor.signature import as_check
from forgedoctor_checks.call import _between, _request

SIGNATURES = (*_request.SIGNATURES, *_between.SIGNATURES)


def checks() -> list[Check]:
    """The entries as checks."""
    return [as_check(one, __name__) for one in SIGNATURES]
