"""The stand-in against facts of the real Forge: what answers in which mode, with which status and shape."""

from __future__ import annotations

import base64
import http.client
import json
import struct
import threading
import time

import pytest

from .asking import address, ask
from .launcher import standin

PROGRESS = "/sdapi/v1/progress?skip_current_image=true"
PATHS = (
    "/", "/internal/ping", "/app_id", "/config", "/internal/sysinfo", "/docs", "/openapi.json",
    PROGRESS, "/sdapi/v1/samplers", "/sdapi/v1/memory", "/sdapi/v1/cmd-flags",
    "/sdapi/v1/loras", "/controlnet/model_list", "/sdapi/v1/nothing",
)  # fmt: skip
# What a real Forge answered, in the order of PATHS: the page's five, the docs' two, the core API's four, the
# extensions' two, a path that nothing serves. (half-dead: the extensions' two are read in the code.)
STATUSES = {
    "ui-api": "200 200 200 200 200  200 200  200 200 200 200  200 200  404",
    "ui-no-api": "200 200 200 200 200  200 200  404 404 404 404  200 200  404",
    "nowebui": "404 404 404 404 404  200 200  200 200 200 200  200 200  404",
    "ui-api-auth": "200 200 200 200 200  200 200  401 401 401 401  200 200  404",
    "nowebui-api-auth": "404 404 404 404 404  200 200  401 401 401 401  200 200  404",
    "ui-gradio-auth": "200 200 200 401 200  200 200  200 200 200 200  200 200  404",
    "ui-both-auth": "200 200 200 401 200  200 200  401 401 401 401  200 200  404",
    "ui-subpath": "200 200 200 200 200  200 200  200 200 200 200  200 200  404",
    "nowebui-subpath": "404 404 404 404 404  404 404  404 404 404 404  404 404  404",
    "half-dead": "200 200 200 200 200  200 200  404 404 404 404  404 404  404",
    "half-dead-proxy": "200 404 200 200 404  200 200  404 404 404 404  404 404  404",
}
FORKS = ("forge", "neo", "reforge", "classic", "a1111")
SMALL = {"prompt": "a cat", "steps": 1, "width": 64, "height": 64}


@pytest.mark.parametrize("mode", STATUSES)
def test_each_mode_serves_what_the_real_one_served(mode: str) -> None:
    with standin(mode) as base:
        heard = {path: ask(base, path) for path in PATHS}
        prefixed = ask(base, "/forge/sdapi/v1/progress")
    assert [str(heard[path].status) for path in PATHS] == STATUSES[mode].split()
    assert {answer.headers["server"] for answer in heard.values()} == {"uvicorn"}
    assert heard["/sdapi/v1/nothing"].json() == {"detail": "Not Found"}
    assert prefixed.status == 404  # even with --subpath: a proxy in front has to strip the prefix


def test_bodies_have_the_recorded_shape() -> None:
    with standin("ui-api") as base:
        heard = {path: ask(base, path) for path in PATHS}
        slash = ask(base, "/sdapi/v1/progress/")
        wrong_method = ask(base, "/sdapi/v1/txt2img")
        head = ask(base, "/", "HEAD")
    assert "window.gradio_config" in heard["/"].body.decode()
    assert heard["/"].headers["content-type"] == "text/html; charset=utf-8"
    assert heard["/internal/ping"].json() == {}
    assert heard["/config"].json()["version"] == "4.40.0"
    assert heard["/app_id"].json()["app_id"] == heard["/config"].json()["app_id"]
    idle = heard[PROGRESS].json()
    assert (idle["progress"], idle["state"]["job"], idle["current_image"]) == (0.0, "", None)
    assert {"name", "aliases", "options"} == set(heard["/sdapi/v1/samplers"].json()[0])
    assert heard["/sdapi/v1/memory"].json()["cuda"] == {"error": "unavailable"}
    assert heard["/sdapi/v1/loras"].json() == []
    assert heard["/controlnet/model_list"].json() == {"model_list": ["None"]}
    assert heard["/internal/sysinfo"].headers["content-type"] == "text/plain; charset=utf-8"
    assert heard["/internal/sysinfo"].json()["Version"].startswith("f2.0.1v1.10.1-")
    assert (slash.status, slash.headers["location"]) == (307, f"{base}/sdapi/v1/progress")
    assert (wrong_method.status, wrong_method.headers["allow"]) == (405, "POST")
    assert head.status == 200


