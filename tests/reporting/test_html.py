"""Markup that is escaped by construction."""


def test_everything_is_escaped_but_markup():
    from emobed_tf.reporting.html import table, tag

    inner = tag("b", "<i> & \"'")
    assert inner == "<b>&lt;i&gt; &amp; &quot;&#x27;</b>"
    assert tag("p", inner, None, ["x", 3], class_="a", data_x='"', hidden=True, open=False) == (
        f'<p class="a" data-x="&quot;" hidden>{inner}x3</p>'
    )
    assert "&lt;td&gt;" in table(["a", "b"], [["<td>", "x"]])
    assert tag("br") == "<br>"
