"""The served API, once for all tests of this folder; each test's stacks have names of their own."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.gateway.native.serving import Served

HOT = """\
heat_template_version: 2018-08-31
description: two things
parameters:
  word: {type: string, default: hello, description: what first says, label: A word}
  secret: {type: string, default: hush, hidden: true}
resources:
  first:
    type: OS::Heat::TestResource
    properties: {value: {get_param: word}}
    metadata: {made: by hand}
  second:
    type: OS::Heat::RandomString
    depends_on: first
outputs:
  said: {description: what first says, value: {get_attr: [first, output]}}
  silent: {value: nothing}
"""
SLOW = """\
heat_template_version: 2018-08-31
resources:
  first:
    type: OS::Heat::TestResource
    properties: {action_wait_secs: {create: 60, update: 60}}
outputs:
  late: {value: {get_attr: [first, output]}}
"""
PARENT = """\
heat_template_version: 2018-08-31
resources:
  child:
    type: child.yaml
    properties: {word: inner}
  aside: {type: OS::Heat::TestResource}
"""
CHILD = """\
heat_template_version: 2018-08-31
parameters: {word: {type: string}}
resources:
  leaf:
    type: OS::Heat::TestResource
    properties: {value: {get_param: word}}
outputs: {said: {value: {get_attr: [leaf, output]}}}
"""
LOWERED = """\
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Handle: {Type: 'AWS::CloudFormation::WaitConditionHandle'}
"""


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    one = Served(tmp_path_factory.mktemp("native")).start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def ask(served):
    return served.ask


@pytest.fixture(scope="session")
def heat(served):
    return served.heat()


@pytest.fixture
def name():
    return f"n-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def until(heat):
    """Wait until a stack has a status; fails when it rests in another one."""

    def wait(stack, status, seconds=20):
        deadline = time.monotonic() + seconds
        while True:
            found = heat.stacks.get(stack)
            if found.stack_status == status:
                return found
            resting = not found.stack_status.endswith("IN_PROGRESS")
            assert time.monotonic() < deadline, (found.stack_status, found.stack_status_reason)
            assert not resting or time.monotonic() < deadline - seconds + 5, (status, found.stack_status_reason)
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def make(heat, until):
    """A complete stack of `template`, by its name; returns its path below `/stacks`."""

    def create(name, template=HOT, **more):
        made = heat.stacks.create(stack_name=name, template=template, **more)["stack"]
        until(made["id"], "CREATE_COMPLETE")
        return f"/stacks/{name}/{made['id']}"

    return create


@pytest.fixture(scope="session")
def two(make):
    """One stack for the tests that only look."""
    return make("two-things", tags="blue,size=big", timeout_mins=7)


@pytest.fixture(scope="session")
def nest(make):
    """A stack with a nested one."""
    return make("nest", PARENT, files={"child.yaml": CHILD})


@pytest.fixture
def fault():
    """What a refusal says: its exception's name and message; the form is checked on the way."""

    def read(answer, status=400):
        assert answer.status_code == status, answer.text
        body = answer.json()
        assert set(body) == {"code", "title", "explanation", "error"}
        assert (body["code"], body["error"]["traceback"]) == (status, None)
        assert answer.headers["X-Openstack-Request-Id"].startswith("req-")
        return body["error"]["type"], body["error"]["message"]

    return read
