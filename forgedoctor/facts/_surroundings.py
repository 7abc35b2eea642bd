"""How a machine tells where it stands: a vendor's mark in its firmware, names of variables, kinds of addresses. Pure.

Source of the marks: cloud-init's ds-identify and the vendors' pages; each is world-readable and needs no traffic.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple


class Mark(NamedTuple):
    """A vendor, and the field of /sys/class/dmi/id whose beginning (without case) gives it away."""

    vendor: str
    field: str
    begins: str


MARKS = (
    Mark("Amazon EC2", "sys_vendor", "amazon ec2"),
    Mark("Amazon EC2", "bios_vendor", "amazon ec2"),
    Mark("Google Cloud", "product_name", "google compute engine"),
    Mark("Microsoft Azure", "chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77"),
    Mark("Oracle Cloud", "chassis_asset_tag", "oraclecloud.com"),
    Mark("Huawei Cloud", "chassis_asset_tag", "huaweicloud"),
    Mark("Alibaba Cloud", "sys_vendor", "alibaba cloud"),
    Mark("Alibaba Cloud", "product_name", "alibaba cloud"),
    Mark("Tencent Cloud", "sys_vendor", "tencent cloud"),
    Mark("DigitalOcean", "sys_vendor", "digitalocean"),
    Mark("Hetzner", "sys_vendor", "hetzner"),
    Mark("OVHcloud", "sys_vendor", "ovh"),
    Mark("Vultr", "sys_vendor", "vultr"),
    Mark("Scaleway", "sys_vendor", "scaleway"),
    Mark("UpCloud", "sys_vendor", "upcloud"),
    Mark("Akamai (Linode)", "sys_vendor", "linode"),
    Mark("Akamai (Linode)", "sys_vendor", "akamai"),
    Mark("Exoscale", "product_name", "exoscale"),
    # Last: vendors that build on OpenStack and put their own name before are known by that.
    Mark("OpenStack", "product_name", "openstack"),
    Mark("OpenStack", "sys_vendor", "openstack"),
)
FIELDS = (*dict.fromkeys(one.field for one in MARKS), "bios_version")
# A variable that only this platform's machines have. Source: the platforms' pages on their environment.
_PLATFORMS = (
    ("RunPod", "RUNPOD_POD_ID"),
    ("Vast.ai", "VAST_CONTAINERLABEL"),
    ("AutoDL", "AutoDLContainerUUID"),
    ("Google Colab", "COLAB_RELEASE_TAG"),
    ("Kaggle", "KAGGLE_KERNEL_RUN_TYPE"),
)
_MAPPED = re.compile(r"(?:RUNPOD|VAST)_TCP_PORT_(\d{1,5})")
_CGNAT = ipaddress.ip_network("100.64.0.0/10")
_TAILSCALE = ipaddress.ip_network("fd7a:115c:a1e0::/48")
_HOME = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


def cloud(dmi: Mapping[str, str]) -> tuple[str, str]:
    """(vendor, the mark it is known by) from the fields of /sys/class/dmi/id; empty where none is known."""
    for one in MARKS:
        value = dmi.get(one.field, "").strip()
        if value.lower().startswith(one.begins):
            return one.vendor, f"{one.field}: {value[:60]}"
    version = dmi.get("bios_version", "").strip()  # instances of EC2 on Xen: "4.11.amazon"
    return ("Amazon EC2", f"bios_version: {version[:60]}") if version.lower().endswith(".amazon") else ("", "")


def platform(env: Mapping[str, str]) -> tuple[str, str]:
    """(who rents the machine out, the variable it is known by); the variable's value is never looked at."""
    return next((one for one in _PLATFORMS if one[1] in env), ("", ""))


def mapped(env: Mapping[str, str]) -> tuple[tuple[int, int], ...]:
    """(port here, port outside) of a rented container, where the platform names them."""
    found = [
        (int(match[1]), int(value))
        for key, value in env.items()
        if (match := _MAPPED.fullmatch(key)) and value.isdigit() and int(match[1]) < 65536 > int(value)
    ]
    return tuple(sorted(found))


def kind_of(address: str, interface: str) -> str:
    """private, cgnat (100.64.0.0/10), tailscale, link-local, public, or other (documentation, multicast …)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "other"
    if parsed in _TAILSCALE or (parsed in _CGNAT and _tunnel(interface)):
        return "tailscale"
    if parsed in _CGNAT:
        return "cgnat"
    if any(parsed in network for network in _HOME):
        return "private"
    if parsed.is_link_local:
        return "link-local"
    return "public" if parsed.is_global else "other"


def _tunnel(interface: str) -> bool:
    """Tailscale's interface: its own name, and on macOS a utun, which a provider's network never has."""
    return interface.lower().startswith(("tailscale", "utun", "ts"))


class Route(NamedTuple):
    """A default route of IPv4."""

    interface: str
    gateway: str
    metric: int


def default_routes(text: str) -> tuple[Route, ...]:
    """The default routes of /proc/net/route that are up, the best first. Addresses there are little-endian hex."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 8 or words[1] != "00000000" or words[7] != "00000000":
            continue
        try:
            gateway = str(ipaddress.ip_address(bytes.fromhex(words[2])[::-1]))
            flags, metric = int(words[3], 16), int(words[6])
        except ValueError:
            continue
        if flags & 1:
            found.append(Route(words[0], gateway, metric))
    return tuple(sorted(found, key=lambda one: one.metric))


def counter(netstat: str, name: str) -> int | None:
    """A counter of /proc/net/netstat, whose lines come in pairs: names, then numbers; None where it is not there."""
    lines = netstat.splitlines()
    for names, numbers in pairwise(lines):
        named = dict(zip(names.split(), numbers.split(), strict=False))
        if name in named and named[name].isdigit():
            return int(named[name])
    return None
