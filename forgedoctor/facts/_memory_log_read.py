"""Read what Forge and its relatives print of memory. Lines are glued and overwritten; pieces are read in order.

Source: backend/memory_management.py, modules_forge/main_entry.py and backend/sampling/sampling_function.py of Forge,
ldm_patched/modules/model_management.py of Classic and reForge, backend/patcher/base.py of Neo.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from forgedoctor.facts import _memory_log_oom as oom
from forgedoctor.facts._memory_log_types import Freed, Load, LowMemory, OutOfMemory, Pace, Setting

_Said = tuple[str | None, ...]
MOST = 5000  # records of one kind that are kept
_ALL = 1e15  # MB: how a build of 2024 writes "everything"
_N = r"(-?[\d.]+(?:e[+-]?\d+)?)"

_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "fit",
        rf"\[Memory Management\] Target: (\w+), Free GPU: {_N} MB, Model Require: {_N} MB, "
        rf"(?:Previously Loaded: {_N} MB, )?Inference Require: {_N} MB, Remaining: {_N} MB",
    ),
    ("full", r"All loaded to GPU\."),
    ("swap", rf"(CPU|Shared) Swap Loaded \(\w+ method\): {_N} MB, GPU Loaded: {_N} MB"),
    ("number", rf"\[Memory Management\] ([A-Z][\w ]{{1,60}}?)(?: \(MB\) = +|: ){_N}"),
    ("target", r"(?:To load target model|Requested to load) (\w+)"),
    ("neo", rf"loaded (completely|partially); (?:{_N} MB usable, )?{_N} MB loaded(?:, {_N} MB offloaded)?"),
    ("moved", rf"Moving model\(s\) has taken {_N} seconds"),
    ("freeing", rf"\[Unload\] Trying to free (?:all memory|{_N} MB) for"),
    ("current", rf"Current free memory is {_N} MB"),
    ("unload", r"Unload model (\w+)"),
    ("setting", rf"\[GPU Setting\] You will use {_N}% GPU memory \({_N} MB\) to load weights, "
     rf"and use {_N}% GPU memory \({_N} MB\)"),
    ("all", rf"You just set Forge to use 100% GPU memory \({_N} MB\)"),
    ("changed", rf"Environment vars changed: \{{'stream': (\w+), 'inference_memory': {_N}, "
     r"'pin_shared_memory': (\w+)\}"),
    ("low", rf"\[Low GPU VRAM Warning\](?: Your current GPU free memory is {_N} MB)?(?! This| If| To)"),
    ("total", rf"Total VRAM {_N} ?([MG])B[,;] [tT]otal RAM {_N} ?[MG]B"),
    ("torch", r"[pP]y[tT]orch [vV]ersion: (\S+)"),
    ("state", r"(?:Set vram state to|VRAM State): (\w+)"),
    ("device", r"^Device: (?:cuda:\d+ )?(.+?)(?: \(\w+:\d+\))? ?[:-] (native|cudaMallocAsync)"),
    ("offload", r"Always offload VRAM"),
    ("tiled", r"Ran out of memory when regular VAE (?:de|en)coding, retrying with tiled"),
    ("lora", r"Patching LoRA weights out of memory\. Retrying"),
    ("pace", rf"(\d+)/(\d+) \[[\d:]+<[\d:?]+, +{_N}(s/it|it/s)"),
    ("oom", oom.FAILED.pattern),
)  # fmt: skip
_ANY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))
_GROUPS = {name: re.compile(pattern).groups for name, pattern in _PATTERNS}
# What any of them holds: a line without it is passed over.
MAYBE = re.compile(
    r"\[Memory M|oaded|oading mod|Requested to|has taken|Unload|\[GPU S|100% GPU|Environment vars|\[Low GPU|Total VRAM"
    r"|orch [vV]ersion|(?:vram s|VRAM S)tate|^Device: |Always off|out of memory|Out of memory|of memory when|it/s|s/it"
    r"|Allocation on|hipErrorOut|ALLOC_FAILED|not allocate|ot enough memory|CPUAllocator|load target"
)


class Reader:
    """What was found so far; :meth:`piece` reads on."""

    def __init__(self) -> None:
        self.loads: list[Load] = []
        self.freed: list[Freed] = []
        self.settings: list[Setting] = []
        self.low: list[LowMemory] = []
        self.failures: list[OutOfMemory] = []
        self.paces: list[Pace] = []
        self.facts: dict[str, Any] = {}
        self.tiled = self.lora = self.moves = 0
        self.moved_seconds = 0.0
        self._open: dict[str, Any] = {}  # the fit test that is being told
        self._target = ""
        self._unloaded: list[str] = []
        self._freeing: dict[str, Any] = {}
        self._setting: dict[str, Any] = {}
        self._where, self._number = "", 0

    def piece(self, text: str, where: str, number: int) -> None:
        """Read one piece of a line: what stands between line ends and carriage returns."""
        self._where, self._number = where, number
        for match in _ANY.finditer(text):
            name = match.lastgroup or ""
            first = _ANY.groupindex[name]
            said = match.groups()[first : first + _GROUPS[name]]
            if name == "oom":
                self._failed(text, match.start())
            else:
                handler: Callable[[_Said], None] = getattr(self, f"_on_{name}")
                handler(said)

    def close(self) -> None:
        """The text is at its end."""
        self._end_load()
        self._end_freeing()
        self._end_setting()

    def _failed(self, text: str, at: int) -> None:
        one = oom.parsed(text, at, self._number, self._where)
        if one and len(self.failures) < MOST:
            self.failures.append(one)

    def _begin(self, layout: str, **fields: Any) -> None:
        self._end_load()
        self._end_freeing()
        self._open = {"layout": layout, "where": self._where, "number": self._number, "unloaded": tuple(self._unloaded)}
        self._open.update({name: value for name, value in fields.items() if value is not None})
        self._unloaded = []

    def _end_load(self) -> None:
        known = self._open.keys() - {"layout", "where", "number", "unloaded", "target"}
        if known and len(self.loads) < MOST:
            self.loads.append(Load(**self._open))
        self._open = {}

    def _on_fit(self, said: _Said) -> None:
        free, require, before, inference, remaining = (_float(one) for one in said[1:])
        self._begin(
            "target", target=said[0], free=free, require=require, previously=before, inference=inference,
            remaining=remaining,
        )  # fmt: skip

    def _on_full(self, said: _Said) -> None:
        if self._open:
            self._open["outcome"] = "full"

    def _on_swap(self, said: _Said) -> None:
        if not self._open:
            self._begin("target", target=self._target)
        self._open.update(outcome="swap", shared=said[0] == "Shared", swap=_float(said[1]), resident=_float(said[2]))

    def _on_number(self, said: _Said) -> None:
        name, value = said[0] or "", _float(said[1])
        field = next((field for word, field in _OLD if word in name), "")
        if not field or value is None:
            return
        if not self._open or (field in self._open and field in ("free", "require")):
            self._begin("lines", target=self._target)
        self._open[field] = value
        if field == "remaining" and "outcome" not in self._open:
            self._open["outcome"] = "full" if value >= 0 else "swap"

    def _on_target(self, said: _Said) -> None:
        self._end_load()
        self._target = said[0] or ""

    def _on_neo(self, said: _Said) -> None:
        free, loaded, offloaded = (_float(one) for one in said[1:])
        whole = said[0] == "completely"
        self._begin("completely", target=self._target, free=free, resident=loaded)
        self._open.update(outcome="full" if whole else "swap", swap=None if whole else offloaded)
        if whole and loaded is not None:
            self._open["require"] = loaded

    def _on_moved(self, said: _Said) -> None:
        seconds = _float(said[0])
        if seconds is None:
            return
        if self._open:
            self._open["seconds"] = seconds
            if "outcome" not in self._open and self._open.get("remaining", -1) >= 0:
                self._open["outcome"] = "full"  # Neo says no more than this
        self.moves += 1
        self.moved_seconds += seconds
        self._end_load()

    def _on_freeing(self, said: _Said) -> None:
        self._end_load()
        self._end_freeing()
        wanted = _float(said[0])
        wanted = wanted if wanted is not None and wanted < _ALL else None
        self._freeing = {"wanted": wanted, "where": self._where, "number": self._number}

    def _on_current(self, said: _Said) -> None:
        if self._freeing:
            self._freeing["free"] = _float(said[0])

    def _end_freeing(self) -> None:
        if self._freeing and len(self.freed) < MOST:
            self.freed.append(Freed(**self._freeing))
        self._freeing = {}

    def _on_unload(self, said: _Said) -> None:
        self._end_load()
        if self._freeing:
            self._freeing["unloaded"] = (*self._freeing.get("unloaded", ()), said[0] or "")[:100]
        if len(self._unloaded) < 100:
            self._unloaded.append(said[0] or "")

    def _on_setting(self, said: _Said) -> None:
        self._setting.update(weights=_float(said[1]), reserve=_float(said[3]), where=self._where, number=self._number)
        self._end_setting()

    def _on_all(self, said: _Said) -> None:
        told = self._setting.get("reserve")
        reserve = told if told is not None and told < 512 else 0.0  # "0% GPU memory", whatever an old build says before
        self._setting.update(reserve=reserve, weights=_float(said[0]), where=self._where, number=self._number)
        self._end_setting()

    def _on_changed(self, said: _Said) -> None:
        self._end_setting()
        self._setting = {
            "stream": said[0] == "True", "reserve": _float(said[1]), "pinned": said[2] == "True",
            "where": self._where, "number": self._number,
        }  # fmt: skip

    def _end_setting(self) -> None:
        if self._setting and len(self.settings) < MOST:
            self.settings.append(Setting(**self._setting))
        self._setting = {}

    def _on_low(self, said: _Said) -> None:
        if len(self.low) < MOST:
            self.low.append(LowMemory(free=_float(said[0]), where=self._where, number=self._number))

    def _on_total(self, said: _Said) -> None:
        factor = 1024.0 if said[1] == "G" else 1.0
        vram, ram = _float(said[0]), _float(said[2])
        self.facts.update(vram=vram * factor if vram else None, ram=ram * factor if ram else None)

    def _on_torch(self, said: _Said) -> None:
        self.facts["torch"] = said[0] or ""

    def _on_state(self, said: _Said) -> None:
        self.facts["state"] = said[0] or ""

    def _on_device(self, said: _Said) -> None:
        self.facts.update(gpu=(said[0] or "").strip(), allocator=said[1] or "")

    def _on_offload(self, said: _Said) -> None:
        self.facts["offload"] = True

    def _on_tiled(self, said: _Said) -> None:
        self.tiled += 1

    def _on_lora(self, said: _Said) -> None:
        self.lora += 1

    def _on_pace(self, said: _Said) -> None:
        rate, steps = _float(said[2]), int((said[1] or "0")[:9])
        if rate and steps and len(self.paces) < MOST:
            seconds = rate if said[3] == "s/it" else 1 / rate
            self.paces.append(Pace(seconds=seconds, steps=steps, where=self._where, number=self._number))


# The older layouts: a word of the line's name, and which number it is; the first that fits counts.
_OLD = (
    ("Remaining", "remaining"),
    ("Inference", "inference"),
    ("Free", "free"),
    ("to CPU Swap", "swap"),
    ("to SYNC Stream", "swap"),
    ("to ASYNC Stream", "swap"),
    ("to GPU", "resident"),
    ("Model Memory", "require"),
)


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
