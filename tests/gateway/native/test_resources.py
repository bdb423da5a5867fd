"""Resources and events of stacks, through python-heatclient and by plain requests."""

from __future__ import annotations

import pytest
from heatclient import exc
from heatclient.common import event_utils

from tests.gateway.native.conftest import HOT, LOWERED

LISTED = {
    "resource_name", "logical_resource_id", "resource_type", "resource_status", "resource_status_reason",
    "physical_resource_id", "creation_time", "updated_time", "required_by", "links",
}  # fmt: skip
TOLD = {
    "id", "event_time", "resource_name", "logical_resource_id", "resource_status", "resource_status_reason",
    "physical_resource_id", "links",
}  # fmt: skip


@pytest.fixture(scope="module")
def lowered(make):
    """A stack of one AWS resource that became a group with one member."""
    return make("lowered", LOWERED)


def rels(one):
    return [link["rel"] for link in one["links"]]


def resource_names(answer):
    assert answer.status_code == 200, answer.text
    return [one["resource_name"] for one in answer.json()["resources"]]


# --- lists ----------------------------------------------------------------------------------------------------------
def test_api_36_apio_03_resources(served, ask, two):
    found = {one["resource_name"]: one for one in ask("GET", f"{two}/resources").json()["resources"]}
    assert set(found) == {"first", "second"}
    first = found["first"]
    assert set(first) == LISTED
    assert (first["logical_resource_id"], first["resource_type"]) == ("first", "OS::Heat::TestResource")
    assert (first["resource_status"], first["resource_status_reason"]) == ("CREATE_COMPLETE", "state changed")
    assert first["required_by"] == ["second"]
    assert rels(first) == ["self", "stack"]
    assert first["links"][0]["href"].endswith(f"{two}/resources/first")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=first", ["first"]),
        ("name=first&name=second", ["first", "second"]),
        ("type=TestRes", ["first"]),
        ("type=OS::Heat", ["first", "second"]),
        ("status=FAILED", []),
        ("status=COMPLETE", ["first", "second"]),
        ("action=UPDATE", []),
        ("physical_resource_id=none", []),
    ],
)
def test_api_36_filters(ask, two, query, found):
    assert resource_names(ask("GET", f"{two}/resources?{query}")) == found


@pytest.mark.parametrize("query", ["colour=red", "nested_depth=x", "with_detail=1"])
def test_api_36_trap_07_unknown_filters_are_refused(ask, two, fault, query):
    assert fault(ask("GET", f"{two}/resources?{query}"))[0] == "HTTPBadRequest"


def test_api_36_with_detail(ask, two):
    found = ask("GET", f"{two}/resources?with_detail=True").json()["resources"]
    assert all(set(one) == LISTED | {"description", "attributes"} for one in found)
    assert found[0]["attributes"]["output"] == "hello"


def test_api_36_nested_depth(ask, nest, heat):
    assert resource_names(ask("GET", f"{nest}/resources")) == ["aside", "child"]
    found = {one["resource_name"]: one for one in ask("GET", f"{nest}/resources?nested_depth=9").json()["resources"]}
    assert set(found) == {"aside", "child", "leaf"}
    assert rels(found["child"]) == ["self", "stack", "nested"]
    assert found["leaf"]["parent_resource"] == "child"
    inner = next(one for one in heat.resources.list("nest", nested_depth=1) if one.resource_name == "leaf")
    assert inner.stack_name.startswith("nest-child-")


def test_members_of_a_lowered_resource_are_below_it(ask, lowered):
    (group,) = ask("GET", f"{lowered}/resources").json()["resources"]
    assert (group["resource_name"], group["resource_type"]) == ("Handle", "AWS::CloudFormation::WaitConditionHandle")
    found = ask("GET", f"{lowered}/resources?nested_depth=1").json()["resources"]
    assert [(one["resource_name"], one.get("parent_resource")) for one in found] == [
        ("Handle", None), ("Handle/handle", "Handle"),
    ]  # fmt: skip
    assert found[1]["links"][0]["href"].endswith(f"{lowered}/resources/Handle/handle")
    member = ask("GET", f"{lowered}/resources/Handle/handle").json()["resource"]
    assert (member["resource_type"], member["parent_resource"]) == ("Isotherm::WaitConditionHandle", "Handle")
    assert ask("GET", f"{lowered}/resources/Handle/handle/metadata").status_code == 200


