"""What a person may write as the address of a Forge, and the one sentence for what is none."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forgedoctor.facts.endpoint import split_url


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("http://127.0.0.1:7860", "http://127.0.0.1:7860"),
        ("http://127.0.0.1:7860/", "http://127.0.0.1:7860"),
        ("localhost:7860", "http://localhost:7860"),
        ("  192.168.1.20:7861\n", "http://192.168.1.20:7861"),
        ("HTTP://Forge.Example.COM", "http://forge.example.com"),
        ("https://forge.example.com:443/forge/", "https://forge.example.com/forge"),
        ("http://[::1]:7860", "http://[::1]:7860"),
        ("http://[fe80::1%25eth0]:7860", "http://[fe80::1%25eth0]:7860"),
        ("http://0.0.0.0:7860", "http://0.0.0.0:7860"),
        ("http://h:7860/sdapi/v1/txt2img", "http://h:7860"),
        ("http://h:7860/forge/sdapi/v1/progress?skip_current_image=true", "http://h:7860/forge"),
        ("http://h:7860/docs#/default", "http://h:7860"),
        ("http://h:7860/?__theme=dark", "http://h:7860"),
        ("http://bücher.example:7860", "http://xn--bcher-kva.example:7860"),
        ("http://my_box:7860", "http://my_box:7860"),
    ],
)
def test_what_people_paste_is_understood(text: str, base: str) -> None:
    assert split_url(text).base == base


def test_credentials_are_taken_out_and_decoded() -> None:
    url = split_url("https://user:p%40ss%3A%2F@forge.example.com/forge")
    assert url.credentials == "user:p@ss:/"
    assert url.base == "https://forge.example.com/forge"


def test_a_missing_scheme_is_taken_as_http_and_said() -> None:
    assert split_url("localhost:7860").assumed
    assert not split_url("http://localhost:7860").assumed


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("http://", "no host"),
        (":7860", "no host"),
        ("http:/127.0.0.1:7860", "slashes"),
        ("ftp://h:7860", "ftp"),
        ("ws://h:7860", "ws"),
        ("http://h:abc", "'abc'"),
        ("http://h:7860.0", "'7860.0'"),
        ("http://h:70000", "70000"),
        ("http://h:0", "out of range"),
        ("http://h:-1", "'-1'"),
        ("http://h:", "no port"),
        ("http://::1:7860", "brackets"),
        ("::1", "brackets"),
        ("http://[::1:7860", "brackets"),
        ("http://[nonsense:]:7860", "no IPv6"),
        ("http://192.168.1.300:7860", "at most 255"),
        ("http://h h:7860", "space"),
        ("http://h:7860/\r\nX: y", "space"),
        ("http://*:7860", "no host name"),
        ('"http://h:7860"', "not with"),
        ("http://" + "a" * 300, "no host name"),
        ("http://h/" + "a" * 3000, "longer"),
    ],
)
def test_what_is_no_url_gets_one_sentence_that_names_the_fault(text: str, word: str) -> None:
    with pytest.raises(ValueError) as caught:
        split_url(text)
    assert word in str(caught.value)


@given(st.text() | st.from_regex(r"\A(https?://)?([a-z0-9.%:@\[\]-]{0,20})(:\d{0,6})?(/[ -~]{0,20})?\Z"))
@example("http://[]:1")
@example("http://@:1")
@example("http://[::1%25]:7860")
@example("http://٣:٣")
@example("0@0/@")
def test_any_text_is_a_url_or_gets_one_sentence(text: str) -> None:
    try:
        url = split_url(text)
    except ValueError as error:
        sentence = str(error)
        assert sentence.endswith(".")
        assert "\n" not in sentence
        return
    again = split_url(url.base)
    assert (again.scheme, again.host, again.port, again.path) == (url.scheme, url.host, url.port, url.path)
    assert again.credentials == ""
    assert url.base.isascii()


def test_a_slash_in_a_password_is_explained_without_repeating_it() -> None:
    with pytest.raises(ValueError, match="%2F") as caught:
        split_url("http://user:s3cret/rest@host")
    assert "s3cret" not in str(caught.value)
