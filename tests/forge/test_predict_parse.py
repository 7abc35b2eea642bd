"""What the launchers' own parsers do with a command line, as seen with the real ones under Python 3.10."""

from __future__ import annotations

import shlex

import pytest

from forgedoctor.forge.flags import FORKS
from forgedoctor.forge.predict import EffectiveLaunch, predict

FORGE_FAMILY = ("forge", "reforge", "classic", "neo")


def run(fork: str, line: str, **env: str) -> EffectiveLaunch:
    return predict(fork, shlex.split(line), env)


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("", {}),
        ("--api", {"api": True}),
        ("--api --api --api", {"api": True}),
        ("--port 8000", {"port": 8000}),
        ("--port=8000 --port 8001", {"port": 8001}),
        ("--port ' 8_000 '", {"port": 8000}),
        ("--port -7", {"port": -7}),
        ("--port=+0080", {"port": 80}),
        ("--lis", {"listen": True}),
        ("--por=1", {"port": 1}),
        ("--api-a me:pw", {"api_auth": "me:pw"}),
        ("--api-auth=a=b:c", {"api_auth": "a=b:c"}),
        ("--theme ''", {"theme": ""}),
        ("--theme '-a b'", {"theme": "-a b"}),
        ("--theme -5.5", {"theme": "-5.5"}),
        ("--disable-tls-verify", {"disable_tls_verify": False}),
        ("--timeout-keep-alive 30", {}),
        ("--timeout-keep-alive 31", {"timeout_keep_alive": 31}),
        ("--styles-file a.csv --styles-file b.csv", {"styles_file": ["a.csv", "b.csv"]}),
        ("--gradio-allowed-path /srv", {"gradio_allowed_path": ["/srv"]}),
        ("--ngrok-options '{\"proto\": [1, null]}'", {"ngrok_options": {"proto": [1, None]}}),
        ("--ngrok-options {}", {}),
        ("--lora-dir ../loras", {"lora_dir": "../loras"}),
        ("-f --api", {"f": True, "api": True}),
        ("-ff", {"f": True}),
    ],
)
def test_understood_everywhere(fork: str, line: str, options: dict[str, object]) -> None:
    launch = run(fork, line)
    assert launch.exit is None
    assert launch.options == options


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--port", "argument --port: expected one argument"),
        ("--port --api", "argument --port: expected one argument"),
        ("--port -- 80", "argument --port: expected one argument"),
        ("--port -1_0", "argument --port: expected one argument"),
        ("--port eighty", "argument --port: invalid int value: 'eighty'"),
        ("--port=80.0", "argument --port: invalid int value: '80.0'"),
        ("--port=", "argument --port: invalid int value: ''"),
        ("--api=yes", "argument --api: ignored explicit argument 'yes'"),
        ("--listen=", "argument --listen: ignored explicit argument ''"),
        ("-fx", "argument -f: ignored explicit argument 'x'"),
        ("--ngrok-options {", "argument --ngrok-options: invalid loads value: '{'"),
        ("--help=all", "argument -h/--help: ignored explicit argument 'all'"),
    ],
)
def test_refused_at_once(fork: str, line: str, message: str) -> None:
    end = run(fork, line).exit
    assert end and (end.code, end.stage, end.message) == (2, "early", message)


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize(
    "words",
    [
        ["8000"],
        ["api"],
        ["--API"],
        ["--Port"],
        ["--server_name"],
        ["-port"],
        ["\u2014listen"],
        ["--api,--listen"],
        ["--apilisten"],
        ["--no-such-flag=1"],
        ["--"],
        ["-- --listen"],
        ["-"],
        [""],
    ],
)
def test_strange_words_stop_it_late(fork: str, words: list[str]) -> None:
    argv = ["--api", *words]
    end = predict(fork, argv).exit
    assert end and (end.code, end.stage) == (2, "late")
    assert end.message == "unrecognized arguments: " + " ".join(words)


@pytest.mark.parametrize("fork", FORKS)
def test_forgiven_when_the_variable_exists_even_empty(fork: str) -> None:
    for value in ("", "0", "yes"):
        launch = run(fork, "--api 8000 --lisen", IGNORE_CMD_ARGS_ERRORS=value)
        assert launch.exit is None and launch.options == {"api": True}
        assert [one.token for one in launch.unknown] == ["8000", "--lisen"]
        assert run(fork, "--port x", IGNORE_CMD_ARGS_ERRORS=value).exit is not None


