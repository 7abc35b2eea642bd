"""What the stand-in answers, in the shape and with the key names of the real answers, made small."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

from .options import Options

VERSIONS = {
    "forge": "f2.0.1v1.10.1-previous-669-gdfdcbab6",
    "neo": "neo",
    "reforge": "f1.0.0v2-v1.10.1RC-latest-1-g3b56b268",
    "classic": "classic",
    "a1111": "v1.10.1",
}
ROOT = "/home/user/stable-diffusion-webui"
MODEL = "random-sd15"
MODEL_HASH = "86d6cd83ee"
GIGABYTE = 1024**3


def page(options: Options, *, logged_in: bool, root: str) -> str:
    """Return the HTML of `/`: the page with its config, or the login page, which says `auth_required`."""
    if logged_in:
        config = gradio_config(options)
    else:
        config = {"auth_required": True, "auth_message": None, "space_id": None, "root": root}
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8" />\n'
        f"<script>window.gradio_config = {json.dumps(config)};</script>\n"
        '<script>window.__gradio_mode__ = "app";</script></head>\n'
        '<body><gradio-app control_page_title="true" embed="false"></gradio-app></body>\n</html>\n'
    )


def gradio_config(options: Options) -> dict[str, Any]:
    """Return the start of `/config`; `version` is the gradio version of the fork."""
    return {
        "version": "4.40.0" if options.fork in ("forge", "neo") else "3.41.2",
        "mode": "blocks",
        "app_id": 485375322481192799,
        "dev_mode": False,
        "analytics_enabled": False,
        "components": [{"id": 1, "type": "row", "props": {"elem_id": "quicksettings", "name": "row"}}],
        "title": "Stable Diffusion",
    }


def memory(options: Options) -> dict[str, Any]:
    """Return `/sdapi/v1/memory` in bytes: as of a machine without CUDA, or as of a 24 GB card, on which
    three jobs ran out of memory where ``memory`` is ``oom``."""
    ram = {"free": 24514621440.0, "used": 761892864, "total": 25276514304.0}
    if options.memory == "unavailable":
        return {"ram": ram, "cuda": {"error": "unavailable"}}
    total, used = 24 * GIGABYTE, 6 * GIGABYTE
    peak = {"current": 4 * GIGABYTE, "peak": 5 * GIGABYTE}
    cuda: dict[str, Any] = {"system": {"free": total - used, "used": used, "total": total}}
    cuda |= dict.fromkeys(("active", "allocated", "reserved", "inactive"), peak)
    return {"ram": ram, "cuda": {**cuda, "events": {"retries": 0, "oom": 3 if options.memory == "oom" else 0}}}


def cmd_flags(options: Options) -> dict[str, Any]:
    """Return `/sdapi/v1/cmd-flags`: the flags in force, passwords in clear as in the real answer."""
    return {
        "data_dir": ROOT,
        "ckpt_dir": None,
        "listen": False,
        "port": None,
        "server_name": None,
        "share": False,
        "gradio_auth": options.gradio_auth,
        "api": options.web_ui and options.api,
        "api_auth": options.api_auth,
        "api_log": False,
        "nowebui": not options.web_ui,
        "cors_allow_origins": options.cors_allow_origins,
        "tls_keyfile": "k.pem" if options.tls else None,
        "tls_certfile": "c.pem" if options.tls else None,
        "subpath": options.subpath,
        "api_server_stop": options.server_stop,
    }


def sysinfo(options: Options) -> dict[str, Any]:
    """Return `/internal/sysinfo`; the original hides a password that is its own word of the command line."""
    command_line = ["launch.py", *(["--api"] if options.api else [])]
    if options.api_auth:
        command_line += ["--api-auth", "<hidden>"]
    return {
        "Platform": "Linux-6.1.0-generic-x86_64-with-glibc2.36",
        "Python": "3.11.7",
        "Version": VERSIONS[options.fork],
        "Commit": "dfdcbab685e57677014f05a3309b48cc87383167",
        "Script path": ROOT,
        "Data path": ROOT,
        "Commandline": command_line,
        "Torch env info": {"torch_version": "2.3.1+cu121", "is_cuda_available": "False"},
        "Exceptions": [],
        "CPU": {"model": "", "count logical": 2, "count physical": 2},
        "RAM": {"total": "24GB", "used": "1GB", "free": "23GB"},
        "Extensions": [],
        "Environment": {"GRADIO_ANALYTICS_ENABLED": "False"},
        "Config": {},
        "Packages": ["fastapi==0.104.1", "gradio==4.40.0"],
    }


def idle() -> dict[str, Any]:
    """Return `/sdapi/v1/progress` of a server that has done nothing yet."""
    state = {
        "skipped": False,
        "interrupted": False,
        "stopping_generation": False,
        "job": "",
        "job_count": 0,
        "job_timestamp": "0",
        "job_no": 0,
        "sampling_step": 0,
        "sampling_steps": 0,
    }
    return {"progress": 0.0, "eta_relative": 0.0, "state": state, "current_image": None, "textinfo": None}


def busy(steps: int) -> dict[str, Any]:
    """Return `/sdapi/v1/progress` while a generation of `steps` steps is at its start."""
    answer = idle()
    running = {
        "job": "scripts_txt2img",
        "job_count": 1,
        "job_timestamp": "20261122235419",
        "sampling_steps": steps,
    }
    return {**answer, "progress": 0.01, "eta_relative": 10.4, "state": {**answer["state"], **running}}


# Names and aliases as listed by forge; with them the list is long enough to be compressed, as the real one.
_SAMPLERS = {
    "DPM++ 2M": "k_dpmpp_2m", "DPM++ SDE": "k_dpmpp_sde", "DPM++ 2M SDE": "k_dpmpp_2m_sde",
    "DPM++ 2S a": "k_dpmpp_2s_a", "DPM++ 3M SDE": "k_dpmpp_3m_sde", "Euler a": "k_euler_a",
    "Euler": "k_euler", "LMS": "k_lms", "Heun": "k_heun", "DPM2": "k_dpm_2", "DPM2 a": "k_dpm_2_a",
    "DPM fast": "k_dpm_fast", "DPM adaptive": "k_dpm_ad", "Restart": "restart", "DDIM": "ddim",
    "PLMS": "plms", "UniPC": "unipc", "LCM": "k_lcm", "DDPM": "ddpm",
}  # fmt: skip

SETTINGS: dict[str, Any] = {
    "samples_save": True,
    "samples_format": "png",
    "sd_model_checkpoint": f"{MODEL}.safetensors [{MODEL_HASH}]",
    "api_enable_requests": True,
    "api_forbid_local_requests": True,
}

# Answers that depend on nothing; a GET or POST that is in no table answers 200 null.
CONSTANT: dict[str, Any] = {
    "GET /token": {"token": None, "user": None},
    "GET /app_id": {"app_id": 485375322481192799},
    "GET /info": {"named_endpoints": {}, "unnamed_endpoints": {}},
    "GET /queue/status": {
        "msg": "estimation", "event_id": None, "rank": None, "queue_size": 0, "rank_eta": None,
    },
    "GET /startup-events": False,
    "GET /internal/pending-tasks": {"size": 0, "tasks": []},
    "POST /internal/progress": {
        "active": False, "queued": False, "completed": False, "progress": None, "eta": None,
        "live_preview": None, "id_live_preview": -1, "textinfo": "Waiting...",
    },
    "GET /internal/quicksettings-hint": [{"name": "samples_save", "label": "Always save all images"}],
    "GET /internal/ping": {},
    "GET /internal/profile-startup": {"total": 15.2, "records": {"initial startup": 0.014}},
    "GET /sd_extra_networks/metadata": {},
    "GET /sdapi/v1/options": SETTINGS,
    "GET /sdapi/v1/samplers": [
        {"name": name, "aliases": [alias], "options": {}} for name, alias in _SAMPLERS.items()
    ],
    "GET /sdapi/v1/schedulers": [
        {"name": name, "label": name.title(), "aliases": None, "default_rho": rho, "need_inner_model": False}
        for name, rho in (("automatic", -1.0), ("karras", 7.0))
    ],
    "GET /sdapi/v1/upscalers": [
        {"name": "None", "model_name": None, "model_path": None, "model_url": None, "scale": 4.0},
    ],
    "GET /sdapi/v1/latent-upscale-modes": [{"name": "Latent"}],
    "GET /sdapi/v1/sd-models": [
        {
            "title": f"{MODEL}.safetensors [{MODEL_HASH}]", "model_name": MODEL, "hash": MODEL_HASH,
            "sha256": MODEL_HASH + "0" * 54, "config": None,
            "filename": f"{ROOT}/models/Stable-diffusion/{MODEL}.safetensors",
        }
    ],
    "GET /sdapi/v1/face-restorers": [{"name": "GFPGAN", "cmd_dir": None}],
    "GET /sdapi/v1/embeddings": {"loaded": {}, "skipped": {}},
    "GET /sdapi/v1/scripts": {"txt2img": ["x/y/z plot"], "img2img": ["x/y/z plot"]},
    "POST /sdapi/v1/interrupt": {},
    "POST /sdapi/v1/unload-checkpoint": {},
    "POST /sdapi/v1/reload-checkpoint": {},
    "POST /sdapi/v1/interrogate": {"caption": "<error>"},
    "GET /controlnet/model_list": {"model_list": ["None"]},
    "GET /controlnet/module_list": {"module_list": ["None", "canny", "depth_midas"]},
    "GET /controlnet/control_types": {"control_types": {"All": {"module_list": ["None"]}}},
}  # fmt: skip
for _name in ("sd-modules", "sd-vae", "hypernetworks", "realesrgan-models", "prompt-styles", "script-info"):
    CONSTANT[f"GET /sdapi/v1/{_name}"] = []
CONSTANT["GET /sdapi/v1/extensions"] = CONSTANT["GET /sdapi/v1/loras"] = []


def png(width: int, height: int) -> bytes:
    """Return a valid grey PNG of the size in pixels (RFC 2083: header, one data chunk, end)."""
    rows = zlib.compress((b"\x00" + b"\x80" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
