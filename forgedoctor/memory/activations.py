"""Memory that computing takes beside the weights: what Forge expects, and what it really is.

``*_estimate``: the formulas by which Forge decides (backend/modules/k_model.py, backend/patcher/vae.py). ``*_live``:
the tensors that exist at the worst moment, from published measurements of the same networks; cuDNN's work space and the
allocator's cache take more where there is more, up to about Forge's estimate. All MiB.
"""

from __future__ import annotations

from forgedoctor.memory.arithmetic import MIB
from forgedoctor.memory.precision import bytes_of

FACTOR = 1.28  # PyTorch's or xformers' attention
SPLIT_FACTOR = 1.65  # --attention-split, --attention-quad
CONTEXT = 500.0  # what CUDA itself holds in a process: 300 to 600
# Of the estimate: FLUX.1 at 1024x1024, one pass: 483 of 655 (published by diffusers' own benchmark).
DENOISER_LIVE = 0.75
# (once, for each megapixel of an image): whole-run peaks of FLUX.1 (bf16, batch 1 to 16), SD 1.4 (fp16, batch 1 and 4),
# SDXL and SSD-1B (fp32) less their weights. bf16 is larger than fp16 because upsampling goes through 32 bits.
_VAE_LIVE = {"fp16": (75.0, 1770.0), "bf16": (400.0, 2000.0), "fp32": (150.0, 3850.0)}
ENCODERS_LIVE = 100.0
TILE = 512  # pixels: VAE tiles are 64 x 64 in the latent


def latent(pixels: int) -> int:
    """Latent cells along an edge."""
    return max(1, pixels // 8)


def denoiser_estimate(
    width: int, height: int, batch: int, *, precision: str = "fp16", passes: int = 2, factor: float = FACTOR
) -> float:
    """What Forge expects a step to take when ``passes`` x ``batch`` images are computed at once."""
    area = passes * batch * latent(width) * latent(height)
    return factor * area * bytes_of(precision) * 16384 / MIB


def denoiser_live(estimate: float) -> float:
    """What a step really takes."""
    return DENOISER_LIVE * estimate


def vae_estimate(width: int, height: int, *, precision: str = "bf16") -> float:
    """What Forge expects the decoding of one image to take."""
    return 2178 * latent(width) * latent(height) * 64 * bytes_of(precision) / MIB


def vae_encode_estimate(width: int, height: int, *, precision: str = "bf16") -> float:
    """What Forge expects the encoding of one image (img2img) to take."""
    return 1767 * width * height * bytes_of(precision) / MIB


def vae_live(width: int, height: int, images: int = 1, *, precision: str = "bf16") -> float:
    """What the decoding of ``images`` at once really takes."""
    once, each = _VAE_LIVE.get(precision, _VAE_LIVE["bf16"])
    return once + each * images * width * height / MIB


def images_at_once(free: float, estimate: float, batch: int) -> int:
    """How many images the VAE decodes together."""
    return max(1, min(batch, int(free / estimate) if estimate > 0 else batch))
