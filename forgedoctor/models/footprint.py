"""What a model file is made of: weights and bytes by part, for who reckons with memory.

Source: backend/memory_management.py state_dict_dtype (the type that most tensors have; any quantised one decides).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import prod

import msgspec

from forgedoctor.models import families, gguf, kinds
from forgedoctor.models.headers import BITS, Header, Tensor
from forgedoctor.models.kinds import Kind

# Matrices that are looked up and not multiplied with: no linear layers.
_TABLES = (
    "token_embedding.weight", "position_embedding.weight", "shared.weight", "embed_tokens.weight", "token_embd.weight",
    "relative_attention_bias.weight", "attn_rel_b.weight",
)  # fmt: skip
_LINEAR = ("weight", "in_proj_weight")
_PRECISIONS = {
    "F64": "fp64", "F32": "fp32", "F16": "fp16", "BF16": "bf16", "F8_E4M3": "fp8", "F8_E5M2": "fp8-e5m2", "I8": "int8",
    "U8": "uint8",
}  # fmt: skip
ENOUGH = 16  # tensors: with no more, Forge says that it does not have that part
OTHER = "other"


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of a file.

    ``name``: denoiser, vae, a text encoder's (clip_l, clip_g, clip_h, t5xxl), the kind of a file that has one part
    only, or ``other``. ``params``: weights, in 4-bit files too. ``bytes``: in the file. ``precision``: as Forge reckons
    (fp32, fp16, bf16, fp8, fp8-e5m2, nf4, fp4, or a GGUF type). ``dtypes``: bytes by type. ``linears``: linear layers,
    with ``linear_params`` weights.
    """

    name: str
    tensors: int
    params: int
    bytes: int
    precision: str = ""
    dtypes: dict[str, int] = {}
    linears: int = 0
    linear_params: int = 0


def footprint(header: Header, kind: Kind | None = None) -> tuple[Part, ...]:
    """The parts of a file, the denoiser first."""
    kind = kind or kinds.kind_of(header)
    if kind.kind in (kinds.VAE, kinds.ENCODER):
        return (_part(kind.family, header.tensors, header),)
    if kind.kind != kinds.CHECKPOINT:
        return (_whole(header, kind),)
    return tuple(_part(name, members, header) for name, members in _sorted_in(header, kind).items() if members)


def _sorted_in(header: Header, kind: Kind) -> dict[str, Mapping[str, Tensor]]:
    """The tensors by part. Which part a name belongs to is mostly told by its first word."""
    bundle = families.bundle_of(kind.family)
    owners = [(kind.prefix, "denoiser")] if kind.prefix else []
    owners += [(prefix, part) for part, prefixes in bundle.items() for prefix in prefixes]
    by_word: dict[str, list[tuple[str, str]]] = {}
    for prefix, part in owners:
        by_word.setdefault(prefix.partition(".")[0], []).append((prefix, part))
    rest = OTHER if kind.prefix else "denoiser"
    found: dict[str, dict[str, Tensor]] = {"denoiser": {}, **{part: {} for part in bundle}, OTHER: {}}
    for name, tensor in header.tensors.items():
        owner = rest
        for prefix, part in by_word.get(name.partition(".")[0], ()):
            if name.startswith(prefix):
                owner = part
                break
        found[owner][name] = tensor
    return dict(found)


def _part(name: str, members: Mapping[str, Tensor], header: Header) -> Part:
    """One part, reckoned by kinds of tensors: there are far fewer of them than tensors."""
    packed = "U8" in header.totals
    counts: dict[tuple[str, tuple[int, ...], bool, bool], int] = {}
    for key, tensor in members.items():
        multiplies = len(tensor.shape) == 2 and key.endswith(_LINEAR) and not key.endswith(_TABLES)
        kind = (tensor.dtype, tensor.shape, multiplies, families.is_side(key) if packed or "scale" in key else False)
        counts[kind] = counts.get(kind, 0) + 1
    tensors, sizes = Counter[str](), Counter[str]()
    weights = linears = linear_params = 0
    for (dtype, shape, multiplies, side), count in counts.items():
        tensors[dtype] += count
        sizes[dtype] += count * _bytes(dtype, prod(shape))
        each = 0 if side else families.elements(dtype, shape)
        weights += count * each
        if multiplies and each:
            linears, linear_params = linears + count, linear_params + count * each
    return Part(
        name=name,
        tensors=len(members),
        params=weights,
        bytes=sum(sizes.values()),
        precision=_precision(tensors, sizes, header.format, members if packed else ()),
        dtypes=dict(sizes),
        linears=linears,
        linear_params=linear_params,
    )


def _whole(header: Header, kind: Kind) -> Part:
    """A file of one part, without a look at every name: there may be thousands of files."""
    tensors = {dtype: one.tensors for dtype, one in header.totals.items()}
    sizes = {dtype: _bytes(dtype, one.elements) for dtype, one in header.totals.items()}
    return Part(
        name=kind.kind or OTHER,
        tensors=len(header.tensors),
        params=sum(one.elements for one in header.totals.values()),
        bytes=header.data,
        precision=_precision(tensors, sizes, header.format, ()),
        dtypes=sizes,
    )


def _bytes(dtype: str, count: int) -> int:
    """Bytes of so many elements; a type that is not known here has none."""
    if dtype in BITS:
        return count * BITS[dtype] // 8
    return int(count * gguf.BITS_PER_WEIGHT.get(dtype, 0) / 8)


def _precision(counts: Mapping[str, int], dtypes: Mapping[str, int], format: str, names: Iterable[str]) -> str:
    """The storage type as Forge has it. In a GGUF file the type with the most bytes, as people call such files."""
    if format == "gguf":
        return max(dtypes, key=lambda one: dtypes[one], default="")
    if "U8" in counts:
        for name in names:
            if "bitsandbytes__" in name:
                return "nf4" if "bitsandbytes__nf4" in name else "fp4"
    most = max(counts, key=lambda one: counts[one], default="")
    return _PRECISIONS.get(most, most.lower())
