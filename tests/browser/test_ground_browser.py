"""The browser of the tests itself."""

from __future__ import annotations


def test_chinese_has_a_font(page, shot) -> None:
    """Chinese text is drawn with real glyphs: two characters differ in their pixels."""
    page.set_content("<p style='font-size:40px'>云帮 CloudBang</p>")
    different = page.evaluate(
        """() => {
            const draw = (text) => {
                const canvas = document.createElement("canvas");
                const pen = canvas.getContext("2d");
                pen.font = "40px sans-serif";
                pen.fillText(text, 10, 50);
                return canvas.toDataURL();
            };
            return draw("云") !== draw("帮");
        }"""
    )
    assert different
    shot(page, "ground-fonts")
