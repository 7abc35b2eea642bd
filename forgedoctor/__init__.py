"""forgedoctor: the doctor for Stable Diffusion WebUI Forge in API mode and its relatives.

The public names, each loaded when it is first used: :func:`examine` (one call, one report),
:class:`Target`, :func:`predict` (what would this command line do), :class:`Report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Report", "Target", "__version__", "examine", "predict"]

if TYPE_CHECKING:
    from forgedoctor.api import examine
    from forgedoctor.forge.predict import predict
    from forgedoctor.report.document import Report
    from forgedoctor.target import Target

_HOMES = {
    "examine": "forgedoctor.api",
    "predict": "forgedoctor.forge.predict",
    "Report": "forgedoctor.report.document",
    "Target": "forgedoctor.target",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
