"""Texts that are no template, or hardly: random bytes, tokens in any order, texts cut, spliced and flipped."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from tests.fuzz import words

_TOKENS: Final = (
    "{", "}", "[", "]", ",", ":", ": ", "- ", "\n", "\n  ", "\n    ", " ", '"', "'", "&a ", "*a", "<<: ", "? ", "| ",
    "> ", "!", "!!", "%YAML 1.1\n", "---\n", "...\n", "#", "\\u", "\\ud83d", "\\x", "\t", "\r\n", "@", "`",
)  # fmt: skip
_SOUP: Final = (_TOKENS, _TOKENS, words.SECTIONS, words.KEYS, words.FUNCTIONS, words.TAGS, words.TYPES, words.WORDS,
                words.ODD_TEXTS, words.ODD_PLAIN)  # fmt: skip
_BEGINNINGS: Final = (
    "", "{", "heat_template_version: 2018-08-31\n", "heat_template_version: 2021-04-16\nresources:\n  a:\n    type: ",
    '{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {', "Resources:\n  A:\n    Type: ",
)  # fmt: skip


def noise(random: Random) -> bytes:
    return random.randbytes(random.choice((1, 10, 100, 1000, 20_000)))


def soup(random: Random) -> bytes:
    count = random.choice((3, 30, 300, 2000))
    text = "".join(random.choice(random.choice(_SOUP)) for _ in range(count))
    return (random.choice(_BEGINNINGS) + text).encode("utf-8", "surrogatepass")


def brackets(random: Random) -> bytes:
    """Deep, or wide, or growing by aliases."""
    chosen, count = random.randrange(5), random.choice((50, 99, 101, 1000, 50_000))
    if chosen == 0:
        return (random.choice(("[", "{a: ", '{"a":', "- ", "? ", "!Ref [")) * count).encode()
    if chosen == 1:
        return b"[" * min(count, 90) + b"x" * count + b"]" * min(count, 90)
    if chosen == 2:
        levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        return ("a0: &a0 [lol]\n" + "\n".join(levels)).encode()
    if chosen == 3:
        return ("heat_template_version: 2018-08-31\nparameters: {" + "".join(
            f"p{n}: {{type: string, default: x}}, " for n in range(count // 50)) + "}").encode()  # fmt: skip
    return ("<<: " * min(count, 90) + "{a: b}\n" + "k: &k {<<: *k}\n").encode()


def spoil(text: bytes, donors: Sequence[bytes], random: Random) -> bytes:
    """`text` with bytes flipped, cut out, put in or doubled, or the beginning of it with the end of another."""
    data = bytearray(text)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(data) + 1)
        match random.randrange(7):
            case 0:
                for _ in range(random.randrange(1, 9)):
                    if data:
                        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
            case 1:
                del data[at:]
            case 2:
                del data[at : at + random.randrange(1, 200)]
            case 3:
                other = random.choice(donors)
                data[at:] = other[random.randrange(len(other) + 1) :]
            case 4:
                data[at:at] = data[at : at + random.randrange(1, 500)] * random.choice((1, 2, 50))
            case 5:
                data[at:at] = random.choice(random.choice(_SOUP)).encode("utf-8", "surrogatepass")
            case _:
                data[at : at + 1] = random.choice(random.choice(_SOUP)).encode("utf-8", "surrogatepass")
    return bytes(data)
