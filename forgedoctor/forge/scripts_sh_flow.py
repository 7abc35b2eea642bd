"""Which commands of a shell script run: if, loops, case, functions, subshells, ``&&`` and ``||``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from forgedoctor.forge.scripts_model import Record
from forgedoctor.forge.scripts_sh_text import Word

_OPENERS = frozenset({"if", "while", "until", "for", "select", "case", "{"})
_LOOPS = ("for", "while", "until", "select")
_CLOSERS = {"fi": ("if",), "done": _LOOPS, "esac": ("case",), "}": ("{",)}
# The words after these are no command.
HEADS = frozenset({"for", "select", "case"})
# Bounds for hostile files.
_MAX_FRAMES, _MAX_SUBSHELLS = 200, 500


@dataclass
class Frame:
    """A construct that is open since a line.

    ``branch``: whether what is read now runs (None: not known). ``taken``: whether an earlier branch of the same if
    ran. ``entered``: its then or do was seen. ``saved``: the variables to go back to at its end.
    """

    kind: str
    branch: bool | None
    line: int
    taken: bool | None = False
    entered: bool = False
    saved: tuple[dict[str, str], set[str], tuple[int, int]] | None = None


class Flow:
    """The constructs that are open, and the status of the command before (None: not known)."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.frames: list[Frame] = []
        self.subshells = 0
        self.status: bool | None = True
        self.connector = ""
        self.negated = False
        self.function = False

    @property
    def entered(self) -> Frame | None:
        """The outermost construct whose then or do was seen; another may be prose that a person pasted along."""
        return next((frame for frame in self.frames if frame.entered), None)

    def verdict(self) -> bool | None:
        """Whether the command at hand runs; None where that is not known."""
        branches = [frame.branch for frame in self.frames]
        runs = self.runs()
        if runs is False or False in branches:
            return False
        return None if runs is None or None in branches else True

    def reserved(self, word: Word) -> bool:
        """Open, turn or close a construct at a reserved word; False for any other word."""
        text = word.plain()
        if text == "!":
            self.negated = not self.negated
        elif text in _OPENERS:
            self._open(text, word.line)
            # The words after for and case are no command.
            return text not in HEADS
        elif text == "then":
            self._then()
        elif text in ("elif", "else") and self.frames:
            frame = self.frames[-1]
            frame.branch = None if frame.taken is None else not frame.taken
        elif text in _CLOSERS:
            self._close(_CLOSERS[text])
        elif text == "function":
            self.function = True
        elif text == "do" and self.frames and self.frames[-1].kind in _LOOPS:
            self._do()
        else:
            return False
        if text in ("then", "elif", "else"):
            self.connector = ""
        return True

    def _open(self, text: str, line: int) -> None:
        branch = self.runs()
        if text == "case" and branch:
            branch = None
        frame = Frame(text, branch, line, entered=text == "{")
        if self.function and text == "{":  # Its body runs when it is called, which is not followed.
            self.function = False
            frame.branch, frame.saved = None, self._state()
        if len(self.frames) < _MAX_FRAMES:
            self.frames.append(frame)
        self.connector = ""

    def _state(self) -> tuple[dict[str, str], set[str], tuple[int, int]] | None:
        self.subshells += 1
        if self.subshells > _MAX_SUBSHELLS:
            return None
        return dict(self.record.variables), set(self.record.exported), self.record.mark()

    def _restore(self, frame: Frame) -> None:
        if frame.saved:
            variables, exported, mark = frame.saved
            self.record.variables.clear()
            self.record.variables.update(variables)
            self.record.exported.clear()
            self.record.exported.update(exported)
            if frame.kind == "(":
                self.record.forget_since(mark)

    def _do(self) -> None:
        frame = self.frames[-1]
        frame.entered = True
        frame.branch = None if frame.branch else frame.branch
        self.connector = ""

    def _then(self) -> None:
        if not self.frames or self.frames[-1].kind != "if":
            return
        frame = self.frames[-1]
        frame.entered = True
        if frame.branch is not False:
            holds = self.status
            frame.branch = holds if frame.branch or holds is False else None
            if frame.taken is not None:
                frame.taken = True if frame.branch else None if frame.branch is None else frame.taken

    def _close(self, kinds: tuple[str, ...]) -> None:
        if self.frames and self.frames[-1].kind in kinds:
            self._restore(self.frames.pop())
            self.status = None
        self.connector = ""

    def operator(self, token: str, line: int) -> None:
        """What an operator between commands does to those that follow."""
        if token in ("&&", "||", "|", "|&"):
            self.connector = token
            return
        self.connector = ""
        if token == "(" and len(self.frames) < _MAX_FRAMES:
            self.frames.append(Frame("(", True, line, saved=self._state()))
        elif token == ")" and self.frames and self.frames[-1].kind == "(":
            self._restore(self.frames.pop())

    def runs(self) -> bool | None:
        """Whether a command runs that follows the operator at hand."""
        if self.connector == "&&":
            return self.status
        if self.connector == "||":
            return None if self.status is None else not self.status
        return True


def holds(words: Sequence[str]) -> bool | None:
    """Whether ``[ words ]`` holds; None where only the machine can tell, or it is more than one comparison."""
    negated = words[:1] == ["!"]
    words = words[1:] if negated else words
    result: bool | None = None
    if len(words) == 2 and words[0] in ("-z", "-n"):
        result = (words[1] == "") is (words[0] == "-z")
    elif len(words) == 3 and words[1] in ("=", "==", "!=") and not re.search(r"[*?\[]", words[2]):
        result = (words[0] == words[2]) is (words[1] != "!=")
    return result if result is None else result is not negated
