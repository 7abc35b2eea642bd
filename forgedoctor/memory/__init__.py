"""How Forge's memory manager will place a model on a graphics card, worked out beforehand.

Pure arithmetic on what is given, but for asking.py, subjects.py and here.py, which serve the command and look at files
and at the machine.
"""

from __future__ import annotations

from forgedoctor.memory.arithmetic import Fit, fit
from forgedoctor.memory.families import family_named
from forgedoctor.memory.plan import Ask, Plan, plan

__all__ = ["Ask", "Fit", "Plan", "family_named", "fit", "plan"]
