"""An installation of processes apart: PostgreSQL, RabbitMQ, a simulated cloud, and as many of ours as a test wants."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import boto3
import openstack
import yaml
from cryptography.fernet import Fernet

from tests.services.gate import Gate

BIN = Path(sys.executable).parent
POSTGRES = os.environ.get("ISOTHERM_TEST_POSTGRES", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")
RABBIT = os.environ.get("ISOTHERM_TEST_RABBIT", "rabbit://guest:guest@127.0.0.1:5672/")
READY_SECONDS = 40
LEASE, GRACE = 3.0, 3.0
_READY = re.compile(r"isotherm is ready at (\S+)|The simulated OpenStack is at (\S+)")
_CONFIG = """\
[DEFAULT]
cloud_name = engine
database = {database}
transport_url = {rabbit}
transport_prefix = {prefix}
auth_encryption_key = {key}
heat_waitcondition_server_url = http://127.0.0.1:9/
[engine]
lease = {lease}
grace = {grace}
settle = 4
sweep_interval = 1
report_interval = 2
{engine}
[cloud]
request_timeout = 3
{cloud}
"""


class Process:
    """One of them; `where` is what it said it is at."""

    def __init__(self, estate: Estate, name: str, *command: str) -> None:
        self._log = estate.folder / f"{name}-{uuid.uuid4().hex[:6]}.log"
        env = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(estate.clouds_yaml)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        self.where = self._ready()

    def _ready(self) -> str:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            found = _READY.search(self.log())
            if found:
                return found[1] or found[2]
            time.sleep(0.02)
        self.signal(signal.SIGKILL)
        raise AssertionError(f"{self._log.name} was not ready. It said:\n{self.log()}")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        if self.alive:
            self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait(10)

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            raise AssertionError(f"SIGTERM did not end it. It said:\n{self.log()}") from None

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")


class Estate:
    """`rabbit` may name a broker that is not there."""

    def __init__(self, folder: Path, *, rabbit: str = RABBIT, engine: str = "", cloud: str = "") -> None:
        self.folder, self.clouds_yaml = folder, folder / "clouds.yaml"
        self.name = f"isotherm_{uuid.uuid4().hex[:10]}"
        self.database = POSTGRES.rsplit("/", 1)[0] + "/" + self.name
        self.config = folder / "isotherm.conf"
        self.processes: list[Process] = []
        self._sql(f'CREATE DATABASE "{self.name}"', POSTGRES)
        self.clouds_yaml.write_text("clouds: {}\n", encoding="utf-8")
        self.cloud = self._begin(
            "simulator", sys.executable, "-m", "simulator", "--port", "0", "--build-seconds", "0.3"
        )
        self.auth_url = self.cloud.where
        self.clouds_yaml.write_text(yaml.safe_dump({"clouds": {
            "engine": self._entry("isotherm", "isotherm", "service"), "demo": self._entry("demo", "demo", "demo"),
            "admin": self._entry("admin", "secret", "admin"),
        }}), encoding="utf-8")  # fmt: skip
        self.config.write_text(
            _CONFIG.format(database=self.database, rabbit=rabbit, prefix=self.name, key=Fernet.generate_key().decode(),
                           lease=LEASE, grace=GRACE, engine=engine, cloud=cloud), encoding="utf-8",
        )  # fmt: skip
        self.isotherm("db", "upgrade", "--config-file", str(self.config))

    def _entry(self, user: str, password: str, project: str) -> dict[str, Any]:
        return {
            "auth": {"auth_url": self.auth_url, "username": user, "password": password, "project_name": project,
                     "user_domain_name": "Default", "project_domain_name": "Default"},
            "region_name": "RegionOne", "identity_api_version": "3",
        }  # fmt: skip

    # --- processes --------------------------------------------------------------------------------------------------
    def _begin(self, name: str, *command: str) -> Process:
        process = Process(self, name, *command)
        self.processes.append(process)
        return process

    def isotherm(self, *arguments: str) -> str:
        done = subprocess.run([str(BIN / "isotherm"), *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def api(self, config: Path | None = None) -> Process:
        options = ("--port", "0", "--config-file", str(config or self.config))
        return self._begin("api", str(BIN / "isotherm"), "api", *options)

    def engine(self, config: Path | None = None) -> Process:
        return self._begin("engine", str(BIN / "isotherm"), "engine", "--config-file", str(config or self.config))

    def serve(self) -> Process:
        """Everything in one process, on the same database and broker."""
        options = ("--port", "0", "--state-dir", str(self.folder / "serve"), "--config-file", str(self.config))
        return self._begin("serve", str(BIN / "isotherm"), "serve", *options)

    def config_through(self, postgres: Gate, rabbit: Gate) -> Path:
        """The configuration of a process that reaches its servers through gates of its own."""
        text = self.config.read_text(encoding="utf-8")
        for option, gate in (("database", postgres), ("transport_url", rabbit)):
            text = re.sub(rf"(?m)^({option} = .*)@[^/]*/", rf"\1@127.0.0.1:{gate.port}/", text)
        path = self.folder / f"through-{postgres.port}.conf"
        path.write_text(text, encoding="utf-8")
        return path

    def close(self) -> None:
        for process in reversed(self.processes):
            process.signal(signal.SIGKILL)
        self._sql(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)', POSTGRES)
        asyncio.run(_forget_queue(f"{self.name}.work", f"{self.name}.hints"))

    # --- looking ----------------------------------------------------------------------------------------------------
    def heat(self, api: Process, user: str = "demo") -> Any:
        """openstacksdk's orchestration proxy, led to `api`."""
        entry = yaml.safe_load(self.clouds_yaml.read_text(encoding="utf-8"))["clouds"][user]
        sdk = openstack.connect(**entry["auth"], region_name="RegionOne")
        override = f"{api.where}/v1/{sdk.current_project_id}"
        return openstack.connect(
            **entry["auth"], region_name="RegionOne", orchestration_endpoint_override=override
        ).orchestration  # fmt: skip

    def aws(self, api: Process) -> Any:
        from simulator import Settings

        known = Settings()
        return boto3.client(
            "cloudformation", endpoint_url=api.where, region_name="RegionOne",
            aws_access_key_id=known.ec2_access, aws_secret_access_key=known.ec2_secret,
        )  # fmt: skip

    def engines(self, api: Process) -> list[str]:
        """`up` or `down` of each, as `openstack orchestration service list` shows it."""
        return [one["status"] for one in self.heat(api, "admin").get("/services").json()["services"]]

    def knob(self, path: str, method: str, body: bytes | None = None) -> bytes:
        """One of the simulator's."""
        url = "/".join(self.auth_url.split("/")[:3]) + f"/simulator/{path}"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return bytes(reply.read())

    def objects(self, project: str = "demo") -> dict[str, int]:
        """Collection → how many objects of the project there are in the cloud."""
        found = json.loads(self.knob(f"objects?project={project}", "GET"))["objects"]
        return {name.rsplit("/", 1)[-1].rsplit(".", 1)[-1]: count for name, count in found.items()}

    def rows(self, query: str) -> list[Any]:
        return self._sql(query, self.database)

    def _sql(self, query: str, url: str) -> list[Any]:
        async def ask() -> list[Any]:
            connection = await asyncpg.connect(url.replace("+asyncpg", ""))
            try:
                return list(await connection.fetch(query))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def owners(self) -> dict[str, str]:
        """Stack id → the engine that runs it."""
        return {row["id"]: row["owner"] for row in self.rows("SELECT id, owner FROM stacks WHERE owner IS NOT NULL")}


async def _forget_queue(queue: str, exchange: str) -> None:
    import aio_pika

    connection = await aio_pika.connect(RABBIT.replace("rabbit://", "amqp://"), timeout=10)
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete(queue)
        await channel.exchange_delete(exchange)


def estate_fixture(folder: Path, **more: str) -> Iterator[Estate]:
    estate = Estate(folder, **more)
    try:
        yield estate
    finally:
        estate.close()
