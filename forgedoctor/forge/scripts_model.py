"""What a launcher file holds: the records, the variables that matter, the kinds of problem.

Callers import these names from :mod:`forgedoctor.forge.scripts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

BAT = "bat"
SH = "sh"
ARGS = "COMMANDLINE_ARGS"

# The variables that the launchers, launch_utils.py, gradio, torch and the HTTP clients read.
# Sources: webui.bat, webui.sh, modules/launch_utils.py, gradio 3.41/4.40 networking.py.
WATCHED = frozenset(
    {
        "COMMANDLINE_ARGS",
        "IGNORE_CMD_ARGS_ERRORS",
        "PYTHON",
        "python_cmd",
        "GIT",
        "VENV_DIR",
        "venv_dir",
        "SKIP_VENV",
        "install_dir",
        "clone_dir",
        "LAUNCH_SCRIPT",
        "ACCELERATE",
        "NO_TCMALLOC",
        "UV",
        "TORCH_COMMAND",
        "TORCH_INDEX_URL",
        "REQS_FILE",
        "INDEX_URL",
        "XFORMERS_PACKAGE",
        "GRADIO_SERVER_NAME",
        "GRADIO_SERVER_PORT",
        "GRADIO_NUM_PORTS",
        "GRADIO_ROOT_PATH",
        "GRADIO_TEMP_DIR",
        "GRADIO_ANALYTICS_ENABLED",
        "CUDA_VISIBLE_DEVICES",
        "HIP_VISIBLE_DEVICES",
        "HSA_OVERRIDE_GFX_VERSION",
        "HF_HOME",
        "HF_ENDPOINT",
        "HF_HUB_OFFLINE",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "WEBUI_LAUNCH_LIVE_OUTPUT",
    }
)
WATCHED_PREFIXES = ("SD_WEBUI_", "PYTORCH_CUDA", "PYTORCH_HIP", "PYTORCH_MPS", "PYTORCH_ENABLE", "PYTORCH_ALLOC")
# Read in any case by requests, httpx and urllib.
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
# Read by webui.sh in its own shell, so they work without export. Source: webui.sh.
SHELL_ONLY = frozenset(
    {"python_cmd", "venv_dir", "install_dir", "clone_dir", "LAUNCH_SCRIPT", "ACCELERATE", "NO_TCMALLOC"}
)
# Even an empty value of these counts. Source: modules/shared_cmd_options.py (os.environ.get(...) is None).
EXISTENCE_COUNTS = frozenset({"IGNORE_CMD_ARGS_ERRORS"})

# Programs that start Forge, and those that only set variables for it.
STARTERS = frozenset({"webui.bat", "webui-user.bat", "run.bat", "webui.sh", "launch.py", "webui.py"})
CALLED = frozenset({"webui.settings.bat", "environment.bat"})
HELPERS = frozenset({"webui.settings.bat", "environment.bat", "webui-user.sh", "webui-macos-env.sh"})

#: Every value of :attr:`Problem.kind`, with what it means.
PROBLEM_KINDS: Mapping[str, str] = {
    "after-launch": "the variable is set after the line that starts Forge, so the start does not see it",
    "ampersand": "an unquoted & ends the value; the shell runs what follows as a command",
    "backslash-lost": "Forge splits the value by POSIX rules, which eat backslashes or the quote after one",
    "bat-syntax-in-sh": "a line or value of a .sh file is written for cmd.exe",
    "caret-in-quotes": "a ^ inside quotation marks does not continue the line",
    "caret-then-blank": "a blank follows the ^ at the end of a line, so the line is not continued",
    "comment-in-continuation": "a comment stands inside a continued line, so it becomes part of the value or ends it",
    "command-in-continuation": "a continued line takes the command after it into the value; it never runs",
    "commented-out": "COMMANDLINE_ARGS with flags stands in a comment, and no active line sets any flag",
    "crlf-in-sh": "a .sh file has Windows line ends; the shell takes the carriage return as part of each line",
    "encoding": "the shell cannot read the file in this encoding, or loses its first line",
    "flags-on-own-line": "flags stand on a line of their own, so the shell runs them as a command",
    "line-ends-mixed": "the file mixes Windows and Unix line ends",
    "misspelt-variable": "a variable's name is close to one that Forge reads, but another one",
    "missing-equals": "no = between COMMANDLINE_ARGS and the value",
    "not-exported": "a shell variable without export: Python does not see it unless the environment already has it",
    "powershell-syntax": "a line is written for PowerShell",
    "quoted-whole-value": "quotation marks round several flags make them one word for Forge",
    "sh-syntax-in-bat": "a line or value of a .bat file is written for a Unix shell",
    "space-after-equals": "a blank after the = ends the value before it begins",
    "space-before-equals": "a blank before the = makes it another variable (cmd.exe) or a command (sh)",
    "special-character": "the shell takes a character of the value (^ % | < >) for its own",
    "typographic-characters": "typographic dashes, quotation marks or blanks stand where plain ones must",
    "unbalanced-quote": "a quotation mark or apostrophe has no partner",
    "unclosed-block": "an opening parenthesis of an if or for has no partner, so cmd.exe runs nothing from there on",
    "undone-by-endlocal": "the variable is set between setlocal and endlocal, and no start of Forge stands there",
    "value-cut-short": "the shell ends the value at a blank or an inner quotation mark; the words after it are lost",
}

# The shell that a line of each of these kinds is written for.
WRITTEN_FOR = {"bat-syntax-in-sh": "cmd.exe", "powershell-syntax": "PowerShell", "sh-syntax-in-bat": "a Unix shell"}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person would want changed: a kind of :data:`PROBLEM_KINDS`, its line (1-based) and that line's
    text, and one sentence about this very case. ``name`` is the variable concerned, where there is one."""

    kind: str
    line: int
    text: str
    detail: str
    name: str = ""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """One variable that a file sets.

    ``value`` is what the variable holds after the shell's own rules, before Forge splits it. ``raw`` is the text of
    the lines ``line`` to ``last_line`` (1-based). ``conditional``: inside an if, for, case or function, or where a
    conditional goto may jump over it. ``removed``: unset (``set NAME=`` in a .bat). ``expanded`` names what was
    substituted and could not be known; it counts as empty in ``value``.
    """

    name: str
    value: str
    raw: str
    line: int
    last_line: int
    exported: bool = True
    conditional: bool = False
    removed: bool = False
    expanded: tuple[str, ...] = ()


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a program that matters: one of :data:`STARTERS` (``starts``) or :data:`HELPERS`.

    ``arguments`` is the text after the program: in a .bat as Windows hands it over, from a .sh quoted for
    :func:`shlex.split`.
    """

    program: str
    arguments: str
    text: str
    line: int
    starts: bool = True
    conditional: bool = False
    expanded: tuple[str, ...] = ()


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A launcher file as read: assignments and launches in the order of execution, problems in that of the lines.

    ``kind`` is ``bat`` or ``sh``, ``newline`` is ``crlf``, ``lf`` or ``mixed``. ``text`` is the decoded text, cut where
    ``truncated`` says so. ``order`` tells for each assignment how many launches came before it.
    """

    name: str
    kind: str
    encoding: str
    newline: str
    text: str
    truncated: bool = False
    assignments: tuple[Assignment, ...] = ()
    launches: tuple[Launch, ...] = ()
    problems: tuple[Problem, ...] = ()
    order: tuple[int, ...] = ()

    def before_start(self) -> tuple[Assignment, ...]:
        """The assignments that a start of Forge in this file sees; all where the file starts nothing."""
        return before_start(self.assignments, self.order, self.launches)


