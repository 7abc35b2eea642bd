"""The launch as it really happens: which flags reach the program, from where, and what they make it do."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from forgedoctor.fact import Fact, State, Unavailable, collector
from forgedoctor.facts._local import is_elsewhere
from forgedoctor.facts.install import Install
from forgedoctor.facts.interfaces import Interfaces
from forgedoctor.facts.launch_files import LaunchFiles
from forgedoctor.facts.processes import ForgeProcess, Processes
from forgedoctor.facts.transcript import Transcript
from forgedoctor.forge.predict import EffectiveLaunch, predict
from forgedoctor.forge.scripts import Assignment
from forgedoctor.message import t
from forgedoctor.target import Target

# The variables that change what a launch does. Source: facts of modules/launch_utils.py, paths_internal.py, gradio.
VARIABLES = (
    "COMMANDLINE_ARGS",
    "IGNORE_CMD_ARGS_ERRORS",
    "GRADIO_SERVER_NAME",
    "GRADIO_SERVER_PORT",
    "GRADIO_NUM_PORTS",
)


class Place(msgspec.Struct, frozen=True):
    """Where the flags are kept: a file and line, and the line as it stands."""

    file: str
    line: int
    raw: str
    value: str


class Launch(Fact, frozen=True, kw_only=True):
    """One launch: the flags and what they do.

    ``running`` says that a process started so (``pid``). ``seen`` is false where no command line was found at all and
    this is only what the defaults would do. ``complete`` is false where the environment of the process was hidden.
    """

    effective: EffectiveLaunch
    argv: tuple[str, ...] = ()
    env: dict[str, str] = {}
    origin: str = ""
    running: bool = False
    pid: int | None = None
    seen: bool = True
    complete: bool = True
    place: Place | None = None
    fork_known: bool = True

    def given(self, *dests: str) -> bool:
        """Whether one of these options has a value that is not its default."""
        return any(self.effective.options.get(dest) for dest in dests)

    def option(self, dest: str) -> str:
        """An option's value as text, empty where it has its default."""
        value = self.effective.options.get(dest)
        return "" if value is None or value is False else str(value)

    @property
    def listens_on(self) -> str:
        """For people: ``127.0.0.1:7860``, or the range that is walked."""
        it = self.effective
        host = {"*": "0.0.0.0 and [::]"}.get(it.host, f"[{it.host}]" if ":" in it.host else it.host)
        if it.port_range:
            return f"{host}:{it.port_range[0]}-{it.port_range[1]}"
        return f"{host}:{it.listens if it.listens is not None else it.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        host = self.effective.host
        return host == "localhost" or host.startswith("127.") or host == "::1"

    @property
    def tls(self) -> bool:
        """Whether it serves https."""
        return self.given("tls_keyfile") and self.given("tls_certfile")


