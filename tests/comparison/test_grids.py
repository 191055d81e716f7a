"""Tables as Markdown and HTML, and numbers as the paper prints them."""

import pytest

from emobed_tf.comparison.grids import Grid, decimals, duration_text, interval_text, to_html, to_latex, to_markdown


class TestDocument:
    GRID = Grid("a|b", ["system", "x<y"], [["one_two", "1 & 2"]])

    def test_markdown(self):
        text = to_markdown("title", [self.GRID], ["a note*"])
        assert "| system | x\\<y |\n| --- | ---: |\n| one\\_two | 1 & 2 |" in text
        assert text.endswith("- a note\\*\n")

    def test_latex(self):
        text = to_latex("F1_macro", [self.GRID, Grid("b", ["s"], [[".5±.1 †"]])], ["50 %\nof it"])
        assert r"50 \% of it" in text.splitlines(), "a note is one line"
        assert r"\caption{F1\_macro; a|b}" in text and r"\begin{tabular}{lr}" in text
        assert r"one\_two & 1 \& 2 \\" in text and r"system & x$<$y \\" in text
        assert r".5$\pm$.1 $\dagger$ \\" in text
        assert text.count(r"\begin{table*}") == text.count(r"\end{table*}") == 2

    def test_latex_is_ready_to_paste(self):
        """Minus signs are no hyphens, an empty cell is a dash, words keep their hyphens, notes are below the table."""
        rows = [["late-fusion", "-.010 to +.200", "-", "p -1e-05"]]
        lines = to_latex("t", [Grid("a", ["s", "x", "y", "z"], rows), Grid("b", ["s"], [["x"]])], ["50 %", "z"])
        lines = lines.splitlines()
        assert lines[0] == r"% needs \usepackage{booktabs,graphicx}"
        assert r"late-fusion & $-$.010 to +.200 & -- & p $-$1e-05 \\" in lines
        note = lines.index(r"50 \%")
        assert lines.index(r"\end{tabular}}") < note < lines.index(r"\end{table*}")
        assert lines.count(r"50 \%") == 1

    def test_latex_has_notes_of_the_last_table_below_it(self):
        grids = [Grid(name, ["s"], [["x"]]) for name in "ab"]
        first, second = to_latex("t", grids, ["of a"], ["of b"]).split(r"\end{table*}")[:2]
        assert ("of a" in first, "of b" in first, "of a" in second, "of b" in second) == (True, False, False, True)

    def test_html(self):
        text = to_html("t", [self.GRID], ["<b>"])
        assert "<th>x&lt;y</th>" in text and "<td>1 &amp; 2</td>" in text and "<li>&lt;b&gt;</li>" in text


class TestText:
    @pytest.mark.parametrize(
        ("value", "options", "text"),
        [
            (0.1234, {}, ".123"),
            (-0.1, {}, "-.100"),
            (0.02, {"signed": True}, "+.020"),
            (1.0, {}, "1.000"),
            (10.5, {}, "10.500"),
            (0.00196, {"digits": 4}, ".0020"),
        ],
    )
    def test_decimals(self, value, options, text):
        assert decimals(value, **options) == text

    def test_interval(self):
        assert interval_text(-0.01, 0.2) == "-.010 to .200"
        assert interval_text(-0.01, 0.2, signed=True) == "-.010 to +.200"

    @pytest.mark.parametrize(
        ("seconds", "text"), [(0.0, "0 s"), (119.0, "119 s"), (120.0, "2 min"), (7100.0, "118 min"), (9000.0, "2.5 h")]
    )
    def test_duration(self, seconds, text):
        assert duration_text(seconds) == text
