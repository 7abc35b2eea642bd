"""What the error codes of NVML, NVIDIA's management library, mean.

Source: nvmlReturn_t of the NVML API reference. Two codes below zero are ours: for what happens before or beside NVML.
"""

from __future__ import annotations

from forgedoctor.message import Message, t

HANGS, NO_BINDING = -1, -2
NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND = 3, 4, 6
POWER, NOT_LOADED, TIMEOUT, IRQ, NO_LIBRARY, NO_FUNCTION = 8, 9, 10, 11, 12, 13
LOST, RESET, MISMATCH, UNKNOWN = 15, 16, 18, 999
GRAVE = frozenset({POWER, IRQ, LOST, RESET})  # of one card: nothing more can be asked of it

_CODES: dict[int, tuple[str, Message]] = {
    HANGS: ("Hangs", t("the driver does not answer")),
    NO_BINDING: ("NoBinding", t("the package nvidia-ml-py cannot be loaded")),
    1: ("Uninitialized", t("NVML was not started")),
    2: ("InvalidArgument", t("the question does not fit this card or driver")),
    NOT_SUPPORTED: ("NotSupported", t("this card does not offer that")),
    NO_PERMISSION: ("NoPermission", t("this user may not use the card")),
    5: ("AlreadyInitialized", t("NVML was started twice")),
    NOT_FOUND: ("NotFound", t("there is no such thing")),
    7: ("InsufficientSize", t("the answer is larger than the room for it")),
    POWER: ("InsufficientPower", t("a power plug of a card is missing or loose")),
    NOT_LOADED: ("DriverNotLoaded", t("the NVIDIA kernel driver is not loaded")),
    TIMEOUT: ("Timeout", t("the driver gave up waiting for the card")),
    IRQ: ("IrqIssue", t("the system does not pass on the card's interrupts")),
    NO_LIBRARY: ("LibraryNotFound", t("the driver's NVML library is not there")),
    NO_FUNCTION: ("FunctionNotFound", t("the driver is older than the question")),
    14: ("CorruptedInforom", t("the card's own configuration memory is damaged")),
    LOST: ("GpuIsLost", t("the card has fallen off the bus")),
    RESET: ("ResetRequired", t("the card must be reset after an error")),
    17: ("OperatingSystem", t("the system refused a call of the driver")),
    MISMATCH: ("LibRmVersionMismatch", t("the driver's library and the loaded kernel driver differ in version")),
    19: ("InUse", t("another program is using the card in a way that rules this out")),
    20: ("Memory", t("the driver ran out of memory")),
    21: ("NoData", t("the card has no data for that")),
    25: ("ArgumentVersionMismatch", t("the driver knows another version of the question")),
    28: ("GpuNotFound", t("the driver finds no card")),
    UNKNOWN: ("Unknown", t("the driver fails for a reason that it does not tell")),
}


def name(code: int) -> str:
    """The error as the binding calls it (``GpuIsLost``); ``Error 77`` for one that is not known here."""
    return _CODES[code][0] if code in _CODES else f"Error {code}"


def meaning(code: int, said: str = "") -> Message:
    """What it means, in plain words; for a code that is not known here the driver's own ``said``."""
    if code in _CODES:
        return _CODES[code][1]
    return t("the driver says: {said}", said=said or "?")
