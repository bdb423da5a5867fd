"""Write down what is said of the bad templates: `python -m tests.golden.accept [NAME…]`."""

from __future__ import annotations

import sys

from tests.golden.telling import kept, templates, told


def main(names: list[str]) -> None:
    for template in templates():
        if names and template.stem not in names:
            continue
        said, file = told(template), kept(template)
        if not file.exists() or file.read_text(encoding="utf-8") != said:
            file.write_text(said, encoding="utf-8")
            print(file.relative_to(file.parents[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
