"""The one gate: everything that leaves the process passes here, and nothing passes with a secret in it.

Secrets are known by where they stand (after ``--api-auth``, in a URL's userinfo, in a token variable) and by what the
machine tells (home folder, user and host name). Each gets one pseudonym for the whole report, so that lines can still
be joined. The finished text is searched again for every secret; if one is still there it is not written.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from forgedoctor.case import Case

# Flags whose value is a secret, with what each is called in a report. Source: modules/cmd_args.py of the forks.
SECRET_FLAGS = {"api-auth": "api-auth", "gradio-auth": "gradio-auth", "ngrok": "ngrok-token", "auth": "auth"}
_NOT_SECRET = {"", "USER:PASSWORD", "user:password", "None", "none", "null"}

# A flag that holds a secret, whole, abbreviated (argparse takes any beginning) or misspelt; not one that names a file.
_SECRET_FLAG = re.compile(
    r"[-\u2010-\u2015\u2212/]{1,3}(?!\S{0,40}(?:path|file)\b)"
    r"(?:api-?_?a[uth]*|gradio-?_?a[uth]*|ngr\w*|[\w-]{0,30}(?:auth|auht|token|passw|secret)[\w-]{0,20})",
    re.I,
)
_FLAG = re.compile(
    rf"(?<![\w-])({_SECRET_FLAG.pattern})(?:\\?[\"']?,\s*\\?[\"']|\s+|=)(?:\"([^\"\n]+)\"|'([^'\n]+)'|[\"']?([^\s\"',\\]+))",
    re.I,
)
_USERINFO = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://([^\s/@\"']{1,200}:[^\s\"'/]{1,200})@", re.I)
_CURL = re.compile(r"(?:^|\s)(?:-u|--user)[ =]?[\"']?([^\s\"':]+:[^\s\"']+)", re.M)
_HEADER = re.compile(r"\bAuthorization:\s*(?:Basic|Bearer)\s+([A-Za-z0-9+/=_.-]{6,})", re.I)
_NAMED = re.compile(
    r"\b(?:[A-Z0-9_]{0,40}?(?:TOKEN|PASSWORD|PASSWD|SECRET|API_KEY)[A-Z0-9_]{0,40}|password|passwd|api_key|client_secret|access_token|authtoken)"
    r"[\"']?\s*[=:]\s*[\"']?([^\s\"',;]{4,})"
)
_TOKENS = re.compile(
    r"\b(hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|[0-9a-zA-Z]{27,}_[0-9a-zA-Z]{20,})\b"
)
_STANDING = ((_USERINFO, "login"), (_CURL, "login"), (_HEADER, "login"), (_NAMED, "secret"), (_TOKENS, "token"))
_HOMES = re.compile(r"(?:(?<![\w.])/(?:home|Users)/|\b[A-Za-z]:\\{1,2}Users\\{1,2})([^/\\\s\"'<>:]+)")
_COMMON = {"public", "shared", "runner", "user", "root", "home", "admin", "ubuntu", "app", "localhost", "default"}


# Fields that hold words of ours, never of the machine: a password that happens to be "forge" must not blot them out.
OWN_WORDS = frozenset(
    {
        "schema_version", "check", "checks", "severity", "confidence", "status", "group", "by", "explains",
        "explained_by", "scope", "fork", "system", "kind", "safety", "interpreter", "template", "mode", "stage",
        "exit_code", "language", "elsewhere",
    }
)  # fmt: skip


class Leak(RuntimeError):
    """A known secret was still in the text after redaction; nothing was written."""


class Redactor:
    """Finds secrets in what will be shown, and replaces each by its pseudonym."""

    def __init__(self, *, home: str = "", user: str = "", host: str = "", show_paths: bool = False) -> None:
        self.replaced = 0
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        if not show_paths:
            self._personal(home, user, host)

    @classmethod
    def of_this_machine(cls) -> Redactor:
        """A redactor that knows this machine's home folder, user and host name."""
        import platform

        home = os.path.expanduser("~")
        user = os.environ.get("USERNAME") or os.environ.get("USER") or os.path.basename(home)
        return cls(home=home if len(home) > 3 else "", user=user, host=platform.node())

    def _personal(self, home: str, user: str, host: str) -> None:
        if home and home not in ("/", "/root"):
            self._names[home] = "~"
        elif home == "/root":
            self._names["/root"] = "~"
        for word, shown in ((user, "<user>"), (host, "<host>")):
            if len(word) > 2 and word.lower() not in _COMMON:
                self._names[word] = shown

    def learn(self, secret: str, kind: str) -> str:
        """Remember a secret; returns its pseudonym."""
        if secret in _NOT_SECRET or secret.startswith("<") or secret in self._names:
            return self._names.get(secret, secret)
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        self._names[secret] = f"<{kind}-{count}>"
        encoded = base64.b64encode(secret.encode("utf-8", "replace")).decode()
        for form in (shlex.quote(secret), quote(secret.encode("utf-8", "replace"), safe=":"), encoded):
            if form != secret and len(secret) > 3:
                self._names.setdefault(form, self._names[secret])
        if ":" in secret and not secret.endswith(":"):
            # The password alone is as secret as the pair.
            password = secret.split(":", 1)[1]
            if len(password) > 3:
                self._names.setdefault(password, f"<{kind}-{count}-password>")
        return self._names[secret]

    def scan(self, text: str) -> None:
        """Learn the secrets in a text."""
        for match in _FLAG.finditer(text):
            value = match[2] or match[3] or match[4]
            # In prose a word after a flag is mostly just a word: "--api-auth is not set".
            telling = match[2] or match[3] or "=" in match[0] or len(value) > 7 or re.search(r"[:\d]", value)
            if telling and not value.startswith("-"):
                self._learn_value(match[1], value)
        for pattern, kind in _STANDING:
            for match in pattern.finditer(text):
                self.learn(match[1], kind)
        for match in _HOMES.finditer(text):
            if match[1].lower() not in _COMMON and not match[1].startswith(("<", "%", "$")):
                self._names.setdefault(match[1], "<user>")

    def scan_address(self, address: str) -> None:
        """Learn what stands before the last @ of a URL or proxy address, well formed or not."""
        login = address.split("://", 1)[-1].rpartition("@")[0]
        if login:
            self.learn(login, "login")

    def scan_words(self, words: Sequence[str]) -> None:
        """Learn the secrets in a command line that is already split, where a value may hold blanks and quotes."""
        for word, after in zip(words, [*words[1:], ""], strict=False):
            name, sign, value = word.partition("=")
            if _SECRET_FLAG.fullmatch(name):
                self._learn_value(name, value if sign else "" if after.startswith("--") else after)

    def _learn_value(self, flag: str, value: str) -> None:
        kind = next((one for one in SECRET_FLAGS if one[:5] in flag.lower()), "auth")
        for pair in (value, *value.split(",")):
            self.learn(pair, SECRET_FLAGS[kind])

    def scan_case(self, case: Case) -> None:
        """Learn the secrets in the facts: option values, environments, pasted lines."""
        import msgspec

        from forgedoctor.facts import Launch, Processes, Proxy, Transcript

        for fact in case.known():
            texts = [fact.text] if isinstance(fact, Transcript) else _strings(msgspec.to_builtins(fact))
            for text in texts:
                self.scan(text)
            if isinstance(fact, Proxy):
                for setting in fact.settings:
                    self.scan_address(setting.value)
            if isinstance(fact, Processes):
                for forge in fact.forges:
                    self.scan_words(forge.argv)
        launch = case.get(Launch)
        if launch:
            self.scan_words(launch.argv)
            self.scan_words(launch.effective.argv)
            for dest in ("api_auth", "gradio_auth", "ngrok"):
                value = launch.effective.options.get(dest)
                if isinstance(value, str):
                    self._learn_value(dest.replace("_", "-"), value)

    def clean(self, text: str) -> str:
        """The text with every known secret replaced, and lone surrogates (a file name's odd bytes) written out."""
        text = text if text.isascii() else encodable(text)
        for secret in sorted(self._names, key=len, reverse=True):
            shown = self._names[secret]
            if secret in text:
                if shown in ("<user>", "<host>") or (len(secret) < 6 and secret.isalnum()):
                    word = rf"(?<![A-Za-z0-9]){re.escape(secret)}(?![A-Za-z0-9])"
                    text, count = re.subn(word, shown, text)
                else:
                    count = text.count(secret)
                    text = text.replace(secret, shown)
                self.replaced += count
        return text

    def clean_value(self, value: Any) -> Any:
        """Plain data with every string cleaned; keys are names of ours."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, dict):
            return {key: encodable(item) if key in OWN_WORDS else self.clean_value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.clean_value(item) for item in value]
        return value

    def verify(self, text: str) -> str:
        """The finished text, unchanged. Raises Leak if a secret is still in it, plainly or as JSON writes it."""
        for secret, shown in self._names.items():
            if not shown.startswith("<") or shown in ("<user>", "<host>") or len(secret) < 4:
                continue
            if secret in shown or (len(secret) < 6 and secret.isalnum()):
                continue
            if secret in text or json.dumps(secret)[1:-1] in text:
                raise Leak(f"a secret ({shown}) would have been shown; nothing was written. Please report this.")
        return text


def foreign_texts(value: Any) -> str:
    """All strings of plain data in one text, less names and fields that hold words of ours."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(foreign_texts(item) for key, item in value.items() if key not in OWN_WORDS)
    return "\n".join(map(foreign_texts, value)) if isinstance(value, (list, tuple)) else ""


def encodable(value: Any) -> Any:
    """Plain data whose every string can be written as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    return [encodable(item) for item in value] if isinstance(value, (list, tuple)) else value


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            # "key=value" lets one pattern know a secret by the name it stands under.
            yield f"{key}={item}" if isinstance(item, str) else str(key)
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        yield from (item for one in value for item in _strings(one))
        words = [one for one in value if isinstance(one, str)]
        yield " ".join(words)
