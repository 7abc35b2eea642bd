"""Case: the facts at hand in one examination, and for the others why they are not known."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from forgedoctor.fact import Fact, Missing, name_of, not_sought

FactT = TypeVar("FactT", bound=Fact)


class Case:
    """A bag of facts by type. ``Case(Launch(...), Sockets(...))`` is all that a test of a check needs."""

    def __init__(self, *facts: Fact) -> None:
        self._facts: dict[type, Fact | Missing] = {type(fact): fact for fact in facts}

    def put(self, fact: type, value: Fact | Missing) -> None:
        """Record a fact, or why it is missing."""
        self._facts[fact] = value

    def look(self, fact: type) -> Fact | Missing:
        """The fact or the reason why it is missing."""
        return self._facts.get(fact, not_sought(fact))

    def get(self, fact: type[FactT]) -> FactT | None:
        """The fact, or None where it is not known."""
        value = self._facts.get(fact)
        return value if isinstance(value, fact) else None

    def known(self) -> list[Fact]:
        """All facts that are known."""
        return [value for value in self._facts.values() if isinstance(value, Fact)]

    def missing(self) -> dict[str, Missing]:
        """The facts that were sought in vain, by name."""
        return {name_of(fact): value for fact, value in self._facts.items() if isinstance(value, Missing)}

    def dump(self) -> dict[str, Any]:
        """The known facts as plain data, by fact name."""
        return {name_of(type(fact)): msgspec.to_builtins(fact) for fact in self.known()}

    @classmethod
    def load(cls, data: dict[str, Any], types: dict[str, type[Fact]]) -> Case:
        """A case from plain data; ``types`` maps fact names to types. Raises ValueError on what does not fit."""
        case = cls()
        for name, value in data.items():
            if name not in types:
                raise ValueError(f"no fact is called {name}; known are {', '.join(sorted(types))}")
            try:
                case.put(types[name], msgspec.convert(value, types[name]))
            except msgspec.ValidationError as error:
                raise ValueError(f"{name}: {error}") from None
        return case
