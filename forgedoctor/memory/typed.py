"""What was typed: the command's words and options."""

from __future__ import annotations

import sys

import msgspec

from forgedoctor.message import Message


class Wrong(Exception):
    """It was asked wrongly: the sentence says how. ``status``: to exit with."""

    def __init__(self, said: Message, status: int = 2) -> None:
        super().__init__(str(said))
        self.said, self.status = said, status


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The command's words and options, as typed."""

    words: tuple[str, ...] = ()
    family: str = ""
    precision: str = ""
    encoders: str = ""
    gpu: str = ""
    free_mib: float | None = None
    reserve_mib: float | None = None
    width: int | None = None
    height: int | None = None
    batch: int = 1
    resident: bool = False
    tiled_vae: bool = False
    controlnets: int = 0
    others_mib: float = 0.0
    online_lora_rank: int = 0
    model_mib: float | None = None
    loaded_mib: float = 0.0
    system: str | None = None
    fork: str = "forge"
    directory: str = ""

    @property
    def models(self) -> tuple[str, ...]:
        """The words before Forge's flags."""
        first = next((number for number, word in enumerate(self.words) if word.startswith("-")), len(self.words))
        return self.words[:first]

    @property
    def flags(self) -> tuple[str, ...]:
        """Forge's flags."""
        return self.words[len(self.models) :]

    @property
    def single(self) -> bool:
        """Whether one model is asked for, so that the answer is no list."""
        return bool(self.family or self.models)

    @property
    def on_windows(self) -> bool:
        """Whether Forge runs on Windows, where a card that is full spills into RAM."""
        return self.system == "windows" if self.system else sys.platform == "win32"
