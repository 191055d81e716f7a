"""Files that are nearly right: bytes, lines and numbers of a valid one changed at random, alike for the same seed."""

import re

ODD_NUMBERS = (
    b"1e400", b"-1", b"1000000000000000000000000000000", b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"0", b"-0.0",
    b"1e-400", b"1e30", b"-1e308", b"2147483648", b"9223372036854775808", b"1e9", b"0.5", b"1_000", b"0x10", b"1,5",
    b"?",
)  # fmt: skip
ODD_VALUES = (
    b"null", b"true", b"false", b"[]", b"{}", b'""', b'"x"', b'"\\u0000"', b'"\\ud800"', b'"../.."', b"[[]]",
    b'[{"a": 1}]', b"-1", b"1e400", b"NaN",
)  # fmt: skip
ODD_BYTES = (
    b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\x0b",
    b"\x0c",
    b"\x1a", b"\x1b[2J", b"%", b"{", b"[", b"\\", b"\xc2\x85", b"\xe2\x80\xa8", b"\xc2\xa0", b"\xe2\x80\x8b", b" ",
    b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0\0\0\0\0",
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(\.\d*)?([eE][-+]?\d+)?")
_VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|\b(?:null|true|false)\b|\[[^\[\]]*\]|\{[^{}]*\}')
_LONGEST = 40_000  # bytes that a mutation makes


def mutated(content, random):
    """Another content: one to four changes to it.

    Args:
        content: bytes of a file.
        random: a `random.Random`.

    Returns:
        Bytes, at most 40,000 or as many as there were.
    """
    longest = max(_LONGEST, len(content))
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        content = random.choice(_CHANGES)(content, random)[:longest]
    return content


def _span(content, random, longest):
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.randint(1, longest))


def _bytes_changed(content, random):
    changed = bytearray(content)
    for _ in range(random.randint(1, 4) if content else 0):
        place = random.randrange(len(changed))
        changed[place] = random.choice((random.randrange(256), changed[place] ^ 1 << random.randrange(8)))
    return bytes(changed)


def _cut(content, random):
    return content[: random.randrange(len(content) + 1)]


def _taken_out(content, random):
    start, end = _span(content, random, random.choice((1, 8, 200)))
    return content[:start] + content[end:]


def _repeated(content, random):
    start, end = _span(content, random, random.choice((1, 8, 200)))
    return content[:end] + content[start:end] * random.choice((1, 2, 100, 10_000)) + content[end:]


def _put_in(content, random):
    start = random.randrange(len(content) + 1)
    return content[:start] + random.choice(ODD_BYTES) * random.choice((1, 1, 2, 300)) + content[start:]


def _lines_swapped(content, random):
    lines = content.splitlines(keepends=True)
    if len(lines) > 1:
        i, j = random.sample(range(len(lines)), 2)
        lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def _line_repeated(content, random):
    lines = content.splitlines(keepends=True)
    if lines:
        lines.insert(random.randrange(len(lines) + 1), random.choice(lines))
    return b"".join(lines)


def _replaced(pattern, others):
    def replace(content, random):
        found = list(pattern.finditer(content))
        if not found:
            return content
        start, end = random.choice(found).span()
        return content[:start] + random.choice(others) + content[end:]

    return replace


_CHANGES = (
    _bytes_changed,
    _cut,
    _taken_out,
    _repeated,
    _put_in,
    _lines_swapped,
    _line_repeated,
    _replaced(_NUMBER, ODD_NUMBERS),
    _replaced(_NUMBER, ODD_NUMBERS),
    _replaced(_VALUE, ODD_VALUES),
    _replaced(_VALUE, ODD_VALUES),
)