def before_start(
    assignments: Sequence[Assignment], order: Sequence[int], launches: Sequence[Launch]
) -> tuple[Assignment, ...]:
    """The first of the assignments, as many as the last start of Forge sees."""
    starts = [index for index, launch in enumerate(launches) if launch.starts]
    last = starts[-1] if starts else len(launches)
    return tuple(assignments[: sum(before <= last for before in order)])


def watched_name(name: str, kind: str) -> str:
    """The name under which a variable is recorded, empty where it does not matter. cmd.exe ignores case."""
    upper = name.upper()
    if upper in PROXIES:
        return upper if kind == BAT else name
    spelt = upper if kind == BAT else name
    return spelt if spelt in WATCHED or spelt.startswith(WATCHED_PREFIXES) else ""


# What is shown of a line, and how many problems of a file: enough for any launcher, bounded for other files.
_LINE_SHOWN = 10_000
_MAX_PROBLEMS = 200


@dataclass
class Record:
    """What an interpreter found so far, and the shell's variables as they stand."""

    kind: str
    lines: list[str]
    variables: dict[str, str] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    assignments: list[Assignment] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _used: frozenset[str] | None = None

    def uses(self, name: str) -> bool:
        """Whether the file refers to this variable anywhere."""
        if self._used is None:
            found = re.findall(r"[%!$]\{?([A-Za-z_][\w-]*)", "\n".join(self.lines))
            self._used = frozenset(word.upper() for word in found)
        return name.upper() in self._used

    def raw(self, line: int, last_line: int) -> str:
        """The text of these lines (1-based, both included)."""
        return "\n".join(text[:_LINE_SHOWN] for text in self.lines[line - 1 : last_line]).replace("\r", "")

    def problem(self, kind: str, line: int, detail: str, name: str = "") -> None:
        """Note a problem once per kind and line."""
        again = any(old.kind == kind and old.line == line for old in self.problems[-20:])
        if not again and len(self.problems) < _MAX_PROBLEMS:
            text = self.raw(line, line)[:500]
            self.problems.append(Problem(kind=kind, line=line, text=text, detail=detail, name=name))

    def assign(self, assignment: Assignment) -> None:
        """Note an assignment."""
        self.assignments.append(assignment)
        self.order.append(len(self.launches))

    def forget_since(self, mark: tuple[int, int]) -> Iterable[Assignment]:
        """Drop the assignments made since :meth:`mark` where nothing was started meanwhile; those dropped."""
        at, launches = mark
        if any(launch.starts for launch in self.launches[launches:]):
            return ()
        dropped = self.assignments[at:]
        del self.assignments[at:], self.order[at:]
        return dropped

    def mark(self) -> tuple[int, int]:
        """Where the record stands, for :meth:`forget_since`."""
        return len(self.assignments), len(self.launches)
