"""All that the author of a check imports: ``@check``, what a check may yield, and what it may raise.

A check is a function from facts to findings. The types of its parameters say which facts it needs;
a parameter ``X | None`` is a fact it can do without. It may yield findings, yield nothing (passed), raise
:class:`Undecided` (it cannot tell, and why) or :class:`NotApplicable` (it has nothing to say about this).
It touches nothing but its parameters: no file, no socket, no process, no clock.

A check that answers a question which users ask whether or not something is wrong ("will my phone reach it?") yields a
:class:`Verdict` for it, beside findings or without any.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from forgedoctor.message import Message, plain, t

__all__ = [
    "CERTAIN", "ERROR", "INFO", "LIKELY", "POSSIBLE", "WARNING",
    "Check", "Confidence", "Evidence", "Finding", "Fix", "Message", "NotApplicable",
    "Severity", "Step", "Undecided", "Verdict", "check", "edit", "flag", "manual", "plain", "shell", "t",
]  # fmt: skip


class Severity(str, enum.Enum):
    """How bad it is: it does not or will not work; it works, yet …; worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        return ("error", "warning", "info").index(self.value)


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Confidence(str, enum.Enum):
    """How specific the evidence is: nothing else looks like this; it fits best; it is one of several."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        return ("certain", "likely", "possible").index(self.value)


CERTAIN, LIKELY, POSSIBLE = Confidence.CERTAIN, Confidence.LIKELY, Confidence.POSSIBLE


class Evidence(msgspec.Struct, frozen=True):
    """Something that was observed, and where: a file and line, a command, an address, the pasted text."""

    text: Message
    source: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to do. ``kind`` says which of the other fields are filled.

    ``shell``: ``command`` to paste into ``interpreter`` (sh, cmd or powershell).
    ``edit``: in ``file`` at ``line`` replace ``before`` by ``after``.
    ``flag``: on the command line, drop ``drop`` and add ``add``.
    ``manual``: ``text``, which only a person can do.
    """

    kind: str
    command: str = ""
    interpreter: str = ""
    file: str = ""
    line: int = 0
    before: str = ""
    after: str = ""
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    text: Message | None = None


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about a finding: data first, the sentence second.

    ``safety`` is ``safe``, ``changes-behaviour`` or ``needs-person``; ``undo`` says how it is taken back.
    """

    title: Message
    steps: tuple[Step, ...] = ()
    safety: str = "changes-behaviour"
    needs_admin: bool = False
    undo: Message | None = None


def shell(command: str, interpreter: str = "sh") -> Step:
    """A command for this machine's shell."""
    return Step(kind="shell", command=command, interpreter=interpreter)


def edit(file: str, line: int, before: str, after: str) -> Step:
    """Replace one line of a file."""
    return Step(kind="edit", file=file, line=line, before=before, after=after)


def flag(*, add: Sequence[str] = (), drop: Sequence[str] = ()) -> Step:
    """Change the launch flags, wherever they are kept."""
    return Step(kind="flag", add=tuple(add), drop=tuple(drop))


def manual(text: Message) -> Step:
    """Something only a person can do."""
    return Step(kind="manual", text=text)


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, in one sentence with the cause first.

    ``severity``, ``confidence`` and ``explains`` override what the check declares. ``explains`` names the
    checks whose findings follow from this one.
    """

    summary: Message
    evidence: Sequence[Evidence] = ()
    fixes: Sequence[Fix] = ()
    severity: Severity | None = None
    confidence: Confidence = Confidence.LIKELY
    explains: Sequence[str] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question that is asked of every examination.

    ``question``: a stable name, such as ``other-devices``. ``answer``: yes, no, partly or unknown. ``summary``: the
    answer in one sentence. ``by``: the check whose finding tells what is in the way. ``settle``: what would prove it.
    """

    question: str
    answer: str
    summary: Message
    evidence: Sequence[Evidence] = ()
    by: str = ""
    settle: Message | None = None


class Undecided(Exception):  # a verdict, not an error
    """The check cannot tell: why, and what would settle it."""

    def __init__(self, reason: Message | str, settle: Message | str | None = None) -> None:
        super().__init__(str(reason))
        self.reason = reason if isinstance(reason, Message) else t(reason)
        self.settle = settle if isinstance(settle, Message) or settle is None else t(settle)


class NotApplicable(Exception):  # a verdict, not an error
    """The check has nothing to say about this fork, system or launch."""

    def __init__(self, reason: Message | str) -> None:
        super().__init__(str(reason))
        self.reason = reason if isinstance(reason, Message) else t(reason)


class Need(NamedTuple):
    """One parameter of a check or collector: the fact's type, and whether it can do without."""

    name: str
    fact: type
    optional: bool


def needs_of(function: Callable[..., Any]) -> tuple[Need, ...]:
    """The facts that a function asks for, read from its parameter types."""
    hints = get_type_hints(function)
    hints.pop("return", None)
    needs = []
    for name, hint in hints.items():
        optional = get_origin(hint) in (Union, UnionType)
        kinds = [arg for arg in get_args(hint) if arg is not type(None)] if optional else [hint]
        if len(kinds) != 1 or not isinstance(kinds[0], type):
            raise TypeError(f"{function.__qualname__}: parameter {name} is no fact type")
        needs.append(Need(name, kinds[0], optional))
    return tuple(needs)


Judge = Callable[..., Iterable[Finding | Verdict] | None]
JudgeT = TypeVar("JudgeT", bound=Judge)


class Check:
    """A judge of facts with its name tag. Made by :func:`check`; found by the catalogue."""

    def __init__(
        self,
        judge: Judge,
        *,
        id: str,
        severity: Severity,
        group: str,
        explains: Sequence[str] = (),
        forks: Sequence[str] = (),
        systems: Sequence[str] = (),
    ) -> None:
        self.judge, self.id, self.severity, self.group = judge, id, Severity(severity), group
        self.explains, self.forks, self.systems = tuple(explains), tuple(forks), tuple(systems)
        self.origin = judge.__module__
        self.ways: list[Check] = []  # further judges of the same cause, such as a log signature
        self._needs: tuple[Need, ...] | None = None

    @property
    def page(self) -> str:
        """The check's documentation: its docstring, first line first."""
        import inspect

        return inspect.cleandoc(self.judge.__doc__ or self.id)

    @property
    def title(self) -> str:
        """The first line of the page."""
        return (self.judge.__doc__ or self.id).strip().split("\n", 1)[0]

    @property
    def needs(self) -> tuple[Need, ...]:
        """The facts the check asks for."""
        if self._needs is None:
            self._needs = needs_of(self.judge)
        return self._needs

    def __call__(self, *args: Any, **kwargs: Any) -> Iterator[Finding | Verdict]:
        yield from self.judge(*args, **kwargs) or ()

    def __repr__(self) -> str:
        return f"<check {self.id}>"


def check(
    id: str,
    *,
    severity: Severity,
    group: str,
    explains: Sequence[str] = (),
    forks: Sequence[str] = (),
    systems: Sequence[str] = (),
) -> Callable[[Judge], Check]:
    """Make a check of a function.

    ``id``: kebab-case name of the *cause*, stable for ever. ``severity``: of its findings, unless a finding says
    otherwise. ``group``: a category. ``explains``: ids of checks whose findings follow from this one.
    ``forks``, ``systems``: where it applies (empty: everywhere); systems are linux, macos, windows.
    """

    def make(judge: Judge) -> Check:
        return Check(judge, id=id, severity=severity, group=group, explains=explains, forks=forks, systems=systems)

    return make
