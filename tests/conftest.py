"""A served Isotherm and the real clients that talk to it, for the end-to-end and the contract suites.

The server is a process of its own, the clients are processes or libraries over HTTP; nothing here is a mock. Each
pytest-xdist worker has its own server. `OS_CLOUD` makes the contract stories run on that entry of clouds.yaml.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests
import yaml
from botocore.config import Config
from openstack.config import OpenStackConfig
from openstack.connection import Connection

BIN = Path(sys.executable).parent
READY = re.compile(r"isotherm is ready at ['\"]?(http://[^\s'\"]+)")
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
CLIENT_SECONDS = 60.0
_JSON = json.JSONDecoder()

FAST = """\
[DEFAULT]
simulator_build_seconds = {build}
allowed_template_networks = {networks}
{more}
[engine]
settle = {settle}
lease = {lease}
sweep_interval = 0.5
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client's process came to."""

    command: str
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    def ok(self) -> Outcome:
        assert self.status == 0, f"$ {self.command}\nexit status {self.status}\n{self.out}\n{self.err}"
        return self

    def refused(self) -> str:
        """What the client printed as it failed; a success, or a traceback of the client's, is a failed test."""
        assert self.status != 0, f"$ {self.command}\nunexpectedly succeeded\n{self.out}"
        assert "Traceback" not in self.err, self.err
        return self.err + self.out


