"""What is printed when a model file is missing, broken, incomplete, or of the wrong kind."""

from __future__ import annotations

from forgedoctor.check import CERTAIN, ERROR, LIKELY, t
from forgedoctor.signature import Signature

_NO_MEMORY = (
    r"os error 1455", r"os error 12\b", r"WinError 1455", r"Cannot allocate memory", r"DefaultCPUAllocator",
    r"paging file is too small",
)  # fmt: skip
_FLUX2 = r"(?i)flux[-_. ]?2|klein|z[-_]?image|qwen"

CORRUPT = Signature(
    id="model-file-corrupt",
    severity=ERROR,
    group="models",
    summary=t("A model file is incomplete or damaged, or is no model at all."),
    lines=(
        r"File corrupted: (?P<file>\S.*\S)",
        r"Error while deserializing header",
        r"SafetensorError",
        r"PytorchStreamReader failed (?:reading zip archive|finding central directory|locating file)",
        r"UnpicklingError: (?:invalid load key|pickle data was truncated|unpickling stack underflow)",
        r"unexpected EOF, expected \d+ more bytes",
        r"EOFError: Ran out of input",
        r"model (?:file )?(?:appears to be|is) (?:corrupt|damaged)",
        r"zipfile\.BadZipFile",
        r"GGUF magic invalid",
    ),
    unless=(*_NO_MEMORY, r"Weights only load failed"),
    fixes=(
        t(
            "Download the file again and compare its size and hash with the page it comes from; a file of a few KB is a web "
            "page or a git-lfs pointer. Where Forge renamed it to .corrupted, take that ending off only if it is whole"
        ),
    ),
    explains=("model-type-not-supported", "no-checkpoint", "missing-text-encoder-or-vae", "api-forge-fields-missing"),
    confidence=CERTAIN,
    examples=(
        "safetensors_rust.SafetensorError: Error while deserializing header: InvalidHeaderDeserialization",
        "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
        "_pickle.UnpicklingError: invalid load key, '<'.",
    ),
    near_misses=(
        "OSError: The paging file is too small for this operation to complete. (os error 1455)\n"
        "File corrupted: C:\\models\\a.safetensors",
        "_pickle.UnpicklingError: Weights only load failed. Unsupported operand invalid load key",
    ),
)

LACKS_PARTS = Signature(
    id="missing-text-encoder-or-vae",
    severity=ERROR,
    group="models",
    summary=t("The model file has no text encoder or VAE of its own, and none is selected."),
    lines=(
        r"You do not have (?:CLIP|T5|VAE)\w* state dict",
        r"assert isinstance\(state_dict, dict\)",
    ),
    unless=(r"/sdapi/v1/", _FLUX2),
    fixes=(
        t(
            "FLUX: select clip_l, t5xxl and ae under VAE / Text Encoder (SD3: clip_l, clip_g, t5xxl), for Hires fix too; "
            "through the API name their paths in forge_additional_modules"
        ),
    ),
    explains=("api-forge-fields-missing", "model-type-not-supported"),
    confidence=LIKELY,
    examples=("AssertionError: You do not have T5 state dict!", "AssertionError: You do not have VAE state dict!"),
    near_misses=(
        "POST /sdapi/v1/txt2img -> 500\nAssertionError: You do not have CLIP state dict!",
        "Loading Model: {'filename': 'flux2_dev_fp8.safetensors'}\nAssertionError: You do not have T5 state dict!",
    ),
)

# Neo knows the newer families; each has a text encoder of its own.
LACKS_PARTS_NEO = Signature(
    id="missing-text-encoder-or-vae",
    severity=ERROR,
    group="models",
    summary=t("The model needs the text encoder {name}, and none is selected."),
    lines=(r"You do not have (?P<name>(?:Qwen|Gemma|Mistral)[\w. ]{0,12}?) state dict",),
    unless=(r"/sdapi/v1/",),
    fixes=(
        t(
            "Download the text encoder {name} that belongs to this model, put it into models/text_encoder, and select it "
            "together with the VAE"
        ),
    ),
    explains=("api-forge-fields-missing", "model-type-not-supported"),
    confidence=CERTAIN,
    examples=("AssertionError: You do not have Qwen3 state dict!",),
    near_misses=("AssertionError: You do not have T5 state dict!",),
)

