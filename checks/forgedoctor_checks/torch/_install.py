"""Commands that put another torch into Forge's own Python, and keep it there."""

from __future__ import annotations

import re
from functools import partial
from typing import NamedTuple

from forgedoctor import fixes
from forgedoctor.check import Fix, Message, Step, edit, manual, shell, t
from forgedoctor.facts import Host, Install, Launch, LaunchFiles, Packages
from forgedoctor.facts.torch import Torch
from forgedoctor.forge.flags import find
from forgedoctor.forge.releases import release
from forgedoctor.gpu import matrix, torch_builds
from forgedoctor.gpu.torch_builds import Build
from forgedoctor_checks.install._packages import pip
from forgedoctor_checks.torch._cards import driver_system, system_of

_VARIABLE = "TORCH_COMMAND"
_COMMENTED = re.compile(rf"\s*#\s*export\s+{_VARIABLE}=.*")


class Room(NamedTuple):
    """Where torch is installed, and who starts it."""

    torch: Torch
    packages: Packages
    install: Install
    host: Host | None = None
    files: LaunchFiles | None = None

    @property
    def pip(self) -> str:
        """pip of Forge's own Python, as a command."""
        return pip(self.packages, self.host)

    @property
    def python(self) -> tuple[int, int] | None:
        """Forge's Python as (major, minor)."""
        found = matrix.minor(self.packages.python)
        return found if found != (0, 0) else None


def wanted(room: Room, capability: tuple[int, int], driver: str = "") -> tuple[Build | None, str]:
    """The build for a card that is nearest to what the fork asks for, and the driver to be installed first (or "")."""
    fork = release(room.install.fork)
    numbers = driver_system(room.torch, room.host)
    nearest = partial(
        torch_builds.best,
        capability,
        system_of(room.torch, room.host),
        preferred=fork.torch,
        least=fork.torch_least,
        python=room.python,
        driver_system=numbers,
        machine=room.torch.machine or "x86_64",
    )
    build = nearest()
    if build and driver:
        allowed = matrix.driver_allows(build.tag, driver, numbers)
        if allowed.verdict == "no":
            fitting = nearest(driver=driver)
            return (fitting, "") if fitting else (build, allowed.least)
    return build, ""


def default(room: Room) -> Build:
    """The build that the fork itself installs."""
    version, _, tag = release(room.install.fork).torch.partition("+")
    return Build(version, tag, matrix.torchvision_for(version))


def put(room: Room, build: Build, driver: str = "") -> Fix:
    """Install a build with pip of Forge's Python, and have Forge install the same from now on."""
    steps: list[Step] = []
    if driver:
        steps.append(manual(t("First update the NVIDIA driver to {least} or newer", least=driver)))
    audio = "torchaudio" in room.torch.companions
    shell_kind = fixes.interpreter(room.host)
    steps.append(shell(f"{room.pip} install {build.packages(audio=audio)} --index-url {build.index}", shell_kind))
    if "xformers" in room.torch.companions and _other_xformers(room.torch, build):
        steps.append(shell(f"{room.pip} uninstall -y xformers", shell_kind))
    if build.name != release(room.install.fork).torch:
        steps.append(_keep(room, build))
    return Fix(
        title=t("Stop Forge, then install torch {build} (several GB to download):", build=build.name),
        steps=tuple(steps),
        undo=_undo(room),
    )


def _other_xformers(torch: Torch, build: Build) -> bool:
    have = torch.xformers_built.torch if torch.xformers_built else torch.needs.get("xformers", "").lstrip("=")
    return bool(have) and matrix.minor(have) != matrix.minor(build.torch)


def _undo(room: Room) -> Message | None:
    if not (matrix.released(room.torch.full) and room.torch.tag):
        return None
    old = Build(room.torch.version, room.torch.tag, matrix.torchvision_for(room.torch.version))
    return t("the old one again: {command}", command=f"{room.pip} install {old.packages()} --index-url {old.index}")


def _keep(room: Room, build: Build) -> Step:
    """TORCH_COMMAND in the launcher file: what Forge installs into a new venv, or with --reinstall-torch."""
    command = f"pip install {build.packages()} --extra-index-url {build.index}"
    windows = bool(room.host and room.host.system == "windows")
    line = f"set {_VARIABLE}={command}" if windows else f'export {_VARIABLE}="{command}"'
    for script in room.files.scripts if room.files else ():
        for one in reversed(script.assignments):
            if one.name == _VARIABLE and one.line == one.last_line:
                return edit(script.name, one.line, one.raw, line)
        for number, text in enumerate(script.text.splitlines(), 1):
            if script.kind == "sh" and _COMMENTED.fullmatch(text):
                return edit(script.name, number, text, line)
    name = "webui-user.bat" if windows else "webui-user.sh"
    if windows:
        return manual(
            t("So that a new venv gets the same, add to {file}, above its line with call: {line}", file=name, line=line)
        )
    return manual(t("So that a new venv gets the same, add to {file}: {line}", file=name, line=line))


def on_processor(launch: Launch | None, fork: str) -> Fix:
    """Let Forge compute on the processor: minutes for a picture, and no GPU needed."""
    title = t("Let it compute on the processor (minutes for a picture):")
    flag = next((one for one in ("--always-cpu", "--cpu") if (known := find(fork, one)) and known.known), "")
    add = [flag] if flag else ["--use-cpu all", "--no-half", "--precision full", "--skip-torch-cuda-test"]
    if launch and launch.effective.exit is None:
        return fixes.change_flags(launch, add=add, title=title)
    return fixes.advise(t("Let it compute on the processor, with {flags} (minutes for a picture)", flags=" ".join(add)))