@pytest.mark.parametrize("fork", FORKS)
def test_all_after_two_dashes_is_a_value_nobody_takes(fork: str) -> None:
    end = run(fork, "--api -- --port 1").exit
    assert end and end.message == "unrecognized arguments: -- --port 1"


@pytest.mark.parametrize(
    ("fork", "line", "matches"),
    [
        ("forge", "--med", "--medvram, --medvram-sdxl"),
        ("forge", "--vae-in", "--vae-in-fp16, --vae-in-fp32, --vae-in-bf16, --vae-in-cpu"),
        ("neo", "--no", "--normalvram, --novram"),
        ("classic", "--ap", "--api, --api-auth, --api-log, --api-server-stop"),
        ("a1111", "--gradio-a=u:p", "--gradio-auth, --gradio-auth-path, --gradio-allowed-path"),
    ],
)
def test_an_abbreviation_of_two_flags_is_refused_at_once(fork: str, line: str, matches: str) -> None:
    end = run(fork, line).exit
    assert end and (end.code, end.stage) == (2, "early")
    assert end.message == f"ambiguous option: {line} could match {matches}"


def test_what_only_the_last_parser_finds_ambiguous_stops_late() -> None:
    end = run("neo", "--controlnet-d x").exit
    assert end and end.stage == "late" and end.message.startswith("ambiguous option: --controlnet-d could match")


def test_an_abbreviation_that_an_extension_spells_out() -> None:
    assert run("neo", "--lora-dir x").options == {"lora_dir": "x"}
    assert run("neo", "--lora-dir").exit.message == "argument --lora-dirs: expected one argument"  # type: ignore[union-attr]
    assert run("neo", "--vae-dir x").options == {"vae_dirs": ["x"]}


@pytest.mark.parametrize(
    ("fork", "line", "second", "first"),
    [
        ("forge", "--always-gpu --always-cpu", "--always-cpu", "--always-gpu"),
        ("reforge", "--attention-split --use-sage-attention", "--use-sage-attention", "--attention-split"),
        ("classic", "--all-in-fp16 --api --all-in-fp32", "--all-in-fp32", "--all-in-fp16"),
        ("neo", "--uv --uv-symlink", "--uv-symlink", "--uv"),
        ("neo", "--lowv --highv", "--highvram", "--lowvram"),
    ],
)
def test_flags_that_exclude_each_other(fork: str, line: str, second: str, first: str) -> None:
    end = run(fork, line).exit
    assert end and (end.code, end.stage) == (2, "early")
    assert end.message == f"argument {second}: not allowed with argument {first}"


def test_the_same_flag_twice_excludes_nothing() -> None:
    assert run("forge", "--always-gpu --always-gpu").exit is None
    assert run("a1111", "--medvram --lowvram").exit is None


def test_a_default_spelt_out_excludes_nothing() -> None:
    assert run("reforge", "--cache-lru 0 --cache-classic").exit is None
    assert run("reforge", "--cache-lru 4 --cache-classic").exit is not None


@pytest.mark.parametrize(
    ("fork", "line", "options"),
    [
        ("forge", "--use-cpu A b C --api", {"use_cpu": ["a", "b", "c"], "api": True}),
        ("forge", "--use-cpu=VAE", {"use_cpu": ["vae"]}),
        ("forge", "--directml", {"directml": -1}),
        ("forge", "--directml 2 --cuda-stream", {"directml": 2, "cuda_stream": True}),
        ("neo", "--cuda-stream --api", {"cuda_stream": 2, "api": True}),
        ("neo", "--cuda-stream=5", {"cuda_stream": 5}),
        ("neo", "--tiled-conv2d 0 --sage-function auto", {}),
        ("neo", "--tiled-conv2d 64 --sage-function sageattn3", {"tiled_conv2d": 64, "sage_function": "sageattn3"}),
        ("neo", "--ckpt-dirs a --ckpt-dir b", {"ckpt_dirs": ["a", "b"]}),
        ("neo", "--reserve-vram 0.5", {"reserve_vram": 0.5}),
        ("reforge", "--fast", {"fast": []}),
        ("reforge", "--fast cublas_ops fp16_accumulation", {"fast": ["cublas_ops", "fp16_accumulation"]}),
        ("reforge", "--verbose", {"verbose": "DEBUG"}),
        ("reforge", "--verbose INFO", {}),
        (
            "reforge",
            "--extra-model-paths-config a b --extra-model c",
            {"extra_model_paths_config": [["a", "b"], ["c"]]},
        ),
        ("a1111", "--precision full", {"precision": "full"}),
        ("a1111", "--precision autocast", {}),
    ],
)
def test_values_of_every_kind(fork: str, line: str, options: dict[str, object]) -> None:
    launch = run(fork, line)
    assert launch.exit is None and launch.options == options