NEWER_FAMILY = Signature(
    id="model-type-not-supported",
    severity=ERROR,
    group="models",
    summary=t("The model is of a family that this version cannot load."),
    lines=(r"You do not have (?:CLIP|T5|VAE)\w* state dict", r"assert isinstance\(state_dict, dict\)"),
    also=(_FLUX2,),
    unless=(r"/sdapi/v1/", r"^Version: neo", r"You do not have (?:Qwen|Gemma|Mistral)"),
    fixes=(t("Use a fork or version that knows this family (Forge Neo for the newest ones), or another model"),),
    explains=("missing-text-encoder-or-vae", "api-forge-fields-missing"),
    examples=("Loading Model: {'filename': 'flux2_dev.safetensors'}\nAssertionError: You do not have T5 state dict!",),
    near_misses=("AssertionError: You do not have T5 state dict!",),
)

UNKNOWN_TYPE = Signature(
    id="model-type-not-supported",
    severity=ERROR,
    group="models",
    summary=t("The file is no checkpoint that this version can load: a LoRA, or a family that it does not know."),
    lines=(
        r"Failed to recognize model type",
        r"has no attribute 'unet_key_prefix'",
        r"it seems to be a LORA",
        r"doesn't contain a model's checkpoint",
        r"Failed to recognize model\.\.\.",
        r"Could not detect model type",
        r"ValueError: Unknown (?:model|architecture)",
    ),
    unless=(*_NO_MEMORY, r"You do not have any model"),
    fixes=(
        t(
            "A LoRA belongs into models/Lora, a VAE into models/VAE; for a newer or dropped family use a fork that knows "
            "it (forgedoctor models names the family of each file)"
        ),
    ),
    confidence=LIKELY,
    examples=("ValueError: Failed to recognize model type!",),
    near_misses=("Model selected: {'checkpoint_info': {'filename': 'a.safetensors'}}",),
)

MISMATCH = Signature(
    id="state-dict-mismatch",
    severity=ERROR,
    group="models",
    summary=t("Two parts of different families were put together: VAE, configuration or add-on does not fit the checkpoint."),
    lines=(r"size mismatch for [\w.]+: copying a param", r"Error\(s\) in loading state_dict for", r"size mismatch for "),
    unless=(*_NO_MEMORY,),
    fixes=(
        t(
            "Set the VAE to Automatic or None, or to the one made for this family (SD1.5, SDXL and FLUX each have their own); "
            "remove a .yaml beside the checkpoint that belongs to another"
        ),
    ),
    explains=("model-type-not-supported",),
    confidence=CERTAIN,
    examples=(
        "RuntimeError: Error(s) in loading state_dict for LatentDiffusion:\n"
        "\tsize mismatch for model.diffusion_model.input_blocks.1.1.proj_in.weight: copying a param with shape",
    ),
    near_misses=("IntegratedAutoencoderKL Unexpected: ['model_ema.decay']",),
)  # fmt: skip

NONE = Signature(
    id="no-checkpoint",
    severity=ERROR,
    group="models",
    summary=t("There is no checkpoint in the folder where the program looks."),
    lines=(
        r"You do not have any model!",
        r"Failed to find available model\.\.\.",
        r"No checkpoints found\.",
        r"Can't run without a checkpoint",
        r"FileNotFoundError: No checkpoints found",
    ),
    unless=(r"File corrupted: ",),
    fixes=(
        t(
            "Put a model into models/Stable-diffusion of the folder that the program runs in (in the one-click package: "
            "webui\\models\\Stable-diffusion), or name its folder with --ckpt-dir; then press refresh"
        ),
    ),
    confidence=CERTAIN,
    examples=("You do not have any model!", "No checkpoints found. When searching for checkpoints, looked at:"),
    near_misses=("Checkpoint a.safetensors not found; loading fallback b.safetensors",),
)

SIGNATURES = (CORRUPT, LACKS_PARTS, LACKS_PARTS_NEO, NEWER_FAMILY, UNKNOWN_TYPE, MISMATCH, NONE)
