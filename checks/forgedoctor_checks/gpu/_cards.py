"""What the checks of GPUs share: which cards count, whether Forge wants one, and words for them."""

from __future__ import annotations

from collections.abc import Sequence

from forgedoctor.check import Evidence, Fix, Message, NotApplicable, Undecided, plain, shell, t
from forgedoctor.facts import GpuChoice, Gpus, Host, Launch, Packages
from forgedoctor.facts.gpu import Card, DriverError
from forgedoctor.fixes import interpreter
from forgedoctor.gpu import nvml_errors

# Local parts of torch's version, and packages, that stand for another kind of GPU.
_OTHER_BUILDS = ("rocm", "xpu", "cpu", "hip")
_OTHER_PACKAGES = ("torch-directml", "intel-extension-for-pytorch", "torch-npu", "pytorch-triton-rocm")


def wants_cuda(launch: Launch | None) -> bool:
    """Whether this launch computes on an NVIDIA card, as far as its flags say; so it is where there is no launch."""
    if launch is None:
        return True
    if launch.effective.fork == "a1111" and "all" in (launch.effective.options.get("use_cpu") or ()):
        return False
    return not launch.given("always_cpu", "cpu", "directml", "use_ipex", "use_rocm", "use_zluda")


def only_with_cuda(launch: Launch | None) -> None:
    """Raises NotApplicable where Forge is told to compute elsewhere."""
    if not wants_cuda(launch):
        raise NotApplicable(t("Forge is told not to use an NVIDIA GPU"))


def build_of(packages: Packages | None) -> str:
    """Whose GPUs the installed torch is for: nvidia, other, or empty where none is installed or it cannot be told."""
    if packages is None:
        return ""
    version = packages.packages.get("torch", "")
    local = version.partition("+")[2].lower()
    if local.startswith(_OTHER_BUILDS) or any(name in packages.packages for name in _OTHER_PACKAGES):
        return "other"
    cuda = local.startswith("cu") or any(name.startswith("nvidia-cublas") for name in packages.packages)
    return "nvidia" if version and cuda else ""


def only_answered(gpus: Gpus) -> None:
    """Raises where nothing can be said about cards: NVML could not be asked, or has none."""
    if gpus.error and gpus.error.code == nvml_errors.NO_BINDING:
        raise Undecided(
            t("the NVIDIA driver could not be asked: {why}", why=gpus.error.said or gpus.error.meaning),
            t("install forgedoctor again, in an environment of its own: pip install --force-reinstall forgedoctor"),
        )
    if not gpus.alive:
        raise NotApplicable(t("no NVIDIA card answers"))


def relevant(gpus: Gpus, choice: GpuChoice | None) -> tuple[Card, ...]:
    """The card that Forge gets, where that is certain; else all that answer."""
    if choice and choice.pick.outcome == "none":
        return ()
    if choice and choice.index is not None:
        return tuple(one for one in gpus.alive if one.index == choice.index)
    return gpus.alive


def failing(gpus: Gpus, *codes: int) -> list[tuple[Card | None, DriverError]]:
    """The errors of these codes: of NVML as a whole (no card), and of single cards."""
    whole: list[tuple[Card | None, DriverError]] = []
    if gpus.error and gpus.error.code in codes:
        whole.append((None, gpus.error))
    return whole + [(one, one.error) for one in gpus.cards if one.error and one.error.code in codes]


def called(card: Card | None) -> str:
    """A card for people: ``GPU 0 (NVIDIA GeForce RTX 4090)``."""
    if card is None:
        return "GPU"
    return f"GPU {card.index} ({card.name})" if card.name else f"GPU {card.index}"


def told(error: DriverError) -> Evidence:
    """What NVML answered."""
    template = "NVML answers {name} ({code}) to {question}: {meaning}"
    return Evidence(t(template, name=error.name, code=error.code, question=error.at, meaning=error.meaning), "NVML")


def marks(gpus: Gpus) -> list[Evidence]:
    """What else shows of the driver in a Linux system."""
    signs, found = gpus.signs, []
    if signs is None:
        return []
    if signs.module:
        found.append(
            Evidence(t("the loaded kernel driver is {version}", version=signs.module), "/proc/driver/nvidia/version")
        )
    if signs.library:
        found.append(Evidence(plain(signs.library), "/proc/self/maps"))
    for one in signs.closed:
        found.append(Evidence(t("{path} may not be opened", path=one)))
    return found


def commands(
    title: Message, lines: Sequence[str], host: Host | None, *, admin: bool = False, safety: str = "changes-behaviour"
) -> Fix:
    """Commands to paste, one after the other."""
    steps = tuple(shell(line, interpreter(host)) for line in lines)
    return Fix(title=title, steps=steps, needs_admin=admin, safety=safety)


def on_windows(host: Host | None) -> bool:
    """Whether the fix is for Windows."""
    return bool(host and host.system == "windows")
