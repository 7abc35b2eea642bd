"""The layers of each network, so that a swapped part can be told to the layer.

Source: the published architectures, as Forge builds them (backend/nn). Each list adds up to the parameter count of the
table; a test says so. Families that are not here are placed as if a layer could be cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from forgedoctor.memory.arithmetic import MIB, Layer, Layers
from forgedoctor.memory.families import NF4_BYTES, Family, component
from forgedoctor.memory.precision import GGUF_BITS


class Shape(NamedTuple):
    """``times`` equal layers: numbers in the weight and in the bias. ``linear``: NF4 quantises it; ``block``: GGUF
    files do; ``movable`` is false for what always stays on the card."""

    times: int
    weight: int
    bias: int = 0
    linear: bool = True
    block: bool = True
    movable: bool = True


def _linear(inputs: int, outputs: int, times: int = 1, *, bias: bool = True, block: bool = True) -> Shape:
    return Shape(times, inputs * outputs, outputs if bias else 0, True, block)


def _fixed(numbers: int) -> Shape:
    return Shape(1, numbers, linear=False, block=False, movable=False)


def _flux(guidance: bool) -> Iterator[Shape]:
    wide = 3072
    for inputs in (64, 256, wide, 768, wide, 4096, *((256, wide) if guidance else ())):
        yield _linear(inputs, wide, block=False)
    yield _linear(wide, 64, block=False)
    yield _linear(wide, 2 * wide, block=False)
    for outputs in (6 * wide, 3 * wide, wide, 4 * wide):  # 19 double blocks, image and text
        yield _linear(wide, outputs, 38)
    yield _linear(4 * wide, wide, 38)
    yield _linear(wide, 7 * wide, 38)
    yield _linear(5 * wide, wide, 38)
    yield _linear(wide, 3 * wide, 38)
    yield _fixed((19 * 4 + 38 * 2) * 128)


def _chroma() -> Iterator[Shape]:
    wide, approximator = 3072, 5120
    yield _linear(64, approximator, block=False)
    yield _linear(approximator, approximator, 10, block=False)
    yield _linear(approximator, wide, block=False)
    for inputs, outputs in ((64, wide), (4096, wide), (wide, 64)):
        yield _linear(inputs, outputs, block=False)
    for outputs in (3 * wide, wide, 4 * wide):
        yield _linear(wide, outputs, 38)
    yield _linear(4 * wide, wide, 38)
    yield _linear(wide, 7 * wide, 38)
    yield _linear(5 * wide, wide, 38)
    yield _fixed((19 * 4 + 38 * 2) * 128 + 5 * approximator)


def _sd3(depth: int, *, normed: bool, dual: int) -> Iterator[Shape]:
    wide = 64 * depth
    yield Shape(1, 16 * 4 * wide, wide, linear=False, block=False)
    for inputs in (256, wide, 2048, wide, 4096):
        yield _linear(inputs, wide, block=False)
    yield _linear(wide, 2 * wide, block=False)
    yield _linear(wide, 64, block=False)
    sides = 2 * depth - 1  # the last block computes nothing for the text
    yield _linear(wide, 6 * wide, sides - dual)
    yield _linear(wide, 9 * wide, dual)
    yield _linear(wide, 2 * wide)
    yield _linear(wide, 3 * wide, 2 * depth + dual)
    yield _linear(wide, wide, sides + dual)
    yield _linear(wide, 4 * wide, sides)
    yield _linear(4 * wide, wide, sides)
    if normed:
        yield _fixed((2 * depth + dual) * 2 * 64)


class _UNet(NamedTuple):
    channels: int
    multiply: tuple[int, ...]
    depth: tuple[int, ...]  # transformer blocks at each level
    context: int
    linear_projection: bool
    middle: int
    adm: int = 0
    inputs: int = 4


def _unet(it: _UNet) -> Iterator[Shape]:
    base, embedding = it.channels, 4 * it.channels
    yield _linear(base, embedding, block=False)
    yield _linear(embedding, embedding, block=False)
    if it.adm:
        yield _linear(it.adm, embedding, block=False)
        yield _linear(embedding, embedding, block=False)
    yield _conv(it.inputs, base, 3)
    skips, now = [base], base
    for level, factor in enumerate(it.multiply):
        for _ in range(2):
            yield from _residual(now, factor * base, embedding)
            now = factor * base
            yield from _transformer(now, it.depth[level], it)
            skips.append(now)
        if level < len(it.multiply) - 1:
            yield _conv(now, now, 3)
            skips.append(now)
    yield from _residual(now, now, embedding)
    yield from _transformer(now, it.middle, it)
    yield from _residual(now, now, embedding)
    for level in reversed(range(len(it.multiply))):
        for number in range(3):
            yield from _residual(now + skips.pop(), it.multiply[level] * base, embedding)
            now = it.multiply[level] * base
            yield from _transformer(now, it.depth[level], it)
            if level and number == 2:
                yield _conv(now, now, 3)
    yield _norm(now)
    yield _conv(now, 4, 3)


def _conv(inputs: int, outputs: int, edge: int) -> Shape:
    return Shape(1, inputs * outputs * edge * edge, outputs, linear=False, block=False)


def _norm(wide: int, times: int = 1) -> Shape:
    return Shape(times, wide, wide, linear=False, block=False)


def _residual(inputs: int, outputs: int, embedding: int) -> Iterator[Shape]:
    yield _norm(inputs)
    yield _conv(inputs, outputs, 3)
    yield _linear(embedding, outputs, block=False)
    yield _norm(outputs)
    yield _conv(outputs, outputs, 3)
    if inputs != outputs:
        yield _conv(inputs, outputs, 1)


def _transformer(wide: int, blocks: int, it: _UNet) -> Iterator[Shape]:
    if not blocks:
        return
    yield _norm(wide)
    for _ in range(2):  # in and out
        yield _linear(wide, wide, block=False) if it.linear_projection else _conv(wide, wide, 1)
    yield _norm(wide, 3 * blocks)
    yield _linear(wide, wide, 4 * blocks, bias=False)
    yield _linear(it.context, wide, 2 * blocks, bias=False)
    yield _linear(wide, wide, 2 * blocks)
    yield _linear(wide, 8 * wide, blocks)
    yield _linear(4 * wide, wide, blocks)


_NETWORKS: dict[str, Callable[[], Iterator[Shape]]] = {
    "flux_dev": lambda: _flux(True),
    "flux_schnell": lambda: _flux(False),
    "chroma": _chroma,
    "sd3_medium": lambda: _sd3(24, normed=False, dual=0),
    "sd35_medium": lambda: _sd3(24, normed=True, dual=13),
    "sd35_large": lambda: _sd3(38, normed=True, dual=0),
    "sd15": lambda: _unet(_UNet(320, (1, 2, 4, 4), (1, 1, 1, 0), 768, False, 1)),
    "sd21": lambda: _unet(_UNet(320, (1, 2, 4, 4), (1, 1, 1, 0), 1024, True, 1)),
    "sdxl": lambda: _unet(_UNet(320, (1, 2, 4), (0, 2, 10), 2048, True, 10, 2816)),
    "sdxl_refiner": lambda: _unet(_UNet(384, (1, 2, 4, 4), (0, 4, 4, 0), 1280, True, 4, 2560)),
}
_CLIP = {"clip_l": (768, 12), "clip_h": (1024, 23), "clip_g": (1280, 32)}


@cache
def shapes(name: str) -> tuple[Shape, ...]:
    """The layers of a denoiser by its name in the table; empty where they are not known."""
    return tuple(_NETWORKS[name]()) if name in _NETWORKS else ()


@cache
def denoiser_layers(name: str, precision: str) -> Layers | None:
    """A denoiser's layers in MiB; None where they are not known."""
    found = shapes(name)
    if not found:
        return None
    movable: list[Layer] = []
    fixed = 0.0
    for one in found:
        weight = one.weight * _weight_bytes(one, precision) / MIB
        extra = one.bias * _plain_bytes(precision) / MIB
        if one.movable:
            movable += [Layer(weight, extra)] * one.times
        else:
            fixed += one.times * (weight + extra)
    return Layers(tuple(movable), fixed)


