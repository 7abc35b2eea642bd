"""The report as JSON: one object, and nothing else on standard output."""

from __future__ import annotations

import msgspec

from forgedoctor.report.document import Report


def render(report: Report) -> str:
    """Indented JSON, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
