"""The operator's environment: every file of a folder, read when a process starts (heat.md TE-17)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from engine.model.diagnostic import invalid
from engine.model.value import Value
from translators.hot.environment import read_environment
from translators.operator import BUILTIN, Operator


def load_operator(folder: str | None) -> Operator:
    """The type registry of the environments in `folder`, later names over earlier ones, and the texts of the `file:`
    templates they map types to. Raises Invalid, which tells the file and the line."""
    if not folder:
        return Operator()
    if not Path(folder).is_dir():
        raise invalid("InvalidEnvironment", f"environment_dir {folder} is no folder.", "Make it, or leave it out.")
    registry: dict[str, Value] = dict(BUILTIN)
    for path in sorted(one for one in Path(folder).iterdir() if one.is_file() and not one.name.startswith(".")):
        document = read_environment(path.read_text(encoding="utf-8"), name=str(path))
        registry.update(document.get("resource_registry") or {})
    return Operator(registry, _templates(registry, folder))


def _templates(registry: Mapping[str, Value], folder: str) -> dict[str, str]:
    found = {}
    for name, target in registry.items():
        if isinstance(target, str) and target.startswith("file:"):
            path = Path(unquote(urlsplit(target).path))
            try:
                found[target] = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                said = f"environment_dir {folder} maps {name} to {target}, which cannot be read: {error}."
                raise invalid("MissingFile", said) from error
    return found