class Server:
    """`isotherm serve` as a process. `cloud` None: the embedded simulator."""

    bin = BIN  # where the clients are

    def __init__(self, state_dir: Path, *, cloud: str | None = None, config: str | None = None) -> None:
        self.state_dir = state_dir
        self.cloud = cloud
        self.url = ""
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._log = state_dir.with_suffix(".log")

    def start(self) -> Server:
        """Return once the server says that it is ready; fail with its log after READY_SECONDS."""
        command = [str(BIN / "isotherm"), "serve", "--port", "0", "--state-dir", str(self.state_dir)]
        if self.cloud:
            command += ["--cloud", self.cloud]
        if self._config is not None:
            config_file = self.state_dir.with_suffix(".conf")
            config_file.write_text(self._config, encoding="utf-8")
            command += ["--config-file", str(config_file)]
        read_from = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, stdout=log)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            found = READY.search(self.log()[read_from:])
            if found:
                self.url = found[1].rstrip("/")
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        status = self._process.poll()
        self.kill9()
        pytest.fail(f"isotherm serve was not ready (exit status {status}). Its log:\n{self.log()}", pytrace=False)

    def stop(self) -> int:
        """SIGTERM; returns the exit status. A server that does not end is killed and fails the test."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill9()
            pytest.fail(f"SIGTERM did not stop isotherm serve within {STOP_SECONDS} s. Its log:\n{self.log()}")

    def kill9(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Stop if it runs, then start on the same state; the ports are new ones."""
        assert self._process is not None
        if self._process.poll() is None:
            self.stop()
        self.start()

    def log(self) -> str:
        return self._log.read_bytes().decode("utf-8", "replace") if self._log.exists() else ""

    def healthy(self) -> bool:
        return self._process is not None and self._process.poll() is None and self.aws_answers()

    def aws_answers(self) -> bool:
        return self.boto3().describe_stacks()["ResponseMetadata"]["HTTPStatusCode"] == 200

    @property
    def aws_env(self) -> dict[str, str]:
        """The variables of STATE/aws.env."""
        words = shlex.split((self.state_dir / "aws.env").read_text(encoding="utf-8"))
        return dict(word.split("=", 1) for word in words if word != "export")

    @property
    def clouds_yaml(self) -> Path:
        return self.state_dir / "clouds.yaml"

    @property
    def env(self) -> dict[str, str]:
        """The whole environment of a client's process: ours alone, nothing of the user's."""
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return {
            **inherited, **self.aws_env, "HOME": str(self.state_dir), "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "",
            "AWS_MAX_ATTEMPTS": "1", "OS_CLIENT_CONFIG_FILE": str(self.clouds_yaml), "OS_CLOUD": "isotherm",
            "COLUMNS": "200",
        }  # fmt: skip

    def run(self, *command: str, timeout: float = CLIENT_SECONDS, env: Mapping[str, str] | None = None) -> Outcome:
        """Run a client of the virtual environment. Fails the test after `timeout` seconds."""
        try:
            done = subprocess.run(
                [str(BIN / command[0]), *command[1:]], env={**self.env, **(env or {})}, cwd=self.state_dir,
                capture_output=True, timeout=timeout, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            out = (late.stdout or b"").decode() + (late.stderr or b"").decode()
            pytest.fail(f"$ {shlex.join(command)}\nhad not ended after {timeout} s\n{out}\n{self.log()[-4000:]}")
        return Outcome(shlex.join(command), done.returncode, done.stdout.decode(), done.stderr.decode())

    def aws(self, *arguments: str, timeout: float = CLIENT_SECONDS) -> Outcome:
        """`aws cloudformation …`."""
        return self.run("aws", "cloudformation", *arguments, timeout=timeout)

    def openstack(self, *arguments: str, timeout: float = CLIENT_SECONDS) -> Outcome:
        return self.run("openstack", *arguments, timeout=timeout)

    def session(self, *commands: str, timeout: float = 2 * CLIENT_SECONDS) -> list:
        """Commands of one interactive `openstack` process; returns the JSON that each of those with `-f json` wrote."""
        done = subprocess.run(
            [str(BIN / "openstack")], input="\n".join(commands).encode(), env=self.env, cwd=self.state_dir,
            capture_output=True, timeout=timeout, check=False,
        )  # fmt: skip
        # Its exit status is 1 at the end of its input, whatever the commands came to: what failed is on stderr.
        assert not done.stderr.strip(), f"$ openstack: {'; '.join(commands)}\n{done.stderr.decode()}"
        rest, found = done.stdout.decode().lstrip(), []
        while rest:
            value, length = _JSON.raw_decode(rest)
            found.append(value)
            rest = rest[length:].lstrip()
        return found

    def boto3(self, **changed):
        """A CloudFormation client that tries once, so that a 5xx is seen and not retried away."""
        env = self.aws_env
        settings = {
            "endpoint_url": env["AWS_ENDPOINT_URL_CLOUDFORMATION"],
            "region_name": env["AWS_DEFAULT_REGION"],
            "aws_access_key_id": env["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"],
            "config": Config(retries={"total_max_attempts": 1}, connect_timeout=3, read_timeout=30),
        }
        return _boto3_session().client("cloudformation", **{**settings, **changed})

    def sdk(self, **auth: str) -> Connection:
        """openstacksdk on the written clouds.yaml; `auth` names another user or project."""
        config = OpenStackConfig(config_files=[str(self.clouds_yaml)], load_envvars=False)
        entry = yaml.safe_load(self.clouds_yaml.read_text(encoding="utf-8"))["clouds"]["isotherm"]
        region = config.get_one("isotherm", **({"auth": {**entry["auth"], **auth}} if auth else {}))
        return Connection(config=region)

    def simulator(self, path: str, method: str = "GET", **request):
        """The simulator's own knobs: `/simulator/<path>` on the port of its Keystone."""
        auth_url = yaml.safe_load(self.clouds_yaml.read_text())["clouds"]["isotherm"]["auth"]["auth_url"]
        root = "/".join(auth_url.split("/")[:3])
        answer = requests.request(method, f"{root}/simulator/{path}", timeout=10, **request)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@functools.cache
def _boto3_session() -> boto3.session.Session:
    """Sessions read botocore's model of the service, which takes a while."""
    return boto3.session.Session()


def conf(*, build: float = 0.05, networks: str = "", settle: float = 2.0, lease: float = 3.0, more: str = "") -> str:
    return FAST.format(build=build, networks=networks, settle=settle, lease=lease, more=more)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests of a worker; tests keep apart by the names of their stacks."""
    one = Server(tmp_path_factory.mktemp("isotherm") / "state", config=conf()).start()
    yield one
    one.kill9()


@pytest.fixture
def fresh_server(tmp_path):
    """A factory of servers of the test's own; they end with the test."""
    started: list[Server] = []

    def start(cloud: str | None = None, name: str = "state", **options) -> Server:
        started.append(Server(tmp_path / name, cloud=cloud, config=conf(**options)))
        return started[-1].start()

    yield start
    for one in started:
        one.kill9()


@pytest.fixture(scope="session")
def cloud_target(request, tmp_path_factory):
    """The server of the contract stories: on the cloud that OS_CLOUD names, else on the simulator."""
    cloud = os.environ.get("OS_CLOUD")
    if not cloud:
        yield request.getfixturevalue("server")
        return
    one = Server(tmp_path_factory.mktemp("isotherm") / "cloud", cloud=cloud, config=conf(settle=20.0)).start()
    yield one
    one.kill9()


@pytest.fixture
def name(request):
    """A stack name of this test's own."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())[:40].strip("-")
    return f"t-{words}-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def until() -> Callable[..., object]:
    """Ask again until the answer is true; fails after `seconds`."""

    def ask(question: Callable[[], object], seconds: float = 30.0, every: float = 0.05) -> object:
        deadline = time.monotonic() + seconds
        while True:
            answer = question()
            if answer:
                return answer
            assert time.monotonic() < deadline, f"not within {seconds} s: last answer {answer!r}"
            time.sleep(every)

    return ask
