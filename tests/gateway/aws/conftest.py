"""The served endpoint, once for the module that asks."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.gateway.aws.serving import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    one = Served(tmp_path_factory.mktemp("aws")).start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def aws(served):
    return served.client()


@pytest.fixture
def name():
    return f"s-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def wait(aws):
    def until(waiter, stack, client=aws, **more):
        client.get_waiter(waiter).wait(StackName=stack, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}, **more)

    return until


def template(resources=None, **sections):
    """A CloudFormation template of resources that live in the engine alone."""
    given = resources or {"Thing": {"Type": "OS::Heat::TestResource", "Properties": {"value": "one"}}}
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", **sections, "Resources": given})


@pytest.fixture
def until():
    """Ask for a stack until it has the status; fails when it rests in another one."""

    def ask(describe, status):
        for _ in range(2000):
            stack = describe()
            if stack["StackStatus"] == status:
                return stack
            assert stack["StackStatus"].endswith("IN_PROGRESS"), stack
        raise AssertionError(f"never {status}")

    return ask