# --- one resource ---------------------------------------------------------------------------------------------------
def test_api_37_apio_04_a_resource(ask, two, nest):
    shown = ask("GET", f"{two}/resources/first?with_attr=output&with_attr=other").json()["resource"]
    assert set(shown) == LISTED | {"description", "attributes"}
    assert shown["attributes"]["output"] == "hello"
    child = ask("GET", f"{nest}/resources/child").json()["resource"]
    assert "nested" in rels(child)
    assert child["attributes"]["outputs"]["said"] == "inner"


def test_api_37_the_nested_stack_knows_where_it_is(ask, nest):
    child = ask("GET", f"{nest}/resources/child").json()["resource"]
    place = next(link["href"] for link in child["links"] if link["rel"] == "nested")
    leaf = ask("GET", f"{place[place.index('/stacks') :]}/resources/leaf").json()["resource"]
    assert leaf["parent_resource"] == "child"


@pytest.mark.parametrize("tail", ["", "/metadata", "/signal"])
def test_err_32_no_such_resource(ask, two, fault, tail):
    answer = ask("POST" if tail == "/signal" else "GET", f"{two}/resources/none{tail}")
    assert fault(answer, 404) == (
        "ResourceNotFound", "The Resource (none) could not be found in Stack two-things.",
    )  # fmt: skip


def test_api_38_metadata(heat, two):
    assert heat.resources.metadata("two-things", "first") == {"made": "by hand"}


def test_api_39_signals(heat, ask, lowered, two, fault):
    answer = ask("POST", f"{lowered}/resources/Handle/signal", json={"status": "SUCCESS", "id": "1", "data": "d"})
    assert (answer.status_code, answer.text) == (200, "null")
    assert ask("POST", f"{lowered}/resources/Handle/signal").status_code == 200
    assert "takes no signals" in fault(ask("POST", f"{two}/resources/first/signal", json={}))[1]
    hook = ask("POST", f"{two}/resources/first/signal", json={"unset_hook": "pre-create"})
    assert fault(hook)[0] == "InvalidBreakPointHook"


def test_api_40_mark_unhealthy_and_healthy(heat, make, name):
    make(name)
    heat.resources.mark_unhealthy(name, "first", True, "looks ill")
    ill = heat.resources.get(name, "first")
    assert (ill.resource_status, ill.resource_status_reason) == ("CHECK_FAILED", "looks ill")
    heat.resources.mark_unhealthy(name, ill.physical_resource_id, False, "")
    assert heat.resources.get(name, "first").resource_status == "CHECK_COMPLETE"


@pytest.mark.parametrize(
    "body", [{}, {"resource_status_reason": "x"}, {"mark_unhealthy": 3}, {"mark_unhealthy": "x"},
             {"mark_unhealthy": True, "colour": 1}],
)  # fmt: skip
def test_api_40_mistakes(ask, two, fault, body):
    assert fault(ask("PATCH", f"{two}/resources/first", json=body))[0] == "HTTPBadRequest"


# --- events ---------------------------------------------------------------------------------------------------------
def test_enge_01_api_41_apio_06_events(ask, two):
    found = ask("GET", f"{two}/events").json()["events"]
    assert all(set(one) == TOLD for one in found)
    own = [one for one in found if one["resource_name"] == "two-things"]
    assert [one["resource_status"] for one in own] == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert {one["physical_resource_id"] for one in own} == {two.rsplit("/", 1)[1]}
    assert rels(own[0]) == ["self", "resource", "stack"]


