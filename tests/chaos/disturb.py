"""What goes wrong: processes die and pause, connections break or fall silent, the cloud refuses and loses answers."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

import asyncpg

from tests.services.estate import LEASE, POSTGRES, RABBIT, READY_SECONDS, Estate, Process
from tests.services.gate import Gate

#: Faults of the simulated cloud, each with its probability for a request.
FAULTS = (
    {"effect": "status", "status": 503, "probability": 0.04},
    {"effect": "status", "status": 429, "retry_after": 1, "probability": 0.02},
    {"effect": "lost_answer", "method": "POST", "path": "networks|subnets|ports|servers|volumes", "probability": 0.06},
    {"effect": "delay", "seconds": 1.5, "probability": 0.04},
    {"effect": "hang", "seconds": 6, "method": "POST", "path": "servers|networks", "probability": 0.01},
)


#: Commands of the environment that restart the servers themselves: RESTART_POSTGRES, RESTART_RABBIT.
RESTARTS = {name.lower(): os.environ[name] for name in ("RESTART_POSTGRES", "RESTART_RABBIT") if name in os.environ}


_Result = TypeVar("_Result")


def insisted(act: Callable[[], _Result]) -> _Result:
    """Done again where it failed, as a unit that ends at once is started again: PostgreSQL or RabbitMQ may be away."""
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            return act()
        except (AssertionError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if time.monotonic() > until:
                raise
            time.sleep(1)


class Engine:
    """An engine with ways of its own to PostgreSQL and RabbitMQ."""

    def __init__(self, estate: Estate) -> None:
        self.postgres, self.rabbit = _gate(POSTGRES), _gate(RABBIT)
        config = estate.config_through(self.postgres, self.rabbit)
        self.process: Process = insisted(lambda: estate.engine(config))

    def kill(self) -> None:
        self.process.signal(signal.SIGKILL)
        self.postgres.close()
        self.rabbit.close()


def _gate(url: str) -> Gate:
    where = urlsplit(url)
    return Gate(where.hostname or "127.0.0.1", where.port or {"rabbit": 5672}.get(where.scheme, 5432))


class Disturber:
    """Disturbs an estate until told to stop. `counted` is what it did."""

    def __init__(self, estate: Estate, chance: random.Random) -> None:
        self.estate, self._chance = estate, chance
        self.engines = [Engine(estate), Engine(estate)]
        self.api: Process = estate.api()
        self.counted: dict[str, int] = {}
        self.broken: BaseException | None = None  # what kept it from going on
        self._over = threading.Event()
        self._lock = threading.Lock()

    def heat_url(self) -> str:
        with self._lock:
            return self.api.where

    def faults(self, *, on: bool) -> None:
        self.estate.knob("faults", "DELETE")
        for fault in FAULTS if on else ():
            self.estate.knob("faults", "POST", json.dumps(fault).encode())

    def run(self, pause: tuple[float, float]) -> None:
        """One disturbance after another, `pause` seconds between them, until `stop`."""
        acts: list[Callable[[], None]] = [
            self.kill_an_engine, self.kill_an_engine, self.pause_an_engine, self.cut_off_an_engine,
            self.silence_an_engine, self.kill_the_api, self.break_postgres, self.break_rabbit,
            *(partial(self.restart, name) for name in RESTARTS),
        ]  # fmt: skip
        try:
            while not self._over.wait(self._chance.uniform(*pause)):
                act = self._chance.choice(acts)
                name = act.args[0] if isinstance(act, partial) else act.__name__
                self.counted[name] = self.counted.get(name, 0) + 1
                act()
        except BaseException as error:
            self.broken = error
            raise

    def stop(self) -> None:
        self._over.set()

    # --- disturbances -----------------------------------------------------------------------------------------------
    def kill_an_engine(self) -> None:
        engine = self._chance.choice(self.engines)
        engine.kill()
        self.engines.remove(engine)
        self._over.wait(self._chance.uniform(0, LEASE))
        self.engines.append(Engine(self.estate))

    def pause_an_engine(self) -> None:
        """Longer than its lease: it wakes up when another may have its stacks."""
        engine = self._chance.choice(self.engines)
        engine.process.signal(signal.SIGSTOP)
        self._a_while()
        engine.process.signal(signal.SIGCONT)

    def cut_off_an_engine(self) -> None:
        """Its database and its broker refuse it."""
        engine = self._chance.choice(self.engines)
        for gate in (engine.postgres, engine.rabbit):
            gate.shut()
        self._a_while()
        for gate in (engine.postgres, engine.rabbit):
            gate.open()

    def silence_an_engine(self) -> None:
        """Its database and its broker do not answer, and what it says reaches them late."""
        engine = self._chance.choice(self.engines)
        for gate in (engine.postgres, engine.rabbit):
            gate.freeze()
        self._a_while()
        for gate in (engine.postgres, engine.rabbit):
            gate.thaw()

    def kill_the_api(self) -> None:
        with self._lock:
            self.api.signal(signal.SIGKILL)
            self.api = insisted(self.estate.api)

    def break_postgres(self) -> None:
        """What a restart of the server does to its connections."""
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        insisted(lambda: self.estate.rows(query))

    def break_rabbit(self) -> None:
        """The same to those of the broker."""
        for engine in self.engines:
            engine.rabbit.cut()

    def restart(self, name: str) -> None:
        """The server itself, with the command that the environment names."""
        done = subprocess.run(RESTARTS[name], shell=True, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{RESTARTS[name]}: {done.stdout}{done.stderr}"

    def _a_while(self) -> None:
        self._over.wait(self._chance.uniform(0.5, 3 * LEASE))
