"""`make run`: serve on the embedded cloud, deploy a CloudFormation template with the AWS CLI, show how to go on."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
STACK = "web-server"
console = Console(highlight=False)


def main() -> int:
    """Return the exit status of the server, or of the deployment when it fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--state-dir", type=Path, default=Path(".isotherm"))
    parser.add_argument("--once", action="store_true", help="stop after the deployment instead of serving on")
    arguments = parser.parse_args()
    bin_dir = Path(sys.executable).parent
    command = [str(bin_dir / "isotherm"), "serve", "--port", str(arguments.port), "--state-dir",
               str(arguments.state_dir)]  # fmt: skip
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603  (our own command)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        url = wait_until_ready(server)
        if url is None:
            return server.wait()
        env = read_exports(arguments.state_dir / "aws.env")
        status = deploy(bin_dir, env)
        if status == 0:
            show_outputs(env)
        show_block(url, arguments.state_dir)
        if arguments.once or status != 0:
            return status
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(server: subprocess.Popen[str]) -> str | None:
    """Pass the server's log on; return its URL once it says so, None when it ends before that."""
    ready = threading.Event()
    found: list[str] = []

    def pump() -> None:
        assert server.stderr is not None
        for line in server.stderr:
            if "isotherm is ready at" in line and not found:
                found.append(line.split("isotherm is ready at", 1)[1].split()[0].strip("\"'"))
                ready.set()
            elif not found or "[error" in line:
                sys.stderr.write(line)
        ready.set()

    threading.Thread(target=pump, daemon=True).start()
    ready.wait(60)
    return found[0] if found else None


def read_exports(path: Path) -> dict[str, str]:
    """The `export NAME=value` lines of a file."""
    lines = (line.removeprefix("export ") for line in path.read_text(encoding="utf-8").splitlines())
    return {name: value.strip("'\"") for name, _, value in (line.partition("=") for line in lines) if name}


def deploy(bin_dir: Path, env: dict[str, str]) -> int:
    """Run the AWS CLI's `cloudformation deploy` and print the stack's events as they come."""
    command = [str(bin_dir / "aws"), "cloudformation", "deploy", "--stack-name", STACK, "--template-file",
               str(HERE / "cfn" / "web-server.yaml"), "--capabilities", "CAPABILITY_NAMED_IAM",
               "--no-fail-on-empty-changeset"]  # fmt: skip
    console.print(f"\n[bold]$ aws {' '.join(command[1:])}[/bold]", soft_wrap=True)
    running = subprocess.Popen(command, env={**os.environ, **env})  # noqa: S603
    client = client_of(env)
    seen: set[str] = set()
    while running.poll() is None:
        show_events(client, seen)
        time.sleep(0.3)
    show_events(client, seen)
    return running.returncode


def client_of(env: dict[str, str]) -> object:
    return boto3.client(
        "cloudformation", endpoint_url=env["AWS_ENDPOINT_URL_CLOUDFORMATION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name=env["AWS_DEFAULT_REGION"],
    )  # fmt: skip


def show_events(client: object, seen: set[str]) -> None:
    try:
        events = client.describe_stack_events(StackName=STACK)["StackEvents"]  # type: ignore[attr-defined]
    except client.exceptions.ClientError:  # type: ignore[attr-defined]  # no stack yet
        return
    for event in reversed(events):
        if event["EventId"] in seen:
            continue
        seen.add(event["EventId"])
        status = event["ResourceStatus"]
        colour = "red" if "FAILED" in status else "green" if status.endswith("COMPLETE") else "yellow"
        reason = event.get("ResourceStatusReason", "")
        console.print(
            f"  [{colour}]{status:<28}[/] {event['LogicalResourceId']:<22} {event['ResourceType']}  {reason}",
            soft_wrap=True,
        )


def show_outputs(env: dict[str, str]) -> None:
    client = client_of(env)
    stack = client.describe_stacks(StackName=STACK)["Stacks"][0]  # type: ignore[attr-defined]
    table = Table("Output", "Value", title="Outputs", title_justify="left")
    for output in stack.get("Outputs", ()):
        table.add_row(output["OutputKey"], output["OutputValue"])
    console.print(table)


def show_block(url: str, state_dir: Path) -> None:
    env, clouds = (state_dir / "aws.env").resolve(), (state_dir / "clouds.yaml").resolve()
    console.print(f"\nIsotherm serves at {url} until Ctrl-C. In another terminal:\n")
    print(f"  source {env}")  # noqa: T201  (a block to copy: no wrapping, no colours)
    print(f"  export OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=isotherm")  # noqa: T201
    print(f"  export PATH={Path(sys.executable).parent.resolve()}:$PATH\n")  # noqa: T201
    print(f"  aws cloudformation describe-stack-resources --stack-name {STACK}")  # noqa: T201
    print(f"  openstack stack resource list {STACK}")  # noqa: T201
    print("  openstack server list\n")  # noqa: T201
    print(f"  {url}/            CloudFormation   {url}/v1/   Orchestration")  # noqa: T201
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
