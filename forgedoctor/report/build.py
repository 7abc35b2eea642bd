"""From an examination to the report: sentences in one language, counts, the exit status."""

from __future__ import annotations

from typing import Any

import msgspec

from forgedoctor import __version__
from forgedoctor.check import Evidence, Fix, Severity, Step, Verdict
from forgedoctor.fact import Missing
from forgedoctor.facts import Endpoint, Host, Install, Launch, Nginx, Processes, Transcript
from forgedoctor.forge.flags import display_name
from forgedoctor.message import ENGLISH, Message, t
from forgedoctor.outcome import Examination, Ranked, Status
from forgedoctor.report import document as doc

CLEAN, FOUND, USAGE, NOTHING_JUDGED, BROKEN, CANCELLED = 0, 1, 2, 3, 4, 130


def build(examination: Examination, *, fail_on: str = "error", language: str = ENGLISH) -> doc.Report:
    """The report of an examination. ``fail_on``: error, warning, info or never."""
    say = _Speaker(language)
    findings = [say.finding(one) for one in examination.findings if not is_advice(examination, one)]
    summary = _summary(examination, say, fail_on)
    return doc.Report(
        tool=doc.ReportTool(version=__version__),
        target=_target(examination, say),
        summary=summary,
        findings=findings,
        advice=[say.finding(one) for one in examination.findings if is_advice(examination, one)],
        verdicts=[say.verdict(one) for one in examination.verdicts],
        checks=[
            doc.ReportCheck(
                check=one.check.id,
                status=one.status.value,
                group=one.check.group,
                reason=say(one.reason),
                settle=say(one.settle),
                by=one.by,
                duration_ms=one.ms,
            )
            for one in examination.outcomes
        ],
        unknown=_unknown(examination, say),
        launch=_launch(examination),
        notes=[say(note) for note in examination.notes],
        collected_ms=examination.collected,
        duration_ms=round(examination.seconds * 1000, 1),
        cancelled=examination.cancelled,
        language=language,
    )


