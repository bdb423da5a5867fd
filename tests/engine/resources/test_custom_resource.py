"""Isotherm::CustomResource in virtual time: requests, answers, what is repeated (cloudformation.md L96)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.cloud.errors import OutcomeUnknown, Temporary
from engine.model.diagnostic import Invalid
from engine.resources.base import OperationFailed, Superseded
from tests.engine.resources.harness import Driven, Surroundings

GIVEN = {"service_token": "Things", "resource_type": "Custom::Thing", "logical_id": "Thing", "stack": "arn:stack"}


@dataclass
class Handling(Surroundings):
    """A handler that answers at once with what is in `answers`, the last one for ever; None for no answer."""

    answers: list[Any] = field(default_factory=lambda: [{}])
    trouble: list[Exception] = field(default_factory=list)
    virtual: bool = True

    async def ask_handler(self, service_token: str, request: Mapping[str, Any]) -> None:
        await super().ask_handler(service_token, request)
        if self.trouble:
            raise self.trouble.pop(0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            told = {"Status": "SUCCESS", "PhysicalResourceId": "p-1", "RequestId": request["RequestId"], **answer}
            self.signals_of.setdefault("thing", []).append({"raw": told})

    @property
    def kinds(self) -> list[str]:
        return [request["RequestType"] for _, request in self.asked_of]

    @property
    def ids(self) -> set[str]:
        return {request["RequestId"] for _, request in self.asked_of}


def custom(services: Surroundings, **more: Any) -> Driven:
    return Driven("Isotherm::CustomResource", {**GIVEN, "given": {"Name": "a"}, **more}, services=services)


async def test_l96_a_request_tells_everything() -> None:
    services = Handling(answers=[{"Data": {"Url": "u", "Deep": {"Port": 80}}}])
    thing = custom(services, service_timeout=60)
    await thing.create()
    ((token, request),) = services.asked_of
    assert token == "Things"
    assert request.pop("RequestId")
    assert request == {
        "RequestType": "Create", "ResponseURL": f"http://gateway/customresource/{thing.stack.id}/thing?Signature=x",
        "StackId": "arn:stack", "ResourceType": "Custom::Thing", "LogicalResourceId": "Thing",
        "ServiceToken": "Things", "ServiceTimeout": "60", "ResourceProperties": {"Name": "a"},
    }  # fmt: skip
    assert thing.reference == "p-1"
    assert (thing.get("Url"), thing.get("Deep.Port")) == ("u", 80)
    assert thing.get("show") == {"Url": "u", "Deep": {"Port": 80}}
    with pytest.raises(Invalid, match=r"Vendor response doesn't contain Deep\.Host attribute"):
        thing.get("Deep.Host")


async def test_l96_the_same_request_is_repeated_until_it_is_answered() -> None:
    """What an engine does that takes up the creation of one that has died: before the request was sent, and after."""
    services = Handling(trouble=[OutcomeUnknown("reset"), OutcomeUnknown("reset")])
    thing = custom(services)
    with pytest.raises(OutcomeUnknown):
        await thing.kind.create(thing.op())
    found = await thing.kind.find(thing.op(resumed=True))
    assert found is not None, "it may have come"
    thing.physical_id = found
    with pytest.raises(OutcomeUnknown):
        await thing.kind.ready(thing.op(resumed=True))
    assert (await thing.kind.ready(thing.op(resumed=True)))["physical"] == "p-1"
    assert services.kinds == ["Create"] * 3
    assert len(services.ids) == 1
    await thing.kind.ready(thing.op())
    assert len(services.asked_of) == 3, "answered"


async def test_l96_an_answer_that_came_in_the_meantime_is_taken() -> None:
    services = Handling(answers=[None])
    thing = custom(services)
    thing.physical_id = await thing.kind.create(thing.op())
    (request_id,) = services.ids
    told = {"Status": "SUCCESS", "PhysicalResourceId": "p-9", "RequestId": request_id}
    services.signals_of["thing"] = [{"raw": {**told, "RequestId": "another"}}, {"raw": told}]
    assert (await thing.kind.ready(thing.op(resumed=True)))["physical"] == "p-9"
    assert len(services.asked_of) == 1


@pytest.mark.parametrize("trouble", [Temporary("refused"), OperationFailed("no such handler")])
async def test_l96_what_was_never_asked_for_is_not_there(trouble: Exception) -> None:
    thing = custom(Handling(trouble=[trouble]))
    with pytest.raises(type(trouble)):
        await thing.create()
    assert await thing.kind.find(thing.op()) is None


async def test_l96_patience_is_the_service_timeout() -> None:
    services = Handling(answers=[None])
    thing = custom(services, service_timeout=50)
    with pytest.raises(OperationFailed, match="did not receive a response from your Custom Resource"):
        await thing.create()
    assert 49 < sum(services.slept) < 51


async def test_l96_updates_are_new_requests_even_back_and_forth() -> None:
    services = Handling()
    thing = custom(services)
    await thing.create()
    for name in ("b", "a", "b"):
        await thing.update({**GIVEN, "given": {"Name": name}})
    assert services.kinds == ["Create", "Update", "Update", "Update"]
    assert len(services.ids) == 4
    _, last = services.asked_of[-1]
    assert (last["OldResourceProperties"], last["ResourceProperties"]) == ({"Name": "a"}, {"Name": "b"})
    assert last["PhysicalResourceId"] == "p-1"


async def test_l96_another_id_is_another_object() -> None:
    services = Handling(answers=[{}, {"PhysicalResourceId": "p-2", "Data": {"a": "b"}}])
    thing = custom(services)
    await thing.create()
    with pytest.raises(Superseded) as found:
        await thing.update({**GIVEN, "given": {"Name": "b"}})
    assert found.value.physical_id == "p-2"
    assert found.value.data["request"] is None
    assert found.value.attributes == {"physical": "p-2", "data": {"a": "b"}, "no_echo": False}
    assert thing.reference == "p-1", "the one before is what it was"


async def test_l96_a_failed_creation_keeps_the_id_it_was_told() -> None:
    failed = {"Status": "FAILED", "PhysicalResourceId": "half", "Reason": "no"}
    services = Handling(answers=[failed, {}])
    thing = custom(services)
    with pytest.raises(OperationFailed, match=r"status \[FAILED\] from custom resource. Message returned: no"):
        await thing.create()
    await thing.delete()
    assert services.asked_of[-1][1]["PhysicalResourceId"] == "half"


async def test_l96_a_deletion_that_fails_is_asked_anew_the_next_time() -> None:
    services = Handling(answers=[{}, {"Status": "FAILED", "Reason": "busy"}, {}])
    thing = custom(services)
    await thing.create()
    with pytest.raises(OperationFailed, match="busy"):
        await thing.delete()
    await thing.delete()
    assert services.kinds == ["Create", "Delete", "Delete"]
    assert len(services.ids) == 3


@pytest.mark.parametrize(("told", "hidden"), [(True, True), ("true", True), (False, False), (None, False)])
async def test_l96_no_echo(told: Any, hidden: bool) -> None:
    thing = custom(Handling(answers=[{"NoEcho": told}]))
    await thing.create()
    assert thing.kind.hides(thing.attributes) is hidden
