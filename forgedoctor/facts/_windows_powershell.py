"""One call of PowerShell that asks for all of it in bulk, and its answer: a line of JSON for each part.

A line a part, so that what was answered counts where a later part takes too long. Numbers and property names do not
depend on the language; what is not ASCII is escaped, so that the code page of the console does not matter either.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from forgedoctor.fact import State
from forgedoctor.facts._windows_types import Gap
from forgedoctor.facts._windows_values import text
from forgedoctor.message import Message, t

# No double quote in it: it is handed over as one argument. No method of .NET but one in a try: AppLocker's language
# mode forbids them. Cheap parts come first.
SCRIPT = r"""
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
function say($o) {
  $j = ConvertTo-Json -Compress -Depth 6 -InputObject $o
  try { $j = [regex]::Replace($j, '[^\x20-\x7e]', { param($m) '\u{0:x4}' -f [int][char]$m.Value }) } catch { }
  Write-Output $j
}
function part($name, $block, $wanted) {
  try { say @{ part = $name; data = @(& $block | Select-Object $wanted) } }
  catch {
    $c = [string]$_.CategoryInfo.Category
    say @{ part = $name; error = [string]$_; id = [string]$_.FullyQualifiedErrorId; kind = $c }
  }
}
$a = @{ PolicyStore = 'ActiveStore' }
part networks { Get-NetConnectionProfile } 'Name', 'InterfaceAlias', 'InterfaceIndex', 'NetworkCategory'
part profiles { Get-NetFirewallProfile @a } 'Name', 'Enabled', 'DefaultInboundAction',
  'AllowInboundRules', 'AllowLocalFirewallRules'
part products { Get-CimInstance -Namespace 'root/SecurityCenter2' -ClassName FirewallProduct
} 'displayName', 'productState'
part rules { Get-NetFirewallRule @a -Direction Inbound } 'InstanceID', 'DisplayName', 'Enabled', 'Direction',
  'Action', 'Profiles', 'PolicyStoreSourceType'
part ports { Get-NetFirewallPortFilter @a } 'InstanceID', 'Protocol', 'LocalPort', 'RemotePort'
part applications { Get-NetFirewallApplicationFilter @a } 'InstanceID', 'Program', 'Package'
part addresses { Get-NetFirewallAddressFilter @a } 'InstanceID', 'LocalAddress', 'RemoteAddress'
part services { Get-NetFirewallServiceFilter @a } 'InstanceID', 'Service'
part media { Get-NetFirewallInterfaceTypeFilter @a } 'InstanceID', 'InterfaceType'
part interfaces { Get-NetFirewallInterfaceFilter @a } 'InstanceID', 'InterfaceAlias'
part security { Get-NetFirewallSecurityFilter @a } 'InstanceID', 'Authentication', 'Encryption',
  'OverrideBlockRules', 'LocalUser', 'RemoteUser', 'RemoteMachine'
"""
PARTS = tuple(re.findall(r"^part (\w+) ", SCRIPT, re.M))
_LIMIT = 32_000_000  # characters; a thousand rules make some hundred thousand
_DENIED = re.compile(r"0x80070005|0x80041003|System Error 5\b|PermissionDenied|AccessDenied|UnauthorizedAccess", re.I)


class Answer(NamedTuple):
    """What PowerShell said: the objects of each part, and why the others are missing."""

    parts: dict[str, list[Any]]
    gaps: tuple[Gap, ...]


def ask(timeout: float) -> Answer:
    """Run the script, with this many seconds at most. What was said by then counts."""
    import subprocess

    program = find(os.environ)
    if not program:
        return Answer({}, gaps(PARTS, State.ABSENT, t("PowerShell was not found")))
    try:
        done = subprocess.run(
            [program, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", SCRIPT],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        said, late = done.stdout, False
    except subprocess.TimeoutExpired as error:
        said, late = error.stdout or b"", True
    except OSError as error:
        why = t("PowerShell could not be started: {why}", why=str(error))
        return Answer({}, gaps(PARTS, State.DENIED if isinstance(error, PermissionError) else State.ABSENT, why))
    answer = parse_answer(decoded(said[:_LIMIT]))
    rest = [part for part in PARTS if part not in answer.parts and not any(gap.part == part for gap in answer.gaps)]
    state, why = State.ABSENT, t("PowerShell did not answer this")
    if late:
        state, why = State.TIMEOUT, t("PowerShell did not answer in {seconds} seconds", seconds=f"{timeout:g}")
    return Answer(answer.parts, (*answer.gaps, *gaps(rest, state, why)))


def find(environment: Mapping[str, str]) -> str:
    """The PowerShell of Windows, by its fixed place (a 32-bit Python sees the 64-bit one as Sysnative); else pwsh."""
    import shutil

    root = environment.get("SYSTEMROOT") or r"C:\Windows"
    for folder in ("Sysnative", "System32"):
        place = os.path.join(root, folder, "WindowsPowerShell", "v1.0", "powershell.exe")
        if os.path.isfile(place):
            return place
    return shutil.which("pwsh") or ""


def gaps(parts: Any, state: State, why: Message) -> tuple[Gap, ...]:
    """The same reason for several parts."""
    return tuple(Gap(part=part, state=state, why=why) for part in parts)


def decoded(said: bytes) -> str:
    """The text of an answer: ASCII as a rule; UTF-8 or the console's code page where the escaping was forbidden."""
    for encoding in ("utf-8", "oem"):
        try:
            return said.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return said.decode("utf-8", "replace")


def parse_answer(said: str) -> Answer:
    """Read the lines of JSON; a line that is cut off or is none is passed over."""
    parts: dict[str, list[Any]] = {}
    missing: list[Gap] = []
    for line in said.lstrip("\ufeff").splitlines():
        try:
            one = json.loads(line) if line.lstrip().startswith("{") else None
        except (ValueError, RecursionError):
            continue
        if not isinstance(one, dict) or one.get("part") not in PARTS:
            continue
        if "error" in one:
            missing.append(_gap(one))
        else:
            parts[one["part"]] = [one.get("data")]
    return Answer(parts, tuple(missing))


def _gap(one: Mapping[str, Any]) -> Gap:
    words = text(one.get("error")).partition("\n")[0][:300]
    told = f"{text(one.get('id'))} {text(one.get('kind'))}"
    if _DENIED.search(told):
        return Gap(
            part=one["part"], state=State.DENIED, why=t("Windows does not let this user read it: {why}", why=words)
        )
    return Gap(part=one["part"], state=State.ABSENT, why=t("PowerShell could not tell: {why}", why=words))