def test_api_auth_tells_why_it_refuses() -> None:
    why = {
        "": "Not authenticated",
        "Bearer secret": "Not authenticated",
        "Basic !!!": "Invalid authentication credentials",
        "Basic dXNlcjp3cm9uZw==": "Incorrect username or password",
    }
    with standin("ui-api-auth") as base:
        refused = {sent: ask(base, PROGRESS, headers={"Authorization": sent} if sent else {}) for sent in why}
    assert {sent: answer.json()["detail"] for sent, answer in refused.items()} == why
    assert {answer.status for answer in refused.values()} == {401}
    assert {answer.headers["www-authenticate"] for answer in refused.values()} == {"Basic"}


def test_right_credentials_pass_and_stand_in_clear_in_cmd_flags() -> None:
    login = "Basic " + base64.b64encode(b"user:secret").decode()
    with standin("nowebui-api-auth") as base:
        assert ask(base, PROGRESS, headers={"Authorization": login}).status == 200
        assert ask(base, "/sdapi/v1/cmd-flags", headers={"Authorization": login}).json()["api_auth"] == "user:secret"
        schemes = ask(base, "/openapi.json").json()["components"]["securitySchemes"]
    assert schemes == {"HTTPBasic": {"type": "http", "scheme": "basic"}}


def test_gradio_login_opens_the_config_but_not_the_api() -> None:
    with standin("ui-both-auth") as base:
        page = ask(base, "/").body.decode()
        wrong = ask(base, "/login", "POST", b"username=user&password=no")
        right = ask(base, "/login", "POST", b"username=user&password=secret")
        cookie = right.headers["set-cookie"].partition(";")[0]
        config, progress = (
            ask(base, "/config", headers={"Cookie": cookie}),
            ask(base, PROGRESS, headers={"Cookie": cookie}),
        )
    assert '"auth_required": true' in page
    assert (wrong.status, wrong.json()) == (400, {"detail": "Incorrect credentials."})
    assert (right.status, config.status, progress.status) == (200, 200, 401)


@pytest.mark.parametrize("fork", FORKS)
def test_forks_differ_by_their_routes_headers_and_errors(fork: str) -> None:
    with standin("ui-api-auth", fork=fork) as base:
        paths = set(ask(base, "/openapi.json").json()["paths"])
        refused = ask(base, PROGRESS)
    old = fork in ("reforge", "classic", "a1111")
    assert ("/sdapi/v1/sd-modules" in paths, "/sdapi/v1/sd-vae" in paths) == (not old, old)
    for name in ("hypernetworks", "interrogate"):
        assert (f"/sdapi/v1/{name}" in paths) == (fork not in ("classic", "neo"))
    assert ("/sdapi/v1/reload-checkpoint" in paths) == (fork != "neo")
    assert ("/sdapi/v1/train/embedding" in paths) == (fork in ("reforge", "a1111"))
    assert ("/controlnet/model_list" in paths) == (fork != "a1111")
    assert ("x-process-time" in refused.headers) == old
    assert ("www-authenticate" in refused.headers) == (not old)
    assert set(refused.json()) == ({"error", "detail", "body", "errors"} if old else {"detail"})


