"""A line of iptables-save cut into words, and the words into options of matches and targets."""

from __future__ import annotations

import re
from typing import NamedTuple

# A quote that is never closed goes to the end: with no way to fail, the search never goes back.
_WORD = re.compile(r'"((?:[^"\\]|\\.?)*)(?:"|$)|([^\s"]+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = re.compile(r"\\.")


class Quoted(str):
    """A word that stood in quotes: never an option."""

    __slots__ = ()


def words(line: str) -> list[str]:
    """The words of a line; what is in double quotes is one word, a backslash there takes the next sign as it is."""
    if '"' not in line:
        return line.split()
    found: list[str] = []
    for one in _WORD.finditer(line):
        quoted, plain = one.groups()
        found.append(Quoted(_ESCAPED.sub(r"\1", quoted)) if plain is None else plain)
    return found


def unclosed(line: str) -> bool:
    """Whether a quote is opened and not closed in that line."""
    return '"' in line and _ESCAPES.sub("", line).count('"') % 2 == 1


class Option(NamedTuple):
    """One option: its long name, whether ``!`` stands before it (or, as of old, before its value), its values."""

    name: str
    negated: bool
    values: tuple[str, ...]

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""


ALIASES = {
    "--source-port": "--sport",
    "--destination-port": "--dport",
    "--source-ports": "--sports",
    "--destination-ports": "--dports",
    "--port": "--ports",
    "--physdev-is-bridge": "--physdev-is-bridged",
}
_NONE = """--syn --rsource --rdest --set --rcheck --update --remove --rttl --reap --invert --loose --validmark
--accept-local --limit-iface-in --limit-iface-out --strict --next --transparent --nowildcard --restore-skmark
--return-nomatch --exist --notrack --random --random-fully --persistent --save-mark --restore-mark --queue-bypass
--queue-cpu-fanout --clamp-mss-to-pmtu --checksum-fill --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid
--log-macdecode --physdev-is-in --physdev-is-out --physdev-is-bridged --update-counters --update-subcounters --save
--restore --fragfirst --fragmore --fraglast --fragres --soft --ahres --kerneltz --contiguous --utc --localtz --icase
--connlimit-saddr --connlimit-daddr --nodst --map-mark --map-prio --map-queue --suppl-groups --socket-exists
--hashlimit-rate-match --rt-0-res --rt-0-not-strict --hbh-not-strict --dst-not-strict --ipvs --timestamp --sack-perm
--ecn --tarpit --honeypot --reset --ecn-tcp-remove"""
_ONE = """--comment --log-prefix --nflog-prefix --ulog-prefix --log-level --string --hex-string --name --bytecode --u32
--dport --sport --dports --sports --ports --icmp-type --icmpv6-type --ctstate --ctstatus --ctdir --ctproto --ctorigsrc
--ctorigdst --ctreplsrc --ctrepldst --ctorigsrcport --ctorigdstport --ctreplsrcport --ctrepldstport --ctexpire --state
--mark --src-type --dst-type --src-range --dst-range --pkt-type --mac-source --limit --limit-burst --reject-with
--to-destination --to-source --to-ports --to --set-mark --set-xmark --and-mark --or-mark --xor-mark --mask --nfmask
--ctmask --on-port --on-ip --tproxy-mark --helper --zone --zone-orig --zone-reply --ctevents --expevents --timeout
--uid-owner --gid-owner --physdev-in --physdev-out --hashlimit-name --hashlimit-mode --label --path --cgroup"""
# How many words belong to an option. Of others as many do as are no options themselves.
VALUES = dict.fromkeys(_NONE.split(), 0) | dict.fromkeys(_ONE.split(), 1)
VALUES |= {"--tcp-flags": 2, "--match-set": 2, "--add-set": 2, "--del-set": 2, "--map-set": 2, "--chunk-types": 2}


def option(found: list[str], at: int, negated: bool) -> tuple[Option, int]:
    """The option at that word, and where the next begins."""
    name = found[at]
    at += 1
    if name not in VALUES:
        name = ALIASES.get(name, name)
        if name not in VALUES and "=" in name:
            name, _, value = name.partition("=")
            return Option(ALIASES.get(name, name), negated, (value,)), at
    if at < len(found) and found[at] == "!" and not isinstance(found[at], Quoted) and VALUES.get(name) != 0:
        following = at + 1 < len(found) and not found[at + 1].startswith("-")
        if following:
            negated, at = True, at + 1
    count = VALUES.get(name)
    if count is None:
        end = at
        while end < len(found) and (isinstance(found[end], Quoted) or found[end][:1] not in ("-", "!")):
            end += 1
    else:
        end = min(at + count, len(found))
    return Option(name, negated, tuple(found[at:end])), end
