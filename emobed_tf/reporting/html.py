"""HTML that is escaped by construction: what is not made by `tag` is text."""

import html
from typing import Any


class Safe(str):
    """Markup, not text."""

    __slots__ = ()


def escape(value: Any) -> Safe:
    """Text as markup; markup as it is; nothing for None."""
    if isinstance(value, Safe):
        return value
    return Safe("" if value is None else html.escape(str(value)))


def join(*children: Any) -> Safe:
    """Children one after the other; lists and tuples are taken apart."""
    parts = (join(*child) if isinstance(child, list | tuple) else escape(child) for child in children)
    return Safe("".join(parts))


def tag(name: str, /, *children: Any, **attributes: Any) -> Safe:
    """An element with its children, escaped where they are no markup.

    Args:
        name: of the element.
        *children: text, markup, None, or lists of them.
        **attributes: a trailing underscore is left out (`class_`), other underscores are hyphens; True: without a
            value; None and False: not there.
    """
    written = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        written += f" {key}" if value is True else f' {key}="{html.escape(str(value))}"'
    start = f"<{name}{written}>"
    return Safe(start if name in _EMPTY else f"{start}{join(*children)}</{name}>")


def table(columns: list[Any], rows: list[list[Any]], *, caption: Any = None, class_: str | None = None) -> Safe:
    """A table that scrolls by itself where the screen is narrow; the first cell of a row is its heading."""
    head = tag("thead", tag("tr", [tag("th", column, scope="col") for column in columns]))
    body = tag(
        "tbody", [tag("tr", tag("th", row[0], scope="row"), [tag("td", cell) for cell in row[1:]]) for row in rows]
    )
    title = tag("caption", caption) if caption else None
    return tag("div", tag("table", title, head, body, class_=class_), class_="wide", tabindex="0")


_EMPTY = ("img", "meta", "br", "link")
