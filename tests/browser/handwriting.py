"""Every form of `tests.strokes`, drawn by Chromium's canvas and read as the sketch page does."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from playwright.sync_api import Browser
from torch import nn

from core.mnist.evaluation import log_probabilities
from core.mnist.sketch import to_mnist
from tests.strokes import FORMS, Form

Points = npt.NDArray[np.float64]

SIDE = 320  # px, of the canvas
PEN = 20  # px, as the page has it at first
HEIGHT = 200  # px, of a drawing with care, ink and all
HEIGHTS = (80.0, 290.0)
PENS = (6.0, 34.0)
PEN_SHARES = (0.03, 0.2)  # of the height; a wider pen would fill the holes of a digit
ASPECTS = (0.8, 1.25)
SLANT, TURN = 20.0, 8.0  # degrees, to either side
WOBBLE = 0.008  # of the height, standard deviation
BATCH = 50  # drawings for each call of the browser; one has 100 kB

# Draws between the middles of neighbouring points, each point bending its curve: the way of
# fabric.js's PencilBrush, which streamlit-drawable-canvas uses. Answers with the red of all pixels.
DRAW = """async ([drawings, side]) => {
  const canvas = new OffscreenCanvas(side, side);
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.lineCap = pen.lineJoin = 'round';
  pen.strokeStyle = 'white';
  pen.fillStyle = 'black';
  const ink = new Uint8Array(drawings.length * side * side);
  drawings.forEach(({ width, strokes }, number) => {
    pen.fillRect(0, 0, side, side);
    pen.lineWidth = width;
    for (const points of strokes) {
      pen.beginPath();
      pen.moveTo(...points[0]);
      for (let i = 1; i < points.length; i += 1) {
        const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
        pen.quadraticCurveTo(ax, ay, (ax + bx) / 2, (ay + by) / 2);
      }
      pen.lineTo(...points.at(-1));
      pen.stroke();
    }
    const pixels = pen.getImageData(0, 0, side, side).data;
    for (let i = 0; i < side * side; i += 1) ink[number * side * side + i] = pixels[4 * i];
  });
  const reader = new FileReader();
  const read = new Promise((done) => { reader.onload = done; });
  reader.readAsDataURL(new Blob([ink]));
  await read;
  return reader.result.split(',')[1];
}"""


@dataclass(frozen=True)
class Drawing:
    """form: its name in FORMS; image: (320, 320), ink 255 on 0; pen: its width in px."""

    form: str
    digit: int
    image: npt.NDArray[np.uint8]
    pen: float


@dataclass(frozen=True)
class _Plan:
    """What the browser is to draw; strokes: each (N, 2), px from the canvas's top left corner."""

    form: str
    strokes: list[Points]
    pen: float


def default_drawings(browser: Browser) -> list[Drawing]:
    """Each form once, HEIGHT high and in the middle, with a pen of PEN."""
    plans = []
    for name, form in FORMS.items():
        strokes = _arrays(form)
        plans.append(_Plan(name, _place(strokes, HEIGHT, PEN, np.array([0.5, 0.5])), PEN))
    return _draw(browser, plans)


def jittered_drawings(browser: Browser, per_form: int = 20, seed: int = 0) -> list[Drawing]:
    """Each form `per_form` times in hands, sizes, places and pens drawn from the seed.

    A drawing may touch the border of the canvas, and does not cross it.
    """
    rng = np.random.default_rng(seed)
    return _draw(
        browser, [_vary(name, form, rng) for name, form in FORMS.items() for _ in range(per_form)]
    )


def read(model: nn.Module, drawings: Sequence[Drawing]) -> list[int]:
    """The network's answers, 0 to 9."""
    images = np.stack([to_mnist(drawing.image) for drawing in drawings])
    answers: list[int] = log_probabilities(model, torch.from_numpy(images)).argmax(1).tolist()
    return answers


def accuracy(drawings: Sequence[Drawing], answers: Sequence[int]) -> float:
    """The share read rightly, 0 to 1; NaN of no drawings."""
    right = [drawing.digit == answer for drawing, answer in zip(drawings, answers, strict=True)]
    return sum(right) / len(right) if right else float("nan")


def _arrays(form: Form) -> list[Points]:
    return [np.array(stroke) for stroke in form.strokes]


def _vary(name: str, form: Form, rng: np.random.Generator) -> _Plan:
    aspect = np.exp(rng.uniform(*np.log(ASPECTS)))
    slant, turn = np.radians(rng.uniform([-SLANT, -TURN], [SLANT, TURN]))
    lean = np.array([[aspect, -np.tan(slant)], [0, 1]])  # y points down: a positive slant is to /
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    strokes = [_wobbled(stroke, rng) @ (rotation @ lean).T for stroke in _arrays(form)]
    width, tall = np.ptp(np.concatenate(strokes), axis=0)
    height = min(rng.uniform(*HEIGHTS), SIDE / max(1, width / tall))
    low, high = (share * height for share in PEN_SHARES)
    pen = rng.uniform(max(PENS[0], low), min(PENS[1], high))
    place = np.clip(rng.uniform(-0.1, 1.1, 2), 0, 1)  # a sixth of them touch left or right
    return _Plan(name, _place(strokes, height, pen, place), pen)


def _wobbled(points: Points, rng: np.random.Generator) -> Points:
    """The stroke (N, 2) of a hand that trembles: four waves along it, 0.5 to 2.5 to the height."""
    along = np.cumsum([0, *np.linalg.norm(np.diff(points, axis=0), axis=1)])[:, None]
    frequency = rng.uniform(0.5, 2.5, (4, 1, 1))
    phase = rng.uniform(0, 2 * np.pi, (4, 1, 2))
    size = rng.normal(0, WOBBLE / np.sqrt(2), (4, 1, 2))
    waves = size * np.sin(2 * np.pi * frequency * along + phase)
    trembling: Points = points + waves.sum(axis=0)
    return trembling


def _place(strokes: list[Points], height: float, pen: float, place: Points) -> list[Points]:
    """Scale to `height` px, ink and all.

    place: x, y of the ink within the canvas: 0 touches left or top, 1 right or bottom.
    """
    points = np.concatenate(strokes)
    corner, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = (height - pen) / extent[1]
    origin = pen / 2 + place * (SIDE - pen - scale * extent)
    return [origin + scale * (stroke - corner) for stroke in strokes]


def _draw(browser: Browser, plans: Sequence[_Plan]) -> list[Drawing]:
    page = browser.new_page()
    images = []
    for start in range(0, len(plans), BATCH):
        batch = [
            {"width": plan.pen, "strokes": [stroke.round(2).tolist() for stroke in plan.strokes]}
            for plan in plans[start : start + BATCH]
        ]
        ink = base64.b64decode(page.evaluate(DRAW, [batch, SIDE]))
        images += list(np.frombuffer(ink, np.uint8).reshape(-1, SIDE, SIDE))
    page.close()
    return [
        Drawing(plan.form, FORMS[plan.form].digit, image, plan.pen)
        for plan, image in zip(plans, images, strict=True)
    ]
