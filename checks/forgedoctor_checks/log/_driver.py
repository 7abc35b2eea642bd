"""What is printed when no card is seen: no driver, a container without access, a wrong choice, a card that is gone."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, POSSIBLE, t
from forgedoctor.signature import Signature
from forgedoctor_checks.log._gpu import BLACKWELL, CANNOT_USE, RADEON

_CONTAINER = r"^OS: docker|\bdocker[ -]compose\b|webui-docker|/\.dockerenv|docker: Error|Error response from daemon"

NO_DRIVER = Signature(
    id="no-nvidia-gpu",
    severity=ERROR,
    group="gpu",
    summary=t("Torch finds no NVIDIA driver: there is no NVIDIA card, or its driver is missing."),
    lines=(r"Found no NVIDIA driver on your system",),
    unless=(_CONTAINER, r"nvidia-container"),
    fixes=(
        t(
            "With an NVIDIA card: install its driver and restart. Without one: --always-cpu in Forge, or the edition "
            "made for AMD or Intel cards; --skip-torch-cuda-test only hides this"
        ),
    ),
    confidence=LIKELY,
    examples=("RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU",),
    near_misses=("OS: docker\nRuntimeError: Found no NVIDIA driver on your system.",),
)

OTHER_MAKER = Signature(
    id="no-nvidia-gpu",
    severity=ERROR,
    group="gpu",
    summary=t("The card is not from NVIDIA, and this is the edition for NVIDIA cards."),
    lines=CANNOT_USE,
    also=(r"^\W{0,4}GPU\W{0,4}:.*(?:\bAMD\b|Radeon|\bRX \d{3,4}|Iris|UHD|\bnone\b|no GPU)", r"^OS: windows|[A-Z]:\\"),
    unless=(r"(?i)zluda", r"(?i)rocm", r"vram state to: DISABLED", r"^\W{0,4}GPU\W{0,4}:.*(?:NVIDIA|GeForce|RTX|GTX|Quadro|Tesla)"),
    fixes=(
        t("Start with --always-cpu, or use the edition made for this card (ZLUDA or DirectML for AMD, XPU for Intel Arc)"),
    ),
    examples=("OS: windows\nGPU: AMD Radeon RX 6600\nRuntimeError: Torch is not able to use GPU",),
    near_misses=(
        "OS: windows\nGPU: RTX 3060\nRuntimeError: Torch is not able to use GPU",
        "OS: linux\nGPU: AMD\nRuntimeError: Torch is not able to use GPU",
    ),
)  # fmt: skip

NO_CUDA_MACHINE = Signature(
    id="no-nvidia-gpu",
    severity=ERROR,
    group="gpu",
    summary=t("This machine has no NVIDIA card, and the start tests for one."),
    lines=CANNOT_USE,
    also=(
        r"^OS: macos|^\W{0,4}GPU\W{0,4}:.*(?:\bIntel\b|Iris|\bUHD\b|\bnone\b|no GPU|integrated|Apple)|/Users/[^/\s]+/",
    ),
    unless=(r"\bArc\b", r"--use-ipex", r"^\W{0,4}GPU\W{0,4}:.*(?:NVIDIA|GeForce|RTX|GTX|Quadro|Tesla|AMD|Radeon)"),
    fixes=(
        t(
            "Start Forge with --always-cpu; AUTOMATIC1111 on a Mac with --skip-torch-cuda-test and its webui-macos-env.sh"
        ),
    ),
    examples=("OS: macos\nAssertionError: Torch is not able to use GPU",),
    near_misses=("OS: windows\nAssertionError: Torch is not able to use GPU",),
)

CONTAINER = Signature(
    id="container-without-gpu",
    severity=ERROR,
    group="gpu",
    summary=t("The container has no access to the graphics card."),
    lines=(
        r"could not select device driver \"\w*\" with capabilities: \[\[.*gpu",
        r"unknown or invalid runtime name: nvidia",
        r"nvidia-container-cli: (?:initialization error|requirement error|mount error|device error)",
        r"exec: \"?nvidia-container-runtime",
        r"unresolvable CDI devices nvidia\.com/gpu",
    ),
    fixes=(
        t(
            "Install the NVIDIA Container Toolkit on the host, run nvidia-ctk runtime configure --runtime=docker, restart "
            "Docker, and start the container with --gpus all"
        ),
    ),
    explains=("no-nvidia-gpu", "torch-cpu-build"),
    confidence=CERTAIN,
    examples=('Error response from daemon: could not select device driver "" with capabilities: [[gpu]]',),
    near_misses=("Error response from daemon: driver failed programming external connectivity on endpoint webui",),
)

CONTAINER_SEES_NONE = Signature(
    id="container-without-gpu",
    severity=ERROR,
    group="gpu",
    summary=t("Inside the container torch sees no graphics card."),
    lines=(r"Found no NVIDIA driver on your system", r"No CUDA GPUs are available", *CANNOT_USE),
    also=(_CONTAINER,),
    unless=(RADEON, BLACKWELL),
    fixes=(
        t(
            "Start the container with --gpus all (compose: deploy.resources.reservations.devices) and "
            "NVIDIA_DRIVER_CAPABILITIES=compute,utility; the host needs the NVIDIA Container Toolkit"
        ),
    ),
    explains=("no-nvidia-gpu", "wrong-gpu-selected"),
    examples=("OS: docker\nRuntimeError: Found no NVIDIA driver on your system.",),
    near_misses=("OS: windows\nRuntimeError: Found no NVIDIA driver on your system.",),
)

WRONG_CARD = Signature(
    id="wrong-gpu-selected",
    severity=ERROR,
    group="gpu",
    summary=t("The choice of the graphics card names none that is there: one number is wanted, counted from 0."),
    lines=(
        r"Invalid device string: 'cuda:[^']*'",
        r"CUDA error: invalid device ordinal",
        r"(?i)^\W{0,8}set +set +CUDA_VISIBLE_DEVICES",
        r"(?i)^\W{0,8}(?:set|export) +(?!CUDA_VISIBLE_DEVICES\b)CUDA_(?:VISIBLE|VISBLE|VISABLE|VISIBILE)_?DEVICES? *=",
        r"(?i)^\W{0,8}set +CUDA_VISIBLE_DEVICES +=",
        r"(?i)^\W{0,8}export +CUDA_VISIBLE_DEVICES(?: +=|= +\d)",
    ),
    fixes=(
        t(
            "Give --gpu-device-id one number in Forge (--device-id in AUTOMATIC1111), or write "
            "set CUDA_VISIBLE_DEVICES=1 (Windows) or export CUDA_VISIBLE_DEVICES=1 (elsewhere), without further words or "
            "blanks; two cards need two processes"
        ),
    ),
    confidence=CERTAIN,
    examples=(
        "RuntimeError: Invalid device string: 'cuda:1,2'",
        "set CUDA_VISIBLE_DEVICE=1",
        "set CUDA_VISIBLE_DEVICES =1",
    ),
    near_misses=("set CUDA_VISIBLE_DEVICES=1", "export CUDA_VISIBLE_DEVICES=0"),
)

HIDDEN_CARD = Signature(
    id="wrong-gpu-selected",
    severity=ERROR,
    group="gpu",
    summary=t("The choice of the graphics card hides every card from torch."),
    lines=(r"No CUDA GPUs are available",),
    also=(r"CUDA_VISIBLE_DEVICES|--gpu-device-id|--device-id",),
    unless=(_CONTAINER,),
    fixes=(t("Name a card that is there: numbers count from 0, and nvidia-smi -L lists them"),),
    examples=("Command line: --gpu-device-id 1\nRuntimeError: No CUDA GPUs are available",),
    near_misses=("RuntimeError: No CUDA GPUs are available",),
)

NO_CARD_SEEN = Signature(
    id="no-nvidia-gpu",
    severity=ERROR,
    group="gpu",
    summary=t("The driver is there, and torch sees no NVIDIA card."),
    lines=(r"No CUDA GPUs are available", r"no CUDA-capable device is detected"),
    unless=(_CONTAINER, r"CUDA_VISIBLE_DEVICES|--gpu-device-id|--device-id"),
    fixes=(
        t("See whether nvidia-smi lists the card; in a rented notebook choose a runtime with a GPU; --always-cpu works without"),
    ),
    confidence=POSSIBLE,
    examples=("RuntimeError: No CUDA GPUs are available",),
    near_misses=("Command line: --gpu-device-id 1\nRuntimeError: No CUDA GPUs are available",),
)  # fmt: skip

LIBRARY_MISMATCH = Signature(
    id="nvidia-library-mismatch",
    severity=ERROR,
    group="gpu",
    summary=t("Parts of two NVIDIA driver versions are loaded: the driver was updated and the machine not restarted."),
    lines=(
        r"Driver/library version mismatch",
        r"Error 803: system has unsupported display driver",
        r"Error 804: forward compatibility was attempted on non supported HW",
    ),
    fixes=(t("Restart the machine (a container: restart it too)"),),
    explains=("no-nvidia-gpu", "nvidia-driver-too-old"),
    confidence=CERTAIN,
    examples=("Failed to initialize NVML: Driver/library version mismatch",),
    near_misses=("Failed to initialize NVML: Unknown Error",),
)

LOST = Signature(
    id="gpu-lost",
    severity=ERROR,
    group="gpu",
    summary=t("The card stopped answering (it fell off the bus or was reset)."),
    lines=(
        r"GPU has fallen off the bus",
        r"Unable to determine the device handle for GPU.*(?:GPU is lost|Unknown Error)",
        r"NVRM: Xid .*: 79\b",
        r"DXGI_ERROR_DEVICE_(?:REMOVED|HUNG)|The GPU device instance has been suspended",
    ),
    fixes=(t("Look at power plugs, riser and temperature, undo overclocking, restart the machine, update the driver"),),
    confidence=CERTAIN,
    examples=("kernel: NVRM: Xid (PCI:0000:01:00): 79, pid=1234, GPU has fallen off the bus.",),
    near_misses=("kernel: NVRM: Xid (PCI:0000:01:00): 31, pid=1234, MMU Fault",),
)

CONTAINER_LOST = Signature(
    id="container-lost-gpu",
    severity=ERROR,
    group="gpu",
    summary=t("The container lost its access to the card while it ran."),
    lines=(r"Failed to initialize NVML: Unknown Error",),
    fixes=(
        t(
            "Restart the container; run it with --device for /dev/nvidia0, /dev/nvidiactl and /dev/nvidia-uvm to keep it"
        ),
    ),
    explains=("no-nvidia-gpu", "container-without-gpu"),
    examples=("Failed to initialize NVML: Unknown Error",),
    near_misses=("Failed to initialize NVML: Driver/library version mismatch",),
)


SIGNATURES = (
    NO_DRIVER,
    OTHER_MAKER,
    NO_CUDA_MACHINE,
    CONTAINER,
    CONTAINER_SEES_NONE,
    WRONG_CARD,
    HIDDEN_CARD,
    NO_CARD_SEEN,
    LIBRARY_MISMATCH,
    LOST,
    CONTAINER_LOST,
)