def _plain_bytes(precision: str) -> int:
    return {"fp32": 4, "fp8": 1}.get(precision, 2)


def _weight_bytes(one: Shape, precision: str) -> float:
    if precision in ("nf4", "fp4"):
        return NF4_BYTES if one.linear else 2
    if precision in GGUF_BITS:
        return GGUF_BITS[precision] / 8 if one.block else 2
    return _plain_bytes(precision)


@cache
def encoder_layers(one: Family, precision: str) -> Layers:
    """A family's text encoders together, in MiB."""
    movable: list[Layer] = []
    fixed = 0.0
    for name in one.encoders:
        if name == "t5xxl":
            each = (GGUF_BITS.get(precision, 0) / 8 or _plain_bytes(precision)) / MIB
            movable += [Layer(4096 * 4096 * each)] * 96 + [Layer(4096 * 10240 * each)] * 72
            movable.append(Layer(32128 * 4096 * 4 / MIB))
            fixed += (component(name).kept_fp32 - 32128 * 4096) * 4 / MIB
        else:
            wide, depth = _CLIP[name]
            each = (4 if precision == "fp32" else 2) / MIB
            movable += [Layer(wide * wide * each, wide * each)] * (4 * depth)
            movable += [
                Layer(4 * wide * wide * each, 4 * wide * each),
                Layer(4 * wide * wide * each, wide * each),
            ] * depth
            movable += [Layer(wide * each, wide * each)] * (2 * depth + 1)
            movable += [Layer(49408 * wide * each), Layer(77 * wide * each)]
            if name != "clip_l" or one.projection:
                movable.append(Layer(wide * wide * each))
    return Layers(tuple(movable), fixed)
