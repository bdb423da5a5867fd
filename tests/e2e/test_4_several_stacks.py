"""4: the examples that are more than one stack: nested by address, connected by exports."""

from __future__ import annotations

import functools
import http.server
import threading
from pathlib import Path

import pytest

CFN = Path(__file__).parents[2] / "examples" / "cfn"


def outputs(aws, name):
    return {o["OutputKey"]: o["OutputValue"] for o in aws.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]}


@pytest.fixture
def served():
    """The folder of the nested example behind http, as its first lines say."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(CFN / "nested"))
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_port}"
    web.shutdown()
    web.server_close()


def test_4_the_nested_example(fresh_server, name, served, wait):
    server = fresh_server(networks="127.0.0.0/8")
    aws = server.boto3()
    parameters = f"TemplateBase={served}"
    server.aws("deploy", "--stack-name", name, "--template-file", str(CFN / "nested" / "parent.yaml"),
               "--parameter-overrides", parameters).ok()  # fmt: skip
    found = outputs(aws, name)
    assert found["SecondCount"] == "a"
    assert found["FirstVpc"] in {router.id for router in server.sdk().network.routers()}
    nested = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert all(r["PhysicalResourceId"].startswith("arn:aws:cloudformation:") for r in nested)
    aws.delete_stack(StackName=name)
    wait(aws, "stack_delete_complete", name)


def test_4_the_example_of_two_stacks(server, name, wait):
    aws = server.boto3()
    network, servers = f"{name}-network", f"{name}-servers"
    folder = CFN / "two-stacks"
    server.aws("deploy", "--stack-name", network, "--template-file", str(folder / "network.yaml")).ok()
    server.aws("deploy", "--stack-name", servers, "--template-file", str(folder / "servers.yaml"),
               "--parameter-overrides", f"Network={network}").ok()  # fmt: skip
    found = outputs(aws, servers)
    assert found["PublicIp"]
    table = outputs(aws, network)["PrivateTable"]
    gateway = server.sdk().network.get_router(table).external_gateway_info
    assert gateway["external_fixed_ips"][0]["ip_address"] == found["SourceAddress"]
    for stack in (servers, network):
        aws.delete_stack(StackName=stack)
        wait(aws, "stack_delete_complete", stack)
