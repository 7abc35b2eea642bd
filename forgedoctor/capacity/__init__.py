"""How many requests at once make sense: queueing arithmetic on how long a job takes and how many processes there are.

All but :mod:`measuring`, which asks a server for images when that was asked for, is pure.
"""

from __future__ import annotations

from forgedoctor.capacity.plan import Ask, Plan, plan

__all__ = ["Ask", "Plan", "plan"]
