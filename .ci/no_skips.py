"""For pytest in CI: a test marked ``real`` that is skipped there proves nothing, and fails the run."""

from __future__ import annotations

import pytest

skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what was skipped although the machine should have what it needs."""
    if report.skipped and "real" in report.keywords and not hasattr(report, "wasxfail"):
        skipped.append(report.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it."""
    for name in skipped:
        terminalreporter.write_line(f"skipped, and must not be: {name}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that would have passed."""
    if skipped and session.exitstatus == 0:
        session.exitstatus = 1