@pytest.mark.parametrize(
    ("fork", "key", "fail", "error", "text"),
    [
        ("forge", "message", "model-type", "ValueError", "Failed to recognize model type!"),
        ("a1111", "errors", "model-type", "ValueError", "Failed to recognize model type!"),
        (
            "forge",
            "message",
            "no-model",
            "ValueError",
            "You do not have any model! Please download at least one model in",
        ),
        ("forge", "message", "disk-full", "OSError", "[Errno 28] No space left on device"),
        (
            "forge",
            "message",
            "read-only",
            "PermissionError",
            "[Errno 13] Permission denied: 'outputs/txt2img-images'",
        ),
        ("forge", "message", "out-of-memory", "RuntimeError", "can't allocate memory"),
    ],
)
def test_txt2img_fails_in_the_shape_of_the_family(fork: str, key: str, fail: str, error: str, text: str) -> None:
    with standin("nowebui", fork=fork, fail=fail) as base:
        failed = ask(base, "/sdapi/v1/txt2img", "POST", SMALL)
    assert failed.status == 500
    assert text in failed.json().pop(key)
    assert {**failed.json(), key: ""} == {"error": error, "detail": "", "body": "", key: ""}


def test_txt2img_gives_a_png_of_the_asked_size() -> None:
    with standin("nowebui") as base:
        answer = ask(base, "/sdapi/v1/txt2img", "POST", {**SMALL, "width": 71}).json()
        invalid = ask(base, "/sdapi/v1/txt2img", "POST", {"steps": "abc"})
    picture = base64.b64decode(answer["images"][0])
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (64, 64)
    assert answer["parameters"]["prompt"] == "a cat"
    assert json.loads(answer["info"])["infotexts"][0].startswith("a cat\nSteps: 1")
    assert (invalid.status, invalid.json()["detail"][0]["loc"]) == (422, ["body", "steps"])


def test_progress_answers_while_a_generation_runs_and_interrupt_ends_it() -> None:
    answers = []
    with standin("ui-api", seconds=60) as base:
        sender = threading.Thread(
            target=lambda: answers.append(ask(base, "/sdapi/v1/txt2img", "POST", SMALL, timeout=60))
        )
        sender.start()
        while ask(base, PROGRESS).json()["state"]["job"] == "":
            time.sleep(0.02)
        assert ask(base, "/internal/ping").status == 200
        ask(base, "/sdapi/v1/interrupt", "POST")
        sender.join()
        assert ask(base, PROGRESS).json()["state"]["job"] == ""
    assert answers[0].status == 200


def test_server_stop_closes_the_port_and_server_kill_drops_the_connection() -> None:
    with standin("ui-api-server-stop") as base:
        assert ask(base, "/sdapi/v1/server-restart", "POST").status == 501
        assert ask(base, "/sdapi/v1/server-stop", "POST").body == b"Stopping."
        with pytest.raises(ConnectionError):  # reset while it closes, refused after
            while True:
                ask(base, "/internal/ping")
    with standin("ui-api-server-stop") as base, pytest.raises(http.client.RemoteDisconnected):
        ask(base, "/sdapi/v1/server-kill", "POST")


def test_memory_can_report_a_card() -> None:
    with standin("ui-api", memory="cuda") as base:
        system = ask(base, "/sdapi/v1/memory").json()["cuda"]["system"]
    assert system["free"] + system["used"] == system["total"]


@pytest.mark.parametrize(("fork", "status"), [("forge", 500), ("reforge", 200)])
def test_cmd_flags_breaks_on_forge_only(fork: str, status: int) -> None:
    with standin("ui-api", fork=fork, cmd_flags_broken=True) as base:
        assert ask(base, "/sdapi/v1/cmd-flags").status == status


def test_a_taken_port_is_told_in_one_sentence() -> None:
    with standin("ollama") as base:
        _, port = address(base)
        for mode in ("ui-api", "comfyui"):
            with (
                pytest.raises(RuntimeError, match=f"cannot listen on 127.0.0.1:{port}"),
                standin(mode, port=port),
            ):
                pass


def test_a_wrong_mode_is_told_before_anything_listens() -> None:
    with pytest.raises(RuntimeError, match="invalid choice: 'no-such-mode'"), standin("no-such-mode"):
        pass