class _Speaker:
    """Says messages in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, message: Message | None) -> str:
        return message.text(self.language) if message else ""

    def finding(self, one: Ranked) -> doc.ReportFinding:
        return doc.ReportFinding(
            check=one.check,
            severity=one.severity.value,
            confidence=one.confidence.value,
            summary=self(one.summary),
            message=_kept(one.summary),
            evidence=[self.evidence(item) for item in one.evidence],
            fixes=[self.fix(item) for item in one.fixes],
            explains=list(one.explains),
            explained_by=one.explained_by,
        )

    def verdict(self, one: Verdict) -> doc.ReportVerdict:
        return doc.ReportVerdict(
            question=one.question,
            answer=one.answer,
            summary=self(one.summary),
            message=_kept(one.summary),
            evidence=[self.evidence(item) for item in one.evidence],
            by=one.by,
            settle=self(one.settle),
        )

    def evidence(self, item: Evidence) -> doc.ReportEvidence:
        return doc.ReportEvidence(text=self(item.text), source=item.source, message=_kept(item.text))

    def fix(self, item: Fix) -> doc.ReportFix:
        return doc.ReportFix(
            title=self(item.title),
            message=_kept(item.title),
            steps=[self.step(one) for one in item.steps],
            safety=item.safety,
            needs_admin=item.needs_admin,
            undo=self(item.undo),
            undo_command=item.undo is not None and item.undo.template == "{text}",
        )

    def step(self, one: Step) -> doc.ReportStep:
        fields: dict[str, Any] = msgspec.to_builtins(one)
        fields.pop("text", None)
        return doc.ReportStep(**fields, text=self(one.text), message=_kept(one.text))


def _kept(message: Message | None) -> doc.Text | None:
    return doc.Text(message.template, message.params) if message else None


def is_advice(examination: Examination, one: Ranked) -> bool:
    """Whether a finding is beside the question: someone who pastes a text asks what went wrong."""
    return examination.target.scope == "text" and one.severity is not Severity.ERROR


def exit_code(examination: Examination, fail_on: str) -> int:
    """The exit status, frozen from the first release."""
    if examination.cancelled:
        return CANCELLED
    if not judged(examination):
        return NOTHING_JUDGED
    limit = {"error": 0, "warning": 1, "info": 2}.get(fail_on, -1)
    return FOUND if any(one.severity.rank <= limit for one in examination.findings) else CLEAN


def judged(examination: Examination) -> bool:
    """Whether there was something to judge and at least one check could."""
    reached = any(one.status in (Status.PASSED, Status.FAILED, Status.BLOCKED) for one in examination.outcomes)
    return reached and _found(examination)


def _found(examination: Examination) -> bool:
    case, scope = examination.case, examination.target.scope
    if scope == "text":
        if any(not is_advice(examination, one) for one in examination.findings):
            return True
        return case.get(Launch) is not None and not _unexplained(examination)
    if scope == "endpoint":
        return case.get(Endpoint) is not None
    if scope == "nginx":
        return case.get(Nginx) is not None
    processes = case.get(Processes)
    launch = case.get(Launch)
    seen = bool(launch and (launch.seen or examination.target.argv is not None))
    here = case.get(Install) or case.get(Endpoint) or case.get(Nginx)
    return bool(here or (processes and processes.forges) or seen)


def _unexplained(examination: Examination) -> str:
    """The error that a pasted text shows, where no finding is its cause; never a green light beside it."""
    transcript = examination.case.get(Transcript)
    told = any(not is_advice(examination, one) for one in examination.findings)
    return transcript.symptom if transcript and not told else ""


def _summary(examination: Examination, say: _Speaker, fail_on: str) -> doc.ReportSummary:
    states = [one.status.value for one in examination.outcomes]
    levels = [one.severity for one in examination.findings]
    return doc.ReportSummary(
        headline=say(_headline(examination)),
        judged=judged(examination),
        exit_code=exit_code(examination, fail_on),
        errors=levels.count(Severity.ERROR),
        warnings=levels.count(Severity.WARNING),
        infos=levels.count(Severity.INFO),
        **{status.value: states.count(status.value) for status in Status},
    )


def _headline(examination: Examination) -> Message:
    first = next((one for one in examination.findings if not is_advice(examination, one)), None)
    if first and first.severity is not Severity.INFO:
        return first.summary
    if not judged(examination):
        if examination.target.scope == "text" and _unexplained(examination):
            return t(
                "Unknown: an error stands in this text that forgedoctor does not know: {line}",
                line=_unexplained(examination),
            )
        if examination.target.scope == "text":
            return t("Unknown: nothing in this text shows a cause that forgedoctor knows.")
        why = examination.case.look(Install)
        if isinstance(why, Missing) and why.sought:
            return t("Unknown: {why}.", why=why.reason)
        return t("Unknown: no Forge was found to judge.")
    if examination.target.scope == "text":
        return t("Nothing in this text shows a fault that forgedoctor knows.")
    if examination.partial:
        return t("The {count} selected checks found nothing wrong.", count=len(examination.outcomes))
    return t("Nothing wrong was found.")


def _target(examination: Examination, say: _Speaker) -> doc.ReportTarget:
    case, target = examination.case, examination.target
    install, launch, host, endpoint = case.get(Install), case.get(Launch), case.get(Host), case.get(Endpoint)
    transcript = case.get(Transcript)
    fork = install.fork if install else ""
    if not fork and launch and launch.fork_known:
        fork = launch.effective.fork
    fork = fork or (endpoint.fork if endpoint else "")
    version = install.version if install else transcript.version if transcript else ""
    return doc.ReportTarget(
        scope=target.scope,
        description=say(_description(examination, fork, version)),
        found=_found(examination),
        fork=fork,
        version=version,
        directory=install.root if install else "",
        url=endpoint.url if endpoint else target.url,
        system=host.system if host else "",
        running=bool(launch and launch.running),
        pid=launch.pid if launch else None,
    )


def _description(examination: Examination, fork: str, version: str) -> Message:
    case, target = examination.case, examination.target
    install, launch, endpoint = case.get(Install), case.get(Launch), case.get(Endpoint)
    name = f"{display_name(fork)} {version}".strip() if fork else "Forge"
    if target.scope == "text":
        return t("Pasted text") if not fork else t("Pasted text about {name}", name=name)
    if target.scope == "args":
        return t("A command line for {name}", name=name)
    nginx = case.get(Nginx)
    if target.scope == "nginx":
        return t("The nginx configuration in {file}", file=nginx.source if nginx else "?")
    if target.scope == "endpoint" or (endpoint and not install and not (launch and launch.running)):
        return t("{name} at {url}", name=name if fork else "API", url=endpoint.url if endpoint else target.url)
    if launch and launch.running:
        where = install.root if install else f"pid {launch.pid}"
        return t("{name} in {where}, running (pid {pid})", name=name, where=where, pid=launch.pid)
    if install:
        return t("{name} in {where}", name=name, where=install.root)
    if target.scope == "preflight" and launch and launch.seen:
        return t("A launch of {name} from here", name=name)
    return t("This machine; no Forge was found here")


def _unknown(examination: Examination, say: _Speaker) -> list[doc.ReportUnknown]:
    groups: dict[tuple[str, str], list[str]] = {}
    for one in examination.outcomes:
        if one.status in (Status.UNKNOWN, Status.CRASHED):
            groups.setdefault((say(one.reason), say(one.settle)), []).append(one.check.id)
    return [doc.ReportUnknown(reason=r, settle=s, checks=checks) for (r, s), checks in groups.items()]


def _launch(examination: Examination) -> doc.ReportLaunch | None:
    launch = examination.case.get(Launch)
    if launch is None:
        return None
    effective: dict[str, Any] = msgspec.to_builtins(launch.effective)
    return doc.ReportLaunch(origin=launch.origin, running=launch.running, effective=effective)
