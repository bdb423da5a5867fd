"""Templates and waiters that the end-to-end tests share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def thing(**properties):
    """A resource that lives in the engine alone: it waits, fails and is replaced as told."""
    return {"Type": "OS::Heat::TestResource", "Properties": properties}


def cfn(resources, **sections):
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", **sections, "Resources": resources})


@pytest.fixture(scope="session")
def templates() -> Path:
    return HERE / "templates"


@pytest.fixture
def make():
    """`make.thing(value=…)` and `make.cfn(resources, Parameters=…)`: templates without a file."""

    class Make:
        thing = staticmethod(thing)
        cfn = staticmethod(cfn)

    return Make


@pytest.fixture
def wait():
    """A waiter of botocore's own model, asking more often: the delays, not the conditions, are ours."""

    def until(client, waiter, stack, seconds=60, **more):
        settings = {"Delay": 0.1, "MaxAttempts": int(seconds * 10)}
        client.get_waiter(waiter).wait(StackName=stack, WaiterConfig=settings, **more)

    return until


@pytest.fixture
def refused():
    """`refused(call, code)` → the message of the ClientError that the call must raise; its status is a 4xx."""
    from botocore.exceptions import ClientError

    def message(call, code="ValidationError", status=400, **arguments):
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        error = caught.value.response
        assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), error
        return error["Error"]["Message"]

    return message
