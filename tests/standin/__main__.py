"""`python -m tests.standin --mode MODE` prints `READY <base URL>` once it listens and serves until killed."""

from __future__ import annotations

import argparse
import os
import threading
from typing import Any

from . import hostile
from .options import FAILURES, FORKS, MEMORIES, MODES, options_for


def main() -> None:
    """Serve as the command line says; exit with one sentence if it is wrong (2) or the port is taken (1)."""
    given = vars(_parser().parse_args())
    mode = given.pop("mode")
    if given.pop("until_stdin_closes"):
        threading.Thread(target=_exit_with_stdin, daemon=True).start()
    try:
        _serve(mode, given)
    except KeyboardInterrupt:
        return
    except OSError as error:
        raise SystemExit(f"cannot listen on {given['host'] or '127.0.0.1'}:{given['port'] or 0}: {error}") from None


def _serve(mode: str, given: dict[str, Any]) -> None:
    if mode in hostile.MODES:
        hostile.run(mode, host=given["host"] or "127.0.0.1", port=given["port"] or 0, pause=given["seconds"] or 1.0)
        return
    from .serve import run  # only here: the plain-socket peers do without FastAPI

    run(options_for(mode, given))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.standin", allow_abbrev=False)
    parser.add_argument("--mode", required=True, choices=[*MODES, *hostile.MODES])
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="0 takes a free one")
    parser.add_argument("--fork", choices=FORKS)
    parser.add_argument("--tls", action="store_true", default=None, help="self-signed certificate made at start")
    parser.add_argument("--seconds", type=float, help="how long a generation takes; slow-drip: between two bytes")
    parser.add_argument("--until", type=float, help="seconds after which the trouble of the mode is over")
    parser.add_argument("--fail", choices=FAILURES, help="how txt2img fails")
    parser.add_argument("--memory", choices=MEMORIES, help="what /sdapi/v1/memory says of CUDA")
    parser.add_argument("--cors-allow-origins", help="comma list, as the real flag")
    parser.add_argument("--cmd-flags-broken", action="store_true", default=None, help="500 as with --port on forge")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started this")
    return parser


def _exit_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
