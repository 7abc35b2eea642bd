"""Broken, hostile and odd files: each ends in a header or a named problem; nothing raises, hangs or eats memory."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forgedoctor.models import headers, scan
from tests.models import make

SMALL = {"emb_params": ("F32", (4, 768)), "b": ("F16", (2, 2))}


def seen(path: Path, data: bytes) -> headers.Seen:
    path.write_bytes(data)
    return headers.read(str(path))


def safetensors(text: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(text)) + text + body


@pytest.mark.parametrize(("data", "code"), [
    (b"", headers.EMPTY),
    (b"\0" * 5000, headers.ZEROS),
    (b"<!DOCTYPE html>\n<html><head>", headers.WEB_PAGE),
    (b"\xef\xbb\xbf<html lang='en'>", headers.WEB_PAGE),
    (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", headers.WEB_PAGE),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", headers.LFS_POINTER),
    (b'{"error":"Unauthorized"}', headers.TEXT),
    (b"Entry not found", headers.TEXT),
    (b"Rar!\x1a\x07\x00", headers.OTHER),
    (b"7z\xbc\xaf\x27\x1c", headers.OTHER),
    (os.urandom(64).replace(b"{", b"|"), None),
    (safetensors(b'{"a":'), headers.BROKEN),
    (safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"1234"), headers.TRUNCATED),
    (safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', b"1234567890"), headers.LONGER),
    (safetensors(b'{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', b"12345678"), headers.BROKEN),
    (safetensors(b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}', b"123456"), headers.BROKEN),
    (safetensors(b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}', b"12345678"), headers.BROKEN),
    (safetensors(b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[8,4]}}', b"12345678"), headers.BROKEN),
    (safetensors(b'{"a":{"dtype":"U8","shape":[NaN],"data_offsets":[0,4]}}', b"1234"), headers.BROKEN),
    (safetensors(b'{"a":{"dtype":"U8","shape":[-4,-1],"data_offsets":[0,-4]}}', b"1234"), headers.BROKEN),
    (safetensors(b'{"a":{"dtype":"U8","shape":[99999999999999999999999999],"data_offsets":[0,4]}}', b"1234"), headers.BROKEN),
    (safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), headers.BROKEN),
    (safetensors(b'{"__metadata__":{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"), headers.BROKEN),
    (struct.pack("<Q", 90_000_000) + b'{"a"', headers.TRUNCATED),
    (struct.pack("<Q", 2**63) + b'{"a"', headers.OTHER),
    (b"PK\x03\x04" + b"x" * 500, headers.TRUNCATED),
    (b"GGUF", headers.TRUNCATED),
    (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), headers.BROKEN),
    (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60), headers.BROKEN),
    (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62) + b"x", headers.BROKEN),
])  # fmt: skip
def test_what_is_no_whole_model_is_named(tmp_path: Path, data: bytes, code: str | None) -> None:
    problem = seen(tmp_path / "a.safetensors", data).problem
    assert problem is not None and (code is None or problem.code == code)


def test_a_name_that_stands_twice_is_no_way_around_the_places(tmp_path: Path) -> None:
    entry = '"a":{"dtype":"U8","shape":[4],"data_offsets":[%d,%d]}'
    text = ("{" + entry % (0, 4) + "," + entry % (4, 8) + "}").encode()
    assert seen(tmp_path / "a", safetensors(text, b"12345678")).problem == (
        headers.BROKEN,
        0,
        "the places of the tensors overlap or leave holes",
    )


def test_how_much_is_missing_is_told(tmp_path: Path) -> None:
    cut = headers.read(str(make.write(tmp_path / "a.safetensors", make.typed(make.PARTS["vae_4ch"]()), cut=1_000_000)))
    assert cut.problem == (headers.TRUNCATED, 1_000_000, "") and cut.header
    gguf = make.write_gguf(tmp_path / "a.gguf", make.quantised(make.PARTS["t5xxl"](), "Q8_0"), cut=777)
    assert headers.read(str(gguf)).problem == (headers.TRUNCATED, 777, "")


def test_what_the_library_reads_is_whole_here(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors")
    path = make.write(tmp_path / "a.safetensors", SMALL, metadata={"format": "pt", "note": '{"b": [1]}'})
    with library.safe_open(str(path), "np") as opened:
        assert set(opened.keys()) == set(SMALL)
    assert headers.read(str(path)).problem is None
    make.write(path, SMALL, cut=1)
    with pytest.raises(library.SafetensorError), library.safe_open(str(path), "np"):
        pass
    assert headers.read(str(path)).problem


def test_a_pickle_is_known_and_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
        archive.writestr("archive/data/0", b"x" * 300_000)
    whole = path.read_bytes()
    assert headers.read(str(path))[1:] == ("pickle", None, None)
    assert seen(path, whole[:-100_000]).problem == (headers.TRUNCATED, 0, "")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.safetensors", b"x")
    assert headers.read(str(path)).problem == (headers.OTHER, 0, "zip")
    assert seen(path, b"\x80\x02}q\x00.").format == "pickle"


def test_a_header_of_millions_of_entries_costs_little(tmp_path: Path) -> None:
    text = b"{" + b",".join(b'"%d":{}' % number for number in range(2_000_000)) + b"}"
    path = tmp_path / "bomb.safetensors"
    path.write_bytes(safetensors(text))
    tracemalloc.start()
    found = headers.read(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.problem and found.problem.code == headers.HUGE
    assert peak < 3 * len(text)


def test_nothing_is_allocated_by_a_number_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sparse.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", 99_000_000) + b'{"a":')
        file.truncate(10**9)
    tracemalloc.start()
    assert headers.read(str(path)).problem == (headers.HUGE, 0, "99000000")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


entries = st.dictionaries(
    st.sampled_from(["a", "b", "__metadata__", "model.diffusion_model.input_blocks.0.0.weight", "decoder.conv_in.weight",
                     "double_blocks.0.img_attn.norm.key_norm.scale", "x_embedder.proj.weight", "img_in.weight",
                     "joint_blocks.0.context_block.attn.qkv.weight", "lora_unet_x.alpha", "clip_l"]),
    st.one_of(
        st.fixed_dictionaries({}, optional={
            "dtype": st.one_of(st.sampled_from(["F16", "U8", "F4", "", "??"]), st.integers()),
            "shape": st.one_of(st.lists(st.integers(-3, 5), max_size=5), st.none(), st.lists(st.floats(allow_nan=True), max_size=2)),
            "data_offsets": st.lists(st.integers(-5, 2**70), max_size=3),
        }),
        st.none(), st.text(max_size=5), st.integers(),
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries, st.binary(max_size=40))
def test_any_json_ends_in_an_answer(tmp_path: Path, made: dict[str, object], body: bytes) -> None:
    path = tmp_path / "any.safetensors"
    path.write_bytes(safetensors(json.dumps(made).encode(), body))
    file = scan.examine(scan.Entry(str(path), path.name, "checkpoint"))
    assert file.state and file.size == path.stat().st_size


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_of_a_good_file_ends_in_an_answer(tmp_path: Path, data: st.DataObject) -> None:
    good = tmp_path / "good.gguf"
    if not good.exists():
        make.write_gguf(good, {"img_in.weight": ("F32", (4, 64)), "b": ("Q8_0", (2, 32))})
        make.write(tmp_path / "good.safetensors", SMALL)
    raw = bytearray((tmp_path / data.draw(st.sampled_from(["good.gguf", "good.safetensors"]))).read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, min(len(raw), 400) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "changed"
    path.write_bytes(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    assert scan.examine(scan.Entry(str(path), "changed", "")).state
