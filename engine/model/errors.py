"""Refusals of the engine that are no finding in a template. Views give each its code; none is a 500."""

from __future__ import annotations


class Refused(Exception):
    """Base: something was asked that the engine will not do; the message is for the user."""


class StackNotFound(Refused):
    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(f"Stack {reference} could not be found.")


class ResourceNotFound(Refused):
    def __init__(self, address: str, stack: str) -> None:
        self.address, self.stack = address, stack
        super().__init__(f"The resource {address} could not be found in stack {stack}.")


class ChangeSetNotFound(Refused):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"Change set {name} could not be found.")


class StackExists(Refused):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"The stack {name} already exists.")


class InvalidState(Refused):
    """The stack, change set or resource is in a state that does not allow what was asked."""


class Busy(InvalidState):
    """Another operation is running, or has begun in the meantime: the same may be asked again later."""


class NoChange(Refused):
    """The update asked for nothing new."""

    def __init__(self) -> None:
        super().__init__("No updates are to be performed.")


class NotSupported(Refused):
    """The type or state knows no such action (signal to a network, suspend of a suspended stack)."""


class SnapshotNotFound(Refused):
    def __init__(self, snapshot_id: str, stack: str) -> None:
        self.snapshot_id, self.stack = snapshot_id, stack
        super().__init__(f"The Snapshot ({snapshot_id}) for Stack ({stack}) could not be found.")


class DetectionNotFound(Refused):
    def __init__(self, detection_id: str) -> None:
        self.detection_id = detection_id
        super().__init__(f"Drift detection {detection_id} could not be found.")


class InvalidHook(Refused):
    """No such breakpoint, or nobody waits at it."""


class LimitExceeded(Refused):
    """A quota of the configuration would be exceeded."""


class Forbidden(Refused):
    """The caller may not do this (a policy, termination protection, an export in use)."""
