"""What is printed when torch and the libraries built against it do not fit one another, or do not fit the numbers."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, POSSIBLE, t
from forgedoctor.signature import Signature

_FORGE = r"\[Memory Management\]|forge_model_reload|backend[/\\](?:loader|nn|memory_management)|K-Model Created"

XFORMERS = Signature(
    id="xformers-mismatch",
    severity=ERROR,
    group="torch",
    summary=t("xformers was built for another torch, CUDA or Python than the ones installed."),
    lines=(
        r"xFormers can't load C\+\+/CUDA extensions",
        r"xFormers was built for",
        r"xformers[/\\].*(?:DLL load failed|undefined symbol)",
        r"No operator found for `memory_efficient_attention_forward`",
        r"Cannot import xformers",
    ),
    fixes=(
        t(
            "Install the xformers release made for the installed torch and CUDA, or drop --xformers: torch's own attention "
            "is as fast on current cards; --reinstall-torch --reinstall-xformers renews both"
        ),
    ),
    examples=(
        "WARNING[XFORMERS]: xFormers can't load C++/CUDA extensions. xFormers was built for:\n"
        "    PyTorch 2.4.0+cu121 with CUDA 1201 (you have 2.3.1+cu118)",
    ),
    near_misses=("No module 'xformers'. Proceeding without it.", "xformers version: 0.0.27"),
)

BITSANDBYTES = Signature(
    id="bitsandbytes-broken",
    severity=ERROR,
    group="torch",
    summary=t("bitsandbytes cannot load its library for this torch and CUDA, so NF4 models do not work."),
    lines=(
        r"CUDA SETUP: (?:CUDA detection failed|Required library version not found|Setup Failed|Something unexpected)",
        r"CUDA Setup failed despite",
        r"CUDA[_ ]SETUP: (?:ERROR|WARNING! libcud|TODO)",
        r"CUDA SETUP: Loading binary \S*_cpu\.(?:so|dll)",
        r"argument of type '(?:Posix|Windows)Path' is not iterable",
        r"Could not load bitsandbytes native library",
        r"No module named 'triton\.ops'",
        r"bitsandbytes was compiled without GPU support",
        r"Configured CUDA binary not found",
        r"libbitsandbytes_\S+?(?:\.so|\.dll).*(?:not found|cannot open|No such file)",
        r"'NoneType' object has no attribute 'c(?:quantize|dequantize|get_managed_ptr|gemm|adam)\w*'",
        r"module 'bitsandbytes(?:\.\w+)*' has no attribute",
    ),
    fixes=(
        t(
            "Upgrade it in Forge's Python: python -m pip install -U bitsandbytes; it must fit torch and triton, so bring "
            "torch to the version that the fork pins as well"
        ),
    ),
    explains=("dependency-missing", "extension-breaks-startup"),
    confidence=CERTAIN,
    examples=("ModuleNotFoundError: No module named 'triton.ops'", "CUDA Setup failed despite GPU being available."),
    near_misses=("CUDA SETUP: Loading binary libbitsandbytes_cuda121.so...", "No module named 'triton'"),
)

NUMPY2 = Signature(
    id="numpy2-abi",
    severity=ERROR,
    group="torch",
    summary=t("numpy 2 is installed, and other packages here were built for numpy 1."),
    lines=(
        r"compiled using NumPy 1\.x cannot be run in",
        r"numpy\.core\.multiarray failed to import",
        r"_ARRAY_API not found",
        r"RuntimeError: Numpy is not available",
        r"numpy\.dtype size changed, may indicate binary incompatibility",
        r"was removed in the NumPy 2\.0 release",
        r"module 'numpy' has no attribute '(?:float_|bool8|int0|product|Inf)'",
    ),
    fixes=(
        t(
            "In Forge's Python: python -m pip install numpy==1.26.4, and opencv-python below 4.12, which pulls numpy 2 in"
        ),
    ),
    explains=("extension-breaks-startup", "dependency-missing", "dependency-version-conflict", "xformers-mismatch"),
    confidence=CERTAIN,
    examples=(
        "A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.0.1 as it may crash.",
        "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88",
    ),
    near_misses=("Successfully installed numpy-2.2.5", "changing opencv-python version"),
)

TORCHVISION = Signature(
    id="torchvision-mismatch",
    severity=ERROR,
    group="torch",
    summary=t("torchvision or torchaudio was built for another torch."),
    lines=(
        r"operator torchvision::nms does not exist",
        r"Couldn't load custom C\+\+ ops",
        r"Could not run 'torchvision::nms'",
        r"(?:torchvision|torchaudio)[/\\].*(?:undefined symbol|WinError 127)",
    ),
    fixes=(t("Install torch and torchvision together, from the same index, in the versions that the fork pins"),),
    explains=("extension-breaks-startup", "dependency-version-conflict"),
    confidence=CERTAIN,
    examples=("RuntimeError: operator torchvision::nms does not exist",),
    near_misses=("Successfully installed torchvision-0.18.1",),
)

WEIGHTS_ONLY = Signature(
    id="torch26-weights-only",
    severity=ERROR,
    group="torch",
    page="""torch 2.6 and newer refuse model files that are pickles, and an extension still loads them the old way.

    What happens: "Weights only load failed", "WeightsUnpickler error: Unsupported global".
    Why: since 2.6 torch.load reads weights only, because a pickle can run any code. ADetailer's detectors and other
    .pt files hold more than weights.
    Fix: update the extension and ultralytics, which name what they trust.
    Source: torch 2.6 release notes.
    """,
    summary=t("torch 2.6 or newer refuses a pickled model file that an extension loads the old way."),
    lines=(r"Weights only load failed", r"WeightsUnpickler error", r"default value of the `weights_only` argument"),
    fixes=(
        t(
            "Update the extension (ADetailer) and ultralytics: python -m pip install -U ultralytics in Forge's Python; "
            "only load detectors from a source that you trust"
        ),
    ),
    explains=("model-file-corrupt", "extension-breaks-startup"),
    confidence=CERTAIN,
    examples=("_pickle.UnpicklingError: Weights only load failed. Re-running `torch.load` with `weights_only`",),
    near_misses=("FutureWarning: You are using `torch.load` with `weights_only=False`",),
)

NANS = Signature(
    id="fp16-nan-black-image",
    severity=ERROR,
    group="torch",
    page="""Half precision overflows: the picture is black.

    What happens: NansException, "A tensor with all NaNs was produced", "invalid value encountered in cast", black images.
    Why: fp16 ends at 65504. The VAE of SDXL goes beyond it, and GTX 16 cards compute wrong numbers in fp16.
    Fix: --no-half-vae where the VAE is named (AUTOMATIC1111), --no-half for the model; an "fp16 fix" VAE.
    Source: modules/devices.py test_for_nans of AUTOMATIC1111.
    """,
    summary=t("Half precision overflowed: the result is not a number, and the picture is black."),
    lines=(r"NansException", r"A tensor with (?:all )?NaNs was produced"),
    fixes=(
        t(
            "In AUTOMATIC1111 and reForge start with --no-half-vae when the VAE is named, with --no-half for the model or a "
            "GTX 16 card; a VAE with fp16 fix also helps. In Forge drop --vae-in-fp16"
        ),
    ),
    confidence=CERTAIN,
    examples=("modules.devices.NansException: A tensor with all NaNs was produced in Unet.",),
    near_misses=("--disable-nan-check",),
)

# Forge computes the VAE in bf16 or fp32, so there the same warning has another cause.
NANS_CAST = Signature(
    id="fp16-nan-black-image",
    severity=ERROR,
    group="torch",
    summary=t("The picture came out as no number: half precision overflowed, most likely in the VAE."),
    lines=(r"RuntimeWarning: invalid value encountered in cast",),
    unless=(_FORGE,),
    fixes=(t("Start with --no-half-vae, or use a VAE with fp16 fix; on a GTX 16 card also --no-half"),),
    confidence=POSSIBLE,
    examples=("modules/processing.py:968: RuntimeWarning: invalid value encountered in cast",),
    near_misses=(
        "[Memory Management] Required Inference Memory: 1024.00 MB\nRuntimeWarning: invalid value encountered in cast",
    ),
)

BLACK_IN_FORGE = Signature(
    id="missing-text-encoder-or-vae",
    severity=ERROR,
    group="models",
    summary=t("The picture came out as no number: with FLUX and its kin because the VAE or a text encoder is not selected."),
    lines=(r"RuntimeWarning: invalid value encountered in cast",),
    also=(_FORGE,),
    unless=(r"--vae-in-fp16", r"CUDA Using Stream: True", r"'stream': True"),
    fixes=(
        t(
            "Select the VAE (ae.safetensors for FLUX) and the text encoders under VAE / Text Encoder, or name them in "
            "forge_additional_modules"
        ),
    ),
    confidence=POSSIBLE,
    examples=(
        "K-Model Created: {'storage_dtype': 'nf4'}\nprocessing.py:1003: RuntimeWarning: invalid value encountered in cast",
    ),
    near_misses=("modules/processing.py:968: RuntimeWarning: invalid value encountered in cast",),
)  # fmt: skip

CONFLICT = Signature(
    id="dependency-version-conflict",
    severity=ERROR,
    group="install",
    page="""A library is newer or older than the program expects.

    What happens: "cannot import name … from …", "No module named 'torchvision.transforms.functional_tensor'",
    "… is required for a normal functioning of this module, but found …".
    Why: an extension or an update brought another version of a shared library than the one that the fork pins.
    Fix: install the pinned version (requirements_versions.txt) into Forge's own Python.
    Source: the libraries' own messages.
    """,
    summary=t("A library has another version than the program expects: {name}."),
    lines=(
        r"cannot import name '\w+' from '(?P<name>huggingface_hub|transformers|diffusers|tokenizers|timm|accelerate"
        r"|peft|open_clip|k_diffusion|torch|insightface|mediapipe|albumentations|lightning_fabric|typing_extensions"
        r"|packaging|torchaudio|facexlib|gfpgan|httpx|httpcore|anyio|jinja2|kornia|sympy|torchmetrics|pytorch_lightning|torchvision|basicsr|safetensors|websockets|PIL|skimage|scipy)\b",
        r"No module named '(?P<name>torchvision)\.transforms\.functional_tensor'",
        r"No module named '(?P<name>pytorch_lightning)\.\w+",
        r"ImportError: (?P<name>[\w.-]+)[<>=!]=?\S+ is required for a normal functioning of this module",
        r"Failed to import (?P<name>transformers|diffusers)\.",
        r"cannot import name 'builder' from 'google\.(?P<name>protobuf)",
        r"module '(?P<name>mediapipe)' has no attribute 'solutions'",
    ),
    unless=(r"No module named 'triton\.ops'", r"compiled using NumPy 1"),
    fixes=(
        t(
            "Install the version of {name} that the fork pins in requirements_versions.txt into Forge's Python "
            "(huggingface_hub 0.25.2 for cached_download)"
        ),
    ),
    explains=("extension-breaks-startup", "dependency-missing"),
    confidence=LIKELY,
    examples=(
        "ImportError: cannot import name 'split_torch_state_dict_into_shards' from 'huggingface_hub'",
        "ModuleNotFoundError: No module named 'torchvision.transforms.functional_tensor'",
    ),
    near_misses=("ImportError: cannot import name 'Undefined' from 'pydantic.fields'",),
)

PROTOBUF = Signature(
    id="dependency-version-conflict",
    severity=ERROR,
    group="install",
    summary=t("The installed protobuf is newer than what the other packages were made with."),
    lines=(r"Descriptors cannot (?:not )?be created directly",),
    fixes=(t("In Forge's Python: python -m pip install protobuf==3.20.3"),),
    explains=("extension-breaks-startup",),
    confidence=CERTAIN,
    examples=("TypeError: Descriptors cannot be created directly.",),
    near_misses=("TypeError: cannot be created",),
)

SIGNATURES = (
    XFORMERS, BITSANDBYTES, NUMPY2, TORCHVISION, WEIGHTS_ONLY, NANS, NANS_CAST, BLACK_IN_FORGE, CONFLICT, PROTOBUF,
)  # fmt: skip