@pytest.mark.parametrize(
    ("fork", "line", "part"),
    [
        ("forge", "--use-cpu", "argument --use-cpu: expected at least one argument"),
        ("a1111", "--precision fp16", "argument --precision: invalid choice: 'fp16' (choose from 'full', 'half'"),
        ("neo", "--tiled-conv2d 100", "argument --tiled-conv2d: invalid choice: 100 (choose from 0, 64"),
        ("neo", "--loglevel debug", "argument --loglevel: invalid choice: 'debug'"),
        ("reforge", "--fast all", "argument --fast: invalid PerformanceFeature value: 'all'"),
        ("reforge", "--reserve-vram 2GB", "argument --reserve-vram: invalid float value: '2GB'"),
    ],
)
def test_values_that_do_not_fit(fork: str, line: str, part: str) -> None:
    end = run(fork, line).exit
    assert end and (end.code, end.stage) == (2, "early") and end.message.startswith(part)


def test_an_extensions_value_is_only_judged_by_the_last_parser() -> None:
    end = run("forge", "--controlnet-loglevel loud").exit
    assert end and (end.code, end.stage) == (2, "late")


@pytest.mark.parametrize(
    ("line", "works_in"),
    [
        ("--medvram", {"forge", "reforge", "a1111"}),
        ("--lowvram", {"forge", "reforge", "neo", "a1111"}),
        ("--highvram", {"neo"}),
        ("--always-low-vram", {"forge", "reforge", "classic"}),
        ("--cuda-malloc", {"forge", "reforge", "classic", "neo"}),
        ("--cuda-device 0", {"reforge"}),
        ("--gpu-device-id 0", {"forge", "classic", "neo"}),
        ("--no-half", {"forge", "reforge", "classic", "a1111"}),
        ("--models-dir /m", {"forge", "reforge", "a1111"}),
        ("--model-ref /m", {"classic", "neo"}),
        ("--xformers", set(FORKS)),
    ],
)
def test_each_fork_has_flags_of_its_own(line: str, works_in: set[str]) -> None:
    assert {fork for fork in FORKS if run(fork, line).exit is None} == works_in
    for fork in set(FORKS) - works_in:
        (word, *_) = run(fork, line).unknown
        assert works_in <= set(word.elsewhere)


@pytest.mark.parametrize("fork", FORKS)
def test_help_ends_it_at_once_where_it_is_reached(fork: str) -> None:
    for line in ("--help", "-h", "--hel", "--api --help --what"):
        end = run(fork, line).exit
        assert end and (end.code, end.stage) == (0, "early"), line
    # Forge's first parser knows -h but not --port, so there the help comes before the error.
    assert run(fork, "--port x --help").exit.code == (0 if fork == "forge" else 2)  # type: ignore[union-attr]
    assert run(fork, "--port x -fh").exit.code == 2  # type: ignore[union-attr]


def test_a_prefix_of_help_is_unique_only_in_forges_first_parser() -> None:
    assert run("forge", "--h").exit.code == 0  # type: ignore[union-attr]
    assert run("a1111", "--h").exit.code == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("fork", FORKS)
def test_dump_and_exit(fork: str) -> None:
    for line in ("--dump-sysinfo --nonsense", "--dump"):
        end = run(fork, line).exit
        assert end and (end.code, end.stage) == (0, "early")
    end = run(fork, "--exit --nonsense").exit
    assert end and (end.code, end.stage) == (0, "late")
    end = run(fork, "--exit --skip-prepare-environment").exit
    assert end and (end.code, end.message) == (2, "unrecognized arguments: --exit")
    assert run(fork, "--exi").exit.code == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("fork", ["forge", "reforge", "a1111"])
def test_test_server_adds_its_flags_unless_they_are_there(fork: str) -> None:
    launch = run(fork, "--test-s --ckpt mine")
    assert launch.exit is None and launch.api
    assert launch.options["ckpt"] == "mine" and launch.options["disable_nan_check"] is True
    assert launch.argv[-3:] == ("--api", "--skip-torch-cuda-test", "--disable-nan-check")
    assert launch.sources["api"] == "--test-server"
    assert run(fork, "--test-server -- ").exit is not None


