"""What is printed on cards that are not NVIDIA's: ROCm, ZLUDA and DirectML, Intel's XPU, Apple's MPS."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, POSSIBLE, t
from forgedoctor.signature import Signature
from forgedoctor_checks.log._gpu import CANNOT_USE

_RADEON = (
    r"^\W{0,4}GPU\W{0,4}:.*(?:\bAMD\b|Radeon|\bRX \d{3,4})|AMD Radeon|\bgfx\d{3,4}\b|\[ZLUDA\]|HIP SDK|whl/rocm|\+rocm"
)
_LINUX = r"^OS: (?:linux|docker|wsl)|/home/|/usr/lib|webui\.sh|/opt/rocm"
_ROCM_FIX = t(
    "Install the ROCm build of torch and add the user to the groups render and video; for a card that ROCm does not "
    "list set HSA_OVERRIDE_GFX_VERSION=10.3.0 (RX 6000) or 11.0.0 (RX 7000)"
)

ZLUDA = Signature(
    id="amd-zluda-setup",
    severity=ERROR,
    group="gpu",
    page="""ZLUDA or the HIP SDK under it is not complete.

    What happens: "Failed to load ZLUDA", "ROCm: version=None", "no agent was found", or the first image stops with
    "operation not supported".
    Why: ZLUDA turns CUDA calls into calls of AMD's HIP SDK; that must be installed, in one version, on the PATH, with
    libraries for this card. Forge itself has no ZLUDA: the edition for AMD cards has.
    Fix: one HIP SDK, the AMD edition of the web UI, then delete the folders .zluda and venv and start.
    Source: modules/zluda.py and zluda_installer.py of the AMD editions.
    """,
    summary=t("ZLUDA does not work here: the HIP SDK is missing, mixed with another version, or lacks this card."),
    lines=(
        r"Failed to load ZLUDA",
        r"ZLUDA device failed to pass basic operation test",
        r"ZLUDA: failed to (?:automatically patch|load|initialize)",
        r"ROCm: version=None",
        r"ROCm agent enumerator failed",
        r"(?:WinError 126|Could not (?:find|load)).{0,200}(?:amdhip64|hipblas|rocblas|hiprtc|nvcuda|zluda)",
    ),
    unless=(r"TensileLibrary",),
    fixes=(
        t(
            "Install one version of AMD's HIP SDK, use the AMD edition of the web UI, delete the folders .zluda and venv, "
            "and start again"
        ),
    ),
    explains=("torch-cpu-build", "no-nvidia-gpu", "torch-too-old-for-gpu", "speed-flags-problem", "amd-rocm-setup"),
    confidence=LIKELY,
    examples=("Failed to load ZLUDA: Could not load module 'nvcuda.dll'", "ROCm: version=None"),
    near_misses=("ZLUDA support: experimental\nROCm: version=6.2", "Failed to load extension zluda-notes"),
)

ZLUDA_OPERATION = Signature(
    id="amd-zluda-setup",
    severity=ERROR,
    group="gpu",
    summary=t("ZLUDA runs and its libraries do not carry what torch asks for."),
    lines=(r"CUDA error: operation not supported", r"CUBLAS_STATUS_NOT_SUPPORTED", r"CUDNN_STATUS_INTERNAL_ERROR"),
    also=(r"\[ZLUDA\]|--use-zluda|--zluda|ZLUDA support",),
    fixes=(t("Use matching versions of HIP SDK and ZLUDA (delete the folder .zluda, start), and switch cuDNN off"),),
    explains=("speed-flags-problem",),
    examples=("Command line: --use-zluda\nRuntimeError: CUDA error: operation not supported",),
    near_misses=("RuntimeError: CUDA error: operation not supported",),
)

UNSUPPORTED = Signature(
    id="amd-gpu-unsupported",
    severity=ERROR,
    group="gpu",
    page="""The AMD card has no libraries in this ROCm or HIP SDK.

    What happens: "Cannot read …/TensileLibrary.dat … for GPU arch : gfxNNNN"; an abort in stl_vector.h or rocBLAS.
    Why: rocBLAS ships compiled code for listed cards only. Polaris (RX 400/500), most integrated graphics and the
    newest cards are missing from one release or another.
    Fix: libraries made for that gfx number, a release that lists the card, or DirectML; where a processor graphics is
    in the way of a real card, hide it with HIP_VISIBLE_DEVICES.
    Source: rocBLAS; AMD's lists of supported cards.
    """,
    summary=t("This ROCm or HIP SDK has no libraries for the AMD card {arch}."),
    lines=(r"TensileLibrary\.dat.*for GPU arch : (?P<arch>gfx\w+)", r"TensileLibrary.*(?P<arch>gfx\w+)"),
    fixes=(
        t(
            "Put the rocBLAS libraries made for {arch} into the HIP SDK, or use a release that lists the card, or "
            "--use-directml; hide a processor's graphics with HIP_VISIBLE_DEVICES"
        ),
    ),
    explains=("amd-zluda-setup", "amd-rocm-setup"),
    confidence=CERTAIN,
    examples=(
        "rocBLAS error: Cannot read C:\\HIP\\bin\\/rocblas/library/TensileLibrary.dat: No such file or directory "
        "for GPU arch : gfx90c",
    ),
    near_misses=("Using device gfx1100", "rocBLAS warning: No paths matched"),
)

UNSUPPORTED_ABORTS = Signature(
    id="amd-gpu-unsupported",
    severity=ERROR,
    group="gpu",
    summary=t("The AMD card is not one that this ROCm or HIP SDK has code for."),
    lines=(
        r"stl_vector\.h:\d+:.*Assertion.*failed",
        r"rocBLAS error: Could not initialize Tensile host",
        r"No ROCm agent was found",
        r"no agent was found",
    ),
    unless=(r"TensileLibrary.*gfx",),
    fixes=(
        t(
            "Use a ROCm and torch that still list the card (Polaris: old builds for gfx803), or DirectML on Windows, or "
            "--always-cpu"
        ),
    ),
    explains=("amd-zluda-setup", "amd-rocm-setup"),
    examples=("/usr/include/c++/13/bits/stl_vector.h:1144: Assertion '__n < this->size()' failed.\nAborted",),
    near_misses=("Aborted (core dumped)",),
)

ROCM = Signature(
    id="amd-rocm-setup",
    severity=ERROR,
    group="gpu",
    page="""ROCm on Linux does not run on this card as it is set up.

    What happens: "Torch is not able to use GPU", a segmentation fault at the first use, "invalid device function",
    hipErrorNoBinaryForGpu.
    Why: torch is not the ROCm build, the user may not open /dev/kfd, or the card's gfx number is not among the compiled
    ones although a neighbour's code runs on it.
    Fix: the ROCm build of torch, the groups render and video, HSA_OVERRIDE_GFX_VERSION.
    Source: AMD's installation guide; torch's ROCm wheels.
    """,
    summary=t("ROCm does not run on this AMD card as it is set up."),
    lines=(
        r"hipErrorNoBinaryForGpu", r"HIP error: (?:invalid device function|the operation cannot be performed)",
        r"HIP initialization: Unexpected error", r"Memory access fault by GPU node", r"hipErrorInvalidDeviceFunction",
        r"Unable to open /dev/kfd",
    ),
    fixes=(_ROCM_FIX,),
    explains=("no-nvidia-gpu", "torch-cpu-build"),
    examples=('"hipErrorNoBinaryForGpu: Unable to find code object for all current devices!"',),
    near_misses=("hipErrorOutOfMemory",),
)  # fmt: skip

ROCM_SEES_NONE = Signature(
    id="amd-rocm-setup",
    severity=ERROR,
    group="gpu",
    summary=t("Torch cannot use the AMD card: it is not the ROCm build, or ROCm is not set up for this card."),
    lines=(*CANNOT_USE, r"^.{0,80}[Ss]egmentation [Ff]ault"),
    also=(_RADEON, _LINUX),
    unless=(r"(?i)zluda", r"^\W{0,4}GPU\W{0,4}:.*(?:NVIDIA|GeForce|RTX|GTX)", r"TensileLibrary", r"stl_vector"),
    fixes=(_ROCM_FIX,),
    explains=("no-nvidia-gpu",),
    examples=(
        "OS: linux\nGPU: AMD\nAssertionError: Torch is not able to use GPU",
        "OS: linux\nDevice: cuda:0 AMD Radeon RX 6700S : native\nSegmentation fault (core dumped)",
    ),
    near_misses=(
        "OS: linux\nGPU: RTX 3060\nSegmentation fault (core dumped)",
        "OS: windows\nGPU: AMD\nAssertionError: Torch is not able to use GPU",
    ),
)

FIRST_RUN = Signature(
    id="first-run-slow",
    severity=ERROR,
    group="gpu",
    page="""The first run compiles code for this card; it only has to be waited for.

    What happens: "Compilation is in progress. Please wait…", for minutes, now and then; no progress bar moves.
    Why: ZLUDA, ROCm's MIOpen and the like compile at the first use of each operation and keep the result.
    Fix: wait, up to half an hour; later runs take it from the cache.
    Source: ZLUDA; MIOpen.
    """,
    summary=t("The code for this card is being compiled: the first image takes up to half an hour, later ones do not."),
    lines=(r"Compil(?:ation is|ing) in progress\. Please wait",),
    unless=(r"\d(?:it/s|s/it)\]",),
    fixes=(t("Wait; do not close the window. Later runs take the result from the cache"),),
    confidence=POSSIBLE,
    examples=("Compilation is in progress. Please wait...",),
    near_misses=("Compilation is in progress. Please wait...\n100%|####| 20/20 [00:10<00:00,  2.00it/s]",),
)

XPU = Signature(
    id="intel-xpu-setup",
    severity=ERROR,
    group="gpu",
    page="""Intel's XPU backend cannot use the Arc card.

    What happens: "Native API returns: -997", an abort in wddm_memory_manager, "Torch not compiled with CUDA enabled" on
    an Arc card.
    Why: driver, oneAPI runtime and torch build belong together; a torch for CUDA or the processor knows no XPU.
    Fix: current Arc driver, the XPU build of torch in a new venv, a fork that knows XPU.
    Source: Intel's extension for PyTorch; torch xpu.
    """,
    summary=t("Intel's XPU backend does not work here: driver, runtime and torch build do not fit."),
    lines=(
        r"Native API (?:returns|failed)", r"wddm_memory_manager", r"PI_ERROR_\w+", r"UR_RESULT_ERROR_\w+",
        r"No XPU devices are available", r"XPU device count is zero", r"ipex.*(?:DLL load failed|undefined symbol)",
        r"intel_extension_for_pytorch.*(?:DLL load failed|undefined symbol|WinError 1\d\d)",
    ),
    fixes=(t("Update the Arc driver, delete the venv, and install the XPU build of torch for this fork"),),
    explains=("torch-cpu-build", "vram-oom"),
    examples=("RuntimeError: Native API failed. Native API returns: -5 (PI_ERROR_OUT_OF_RESOURCES)",),
    near_misses=("Device: xpu:0 Intel(R) Arc(TM) A770 Graphics",),
)  # fmt: skip

XPU_WITHOUT = Signature(
    id="intel-xpu-setup",
    severity=ERROR,
    group="gpu",
    summary=t("The program asks for CUDA on an Intel card: this torch, or this fork, does not know XPU."),
    lines=(r"Torch not compiled with CUDA enabled", *CANNOT_USE),
    also=(r"^\W{0,4}GPU\W{0,4}:.*\bArc\b|Intel\(R\) Arc|--use-ipex",),
    fixes=(t("Use --use-ipex where the fork has it, and the XPU build of torch in a new venv"),),
    explains=("torch-cpu-build", "no-nvidia-gpu"),
    examples=("GPU: Arc B580\nAssertionError: Torch not compiled with CUDA enabled",),
    near_misses=("GPU: RTX 3060\nAssertionError: Torch not compiled with CUDA enabled",),
)

MPS_MISSING = Signature(
    id="mps-unsupported",
    severity=ERROR,
    group="gpu",
    page="""Apple's MPS lacks an operation or number format that this model needs.

    What happens: "not implemented for 'BFloat16'", "MPS framework doesn't support float64", "not currently implemented
    for the MPS device".
    Why: torch's MPS backend covers only part of what CUDA does; bfloat16 and float8 came late or never.
    Fix: fp16 or fp32 files in place of bf16, fp8 and NF4; another sampler; newer macOS and torch.
    Source: torch MPS backend.
    """,
    summary=t("Apple's MPS does not have what this model or sampler needs."),
    lines=(
        r"\"\w+_mps\" not implemented for", r"MPS framework doesn't support", r"not currently implemented for the MPS device",
        r"BFloat16 is not supported on MPS", r"to the MPS backend but it does not have support",
        r"MPS (?:device|backend) does not support", r"MPSNDArray.*rror", r"MPS: Unsupported", r"is not supported on MPS",
    ),
    fixes=(
        t(
            "Use fp16 or fp32 model files in place of bf16, fp8 or NF4, another sampler, a newer torch; "
            "PYTORCH_ENABLE_MPS_FALLBACK=1 lets the processor do what is missing"
        ),
    ),
    confidence=CERTAIN,
    examples=(
        'RuntimeError: "upsample_nearest2d_mps" not implemented for \'Half\'',
        "TypeError: Trying to convert Float8_e4m3fn to the MPS backend but it does not have support for that dtype.",
    ),
    near_misses=('RuntimeError: "addmm_impl_cpu_" not implemented for \'Half\'',),
)  # fmt: skip

MPS_FULL = Signature(
    id="mps-out-of-memory",
    severity=ERROR,
    group="gpu",
    page="""The memory that a Mac's graphics may use is full.

    What happens: "MPS backend out of memory (MPS allocated: …, max allowed: …)".
    Why: graphics and programs share the Mac's memory, and torch takes only part of it.
    Fix: smaller images, a smaller model; PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 lifts the limit and may make macOS swap.
    Source: torch aten/src/ATen/mps/MPSAllocator.mm.
    """,
    summary=t("The job needs more of the Mac's memory than torch may take."),
    lines=(r"MPS backend out of memory", r"kIOGPUCommandBufferCallbackErrorOutOfMemory"),
    fixes=(
        t(
            "Make the image or the model smaller, close other programs; PYTORCH_MPS_HIGH_WATERMARK_RATIO=0.0 before the "
            "start lifts the limit, at the risk that macOS swaps or stops"
        ),
    ),
    confidence=CERTAIN,
    examples=("RuntimeError: MPS backend out of memory (MPS allocated: 9.01 GB, max allowed: 9.07 GB).",),
    near_misses=("torch.cuda.OutOfMemoryError: CUDA out of memory.",),
)

SIGNATURES = (
    ZLUDA, ZLUDA_OPERATION, UNSUPPORTED, UNSUPPORTED_ABORTS, ROCM, ROCM_SEES_NONE, FIRST_RUN, XPU, XPU_WITHOUT,
    MPS_MISSING, MPS_FULL,
)  # fmt: skip
