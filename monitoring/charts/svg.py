"""Elements of SVG, put together so that no text of a user's can become markup."""

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

# In the units of the drawing, which the page stretches to the width there is.
WIDTH = 480.0


def element(name: str, *children: object, **attributes: object) -> SafeString:
    """One element. `class_` is `class`, `_` in other names is `-`; None leaves an attribute out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(_escaped(child) for child in children)
    # Every part was escaped above.
    return mark_safe(f"<{name}{written}>{inside}</{name}>")  # noqa: S308


def group(*children: object, **attributes: object) -> SafeString:
    return element("g", *children, **attributes)


def text(x: float, y: float, words: object, **attributes: object) -> SafeString:
    return element("text", words, x=x, y=y, **attributes)


def drawing(height: float, title: str, *children: object) -> SafeString:
    """The whole chart, as one picture with a name."""
    return element(
        "svg",
        *children,
        class_="chart",
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label=title,
        focusable="false",
    )


def path(points: list[tuple[float, float]]) -> str:
    """A `d` through some points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def textures(chart: str) -> SafeString:
    """Hatches that tell series apart without colour, laid over their fill."""
    strokes = {
        1: "M0 6L6 0",
        2: "M0 3H6",
        3: "M0 0L6 6M0 6L6 0",
        4: "M3 0V6",
    }
    return element(
        "defs",
        *(
            element(
                "pattern",
                element("path", d=d, class_="hatch"),
                id=f"{chart}-hatch-{series}",
                width=6,
                height=6,
                patternUnits="userSpaceOnUse",
            )
            for series, d in strokes.items()
        ),
    )


def hatched(chart: str, series: int, shape: str, **attributes: object) -> SafeString:
    """A shape in the colour of a series, and its hatch; the first series is plain."""
    plain = element(shape, class_=f"shape s{series}", **attributes)
    if not series:
        return plain
    return plain + element(shape, fill=f"url(#{chart}-hatch-{series})", **attributes)


def mark(series: int, x: float, y: float, size: float = 4.0) -> SafeString:
    """Each series' own shape: disc, square, triangle, diamond, ring."""
    shape = series % 5
    style = {"class_": f"mark s{series}"}
    if shape == 0:
        return element("circle", cx=x, cy=y, r=size, **style)
    if shape == 1:
        return element("rect", x=x - size, y=y - size, width=2 * size, height=2 * size, **style)
    if shape == 2:
        corners = [(x, y - 1.3 * size), (x + 1.2 * size, y + size), (x - 1.2 * size, y + size)]
    elif shape == 3:
        reach = 1.4 * size
        corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)]
    else:
        return element("circle", cx=x, cy=y, r=size, class_=f"ring s{series}")
    return element("path", d=path(corners) + "Z", **style)


def _escaped(value: object) -> str:
    return conditional_escape(value if isinstance(value, SafeString) else str(value))


def _short(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