def test_an_a1111_home_adds_the_folders_that_exist() -> None:
    line = "--forge-ref-a1111-home /a --vae-dir /mine"
    assert "ckpt_dir" not in run("forge", line).options
    found = predict("forge", shlex.split(line), {}, exists=lambda path: "/extensions/" not in path)
    assert found.options["ckpt_dir"] == "/a/models/Stable-diffusion"
    assert found.options["vae_dir"] == "/mine"
    assert "controlnet_preprocessor_models_dir" not in found.options
    assert found.sources["ckpt_dir"] == "the other installation"


def test_neo_adds_folders_of_another_installation_to_those_given() -> None:
    argv = ["--forge-ref-comfy-home", "/c", "--ckpt-dirs", "/mine"]
    found = predict("neo", argv, {}, exists=lambda path: path in ("/c/models/checkpoints", "/c/unet"))
    assert found.options["ckpt_dirs"] == ["/mine", "/c/models/checkpoints", "/c/unet"]


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize(
    ("value", "argv"),
    [
        ("--api --port 9", ("--api", "--port", "9")),
        ('--ckpt-dir "C:\\models\\sd"', ("--ckpt-dir", "C:\\models\\sd")),
        ("--ckpt-dir C:\\models\\sd", ("--ckpt-dir", "C:modelssd")),
        ("--theme 'a b'", ("--theme", "a b")),
        ("  ", ()),
        ("'--api --listen'", ("--api --listen",)),
        ("--api # note", ("--api", "#", "note")),
    ],
)
def test_the_variable_is_split_as_a_unix_shell_would(fork: str, value: str, argv: tuple[str, ...]) -> None:
    assert run(fork, "", COMMANDLINE_ARGS=value).argv == argv


@pytest.mark.parametrize("fork", FORKS)
@pytest.mark.parametrize(
    ("value", "message"), [("--theme it's", "closing quotation"), ("--api \\", "escaped character")]
)
def test_an_open_quote_is_a_traceback_at_once(fork: str, value: str, message: str) -> None:
    launch = run(fork, "--listen", COMMANDLINE_ARGS=value)
    assert launch.exit and (launch.exit.code, launch.exit.stage) == (1, "early")
    assert message in launch.exit.message and launch.argv == ("--listen",)


def test_sources_name_where_the_effective_value_came_from() -> None:
    argv = ["--port", "1", "--theme", "dark", "--listen"]
    origins = ["a"] * 2 + ["b"] * 3
    launch = predict("forge", argv, {"COMMANDLINE_ARGS": "--port 2 --api"}, origins=origins)
    assert launch.sources == {"port": "COMMANDLINE_ARGS", "theme": "b", "listen": "b", "api": "COMMANDLINE_ARGS"}
    assert run("forge", "--api").sources == {"api": "command line"}


def test_unknown_words_say_what_they_may_have_meant() -> None:
    by_token = {one.token: one for one in run("forge", "--lisen --highvram \u2014api --foo=1 7860").unknown}
    assert by_token["--lisen"].nearest == ("--listen",)
    assert by_token["--highvram"].elsewhere == ("neo",) and by_token["--highvram"].instead == "--always-high-vram"
    assert by_token["\u2014api"].nearest == ("--api",)
    assert by_token["--foo=1"].nearest == () and by_token["7860"].nearest == ()


def test_unknown_words_are_told_beside_an_early_error() -> None:
    launch = run("forge", "--lisen --port x")
    assert launch.exit and launch.exit.stage == "early"
    assert [one.token for one in launch.unknown] == ["--lisen"]


def test_abbreviations_are_told() -> None:
    launch = run("forge", "--lis --port 1 --server=h -f")
    assert [(one.given, one.flag) for one in launch.abbreviations] == [
        ("--lis", "--listen"),
        ("--server", "--server-name"),
    ]


@pytest.mark.parametrize("fork", FORKS)
def test_only_these_make_the_server_public_to_extensions(fork: str) -> None:
    for line in ("--listen", "--share", "--ngrok token", "--server-name 127.0.0.1"):
        assert run(fork, line).extension_access_disabled, line
        assert not run(fork, line + " --enable-insecure-extension-access").extension_access_disabled
    assert not run(fork, "--nowebui").extension_access_disabled
    assert not run(fork, "--server-name ''").extension_access_disabled
    assert not run(fork, "", GRADIO_SERVER_NAME="0.0.0.0").extension_access_disabled


def test_an_unknown_fork_counts_as_forge() -> None:
    assert predict("no-such-fork", ["--api"]) == predict("forge", ["--api"])
