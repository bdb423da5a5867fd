"""Records of the engine as the API's objects, where no stack can easily be brought to show it."""

from __future__ import annotations

import datetime as dt

import orjson
import pytest

from engine.model.stack import (
    Change,
    ChangeAction,
    EngineService,
    Event,
    Options,
    OutputValue,
    Replacement,
    ResourceRecord,
    Stack,
)
from engine.model.status import Action, Status
from engine.model.value import NO_VALUE, UNKNOWN
from gateway.native import views
from gateway.native.answers import data

T = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC)
LINKS = views.Links("http://h:1/v1.0", "p")


def stack(**changed):
    given = {"id": "i", "name": "s", "project_id": "p", "action": Action.CREATE, "status": Status.COMPLETE,
             "status_reason": "", "options": Options(), "created": T}  # fmt: skip
    return Stack(**{**given, **changed})


def test_apix_15_times():
    assert (views.when(T), views.when(None)) == ("2026-01-02T03:04:05Z", None)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, "CREATE_COMPLETE"),
        ({"action": Action.ROLLBACK, "status": Status.FAILED}, "ROLLBACK_FAILED"),
        ({"action": Action.INIT}, "INIT_COMPLETE"),
    ],
)
def test_apio_01_statuses_are_joined(changed, status):
    assert views.stack_summary(stack(**changed), LINKS)["stack_status"] == status


@pytest.mark.parametrize(
    ("tags", "shown"), [({}, None), ({"a": ""}, ["a"]), ({"a": "", "Owner": "me"}, ["a", "Owner=me"])]
)
def test_tags_of_both_kinds(tags, shown):
    assert views.tags(stack(options=Options(tags=tags))) == shown


def test_apil_09_a_list_of_all_projects_names_them():
    assert views.stack_summary(stack(), LINKS, project=True)["project"] == "p"


def test_apio_02_no_outputs_of_what_is_deleted():
    gone = stack(action=Action.DELETE, deleted=T, outputs=(OutputValue("a", 1),))
    assert "outputs" not in views.stack_full(gone, LINKS)


def test_apio_02_an_output_that_failed():
    shown = views.output(OutputValue("a", None, "told", error="no such attribute"))
    assert shown == {
        "output_key": "a", "description": "told", "output_value": None, "output_error": "no such attribute",
    }  # fmt: skip


def test_apio_03_links_are_quoted():
    record = ResourceRecord("i", "a b/c?d", "T", Action.CREATE, Status.COMPLETE, "", T, T)
    assert views.resource(record, stack(), LINKS)["links"][0]["href"] == (
        "http://h:1/v1.0/p/stacks/s/i/resources/a%20b/c%3Fd"
    )


def test_apio_06_a_stack_s_own_event():
    event = Event("e", 1, "i", "s", T, None, "OS::Heat::Stack", Action.CREATE, Status.FAILED, "why", "i")
    shown = views.event(event, stack(), LINKS, root=stack(name="root", id="r"))
    assert (shown["resource_name"], shown["resource_status"]) == ("s", "CREATE_FAILED")
    assert [link["rel"] for link in shown["links"]] == ["self", "resource", "stack", "root_stack"]


@pytest.mark.parametrize(
    ("action", "replacement", "bucket"),
    [
        (ChangeAction.NONE, Replacement.NEVER, "unchanged"),
        (ChangeAction.ADD, Replacement.NEVER, "added"),
        (ChangeAction.IMPORT, Replacement.NEVER, "added"),
        (ChangeAction.REMOVE, Replacement.NEVER, "deleted"),
        (ChangeAction.MODIFY, Replacement.NEVER, "updated"),
        (ChangeAction.MODIFY, Replacement.CONDITIONAL, "updated"),
        (ChangeAction.MODIFY, Replacement.ALWAYS, "replaced"),
    ],
)
def test_api_24_where_a_change_is_told(action, replacement, bucket):
    found = views.resource_changes([Change("a", "T", action, replacement)], "s", "i", "p")
    assert {name: len(changes) for name, changes in found.items() if changes} == {bucket: 1}


def test_engu_17_apio_05_values_that_only_running_can_tell():
    change = Change("a", "T", ChangeAction.ADD, after={"x": UNKNOWN, "y": [NO_VALUE, 1], "z": {"n": NO_VALUE}})
    shown = views.planned(change, "s", "i", "p")
    assert shown["properties"] == {"x": None, "y": [1], "z": {}}
    assert (shown["resource_action"], shown["resource_status"]) == ("INIT", "COMPLETE")


@pytest.mark.parametrize(("silent", "status"), [(0, "up"), (119, "up"), (121, "down")])
def test_engc_18_api_46_an_engine_that_has_not_reported_twice_is_down(silent, status):
    one = EngineService("e", "h", "h", "isotherm", "engine", 60, T, T)
    assert views.service(one, T + dt.timedelta(seconds=silent))["status"] == status


@pytest.mark.parametrize("value", [10**30, "\ud800", {1: 2}, None])
def test_whatever_a_template_holds_can_be_shown(value):
    assert data({"value": value}).status == 200


def test_numbers_that_are_none_are_null():
    assert orjson.loads(data({"value": float("nan")}).body) == {"value": None}
