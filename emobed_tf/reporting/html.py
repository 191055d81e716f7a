"""HTML that is escaped by construction: what is not made by `tag` is text."""

import html
from typing import Any


class Safe(str):
    """Markup, not text."""

    __slots__ = ()


def escape(value: Any) -> Safe:
    """Text as markup.

    Args:
        value: text, or anything that can be printed; markup stays as it is, and None is nothing.

    Returns:
        Markup.
    """
    if isinstance(value, Safe):
        return value
    return Safe("" if value is None else html.escape(str(value)))


def join(*children: Any) -> Safe:
    """Puts children one after the other.

    Args:
        *children: text, markup, None, or lists and tuples of them, however deep.

    Returns:
        Markup; what was text is escaped.
    """
    parts = (join(*child) if isinstance(child, list | tuple) else escape(child) for child in children)
    return Safe("".join(parts))


def tag(name: str, /, *children: Any, **attributes: Any) -> Safe:
    """An element with its children, escaped where they are no markup.

    Args:
        name: what the element is called, such as `div`.
        *children: text, markup, None, or lists of them.
        **attributes: a trailing underscore is left out (`class_`), other underscores become hyphens. True gives an
            attribute without a value; None and False give none.

    Returns:
        Markup; elements such as `img`, which hold nothing, have no end tag.
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
    """A table that scrolls by itself where the screen is narrow.

    Args:
        columns: headings of the columns.
        rows: cells by row; the first cell of a row is its heading.
        caption: what stands above the table; None for nothing.
        class_: class of the `table` element.

    Returns:
        Markup.
    """
    head = tag("thead", tag("tr", [tag("th", column, scope="col") for column in columns]))
    body = tag(
        "tbody", [tag("tr", tag("th", row[0], scope="row"), [tag("td", cell) for cell in row[1:]]) for row in rows]
    )
    title = tag("caption", caption) if caption else None
    return tag("div", tag("table", title, head, body, class_=class_), class_="wide", tabindex="0")


_EMPTY = ("img", "meta", "br", "link")
