"""The facts a check may ask for. One file a fact: its type, and how it is collected."""

from forgedoctor.facts.container import Container
from forgedoctor.facts.disk import Disks, Place
from forgedoctor.facts.endpoint import Endpoint, Probe
from forgedoctor.facts.gpu import GpuChoice, Gpus
from forgedoctor.facts.host import Host
from forgedoctor.facts.install import Install
from forgedoctor.facts.interfaces import Interfaces
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.launch_files import LaunchFiles
from forgedoctor.facts.linux_firewall import LinuxFirewall
from forgedoctor.facts.macos_network import MacNetwork
from forgedoctor.facts.memory import CgroupLimit, Commit, Memory, PageFile
from forgedoctor.facts.memory_log import MemoryLog
from forgedoctor.facts.memory_settings import MemorySettings
from forgedoctor.facts.models import Models
from forgedoctor.facts.named_files import NamedFile, NamedFiles
from forgedoctor.facts.nginx import Nginx
from forgedoctor.facts.packages import Packages
from forgedoctor.facts.processes import ForgeProcess, Processes
from forgedoctor.facts.proxy import Proxy
from forgedoctor.facts.sockets import BindTest, Listener, Sockets
from forgedoctor.facts.surroundings import Surroundings
from forgedoctor.facts.torch import Torch
from forgedoctor.facts.transcript import Exchange, Exchanges, Transcript
from forgedoctor.facts.windows_network import WindowsNetwork
from forgedoctor.facts.wsl import Wsl

__all__ = [
    "BindTest", "CgroupLimit", "Commit", "Container", "Disks", "Endpoint", "Exchange", "Exchanges", "ForgeProcess",
    "GpuChoice", "Gpus", "Host", "Install", "Interfaces", "Launch", "LaunchFiles", "LinuxFirewall", "Listener",
    "MacNetwork", "Memory", "MemoryLog", "MemorySettings", "Models", "NamedFile", "NamedFiles", "Nginx", "Packages",
    "PageFile", "Place", "Probe", "Processes", "Proxy", "Sockets", "Surroundings", "Torch", "Transcript",
    "WindowsNetwork", "Wsl",
]  # fmt: skip