def _env(*sources: Mapping[str, str]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for source in sources:
        merged.update({name: source[name] for name in VARIABLES if name in source})
    return merged


@collector(Launch, scopes=("args",))
def from_arguments(target: Target) -> Launch:
    """The command line that was asked about, and nothing else."""
    argv = target.argv or ()
    effective = predict(target.fork or "forge", argv, target.env)
    return Launch(source="command line", origin="command line", effective=effective, argv=argv, env=_env(target.env))


@collector(Launch, scopes=("preflight",))
def before_launch(target: Target, install: Install | None, files: LaunchFiles | None) -> Launch:
    """What is about to be started: the arguments given, with this environment; else what the launcher files say.

    Arguments after ``--`` mean ``python launch.py ARGUMENTS`` in this environment, to which a launcher file that calls
    the doctor has already added its COMMANDLINE_ARGS.
    """
    if target.directory and install is None and not target.fork:
        raise Unavailable(t("there is no Forge in {path} to start", path=target.directory), settle=t("check --dir"))
    fork = target.fork or (install.fork if install else "forge")
    env = _env(os.environ, target.env)
    if target.argv is None and "COMMANDLINE_ARGS" not in env:
        _readable(files)
    place = None
    origin = "command line"
    if target.argv is None:
        place = place_of(files)
        if "COMMANDLINE_ARGS" not in env and files:
            env |= _env({name: value for name, (value, _) in files.variables.items()})
            origin = place.file if place else "defaults"
        elif "COMMANDLINE_ARGS" in env:
            same = files is not None and env["COMMANDLINE_ARGS"] == files.value("COMMANDLINE_ARGS")
            origin = place.file if same and place else "environment"
            place = place if same else None
    elif files and env.get("COMMANDLINE_ARGS") and env["COMMANDLINE_ARGS"] == files.value("COMMANDLINE_ARGS"):
        place = place_of(files)  # a launcher file calls the doctor: its variable is in the environment by now
        origin = place.file if place and not target.argv else origin
    argv = target.argv or ()
    flags = install.extension_flags if install else ()
    effective = predict(fork, argv, env, extension_flags=flags)
    return Launch(
        source=origin,
        origin=origin,
        effective=effective,
        argv=argv,
        env=env,
        place=place,
        seen=bool(argv or env.get("COMMANDLINE_ARGS") or place),
        fork_known=bool(target.fork or install),
    )


@collector(Launch, scopes=("live",))
def live(
    target: Target,
    install: Install | None,
    files: LaunchFiles | None,
    processes: Processes | None,
    interfaces: Interfaces | None,
) -> Launch:
    """The launch of the Forge that runs; else the one that the launcher files would make."""
    if is_elsewhere(target.url, interfaces):
        raise Unavailable(
            t("{url} is another machine; its flags cannot be seen from here", url=target.url), sought=False
        )
    fork = target.fork or (install.fork if install else "forge")
    flags = install.extension_flags if install else ()
    place = place_of(files)
    running = next((one for one in processes.forges if not _of_another(one, install)), None) if processes else None
    if running:
        from_files = {name: value for name, (value, _) in files.variables.items()} if files else {}
        env = _env(running.env if running.env is not None else from_files)
        effective = predict(fork, running.argv, env, extension_flags=flags)
        origin = f"process {running.pid}"
        return Launch(
            source=origin,
            origin=origin,
            effective=effective,
            argv=running.argv,
            env=env,
            running=True,
            pid=running.pid,
            complete=running.env is not None,
            place=place,
            fork_known=bool(target.fork or install),
        )
    if not install:
        raise Unavailable(t("no Forge runs here and no Forge folder was found"), settle=t("name the folder with --dir"))
    _readable(files)
    env = _env(os.environ, {name: value for name, (value, _) in files.variables.items()} if files else {})
    origin = place.file if place else "defaults"
    effective = predict(fork, (), env, extension_flags=flags)
    return Launch(
        source=origin, origin=origin, effective=effective, env=env, place=place, seen=bool(env.get("COMMANDLINE_ARGS"))
    )


def _of_another(one: ForgeProcess, install: Install | None) -> bool:
    """Whether a process is surely the Forge of another folder: its own is here, and is not the one that is looked at.

    What runs in a container names its folder as it sees it, which says nothing about folders here.
    """
    if install is None or not one.folder or not os.path.isfile(os.path.join(one.folder, "launch.py")):
        return False
    return os.path.realpath(one.folder) != os.path.realpath(install.root)


def _readable(files: LaunchFiles | None) -> None:
    """Raises Unavailable where a launcher file could not be read: what it sets is not known, and not nothing."""
    if files and files.failed:
        raise Unavailable(
            t("the launcher files could not be read: {why}", why="; ".join(files.failed)),
            state=State.DENIED,
            settle=t("run forgedoctor as the user who starts Forge"),
        )


@collector(Launch, scopes=("text",))
def pasted(transcript: Transcript) -> Launch:
    """The command line in a pasted text: what the launcher printed, before what a file or a person says."""
    found = [one for one in transcript.command_lines if one.argv or one.kind in ("logged", "variable")]
    if not found:
        raise Unavailable(t("the text holds no command line"), sought=False)
    # Of several the most direct kind, and of that kind the last start.
    one = min(reversed(found), key=lambda each: ("logged", "variable", "command", "bare", "refused").index(each.kind))
    place = None
    env = dict(one.env)
    argv = one.argv
    if one.kind == "variable":
        assignment = assignment_in(transcript)
        if assignment is None:
            raise Unavailable(t("the text sets no COMMANDLINE_ARGS that a shell would read"), sought=False)
        env["COMMANDLINE_ARGS"] = assignment.value
        place = Place(one.where.rsplit(" line ", 1)[0], assignment.line, assignment.raw, assignment.value)
    effective = predict(transcript.fork or "forge", argv, env)
    return Launch(
        source=one.where,
        origin=one.where,
        effective=effective,
        argv=argv,
        env=env,
        place=place,
        complete=one.kind == "logged",
        fork_known=bool(transcript.fork),
    )


def assignment_in(transcript: Transcript) -> Assignment | None:
    """The COMMANDLINE_ARGS that a pasted launcher file or line of one really sets."""
    script = transcript.script()
    ours = [found for found in script.assignments if found.name.upper() == "COMMANDLINE_ARGS"] if script else []
    return ours[-1] if ours else None


def place_of(files: LaunchFiles | None) -> Place | None:
    """The line that sets COMMANDLINE_ARGS last, among the files this system reads."""
    for script in reversed(files.scripts if files else ()):
        for found in reversed(script.assignments):
            if found.name.upper() == "COMMANDLINE_ARGS" and (found.value or found.exported):
                return Place(script.name, found.line, found.raw, found.value)
    return None
