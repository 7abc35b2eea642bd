"""txt2img and img2img: one at a time, each as long as asked, with a small valid PNG at the end."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any

from fastapi import HTTPException
from pydantic import BaseModel

from . import bodies, errors
from .options import Options

_WITHOUT_SAMPLER_CHECK = ("forge",)  # seen to answer 200 to any sampler name


class Asked(BaseModel):
    """The fields of a generation request that the stand-in looks at; others are ignored, as in Forge."""

    prompt: str | None = ""
    negative_prompt: str | None = ""
    seed: int = -1
    steps: int = 50
    width: int = 512
    height: int = 512
    cfg_scale: float = 7.0
    batch_size: int = 1
    n_iter: int = 1
    sampler_name: str | None = None
    sampler_index: str | None = "Euler"
    script_name: str | None = None
    alwayson_scripts: dict[str, Any] | None = {}
    override_settings: dict[str, Any] | None = None
    init_images: list[str] | None = None
    send_images: bool = True
    save_images: bool = False


class WithImage(BaseModel):
    """The body of png-info: a base64 picture."""

    image: str


def check_image(image: str) -> None:
    """Raise the HTTPException that Forge answers to a picture it will not read: no base64, or a local URL."""
    if image.startswith(("http://", "https://")):
        raise HTTPException(500, "Request to local resource not allowed")
    try:
        base64.b64decode(image.partition("base64,")[2] or image, validate=True)
    except ValueError:
        raise HTTPException(500, "Invalid encoded image") from None
    if not image:
        raise HTTPException(500, "Invalid encoded image")


class Generator:
    """The one generation lock and what /sdapi/v1/progress says about it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._interrupted = threading.Event()
        self.progress: dict[str, Any] = bodies.idle()

    def interrupt(self) -> None:
        """End the running generation early; it still answers with its images."""
        self._interrupted.set()

    def run(self, asked: Asked) -> dict[str, Any]:
        """Wait for the lock, then `options.seconds`, and answer, or raise what `options.fail` names."""
        self._refuse(asked)
        with self._lock:
            self._interrupted.clear()
            self.progress = bodies.busy(asked.steps)
            try:
                self._interrupted.wait(self._options.seconds)
                if self._options.fail:
                    errors.raise_failure(self._options.fail)
                _fail_on_nonsense(asked)
            finally:
                self.progress = bodies.idle()
        return _answer(self._options, asked)

    def _refuse(self, asked: Asked) -> None:
        built_in = () if self._options.fork == "a1111" else ("controlnet",)
        for script in (asked.script_name, *(asked.alwayson_scripts or {})):
            if script and script.lower() not in built_in:
                raise HTTPException(422, f"Script '{script}' not found")
        known = {sampler["name"] for sampler in bodies.CONSTANT["GET /sdapi/v1/samplers"]}
        name = asked.sampler_name or asked.sampler_index
        if self._options.fork not in _WITHOUT_SAMPLER_CHECK and name not in known:
            raise HTTPException(404 if self._options.fork == "classic" else 400, "Sampler not found")


def _fail_on_nonsense(asked: Asked) -> None:
    """Raise what Forge raises deep inside; it checks none of these values beforehand."""
    for setting in asked.override_settings or {}:
        if setting not in bodies.SETTINGS:
            raise KeyError(setting)
    if asked.prompt is None:
        raise AssertionError
    if asked.steps == 0:
        raise ZeroDivisionError("integer division or modulo by zero")
    if asked.steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    if asked.width < 8 or asked.height < 8:
        raise RuntimeError(
            "Calculated padded input size per channel: (10 x 2). Kernel size: (3 x 3). "
            "Kernel size can't be greater than actual input size"
        )
    if asked.batch_size < 1 or asked.n_iter < 1:
        raise IndexError("list index out of range")


def _answer(options: Options, asked: Asked) -> dict[str, Any]:
    # Forge rounds the size down to whole latents of 8 pixels.
    width, height = asked.width // 8 * 8, asked.height // 8 * 8
    image = base64.b64encode(bodies.png(width, height)).decode("ascii")
    text = (
        f"{asked.prompt}\nSteps: {asked.steps}, Sampler: Euler, CFG scale: {asked.cfg_scale}, "
        f"Seed: {asked.seed}, Size: {width}x{height}, Model: {bodies.MODEL}"
    )
    info = {
        "prompt": asked.prompt,
        "all_prompts": [asked.prompt],
        "seed": asked.seed,
        "width": width,
        "height": height,
        "sampler_name": "Euler",
        "steps": asked.steps,
        "sd_model_name": bodies.MODEL,
        "sd_model_hash": bodies.MODEL_HASH,
        "infotexts": [text],
        "job_timestamp": time.strftime("%Y%m%d%H%M%S"),
        "version": bodies.VERSIONS[options.fork],
    }
    images = [image] * (asked.batch_size * asked.n_iter) if asked.send_images else []
    parameters = asked.model_dump(exclude={"init_images"})
    return {"images": images, "parameters": parameters, "info": json.dumps(info)}