def test_api_41_order_and_pages(ask, two):
    everything = [one["id"] for one in ask("GET", f"{two}/events").json()["events"]]
    page = [one["id"] for one in ask("GET", f"{two}/events?limit=2").json()["events"]]
    assert page == everything[:2]
    rest = [one["id"] for one in ask("GET", f"{two}/events?marker={page[-1]}").json()["events"]]
    assert rest == everything[2:]
    back = [one["id"] for one in ask("GET", f"{two}/events?sort_dir=desc").json()["events"]]
    assert back == everything[::-1]
    after = [one["id"] for one in ask("GET", f"{two}/events?sort_dir=desc&marker={back[1]}&limit=1").json()["events"]]
    assert after == back[2:3]
    assert [one["id"] for one in ask("GET", f"{two}/events?marker=unknown").json()["events"]] == everything
    by_type = [one["resource_name"] for one in ask("GET", f"{two}/events?sort_keys=resource_type").json()["events"]]
    assert by_type == ["second", "second", "two-things", "two-things", "first", "first"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("resource_name=first", 2),
        ("resource_name=first&resource_name=second", 4),
        ("resource_status=COMPLETE", 3),
        ("resource_action=UPDATE", 0),
        ("resource_type=OS::Heat::TestResource", 2),
        ("resource_name=two-things&resource_status=COMPLETE", 1),
        ("unknown=1", 6),
    ],
)
def test_api_41_filters(ask, two, query, count):
    assert len(ask("GET", f"{two}/events?{query}").json()["events"]) == count


@pytest.mark.parametrize("query", ["limit=x", "nested_depth=-1", "sort_dir=sideways&nested_depth=1"])
def test_api_41_mistakes(ask, two, fault, query):
    assert fault(ask("GET", f"{two}/events?{query}"))[0] == "HTTPBadRequest"


def test_api_41_nested_events_have_a_root(ask, nest, heat):
    assert "leaf" not in [one["resource_name"] for one in ask("GET", f"{nest}/events").json()["events"]]
    found = ask("GET", f"{nest}/events?nested_depth=2").json()["events"]
    leaf = next(one for one in found if one["resource_name"] == "leaf")
    assert leaf["links"][-1]["rel"] == "root_stack"
    assert leaf["links"][-1]["href"].endswith(nest)
    told = event_utils.get_events(heat, "nest", {}, nested_depth=2)
    assert {one.stack_name for one in told} > {"nest"}


def test_what_heatclient_asks_while_it_waits(heat, two):
    status, _ = event_utils.poll_for_events(heat, "two-things", action="CREATE", poll_period=0)
    assert status == "CREATE_COMPLETE"


def test_api_42_trap_07_no_events_of_a_resource_is_404(ask, heat, two, fault):
    assert len(heat.events.list("two-things", "first")) == 2
    assert len(heat.events.list("two-things", "first", limit=1)) == 1
    assert len(heat.events.list("two-things", "two-things")) == 2
    assert fault(ask("GET", f"{two}/resources/none/events"), 404)[1] == "No events found for resource none"


def test_enge_01_api_43_apio_07_one_event(ask, heat, two, fault):
    event = heat.events.list("two-things", "first")[0]
    shown = ask("GET", f"{two}/resources/first/events/{event.id}").json()["event"]
    assert set(shown) == TOLD | {"resource_type", "resource_properties"}
    assert shown["resource_type"] == "OS::Heat::TestResource"
    assert heat.events.get("two-things", "first", event.id).id == event.id
    assert fault(ask("GET", f"{two}/resources/second/events/{event.id}"), 404)[1] == f"No event {event.id} found"
    assert fault(ask("GET", f"{two}/resources/first/events/none"), 404)[1] == "No event none found"


def test_names_with_signs_in_them_are_found_by_their_links(ask, make, heat, name):
    place = make(name, HOT.replace("  second:", "  'a b%?ü':"))
    one = next(one for one in ask("GET", f"{place}/resources").json()["resources"] if one["resource_name"] == "a b%?ü")
    link = one["links"][0]["href"]
    assert ask("GET", link[link.index("/stacks") :]).json()["resource"]["resource_name"] == "a b%?ü"
    assert heat.resources.get(name, "a b%?ü").resource_status == "CREATE_COMPLETE"
    with pytest.raises(exc.HTTPNotFound):
        heat.resources.get(name, "a b")
