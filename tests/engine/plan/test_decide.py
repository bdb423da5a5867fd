"""What happens to one resource, decided the same way for plans and for runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.model.status import Action, Status
from engine.model.value import UNKNOWN
from engine.plan.decide import Decision, Step, candidate, decide
from engine.resources.schema import normalize
from engine.state.rows import ResourceRow
from tests.engine.runs.world import OtherType, ThingType, World

KIND = ThingType(World())


def row(generation: int = 0, **columns: Any) -> ResourceRow:
    standing = ResourceRow(
        "stack", "a", KIND.name, "token", generation, action=Action.CREATE, physical_id="a-1", revision=1,
        properties=normalize(KIND, {}),
    )  # fmt: skip
    return replace(standing, **columns)


def decided(standing: ResourceRow | None, **properties: Any) -> Decision:
    return decide(standing, KIND, normalize(KIND, properties), revision=1)


def test_nothing_there_is_created() -> None:
    assert decided(None) == Decision(Step.CREATE)


def test_the_same_is_left_alone() -> None:
    assert decided(row()).step is Step.NONE


def test_engu_04_in_place_or_replaced_as_the_property_says() -> None:
    assert decided(row(), size=2).step is Step.UPDATE
    assert decided(row(), shape="square").step is Step.REPLACE


def test_what_only_running_can_tell_may_mean_replacement() -> None:
    found = decided(row(), shape=UNKNOWN)
    assert (found.step, found.maybe_replace) == (Step.UPDATE, True)


@pytest.mark.parametrize("action", [Action.CREATE, Action.CHECK, Action.ADOPT])
def test_engu_05_what_failed_to_be_made_or_checked_is_replaced(action: Action) -> None:
    assert decided(row(action=action, status=Status.FAILED)).step is Step.REPLACE


def test_a_failed_update_is_gone_on_with() -> None:
    standing = row(action=Action.UPDATE, status=Status.FAILED, attempted=normalize(KIND, {"size": 2}))
    assert decided(standing, size=2).step is Step.UPDATE
    assert decided(standing).changed == {"size"}, "the attempt may have come through: going back is a change"


def test_a_creation_under_way_is_taken_up() -> None:
    assert decided(row(status=Status.IN_PROGRESS)).step is Step.CREATE


def test_engu_05_another_type_means_another_object() -> None:
    assert decide(row(), OtherType(World()), {}, revision=1).step is Step.REPLACE


def test_tr_08_an_external_object_is_left_alone() -> None:
    assert decided(row(external=True), shape="square").step is Step.NONE


def test_engc_09_the_newest_generation_is_gone_on_with() -> None:
    old, new = row(0, condemned=True), row(1, revision=2)
    assert candidate([old, new], 3) is new


def test_engc_09_going_back_prefers_what_the_replacement_had_condemned() -> None:
    old, new = row(0, condemned=True), row(1, revision=2)
    assert candidate([old, new], 1) is old
    assert candidate([old, row(1, revision=2, status=Status.IN_PROGRESS)], 1) is old


def test_what_is_deleted_or_kept_outside_is_no_candidate() -> None:
    assert candidate([row(action=Action.DELETE), row(1, skipped=True)], 1) is None
