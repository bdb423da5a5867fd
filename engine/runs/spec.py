"""What is to be run: kept with the stack until it has ended, so that any engine can take it up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.model.status import Action, OnFailure
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class RunSpec:
    """`target`: the revision to reach, None for nothing at all. `previous`: the one to go back to on failure.

    `deadline` is wall time in microseconds. `stop` ends a run that is under way, with that reason. `retain` and
    `skip` are addresses; `force` keeps what cannot be deleted.
    """

    kind: Action
    target: int | None = None
    previous: int | None = None
    on_failure: OnFailure = OnFailure.ROLLBACK
    deadline: int | None = None
    reverting: Action | None = None
    retain: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    force: bool = False
    retain_except_on_create: bool = False
    stop: str | None = None
    begun: bool = False  # its first event is written
    cause: str = ""  # why a rollback runs, for its reason
    adopt: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    snapshot: str | None = None  # to be taken, or to be gone back to
    converge: bool = False  # the live objects are looked at first (heat.md ENGU-07)
    unguarded: bool = False  # part of going back: neither hooks nor restricted actions hold
    tells: bool = False  # begun while its parent rests: the parent is told when it ends
    tending: bool = False  # nobody asked for it: a resting stack takes up what has come to it; its state stays
    like: int | None = None  # a child's: its revision that is gone back to
    keep: int | None = None  # a child's: the oldest of its revisions that may still be gone back to

    @property
    def back_to(self) -> int | None:
        """The revision that is gone back to, None on the way forward."""
        return self.target if self.kind is Action.ROLLBACK else self.like

    def value(self) -> dict[str, Value]:
        """As JSON; `spec_of` reads it back."""
        return {
            "kind": self.kind.value,
            "target": self.target,
            "previous": self.previous,
            "on_failure": self.on_failure.value,
            "deadline": self.deadline,
            "reverting": self.reverting.value if self.reverting else None,
            "retain": list(self.retain),
            "skip": list(self.skip),
            "force": self.force,
            "retain_except_on_create": self.retain_except_on_create,
            "stop": self.stop,
            "begun": self.begun,
            "cause": self.cause,
            "adopt": dict(self.adopt),
            "snapshot": self.snapshot,
            "converge": self.converge,
            "unguarded": self.unguarded,
            "tells": self.tells,
            "tending": self.tending,
            "like": self.like,
            "keep": self.keep,
        }


def spec_of(value: Mapping[str, Value]) -> RunSpec:
    reverting = value.get("reverting")
    return RunSpec(
        kind=Action(value["kind"]),
        target=value["target"],
        previous=value["previous"],
        on_failure=OnFailure(value["on_failure"]),
        deadline=value["deadline"],
        reverting=Action(reverting) if reverting else None,
        retain=tuple(value["retain"]),
        skip=tuple(value["skip"]),
        force=value["force"],
        retain_except_on_create=value.get("retain_except_on_create", False),
        stop=value.get("stop"),
        begun=value.get("begun", False),
        cause=value.get("cause", ""),
        adopt=value.get("adopt", {}),
        snapshot=value.get("snapshot"),
        converge=value.get("converge", False),
        unguarded=value.get("unguarded", False),
        tells=value.get("tells", False),
        tending=value.get("tending", False),
        like=value.get("like"),
        keep=value.get("keep"),
    )


#: Runs that bring a stack from one definition to another.
CHANGING = (Action.UPDATE, Action.RESTORE)
