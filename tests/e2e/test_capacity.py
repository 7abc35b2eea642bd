"""``forgedoctor capacity`` as a person runs it; the job is measured at a stand-in over a real socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.forge_like import doctor, free_port
from tests.standin.launcher import standin


def answered(*words: str, status: int = 0, **more: Any) -> dict[str, Any]:
    """The JSON answer, which is all that stands on standard output."""
    done = doctor("capacity", *words, "--format", "json", "--lang", "en", **more)
    assert done.returncode == status, done.stderr.decode()
    loaded: dict[str, Any] = json.loads(done.stdout)
    assert loaded["exit_code"] == status
    return loaded


def test_a_rate_in_requests_a_minute() -> None:
    made = answered("--job-seconds", "6", "--rate", "7/min")
    assert made["rate"]["utilisation"] == pytest.approx(0.7)
    assert made["rate"]["mean_wait_seconds"] == pytest.approx(7.0)
    assert made["jobs_per_hour"] == pytest.approx(600) and made["processes_needed"] == 1


def test_too_much_is_status_1_and_says_what_it_takes() -> None:
    made = answered("--job-seconds", "6", "--rate", "1000/h", status=1)
    assert made["verdict"] == "over" and made["rate"]["mean_wait_seconds"] is None
    assert made["processes_needed"] == 3 and len(made["starts"]) == 3 and "max_conns" in made["nginx"]


def test_jobs_of_two_lengths() -> None:
    made = answered("--job-seconds", "2", "--job-seconds", "10", "--rate", "0.1")
    assert (made["job_seconds"], made["cv2"]) == (6.0, pytest.approx(16 / 36))


def test_the_job_is_measured_at_the_server_and_only_when_asked() -> None:
    with standin("nowebui", seconds=0.3) as url:
        made = answered(url, "--generate", "--times", "2", "--steps", "1", "--clients", "4")
        refused = doctor("capacity", url)
    assert 0.3 <= made["job_seconds"] < 3 and len(made["measured"]["warm"]) == 2
    assert made["clients"]["latency_seconds"] == pytest.approx(4 * made["job_seconds"])
    assert refused.returncode == 2 and b"--generate" in refused.stderr


@pytest.mark.parametrize(("mode", "options", "says"), [("nowebui-api-auth", {}, "401"), ("nowebui", {"fail": "out-of-memory"}, "memory"), ("ui-no-api", {}, "")])  # fmt: skip
def test_a_server_that_makes_no_image_is_status_3(mode: str, options: dict[str, str], says: str) -> None:
    with standin(mode, **options) as url:
        done = doctor("capacity", url, "--generate", "--times", "1", env={"FORGEDOCTOR_AUTH": ""})
    assert done.returncode == 3 and not done.stdout
    assert b"made no image" in done.stderr and b"Traceback" not in done.stderr
    assert says == "401" or says.encode() in done.stderr


def test_nobody_listens_is_status_3() -> None:
    done = doctor("capacity", f"http://127.0.0.1:{free_port()}", "--generate")
    assert done.returncode == 3 and len(done.stderr.decode().strip().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--job-seconds", "0"],
        ["--job-seconds", "nan"],
        ["--job-seconds", "inf"],
        ["--job-seconds", "6", "--rate", "fast"],
        ["--job-seconds", "6", "--rate", "-1"],
        ["--job-seconds", "6", "--rate", "1/week"],
        ["--job-seconds", "6", "--rate", "1", "--clients", "2"],
        ["--job-seconds", "6", "http://127.0.0.1:7860"],
        ["--generate"],
        ["http://127.0.0.1:7860", "--generate", "--size", "huge"],
        ["http://127.0.0.1:7860", "--generate", "--size", "0x0"],
        ["no url at all", "--generate"],
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(words: list[str]) -> None:
    done = doctor("capacity", *words)
    assert done.returncode == 2 and not done.stdout
    assert b"Error:" in done.stderr and b"Traceback" not in done.stderr


def test_it_reads_in_chinese() -> None:
    done = doctor("capacity", "--job-seconds", "6", "--clients", "50", "--lang", "zh_CN")
    assert done.returncode == 1 and "/sdapi/v1/progress" in done.stdout.decode("utf-8")
