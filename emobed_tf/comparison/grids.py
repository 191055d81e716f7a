"""Tables with notes as Markdown, as LaTeX, and as an HTML file that needs nothing else; the numbers in their cells."""

import base64
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;
color:#1b1f24;background:#fff}
div{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0 1.5rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .7rem;border-bottom:1px solid #d0d7de;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}img{max-width:100%;background:#fff}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#30363d}}"""


@dataclass(frozen=True)
class Grid:
    """One table.

    Attributes:
        title: above it.
        columns: heads.
        rows: cells, as many as heads; the first is the row's name.
    """

    title: str
    columns: list[str]
    rows: list[list[str]]


def to_markdown(title: str, grids: list[Grid], notes: list[str]) -> str:
    """The document as Markdown.

    Args:
        title: of the document.
        grids: its tables.
        notes: listed below them.

    Returns:
        Text with a line end.
    """
    lines = [f"# {title}", ""]
    for grid in grids:
        lines += [f"## {grid.title}", "", _row(grid.columns)]
        lines.append(_row(["---"] + ["---:"] * (len(grid.columns) - 1)))
        lines += [_row(row) for row in grid.rows] + [""]
    return "\n".join([*lines, *(f"- {_escaped(note)}" for note in notes)]) + "\n"


def to_latex(title: str, grids: list[Grid], notes: list[str], of_last: list[str] | None = None) -> str:
    """The document as LaTeX tables for a paper to input; they take the packages booktabs and graphicx.

    A table that is wider than the page is made as small as it has to be.

    Args:
        title: begins the captions.
        grids: its tables, one `table*` each.
        notes: below the first of them.
        of_last: below the last of them; None: nothing.

    Returns:
        Text with a line end.
    """
    lines = ["% needs \\usepackage{booktabs,graphicx}"]
    narrow = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%"
    for k, grid in enumerate(grids):
        lines += ["\\begin{table*}", "\\centering", f"\\caption{{{_latex(f'{title}; {grid.title}')}}}"]
        lines += [narrow, f"\\begin{{tabular}}{{l{'r' * (len(grid.columns) - 1)}}}", "\\toprule"]
        lines += [_latex_row(grid.columns), "\\midrule", *map(_latex_row, grid.rows)]
        below = [*(notes if k == 0 else ()), *((of_last or ()) if k == len(grids) - 1 else ())]
        lines += ["\\bottomrule", "\\end{tabular}}", *(_latex_notes(below) if below else ()), "\\end{table*}"]
    return "\n".join(lines) + "\n"


def to_html(title: str, grids: list[Grid], notes: list[str], pictures: Mapping[str, bytes] | None = None) -> str:
    """The document as one HTML page.

    Args:
        title: of the document.
        grids: its tables.
        notes: listed below them.
        pictures: above the tables, PNG files by what they show.

    Returns:
        A whole page, with nothing fetched.
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>",
    ]
    for shown, content in (pictures or {}).items():
        data = base64.b64encode(content).decode()
        parts.append(f'<p><img alt="{html.escape(shown)}" src="data:image/png;base64,{data}"></p>')
    for grid in grids:
        parts.append(
            f"<h2>{html.escape(grid.title)}</h2><div><table><thead>{_cells('th', grid.columns)}</thead><tbody>"
        )
        parts += [_cells("td", row) for row in grid.rows]
        parts.append("</tbody></table></div>")
    parts.append("<ul>" + "".join(f"<li>{html.escape(note)}</li>" for note in notes) + "</ul></body></html>")
    return "\n".join(parts) + "\n"


def decimals(value: float, *, signed: bool = False, digits: int = 3) -> str:
    """A score, a difference or a p-value as the paper prints them: `.644`, without a zero before the point.

    Args:
        value: any number.
        signed: whether a plus is written, too.
        digits: after the point.

    Returns:
        Such as `.644`, `-.010` or `1.000`.
    """
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text


def interval_text(low: float, high: float, signed: bool = False) -> str:
    """Ends of an interval: `.571 to .644`.

    Args:
        low: lower end.
        high: upper end.
        signed: whether a plus is written, too.

    Returns:
        Such as `.571 to .644`.
    """
    return f"{decimals(low, signed=signed)} to {decimals(high, signed=signed)}"


def duration_text(seconds: float) -> str:
    """An estimated time: `90 s`, `12 min`, `2.5 h`.

    Args:
        seconds: 0 or more.

    Returns:
        Such as `90 s`, `12 min` or `2.5 h`.
    """
    minutes = seconds / 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 seed`, `5 seeds`.

    Args:
        number: 0 or more.
        noun: in the singular.

    Returns:
        Both.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings in a cell of a table.

    Args:
        settings: JSON values by name.

    Returns:
        Such as `learning_rate 0.001, l2 0.0001`.
    """
    return ", ".join(f"{name} {_setting(value)}" for name, value in settings.items()) or "none to choose"


_LATEX = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\N{MINUS SIGN}": "$-$",
    "±": r"$\pm$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "§": r"\S{}",
    "<": "$<$",
    ">": "$>$",
}


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_setting(part)}" for name, part in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


_MINUS = re.compile(r"(?<![\w.-])-(?=[.\d])")


def _latex(text: str) -> str:
    """Text for LaTeX; a hyphen before a number is a minus."""
    return "".join(_LATEX.get(letter, letter) for letter in _MINUS.sub("\N{MINUS SIGN}", text))


def _latex_row(cells: list[str]) -> str:
    return " & ".join("--" if cell == "-" else _latex(cell) for cell in cells) + r" \\"


def _latex_notes(notes: list[str]) -> list[str]:
    if not notes:
        return []
    lines = [_latex(" ".join(note.split())) for note in notes]
    return ["\\par\\smallskip", "\\begin{minipage}{\\textwidth}\\footnotesize", "\n\n".join(lines), "\\end{minipage}"]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(map(_escaped, cells)) + " |"


def _escaped(text: str) -> str:
    for mark in ("\\", "|", "*", "_", "<"):
        text = text.replace(mark, "\\" + mark)
    return text


def _cells(kind: str, cells: list[str]) -> str:
    return "<tr>" + "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells) + "</tr>"
