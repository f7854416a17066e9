"""E_total over two weights as filled contours, with the ways that gradient descent takes on it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
import streamlit as st

from core.backprop.landscape import (
    SIZE,
    Landscape,
    axis_around,
    contour_levels,
    landscape,
    path_of,
)
from core.backprop.network import Array, History, Setup, descend
from core.ui.arrow import as_table
from core.ui.backprop.settings import (
    chosen_epoch,
    current_run,
    current_setup,
    learned_parameter,
    settings,
)
from core.ui.charts import draw
from core.ui.colours import GRADIENT_UP
from core.ui.site import redraw
from core.ui.turns import in_turn

_LOW, _HIGH = (226, 242, 238), (8, 78, 68)  # light to deep in the loss's hue, in both themes
_INK, _PAPER = "#10202b", "#ffffff"  # on those, in both themes
_SHARP = 4  # picture points for each value
_READ = 5  # every so many values is one that the pointer reads
_MOST = 150  # points of a path
_APART = 0.16  # of the picture's side, between two names


def landscapes() -> None:
    """Two weights to choose, and the landscape over them."""
    learned = current_setup().network.learned
    _keep_apart(learned)
    with st.container(horizontal=True):
        for name, label in (("across", "Across"), ("up", "Up")):
            st.selectbox(
                label,
                learned,
                index=learned.index(settings[name]),
                width=110,
                **settings.widget(name, then=lambda: redraw("panel")),
            )
    across, up = settings["across"], settings["up"]
    left, right = st.columns([3, 1], gap="medium")
    with left:
        contours()
    with right:
        st.markdown(
            "**Colours** are E_total with all other weights as they are at the chosen epoch: a "
            "slice of a landscape in all their directions, so it changes from epoch to epoch.\n\n"
            "**The thick line** is this run, its point the chosen epoch. **Thin lines** are the "
            "rates that are compared; a dot is where one ends.\n\n"
            f"**The arrow** points against the gradient, where the next step of {across} and {up} "
            "leads. Its length says nothing."
        )


@st.fragment(key="contours")
@in_turn
def contours() -> None:
    """The landscape itself, which follows the hand."""
    history, epoch = current_run(), chosen_epoch()
    across, up = settings["across"], settings["up"]
    found = _around(history, epoch, across, up)
    draw(
        landscape_spec(across, up, _is_log(found)),
        landscape_data(found, history, epoch, across, up, _compared(), is_read=settings.landed),
        key="landscape",
        alt_text="E_total as filled contours over two weights, the path of the descent on it, "
        "the chosen epoch and the direction of its step",
    )


def _keep_apart(learned: Sequence[str]) -> None:
    """Two different weights."""
    if learned_parameter("across") == learned_parameter("up"):
        after = learned[(learned.index(settings["up"]) + 1) % len(learned)]
        settings.adjust({"up": after})


def _compared() -> dict[float, History]:
    return _runs(current_setup(), settings["rates"], settings["epochs"])


@lru_cache(maxsize=64)  # they stand still while η moves
def _runs(setup: Setup, rates: tuple[float, ...], epochs: int) -> dict[float, History]:
    return {rate: descend(setup, rate, epochs) for rate in rates}


def _around(history: History, epoch: int, across: str, up: str) -> Landscape:
    x, y = (axis_around(path_of(history, name)) for name in (across, up))
    return landscape(history.setup_at(epoch), across, up, x, y)


def _is_log(found: Landscape) -> bool:
    levels = contour_levels(found.error)
    return not np.isclose(levels[1] - levels[0], levels[-1] - levels[-2])


@cache
def landscape_spec(across: str, up: str, is_log: bool) -> dict[str, Any]:
    """The landscape, coloured by E_total or its logarithm; data sets as `landscape_data` says."""
    import altair as alt

    def axis(kind: type[alt.X] | type[alt.Y], name: str) -> Any:
        return kind(
            f"{name}:Q",
            title=across if kind is alt.X else up,
            scale=alt.Scale(nice=False, zero=False),
            axis=alt.Axis(format="~g", grid=False, tickCount=6),
        )

    x, y = axis(alt.X, "x"), axis(alt.Y, "y")
    rgb = ["#" + "".join(f"{part:02x}" for part in colour) for colour in (_LOW, _HIGH)]
    picture = (
        alt.Chart(alt.NamedData("picture"))
        .mark_image(aspect=False, aria=False)
        .encode(x=x, y=y, x2="x2:Q", y2="y2:Q", url="url:N")
    )
    key = (
        alt.Chart(alt.NamedData("key"))
        .mark_point(opacity=0, aria=False)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "E_total:Q",
                title="E_total",
                scale=alt.Scale(type="log" if is_log else "linear", range=rgb, nice=False),
                legend=alt.Legend(
                    orient="top", gradientLength=240, tickCount=3, format=".2g", offset=4
                ),
            ),
        )
    )
    ways = alt.Chart(alt.NamedData("ways")).encode(x=x, y=y, detail="eta:N", order="epoch:Q")
    own = alt.Chart(alt.NamedData("path")).encode(x=x, y=y, order="epoch:Q")
    here = alt.Chart(alt.NamedData("here"))
    ends = alt.Chart(alt.NamedData("ends")).encode(x=x, y=y)
    dots = ends.mark_point(filled=True, size=30, color=_INK, opacity=1, aria=False)
    names = [
        ends.mark_text(fontSize=12, dy=-11, aria=False, **look).encode(text="name:N")
        for look in ({"stroke": _PAPER, "strokeWidth": 3, "color": _PAPER}, {"color": _INK})
    ]
    nearest = alt.selection_point(
        name="nearest", nearest=True, on="pointerover", empty=False, clear="pointerout"
    )
    read = (
        alt.Chart(alt.NamedData("read"))
        .mark_point(filled=True, size=30, color=_INK, strokeOpacity=0, aria=False)
        .encode(
            x=x,
            y=y,
            fillOpacity=alt.condition(nearest, alt.value(1), alt.value(0)),
            tooltip=[
                alt.Tooltip("across:N", title="across"),
                alt.Tooltip("up:N", title="up"),
                alt.Tooltip("E_total:Q", title="E_total", format=".6g"),
            ],
        )
        .add_params(nearest)
    )
    arrow = here.mark_rule(color=GRADIENT_UP, strokeWidth=3, aria=False).encode(
        x=x, y=y, x2="to_x:Q", y2="to_y:Q"
    )
    head = here.mark_point(
        shape="triangle", filled=True, color=GRADIENT_UP, size=110, opacity=1, aria=False
    ).encode(x=axis(alt.X, "to_x"), y=axis(alt.Y, "to_y"), angle=alt.Angle("angle:Q", scale=None))
    return (
        alt.layer(
            picture,
            key,
            ways.mark_line(color=_INK, strokeWidth=1, strokeOpacity=0.6, aria=False),
            dots,
            own.mark_line(color=_PAPER, strokeWidth=5, aria=False),
            own.mark_line(color=_INK, strokeWidth=2.5, aria=False),
            *names,
            arrow,
            head,
            here.mark_point(
                filled=True, color=_INK, stroke=_PAPER, strokeWidth=2, size=120, opacity=1
            ).encode(x=x, y=y, description="spoken:N"),
            read,
        )
        .properties(height=460, title="E_total over two weights")
        .to_dict(validate=False)
    )


def landscape_data(
    found: Landscape,
    history: History,
    epoch: int,
    across: str,
    up: str,
    compared: dict[float, History],
    *,
    is_read: bool = True,
) -> dict[str, Any]:
    """The data sets of `landscape_spec`, with the 1-based `epoch` chosen.

    is_read: with the points whose numbers the pointer reads; a hand that moves reads none.
    """
    x, y, error = found.x, found.y, found.error
    left, right, bottom, top = (float(v) for v in (x[0], x[-1], y[0], y[-1]))

    def way(run: History) -> tuple[Array, Array, Array]:
        kept = np.unique(np.linspace(0, run.epochs - 1, min(run.epochs, _MOST)).round().astype(int))
        values = [path_of(run, name)[kept] for name in (across, up)]
        inside = (left <= values[0]) & (values[0] <= right)
        inside &= (bottom <= values[1]) & (values[1] <= top)
        shown = len(kept) if inside.all() else int(np.argmin(inside))  # up to the picture's edge
        return kept[:shown] + 1, values[0][:shown], values[1][:shown]

    ways = [(f"{rate:g}", *way(run)) for rate, run in compared.items()]
    ways = [one for one in ways if len(one[1])]
    ends = np.array([(xs[-1], ys[-1]) for *_, xs, ys in ways]).reshape(-1, 2)
    own_epochs, own_x, own_y = way(history)
    row = history.row(epoch)
    slope = np.array([row[f"∂E/∂{name}"] for name in (across, up)])
    size = np.array([right - left, top - bottom])
    length = float(np.linalg.norm(slope / size)) or np.inf  # a flat place has no arrow
    point = np.array([path_of(history, name)[epoch - 1] for name in (across, up)])
    tip = point - 0.12 * slope / length
    # Up is 0 for a triangle, clockwise; the picture is about twice as wide as it is high.
    turned = np.degrees(np.arctan2(*((tip - point) / size * [2.0, 1.0])))
    every = _READ if is_read else SIZE
    read_x, read_y = np.meshgrid(x[::every], y[::every])
    return {
        "picture": as_table(
            {"x": [left], "x2": [right], "y": [bottom], "y2": [top], "url": [_url(found)]}
        ),
        "key": as_table(
            {
                "x": [left, right],
                "y": [bottom, top],
                "E_total": [float(error.min()), float(error.max())],
            }
        ),
        "ways": as_table(
            {
                "eta": [eta for eta, epochs, *_ in ways for _ in epochs],
                "epoch": _joined([epochs for _, epochs, *_ in ways]),
                "x": _joined([xs for *_, xs, _ in ways]),
                "y": _joined([ys for *_, ys in ways]),
            }
        ),
        "ends": as_table(
            {
                "name": _names([eta for eta, *_ in ways], ends / size),
                "x": ends[:, 0],
                "y": ends[:, 1],
            }
        ),
        "path": as_table({"epoch": own_epochs, "x": own_x, "y": own_y}),
        "here": as_table(
            {
                "x": point[:1],
                "y": point[1:],
                "to_x": tip[:1],
                "to_y": tip[1:],
                "angle": [float(turned)],
                "spoken": [f"epoch {epoch}: {across} = {point[0]:.6g}, {up} = {point[1]:.6g}"],
            }
        ),
        "read": as_table(
            {
                "x": read_x.ravel(),
                "y": read_y.ravel(),
                "across": [f"{across} = {value:.4g}" for value in read_x.ravel()],
                "up": [f"{up} = {value:.4g}" for value in read_y.ravel()],
                "E_total": error[::every, ::every].ravel(),
            }
        ),
    }


def _names(rates: Sequence[str], ends: Array) -> list[str]:
    """Names of the ends, from the last to the first, but of none that lies on a named one.

    ends: as shares of the picture's sides, shape (rates, 2).
    """
    named: list[int] = []
    for i in reversed(range(len(rates))):
        if all(np.linalg.norm(ends[i] - ends[k]) > _APART for k in named):
            named.append(i)
    return [f"η = {rate}" if i in named else "" for i, rate in enumerate(rates)]


def _joined(parts: Sequence[Array]) -> Array:
    return np.concatenate(parts) if parts else np.array([], dtype=np.float64)


def _url(found: Landscape) -> str:
    """The contours as a picture, one colour between two levels."""
    from PIL import Image  # late, as it takes longer than the page's first numbers may

    levels = contour_levels(found.error)
    values = Image.fromarray(found.error[::-1].astype(np.float32))
    side = found.error.shape[0] * _SHARP
    fine = np.asarray(values.resize((side, side), Image.Resampling.BICUBIC))
    bands = np.searchsorted(levels.astype(np.float32), fine).astype(np.uint8)
    picture = Image.fromarray(bands, "P")
    share = np.linspace(0, 1, len(levels) + 1)[:, np.newaxis]
    colours = (1 - share) * np.array(_LOW) + share * np.array(_HIGH)
    picture.putpalette(colours.round().astype(np.uint8).ravel().tolist())
    file = io.BytesIO()
    picture.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
