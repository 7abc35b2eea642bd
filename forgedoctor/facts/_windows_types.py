"""The parts of the WindowsNetwork fact, in numbers and words of our own: no word of Windows' language is kept."""

from __future__ import annotations

import msgspec

from forgedoctor.fact import State
from forgedoctor.message import Message

PROFILES = ("domain", "private", "public")


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A part that is not known (``profiles``, ``rules`` …), and why."""

    part: str
    state: State
    why: Message


class FirewallProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How the firewall treats one kind of network.

    ``name``: domain, private or public. ``on``: None where it could not be read. ``inbound``: what becomes of
    connections that no rule names, block or allow; empty where it could not be read. ``rules_count``: false where
    "block all incoming connections" is ticked, so that no allow rule counts. ``local_rules``: false where group policy
    lets its own rules count only.
    """

    name: str
    on: bool | None = None
    inbound: str = ""
    rules_count: bool = True
    local_rules: bool = True


class FirewallRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule for incoming connections. An empty condition holds for all.

    ``id``: Windows' own name of the rule (InstanceID, the registry value's name). ``name``: what people see.
    ``action``: allow, block, bypass (allows what is authenticated, past any block), or empty where not understood.
    ``profiles``: of domain, private, public. ``protocol``: IP protocol number, None for any. ``ports``: ranges of local
    ports; ``keywords``: named ones (``RPC``). ``program``: path of the program, ``System`` for the kernel.
    ``service``: short name, ``*`` for any service. ``package``: of a store app. ``remote``, ``local``: addresses,
    subnets, ranges and keywords such as ``LocalSubnet``, as written. ``interfaces``: aliases or GUIDs; ``media``: of
    wired, wireless, remote. ``conditions``: further ones that are not weighed, as written. ``unread``: names of
    conditions that could not be read. ``store``: local, group-policy, mdm, or another one's name.
    """

    id: str = ""
    name: str = ""
    enabled: bool = True
    action: str = ""
    profiles: tuple[str, ...] = ()
    protocol: int | None = None
    ports: tuple[tuple[int, int], ...] = ()
    keywords: tuple[str, ...] = ()
    program: str = ""
    service: str = ""
    package: str = ""
    remote: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    store: str = "local"

    @property
    def from_prompt(self) -> bool:
        """Whether Windows made it after its question "Allow access?" (a block: Cancel was chosen)."""
        return " Query User{" in self.id

    @property
    def shown(self) -> str:
        """What people know it by; a name that Windows keeps in a library (``@FirewallAPI.dll,-1``) says nothing."""
        return self.id if self.name.startswith("@") and self.id else self.name or self.id


class ConnectedNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """A network that this machine is in. ``category``: domain, private, public, or empty where not understood."""

    interface: str
    category: str
    index: int | None = None
    name: str = ""


class FirewallProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A firewall of another maker that is registered with Windows. ``on``: None where its state is not understood."""

    name: str
    on: bool | None = None


class PortProxy(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of ``netsh interface portproxy``: Windows itself listens, and hands on. ``listen``: ``*`` for all."""

    kind: str = "v4tov4"
    listen: str = "*"
    port: int
    connect: str = ""
    connect_port: int = 0


class PortRange(msgspec.Struct, frozen=True, kw_only=True):
    """TCP ports, both ends included. ``administered``: reserved by a person (``*``), who may still use them."""

    first: int
    last: int
    administered: bool = False

    def holds(self, port: int) -> bool:
        return self.first <= port <= self.last
