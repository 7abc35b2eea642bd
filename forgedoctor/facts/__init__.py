"""The facts a check may ask for. One file a fact: its type, and how it is collected."""

from forgedoctor.facts.endpoint import Endpoint, Probe
from forgedoctor.facts.host import Host
from forgedoctor.facts.install import Install
from forgedoctor.facts.interfaces import Interfaces
from forgedoctor.facts.launch import Launch
from forgedoctor.facts.launch_files import LaunchFiles
from forgedoctor.facts.named_files import NamedFile, NamedFiles
from forgedoctor.facts.packages import Packages
from forgedoctor.facts.processes import ForgeProcess, Processes
from forgedoctor.facts.proxy import Proxy
from forgedoctor.facts.sockets import BindTest, Listener, Sockets
from forgedoctor.facts.transcript import Exchange, Exchanges, Transcript

__all__ = [
    "BindTest", "Endpoint", "Exchange", "Exchanges", "ForgeProcess", "Host", "Install", "Interfaces", "Launch",
    "LaunchFiles", "Listener", "NamedFile", "NamedFiles", "Packages", "Probe", "Processes", "Proxy", "Sockets",
    "Transcript",
]  # fmt: skip
