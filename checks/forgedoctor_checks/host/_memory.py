"""How much memory a start will need, sizes in words, and the ways to get more of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from forgedoctor import fixes
from forgedoctor.check import Evidence, Fix, Message, manual, shell, t
from forgedoctor.facts import CgroupLimit, Gpus, Host, Memory, Models

MIB, GIB = 1024**2, 1024**3
# Python, torch, the server and what a first image allocates beside the model. Source: three to four GB were measured.
PROCESS = 3 * GIB


class Need(NamedTuple):
    """Bytes of RAM for a start: of the model's files, and of the program beside them. ``known``: the model is the one
    that the settings name, not the smallest that is there."""

    files: int
    program: int
    known: bool
    text: Message

    @property
    def whole(self) -> int:
        return self.files + self.program


def need(models: Models | None) -> Need:
    """What Forge will read into RAM: its chosen checkpoint and modules, else the smallest checkpoint there is.

    Forge reads a file whole into RAM before it goes to the card. Source: backend/utils.py load_torch_file.
    """
    chosen = models.checkpoint if models else None
    if models and chosen and chosen.size:
        files = chosen.size + sum(one.size for one in models.chosen_modules)
        text = t("{name} and its modules are {size}, read into RAM first", name=chosen.name, size=gib(files))
        return Need(files, PROCESS, True, text)
    sizes = [one.size for one in models.of("checkpoint") if one.size and not one.renamed] if models else []
    if sizes:
        text = t("the smallest checkpoint there is {size}, read into RAM first", size=gib(min(sizes)))
        return Need(min(sizes), PROCESS, False, text)
    return Need(0, PROCESS, False, t("Forge itself needs about {size} of RAM", size=gib(PROCESS)))


def goes_to_the_card(wanted: Need, memory: Memory, gpus: Gpus | None) -> bool:
    """Whether Forge may build the model on the card at once: it does where that has more free memory than the RAM.

    Source: backend/memory_management.py unet_inital_load_device.
    """
    free = [one.free_mib * MIB for one in gpus.cards if one.free_mib] if gpus else []
    return any(one > memory.room and one > wanted.files for one in free)


def gib(size: int) -> str:
    """A size for people."""
    return f"{size / MIB:.0f} MiB" if size < GIB else f"{size / GIB:.1f} GiB"


def ram(memory: Memory) -> Evidence:
    """What is free now, and what there is."""
    said = t(
        "RAM: {free} of {total} are free; swap: {swap} of {swap_total}",
        free=gib(memory.available),
        total=gib(memory.total),
        swap=gib(memory.swap_free),
        swap_total=gib(memory.swap_total),
    )
    return Evidence(said, memory.source)


def smaller_model() -> Fix:
    """The way that costs nothing."""
    return fixes.advise(t("Or choose a smaller file: fp8, NF4 or GGUF of the same model, and the fp8 text encoder"))


def more_swap(missing: int, host: Host | None) -> Fix:
    """Swap for what is missing, with some to spare."""
    size = max(8, -(-missing * 2 // GIB))
    if host and host.wsl:
        return Fix(
            title=t("Give WSL more memory and swap, in .wslconfig in your Windows user folder; then start WSL again:"),
            steps=(
                manual(t("below [wsl2] write memory=… (most of the PC's RAM) and swap={size}GB", size=size)),
                shell("wsl --shutdown", "cmd"),
            ),
            undo=t("take the two lines out again, and: wsl --shutdown"),
        )
    command = (
        f"sudo fallocate -l {size}G /swapfile && sudo chmod 600 /swapfile && sudo mkswap /swapfile && "
        "sudo swapon /swapfile"
    )
    return Fix(
        title=t("Add swap, until the next start of the machine (on btrfs: btrfs filesystem mkswapfile):"),
        steps=(shell(command),),
        needs_admin=True,
        undo=t("sudo swapoff /swapfile && sudo rm /swapfile"),
    )


def page_file() -> Fix:
    """Let Windows choose the page file's size, where only a person can click."""
    return Fix(
        title=t("Let Windows manage the page file, on a drive with 40 GB free; then restart the PC:"),
        steps=(
            shell("SystemPropertiesAdvanced", "cmd"),
            manual(
                t(
                    "Performance, Settings, Advanced, Virtual memory, Change: tick Automatically manage paging file "
                    "size for all drives"
                )
            ),
        ),
        needs_admin=True,
        undo=t("set the sizes there as they were"),
    )


def raise_limit(group: CgroupLimit, wanted: int, host: Host | None) -> Fix:
    """Raise the limit where it was set: the unit of systemd by its name, else the engine that runs the container."""
    size = -(-wanted * 5 // (4 * GIB))
    before = group.limit or 0
    unit = re.search(r"([\w@:.\\-]+\.(?:service|slice|scope))$", group.path, re.ASCII)
    if unit:
        user = "--user " if "/user@" in group.path else ""
        return Fix(
            title=t("Raise the limit of {unit}:", unit=unit[1]),
            steps=(shell(f"{'' if user else 'sudo '}systemctl {user}set-property '{unit[1]}' MemoryMax={size}G"),),
            needs_admin=not user,
            undo=t("set MemoryMax={size} again", size=before),
        )
    if host and host.container in ("docker", "podman"):
        return Fix(
            title=t("Raise the limit of the container, on the machine that runs it:"),
            steps=(shell(f"{host.container} update --memory {size}g --memory-swap {size}g CONTAINER"),),
            undo=t("the same with {size} MB", size=before // 10**6),
        )
    if host and host.container == "kubernetes":
        return fixes.advise(t("Raise resources.limits.memory of the pod to {size}Gi", size=size))
    return fixes.advise(
        t("Raise the memory limit to {size} GiB where it was set (container, systemd, the hoster's plan)", size=size)
    )
