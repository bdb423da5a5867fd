"""Snapshots through python-heatclient and by plain requests."""

from __future__ import annotations

import pytest
from heatclient import exc

from tests.gateway.native.conftest import HOT

KEYS = {"id", "name", "action", "status", "status_reason", "data", "creation_time"}


@pytest.fixture
def complete(heat):
    """Wait for a snapshot."""

    def wait(until, stack, snapshot):
        until(stack, "SNAPSHOT_COMPLETE")
        return heat.stacks.snapshot_show(stack, snapshot)["snapshot"]

    return wait


def test_api_29_api_30_api_31_taken_listed_and_shown(heat, make, name, until, complete):
    make(name)
    taken = heat.stacks.snapshot(name, "first")
    assert set(taken) == KEYS, "not wrapped (TRAP-04)"
    assert (taken["name"], taken["status"], taken["data"]) == ("first", "IN_PROGRESS", None)
    shown = complete(until, name, taken["id"])
    assert (shown["status"], shown["action"]) == ("COMPLETE", "CREATE")
    assert shown["data"]["resources"]["first"]["type"] == "OS::Heat::TestResource"
    assert shown["data"]["environment"]["parameters"].get("secret", "******") == "******"
    second = heat.stacks.snapshot(name)
    until(name, "SNAPSHOT_COMPLETE")
    assert second["name"] is None
    assert [one["id"] for one in heat.stacks.snapshot_list(name)["snapshots"]] == [taken["id"], second["id"]]


def test_api_33_restored(heat, ask, make, name, until, fault):
    place = make(name)
    snapshot = heat.stacks.snapshot(name)["id"]
    until(name, "SNAPSHOT_COMPLETE")
    heat.stacks.update(stack_id=name, template=HOT, parameters={"word": "bye"})
    until(name, "UPDATE_COMPLETE")
    assert fault(ask("POST", f"{place}/snapshots/{snapshot}/restore", json={}))[0] == "HTTPBadRequest"
    answer = ask("POST", f"{place}/snapshots/{snapshot}/restore")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (202, "text/plain")
    until(name, "RESTORE_COMPLETE")
    assert heat.stacks.output_show(name, "said")["output"]["output_value"] == "hello"


def test_api_32_removed(heat, ask, make, name, until, fault):
    place = make(name)
    snapshot = heat.stacks.snapshot(name)["id"]
    until(name, "SNAPSHOT_COMPLETE")
    assert ask("DELETE", f"{place}/snapshots/{snapshot}").status_code == 204
    kind, said = fault(ask("GET", f"{place}/snapshots/{snapshot}"), 404)
    assert (kind, said) == ("EntityNotFound", f"The Snapshot ({snapshot}) for Stack ({name}) could not be found.")


def test_api_29_refusals(heat, ask, make, name, fault, two):
    assert fault(ask("POST", f"{two}/snapshots"))[0] == "HTTPBadRequest"
    assert "1 to 255" in fault(ask("POST", f"{two}/snapshots", json={"name": ["x"]}))[1]
    assert fault(ask("POST", f"{two}/snapshots", json={}, token="reader"), 403)[0] == "Forbidden"
    assert fault(ask("GET", f"{two}/snapshots/none"), 404)[0] == "EntityNotFound"
    assert ask("GET", f"{two}/snapshots", token="reader").status_code == 200


def test_api_29_a_busy_stack_is_refused(heat, make, name):
    from tests.gateway.native.conftest import SLOW

    heat.stacks.create(stack_name=name, template=SLOW)
    with pytest.raises(exc.HTTPConflict, match="in progress"):
        heat.stacks.snapshot(name)
