"""4: the example that `make run` deploys, on any cloud."""

from __future__ import annotations

import os
import time
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "cfn" / "web-server.yaml"
REAL = bool(os.environ.get("OS_CLOUD"))


def test_4_the_web_server_example(story, name):
    story.aws.create_stack(
        StackName=name, TemplateBody=EXAMPLE.read_text(encoding="utf-8"), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    deadline = time.monotonic() + (240 if REAL else 60)
    while (stack := story.aws.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"] != "CREATE_COMPLETE":
        assert stack["StackStatus"] == "CREATE_IN_PROGRESS", stack.get("StackStatusReason")
        assert time.monotonic() < deadline, stack
        time.sleep(0.5 if REAL else 0.05)
    servers = [one for one in story.sdk.compute.servers() if one.name.startswith(name)]
    assert [one.status for one in servers] == ["ACTIVE", "ACTIVE"]
    assert stack["Outputs"]
