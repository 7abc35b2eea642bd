"""The one gate: no secret leaves, lines can still be joined, and what slipped through stops the output."""

from __future__ import annotations

import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgedoctor import Target, examine
from forgedoctor.redact import Leak, Redactor


def redactor(text: str) -> Redactor:
    made = Redactor()
    made.scan(text)
    return made


@pytest.mark.parametrize(
    "text",
    [
        "--api-auth alice:s3cretpass --port 80",
        "--api-auth=alice:s3cretpass",
        "COMMANDLINE_ARGS=--listen --gradio-auth alice:s3cretpass,bob:s3cretpass",
        "['--api', '--api-auth', 'alice:s3cretpass']",
        '["--gradio-auth", "alice:s3cretpass"]',
        "http://alice:s3cretpass@10.0.0.1:7860/",
        "ALL_PROXY=socks5://alice:s3cretpass@127.0.0.1:1080",
        "--api-a alice:s3cretpass",
        "HF_TOKEN=s3cretpass",
        'MY_API_KEY: "s3cretpass"',
        "curl -H 'Authorization: Bearer s3cretpass'",
        "--ngrok s3cretpass",
    ],
)
def test_a_secret_is_known_by_where_it_stands(text: str) -> None:
    gate = redactor(text)
    clean = gate.clean(text + " and again s3cretpass")
    assert "s3cretpass" not in clean
    assert gate.verify(clean) == clean


def test_the_same_secret_gets_the_same_pseudonym() -> None:
    gate = redactor("--api-auth alice:s3cretpass")
    first, second = gate.clean("alice:s3cretpass"), gate.clean("alice:s3cretpass")
    assert first == second == "<api-auth-1>"


def test_the_placeholder_that_we_print_ourselves_stays() -> None:
    assert redactor("--api-auth USER:PASSWORD").clean("--api-auth USER:PASSWORD") == "--api-auth USER:PASSWORD"


def test_home_user_and_host_are_replaced_as_whole_words() -> None:
    gate = Redactor(home="/home/wendelin", user="wendelin", host="workstation7")
    assert gate.clean("/home/wendelin/forge on workstation7") == "~/forge on <host>"
    assert gate.clean("wendelins") == "wendelins"


def test_other_peoples_homes_in_a_pasted_log_lose_their_name() -> None:
    gate = redactor('File "C:\\Users\\Gertrud\\forge\\launch.py" and /home/otto/x and /Users/eve/y')
    clean = gate.clean('File "C:\\Users\\Gertrud\\forge\\launch.py" and /home/otto/x and /Users/eve/y')
    assert not any(name in clean for name in ("Gertrud", "otto", "eve"))


def test_all_values_of_plain_data_are_cleaned() -> None:
    gate = redactor("--api-auth alice:s3cretpass")
    assert "s3cretpass" not in json.dumps(gate.clean_value({"name": ["x", {"y": "alice:s3cretpass"}]}))


def test_a_secret_that_survives_stops_the_output() -> None:
    gate = redactor("--api-auth alice:s3cretpass")
    with pytest.raises(Leak):
        gate.verify("oh: s3cretpass")
    odd = redactor('--gradio-auth bob:tür"x')
    with pytest.raises(Leak):
        odd.verify(json.dumps({"x": "bob:tür"}))


secrets = st.text(
    st.characters(whitelist_categories=("L", "N"), whitelist_characters="!#%^*_.-+~"), min_size=8, max_size=20
)


@given(secrets, st.text(max_size=40))
def test_whatever_the_password_it_never_comes_out(secret: str, around: str) -> None:
    text = f"python launch.py --api --api-auth admin:{secret} --listen"
    gate = redactor(text)
    document = json.dumps(gate.clean_value({"argv": text.split(), "note": around + secret + around}))
    assert secret not in document.replace(around, "")


def test_the_user_of_a_curl_command_is_a_secret() -> None:
    text = "$ curl -u alice:hunter2222 http://h:7860/"
    assert "hunter2222" not in redactor(text).clean(text)


@pytest.mark.parametrize(
    "words",
    [
        ["--api-auth", "admin:my s3cretpass"],
        ["--gradio-aut", "admin:s3cretpass"],
        ["--apiauth", "admin:s3cretpass"],
        ["--api-auht=admin:s3cretpass"],
        ["--ngr", "s3cretpass"],
        ["--ngrok-token", "s3cretpass"],
        ["\u2014api-auth", "admin:s3cretpass"],
        ["--api-auth", "it's s3cretpass"],
    ],
)
def test_a_secret_on_a_split_command_line(words: list[str]) -> None:
    gate = Redactor()
    gate.scan_words(words)
    assert "s3cretpass" not in gate.clean(" ".join(words)) and "s3cretpass" not in gate.clean(shlex.join(words))


@pytest.mark.parametrize("text", ["--api-auth --listen", "--api-auth is not set", "--gradio-auth-path /srv/users.txt"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert redactor(text).clean(text) == text


def test_a_password_that_is_a_field_name_of_the_report_breaks_nothing() -> None:
    for word in ("findings", "summary", "target", "launch", "checks"):
        made = examine(Target(scope="preflight", argv=("--api", "--apii", "--api-auth", f"user:{word}")))
        assert made.findings and made.summary.exit_code == 1


@pytest.mark.parametrize(
    "address", ["http://u:p@s3cretpass@h:1", "u:s3cretpass@h:1", "http://u:a/s3cretpass@h", "s3cretpass@h"]
)
def test_all_before_the_last_at_sign_of_an_address_is_a_secret(address: str) -> None:
    gate = Redactor()
    gate.scan_address(address)
    assert "s3cretpass" not in gate.clean(f"HTTP_PROXY={address}")
