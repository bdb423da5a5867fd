"""A template on disk and the files it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit


class LocalFiles(Mapping[str, str]):
    """Contents by the name a template uses: a path or a `file:` URL.

    Relative names are looked for beside the template, then beside the files it has led to. `texts` holds what was
    read, for showing its lines, and whatever else may be shown.
    """

    def __init__(self, template: Path) -> None:
        self._folders = [template.parent]
        self.texts: dict[str, str] = {}
        self._found: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._found:
            self._found[name] = self.texts[name] = self._read(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def _read(self, name: str) -> str:
        parts = urlsplit(name)
        if parts.scheme not in ("", "file"):
            raise KeyError(name)
        path = Path(unquote(parts.path) if parts.scheme else name)
        for folder in self._folders:
            found = folder / path
            if found.is_file():
                if found.parent not in self._folders:
                    self._folders.append(found.parent)
                return found.read_text(encoding="utf-8", errors="replace")
        raise KeyError(name)
