"""Which relative answers, told from outside alone: by the routes that each really has."""

from __future__ import annotations

import pytest

from forgedoctor.forge.fingerprint import guess

COMMON = ("/sdapi/v1/txt2img", "/sdapi/v1/progress", "/sdapi/v1/memory", "/sdapi/v1/loras")
OLD = ("/sdapi/v1/interrogate", "/sdapi/v1/hypernetworks")
CONTROLNET = ("/controlnet/model_list", "/controlnet/module_list", "/controlnet/detect")
TYPES = ("/controlnet/control_types",)
TRAIN = ("/sdapi/v1/train/embedding",)
ROUTES = {
    "forge": (*COMMON, *OLD, "/sdapi/v1/sd-modules", *CONTROLNET, *TYPES),
    "neo": (*COMMON, "/sdapi/v1/sd-modules", *CONTROLNET, *TYPES),
    "reforge": (*COMMON, *OLD, "/sdapi/v1/sd-vae", *TRAIN, *CONTROLNET, *TYPES),
    "classic": (*COMMON, "/sdapi/v1/sd-vae", *CONTROLNET),
    "a1111": (*COMMON, *OLD, "/sdapi/v1/sd-vae", *TRAIN),
}


@pytest.mark.parametrize("fork", ROUTES)
def test_routes_alone_tell_every_fork_apart(fork: str) -> None:
    found, because = guess(ROUTES[fork], [], [], "")
    assert found == fork
    assert because


def test_a1111_with_its_controlnet_extension_is_not_taken_for_reforge() -> None:
    routes = (*ROUTES["a1111"], *CONTROLNET, *TYPES, "/controlnet/version", "/controlnet/settings")
    assert guess(routes, [], [], "3.41.2")[0] == "a1111"


def test_without_the_api_it_says_between_which_it_cannot_tell() -> None:
    found, because = guess(("/internal/sysinfo", *CONTROLNET, *TYPES), [], [], "4.40.0")
    assert found == ""
    assert because.startswith("one of forge, neo, reforge")


def test_another_gradio_program_is_of_no_fork() -> None:
    assert guess(("/predict", "/config"), [{"x-process-time": "0.01"}], [], "4.44.1") == ("", "")


def test_routes_outweigh_a_header_that_something_in_between_may_have_added() -> None:
    assert guess(ROUTES["forge"], [{"x-process-time": "0.01"}], [], "")[0] == "forge"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"error": "ValueError", "detail": "", "body": "", "message": "no"}, "forge, neo"),
        ({"error": "HTTPException", "detail": "no", "body": "", "errors": ""}, "a1111, classic, reforge"),
        ({"detail": "Not Found"}, ""),
        ({"error": {"message": "of some other program"}}, ""),
        ([1, 2], ""),
        ("text", ""),
        (None, ""),
    ],
)
def test_the_shape_of_an_error_narrows_where_no_routes_are_had(body: object, left: str) -> None:
    found, because = guess(None, [], [body], "")
    assert found == ""
    assert because.startswith(f"one of {left}:") if left else because == ""
