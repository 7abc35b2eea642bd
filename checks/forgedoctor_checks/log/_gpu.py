"""What is printed when torch and the card do not come together (NVIDIA)."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, POSSIBLE, t
from forgedoctor.signature import Signature

# Which cards a torch build has code for. Source: the "supports CUDA capabilities" lists of torch's wheels;
# NVIDIA's table of compute capabilities. Blackwell is 10.x and 12.x; 7.0 and older has left the CUDA 13 wheels.
BLACKWELL = (
    r"(?i:blackwell)|RTX (?:50[5-9]0|PRO \d{4})|\b50[5-9]0(?: ?Ti)?\b|\bRTX 50xx|\bB[23]00\b|\bGB\d{2,3}\b|sm_1[02]\d"
)
_OLD_CARD = (
    r"GTX (?:[4-9]\d\d|10\d\d|TITAN)|\bGTX?[ -]?(?:[67]\d\d|9[4-9]\d|10[3-8]0)\b|TITAN (?:X|V|Xp|Z)\b|Tesla [CKMPV]\d"
    r"|Quadro (?:[KMP]\d|GP|GV)|\bMX1[1-5]0\b|\b[MPV]100\b|\bP40\b|\bK80\b|sm_[3-6]\d\b"
)
_NEW_BUILD = r"[pP]y[tT]orch [vV]ersion: \S+\+cu(?:12[89]|1[3-9])"
_NO_KERNEL = r"no kernel image is available for execution on the device"
# All that the launchers say when torch could not be imported or saw no card. No cause by itself.
CANNOT_USE = (
    r"Your device does not support the current version of Torch/CUDA",
    r"Torch is not able to use GPU",
    r"PyTorch is not able to access (?:GPU|CUDA)",
)
RADEON = r"^\W{0,4}GPU\W{0,4}:.*(?:\bAMD\b|Radeon|\bRX \d{3,4})|AMD Radeon|\bgfx\d{3,4}\b|hip(?:Error|GetDevice)"
_ARC = r"^\W{0,4}GPU\W{0,4}:.*(?:\bArc\b|\bIntel\b)|Intel\(R\) Arc|\bxpu:\d"
_NEW_TORCH = t(
    "Install torch from the index for CUDA 12.8 or newer (https://download.pytorch.org/whl/cu128) into the Python that "
    "Forge uses: venv\\Scripts\\python.exe or system\\python\\python.exe on Windows, venv/bin/python elsewhere"
)
_OLD_TORCH = t(
    "Install a torch build that still has code for this card, such as 2.7 from https://download.pytorch.org/whl/cu126 "
    "or cu118, into the Python that Forge uses; a Kepler card has none: --always-cpu"
)

TOO_NEW_CARD = Signature(
    id="torch-too-old-for-gpu",
    severity=ERROR,
    group="torch",
    summary=t("The installed torch has no code for a card this new (Blackwell, RTX 50): it needs CUDA 12.8 or newer."),
    lines=(r"with CUDA capability sm_1[02]\d is not compatible with the current PyTorch",),
    fixes=(_NEW_TORCH,),
    explains=("xformers-mismatch", "bitsandbytes-broken", "speed-flags-problem"),
    confidence=CERTAIN,
    examples=(
        "NVIDIA GeForce RTX 5080 with CUDA capability sm_120 is not compatible with the current PyTorch installation.",
    ),
    near_misses=(
        "NVIDIA GeForce GTX 1070 with CUDA capability sm_61 is not compatible with the current PyTorch installation.",
    ),
)

TOO_NEW_CARD_NAMED = Signature(
    id="torch-too-old-for-gpu",
    severity=ERROR,
    group="torch",
    summary=t("Torch has no code for this card: it is a Blackwell card (RTX 50), which needs CUDA 12.8 or newer."),
    lines=(_NO_KERNEL, *CANNOT_USE),
    also=(BLACKWELL,),
    unless=(_NEW_BUILD,),
    fixes=(_NEW_TORCH,),
    explains=("xformers-mismatch", "bitsandbytes-broken"),
    examples=(
        "GPU: RTX 5070 Ti\nRuntimeError: CUDA error: no kernel image is available for execution on the device",
        "GPU: RTX 5090\nRuntimeError: Your device does not support the current version of Torch/CUDA!",
    ),
    near_misses=(
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
        "GPU: RTX 3060\nRuntimeError: Your device does not support the current version of Torch/CUDA!",
        "pytorch version: 2.8.0+cu128\nDevice: cuda:0 NVIDIA GeForce RTX 5090 : native\n"
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
    ),
)

# These builds have code for all cards from Maxwell (5.0) to Hopper (9.0): a card without is newer, or a Kepler.
OLD_BUILD = Signature(
    id="torch-too-old-for-gpu",
    severity=ERROR,
    group="torch",
    summary=t("Torch {torch} has no code for this card: most likely the card is newer than that build (RTX 50)."),
    lines=(r"[pP]y[tT]orch [vV]ersion: (?P<torch>2\.[0-6]\.\d\S*\+cu1(?:1[78]|2[1-6]))",),
    also=(_NO_KERNEL,),
    unless=(_OLD_CARD, BLACKWELL),
    fixes=(_NEW_TORCH,),
    confidence=POSSIBLE,
    examples=(
        "pytorch version: 2.3.1+cu121\nRuntimeError: CUDA error: no kernel image is available for execution on the device",
    ),
    near_misses=(
        "pytorch version: 2.3.1+cu121\nRuntimeError: CUDA error: out of memory",
        "GPU: GTX 770\npytorch version: 2.3.1+cu121\n"
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
    ),
)

NEW_BUILD = Signature(
    id="gpu-too-old-for-torch",
    severity=ERROR,
    group="torch",
    summary=t(
        "Torch {torch} has no code for this card: builds for CUDA 12.8 and newer have left the old cards behind."
    ),
    lines=(r"[pP]y[tT]orch [vV]ersion: (?P<torch>\S+\+cu(?:12[89]|1[3-9]\d))",),
    also=(_NO_KERNEL,),
    unless=(_OLD_CARD, BLACKWELL, r"RTX [2-4]0"),
    fixes=(_OLD_TORCH,),
    confidence=POSSIBLE,
    examples=(
        "PyTorch Version: 2.9.1+cu130\nRuntimeError: CUDA error: no kernel image is available for execution on the device",
    ),
    near_misses=("PyTorch Version: 2.9.1+cu130\nRuntimeError: CUDA error: out of memory",),
)

TOO_OLD_CARD = Signature(
    id="gpu-too-old-for-torch",
    severity=ERROR,
    group="torch",
    summary=t("The installed torch has no code left for a card this old."),
    lines=(
        r"PyTorch no longer supports this GPU because it is too old",
        r"with CUDA capability sm_[3-7]\d is not compatible with the current PyTorch",
        r"[Mm]inimum (?:and Maximum )?cuda capability supported by this",
        r"does not include kernels for this GPU",
    ),
    unless=(r"sm_1[02]\d is not compatible", r"capability \(?(?:CC\) )?1[02]\.\d"),
    fixes=(_OLD_TORCH,),
    explains=("xformers-mismatch", "bitsandbytes-broken", "speed-flags-problem"),
    confidence=CERTAIN,
    examples=(
        "Found GPU0 Tesla K40c which is of cuda capability 3.5.\n"
        "PyTorch no longer supports this GPU because it is too old.",
        "Found GPU0 NVIDIA GeForce GTX 980 which is of cuda capability 5.2.\n"
        "Minimum and Maximum cuda capability supported by this version of PyTorch is (7.5) - (12.0)",
    ),
    near_misses=(
        "NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch installation.",
    ),
)

TOO_OLD_CARD_NAMED = Signature(
    id="gpu-too-old-for-torch",
    severity=ERROR,
    group="torch",
    summary=t("The installed torch has no code for this card: it is older than the builds for CUDA 12.8 and newer."),
    lines=(_NO_KERNEL, r"cudaErrorNoKernelImageForDevice"),
    also=(_OLD_CARD,),
    unless=(BLACKWELL,),
    fixes=(_OLD_TORCH,),
    explains=("xformers-mismatch", "bitsandbytes-broken"),
    examples=("GPU: GTX 970\nRuntimeError: CUDA error: no kernel image is available for execution on the device",),
    near_misses=("GPU: RTX 5080\nRuntimeError: CUDA error: no kernel image is available for execution on the device",),
)

CPU_BUILD = Signature(
    id="torch-cpu-build",
    severity=ERROR,
    group="torch",
    summary=t("The torch in Forge's Python is a build for the processor, or for another maker's cards."),
    # "Warning: caught exception '…', memory monitor disabled" is what a start that was meant for the CPU says.
    lines=(
        r"^\W{0,8}(?:AssertionError: )?Torch not compiled with CUDA enabled",
        r"Attempting to deserialize object on a CUDA device but torch\.cuda\.is_available\(\) is False",
        r"\(you have \S+\+cpu\)",
    ),
    unless=(
        r"--always-cpu", r"--use-cpu", r"vram state to: DISABLED", _ARC,
        r"^OS: macos", r"/Users/[^/\s]+/", r"\bApple M\d", r"--use-ipex",
    ),
    fixes=(
        t(
            "Install the CUDA build of torch: start once with --reinstall-torch, or delete the venv folder and start; "
            "whoever changes the backend (DirectML, ZLUDA, CUDA) needs a new venv"
        ),
    ),
    explains=("xformers-mismatch", "bitsandbytes-broken"),
    confidence=LIKELY,
    examples=("AssertionError: Torch not compiled with CUDA enabled",),
    near_misses=(
        "Warning: caught exception 'Torch not compiled with CUDA enabled', memory monitor disabled",
        "GPU: Intel Arc A770\nAssertionError: Torch not compiled with CUDA enabled",
    ),
)  # fmt: skip

OLD_DRIVER = Signature(
    id="nvidia-driver-too-old",
    severity=ERROR,
    group="torch",
    summary=t("The NVIDIA driver is older than the CUDA that the installed torch is built with."),
    lines=(
        r"driver on your system is too old",
        r"CUDA driver version is insufficient for CUDA runtime version",
        r"Please update your GPU driver to support cu1",
        r"PTX was compiled with an unsupported toolchain",
    ),
    fixes=(
        t(
            "Update the NVIDIA driver (in WSL the one of Windows); where that cannot be, install a torch built for the "
            "driver's CUDA, such as --index-url https://download.pytorch.org/whl/cu118"
        ),
    ),
    explains=("no-nvidia-gpu", "torch-cpu-build", "xformers-mismatch"),
    confidence=CERTAIN,
    examples=("UserWarning: CUDA initialization: The NVIDIA driver on your system is too old (found version 11020).",),
    near_misses=("UserWarning: Found no NVIDIA driver on your system.",),
)

SPEED_FLAGS = Signature(
    id="speed-flags-problem",
    severity=ERROR,
    group="memory",
    page="""A flag that is meant to speed things up does not work on this machine.

    What happens: "CUDA error: operation not supported" at the first image, "CUDA error: out of memory" while there is
    graphics memory left, black or noisy pictures.
    Why: --cuda-malloc needs a card and driver with asynchronous allocation, which Maxwell and some laptops lack;
    --pin-shared-memory (Swap Location: Shared) takes main memory that nobody else can have, and an error there is final;
    --cuda-stream (Swap Method: Async) fails on some cards of the 10 and 20 series.
    Fix: leave these flags out; on the page Swap Method: Queue and Swap Location: CPU.
    Source: README of Forge; modules_forge/cuda_malloc.py; torch CUDAMallocAsyncAllocator.
    """,
    summary=t("--cuda-malloc, --cuda-stream or --pin-shared-memory does not work on this machine."),
    lines=(
        r"CUDA error: operation not supported",
        r"Failed to use cudaMallocAsync backend",
        r"cudaMallocAsync does not",
    ),
    unless=(r"(?i)zluda", r"\bHIP\b", r"AMD Radeon"),
    fixes=(
        t(
            "Start without --cuda-malloc, --cuda-stream and --pin-shared-memory; on the page set Swap Method to Queue and "
            "Swap Location to CPU"
        ),
    ),
    examples=("RuntimeError: CUDA error: operation not supported",),
    near_misses=(
        "AMD Radeon RX 6600 [ZLUDA]\nRuntimeError: CUDA error: operation not supported",
        "Using cudaMallocAsync backend.",
    ),
)

PINNED = Signature(
    id="speed-flags-problem",
    severity=ERROR,
    group="memory",
    summary=t("The speed flags ran out of memory: pinned main memory or cudaMallocAsync, not the image itself."),
    lines=(r"(?:CUDA error|RuntimeError): (?:CUDA error: )?out of memory", r"\.pin_memory\(\)"),
    also=(
        r"(?:CUDA error|RuntimeError): (?:CUDA error: )?(?:out of memory|invalid argument|resource already mapped)",
        r"'pin_shared_memory': True|Always pin shared GPU memory|Using cudaMallocAsync|--pin-shared-memory|--cuda-malloc"
        r"|: cudaMallocAsync|Shared Swap Loaded|\.pin_memory\(\)",
    ),
    fixes=(
        t(
            "Start without --cuda-malloc, --cuda-stream and --pin-shared-memory; on the page set Swap Method to Queue and "
            "Swap Location to CPU"
        ),
    ),
    explains=("vram-oom", "gpu-weights-too-high"),
    examples=(
        "Environment vars changed: {'stream': False, 'inference_memory': 1024.0, 'pin_shared_memory': True}\n"
        "RuntimeError: CUDA error: out of memory",
    ),
    near_misses=(
        "Environment vars changed: {'stream': False, 'inference_memory': 1024.0, 'pin_shared_memory': False}\n"
        "RuntimeError: CUDA error: out of memory",
        "Using cudaMallocAsync backend.\ntorch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
    ),
)


SIGNATURES = (
    TOO_NEW_CARD,
    TOO_NEW_CARD_NAMED,
    OLD_BUILD,
    NEW_BUILD,
    TOO_OLD_CARD,
    TOO_OLD_CARD_NAMED,
    CPU_BUILD,
    OLD_DRIVER,
    SPEED_FLAGS,
    PINNED,
)
