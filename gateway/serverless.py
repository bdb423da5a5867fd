"""AWS SAM's translation of a template, asked of a separate process: it is somebody else's program on a user's input.

Run as a module (`python -m gateway.serverless`) this file is that process: one document in, one out, both JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from engine.model.diagnostic import invalid

_SECONDS: Final = 30.0
_MEMORY: Final = 1024**3  # bytes of address space of the process
_LARGEST: Final = 4 * 1024 * 1024  # bytes of an answer
_ROOT: Final = Path(__file__).resolve().parents[1]  # where `gateway` can be imported from
_KEPT_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL")
# The library asks boto3 for a region, only to tell the partition; nothing of AWS is reached.
_SET_ENVIRONMENT: Final = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
_FAILED: Final = "Transform AWS::Serverless-2016-10-31 failed with:"


class Serverless:
    """Asks AWS SAM; at most `at_once` processes at a time."""

    def __init__(self, *, at_once: int = 2, seconds: float = _SECONDS) -> None:
        self._slots, self._seconds = asyncio.Semaphore(at_once), seconds

    async def translate(self, document: str) -> str:
        """`document` is JSON: `template`, and its `parameters` by name. Returns JSON: the `template` that SAM makes of
        it, or `errors`, pairs of a resource's name (or null) and a sentence. Raises Invalid."""
        async with self._slots:
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.serverless",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                cwd=_ROOT, env=_SET_ENVIRONMENT | {n: os.environ[n] for n in _KEPT_ENVIRONMENT if n in os.environ},
            )  # fmt: skip
            try:
                async with asyncio.timeout(self._seconds):
                    answer, _ = await worker.communicate(document.encode())
            except TimeoutError as error:
                raise invalid("TransformFailed", f"{_FAILED} no answer within {self._seconds:g} seconds.") from error
            finally:
                if worker.returncode is None:
                    worker.kill()
                    await worker.communicate()
        if worker.returncode != 0 or len(answer) > _LARGEST:
            raise invalid("TransformFailed", f"{_FAILED} the translation did not come to its end.")
        return answer.decode()


# --- the process --------------------------------------------------------------------------------------------------


class _Policies:
    """SAM brings the names of AWS's own policies along; IAM is not asked for more."""

    def load(self) -> dict[str, str]:
        return {}


def _translate(document: dict[str, Any]) -> dict[str, Any]:
    from samtranslator.model.exceptions import ExceptionWithMessage, InvalidDocumentException
    from samtranslator.translator.transform import transform

    try:
        return {"template": transform(document["template"], document["parameters"], _Policies())}
    except InvalidDocumentException as refused:
        return {"errors": [_error(cause) for cause in refused.causes]}
    except ExceptionWithMessage as refused:
        return {"errors": [_error(refused)]}
    except Exception as odd:  # the library meets odd templates with whatever Python raises
        return {"errors": [[None, f"{type(odd).__name__}: {odd}"[:500]]]}


def _error(cause: Any) -> list[str | None]:
    return [getattr(cause, "_logical_id", None), str(cause.message)]


def _main() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever else is printed must not mix with the answer
    document = json.load(sys.stdin)
    json.dump(_translate(document), answers)
    answers.close()


if __name__ == "__main__":
    _main()
