"""Values that somebody makes up: texts, numbers, JSON, addresses. All drawn from a seed."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote, quote_plus, urlencode

from core.ui.settings import Choice, Choices, Name, Names, Number, Numbers, Setting, Settings

NUMBERS = [0, 1, -1, 2**31, 2**63 - 1, 1e308, -1e-308, math.inf, math.nan, 3.5]
TEXTS = ["", "0", "nan", "../../etc/passwd", "<img src=x onerror=alert(1)>", "\0", "9" * 5000]
TEXTS += ["{}", "[[[[", "network", "eta", "Published, shipped", "٣", "compact", "log", "random"]
NAMES = ["edit", "rest", "draw", "choose", "look", "chosen", "request", "drawing", "selection"]
NAMES += ["name", "value", "does", "landed", "numberFirst", "number", "left", "restore", "raw"]
NAMES += ["objects", "data", "rows", "picked", "edited_rows", "added_rows", "deleted_rows", "path"]

# What a page would make something of if it took it for its own words. None is cut by `cut`.
MARKUP = [
    "<script>zqx()</script>",
    "<img src=x onerror=zqx()>",
    "<b>zqx</b>",
    "[zqx](https://zqx.example)",
    "![zqx](//zqx.example/p.png)",
    "**zqx**",
    "# zqx",
    "$zqx$",
    "$$\\frac{zqx}{2}$$",
    ":red[zqx]",
    ":material/zqx:",
    "`zqx`",
    "https://zqx.example",
    "[[zqx]]: //zqx.example",
    "<https://zqx.example>",
    "a@zqx.example",
    "|zqx|\n|-|",
    "&lt;zqx&gt;",
    "javascript:zqx()",
]
NEARLY = [
    *("1e999", "-1e999", "1e308", "-1e308", "5e-324", "1e-999", "-0", "+0", "0x10", "1_000", "1e5"),
    *("nan", "NaN", "inf", "-inf", "Infinity", "1/0", "0/0", "1/3", "1/2/3", "1e308/1e-308", "½"),
    *("²", "٣", "١٬٠٠٠", "𝟗", "९", "①", "五", "−0.5", "0,5", "1,000", "1.000,5", ".5", "5.", "e5"),
    *(" 1 ", "1\n2", "1\0", "\ufeff1", "\u202e1", "1;2", "1 , 2", "true", "True", "None", "null"),
    *("9" * 400, "9" * 4400, "0." + "1" * 400, "-" * 50, "1" + "e1" * 50, "10001", "-1", "50.0"),
]
PLACES = [
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\boot.ini",
    "file:///etc/passwd",
    "~/.ssh",
]
ODD = ["\0", "\x1b[31m", "\u202e", "\ufffe", "\ufffd", "𝒳", "é" * 30]
SURROGATE = "\ud800"  # which JSON can write, and no text that is sent can hold
PINS = [
    "none",
    "defaults",
    "eta=0.5&w1=0.3",
    "eta=x",
    "pin=eta=2",
    "=",
    "eta==",
    "&&&",
    "eta=1;w1=2",
]
LONG = 20_000  # characters; a browser sends an address of so many


def drawn(seed: str) -> random.Random:
    """What is drawn from `seed`: the same in every run."""
    return random.Random(seed)  # noqa: S311 (no secret)


def anything(rng: random.Random, depth: int = 0) -> object:
    """A value of JSON, with the names that our components use in it."""
    kind = rng.randrange(7 if depth < 4 else 4)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice(NUMBERS)
    if kind in (2, 3):
        return rng.choice([*TEXTS, *NAMES])
    if kind == 4:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return object_of(rng, depth)


def object_of(rng: random.Random, depth: int) -> dict[str, object]:
    return {rng.choice(NAMES): anything(rng, depth + 1) for _ in range(rng.randrange(6))}


def edits(rng: random.Random) -> dict[str, object]:
    """Of a table, as its editor tells them: rows added."""
    columns = ["from epoch", "η"]
    added = [{rng.choice(columns): anything(rng, 3)} for _ in range(rng.randrange(3))]
    return {"edited_rows": {}, "added_rows": added, "deleted_rows": []}


def allowed(rng: random.Random, setting: Setting) -> str:
    """A text that the setting reads, as a link has it."""
    match setting:
        case Choice(options=options):
            return rng.choice(options)
        case Choices(options=options):
            return " ".join(rng.sample(options, rng.randrange(len(options) + 1)))
        case Number(low=low, high=high, whole=True):
            return str(rng.choice([int(low), int(high), rng.randint(int(low), int(high))]))
        case Number(low=low, high=high):
            return repr(rng.choice([low, high, rng.uniform(low, high)]))
        case Numbers(low=low, high=high, most=most):
            return " ".join(repr(rng.uniform(low, high)) for _ in range(rng.randint(1, most)))
        case Name() | Names():
            return rng.choice(["published", "compact", "fc-head", "gone", "published compact"])
    return rng.choice([*PINS, "20=0.5", "20=0.5 30=1/2", "1=0", "10000=1000"])


def broken(rng: random.Random, text: str) -> str:
    """The text with a few signs gone, doubled, or others."""
    signs = list(text)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(signs) + 1)
        match rng.randrange(3):
            case 0:
                del signs[place : place + rng.randint(1, 3)]
            case 1:
                signs[place:place] = signs[place : place + 3] * rng.randint(1, 4)
            case _:
                signs.insert(place, rng.choice([*"0.,-+e/=& %<>\"'`*[](){}$:\\#|", *ODD]))
    return "".join(signs)


def long(rng: random.Random, text: str) -> str:
    """Text of many signs, of the kinds that a careless pattern takes very long for."""
    piece = rng.choice(
        ["9", " ", "1 ", "/", " /", "1=1 ", "%", "<b>", "a-", "\t\n", "1,", text, "é"]
    )
    ends = rng.choice(["", "x", "/x", "=", "1"])
    return (piece or "0") * (LONG // len(piece or "0")) + ends


def text_for(rng: random.Random, setting: Setting) -> str:
    """A text for a setting: one that it reads, one that nearly is, or anything at all."""
    match rng.randrange(8):
        case 0:
            return allowed(rng, setting)
        case 1:
            return broken(rng, allowed(rng, setting))
        case 2:
            return rng.choice(NEARLY)
        case 3:
            return rng.choice(MARKUP)
        case 4:
            return rng.choice([*PLACES, *ODD, *TEXTS])
        case 5:
            return rng.choice(MARKUP) + rng.choice(NEARLY)
        case 6 if rng.random() < 0.2:
            return long(rng, allowed(rng, setting))
        case _:
            signs = [
                chr(rng.choice([rng.randrange(128), rng.randrange(0xD800)])) for _ in range(12)
            ]
            return "".join(signs[: rng.randrange(13)])


def nested(rng: random.Random, own: Sequence[Setting]) -> str:
    """A query in a query, some levels deep."""
    inner = urlencode(
        {one.name: text_for(rng, one) for one in rng.sample(own, rng.randrange(1, 4))}
    )
    for _ in range(rng.randrange(4)):
        inner = urlencode({"pin": inner, rng.choice(["eta", "w1", "pin"]): rng.choice(NEARLY)})
    return inner


def address(rng: random.Random, page: Settings) -> str:
    """The query of an address, as it is typed: pairs in any order, names twice, bad escapes."""
    own = [page.spec(name) for name in page.defaults()]
    pairs = []
    for setting in rng.choices(own, k=rng.randint(1, 4)):
        is_pin = setting.name == "pin" and rng.random() < 0.7
        value = nested(rng, own) if is_pin else text_for(rng, setting)
        pairs.append(f"{_escaped(rng, setting.name)}={_escaped(rng, value)}")
    others = [*MARKUP, *PLACES, "utm_source", "", "__proto__", "__class__", "embed", "pin.pin"]
    if rng.random() < 0.3:
        pairs.append(f"{_escaped(rng, rng.choice(others))}={_escaped(rng, rng.choice(TEXTS))}")
    if rng.random() < 0.1:
        pairs.append(rng.choice(["%", "%zz=%", "&&=&", "a=%f0%28", "=", "eta", "eta=%00", ";"]))
    rng.shuffle(pairs)
    return "&".join(pairs)


def _escaped(rng: random.Random, text: str) -> str:
    """As browsers do, as forms do, or hardly: what a query needs to stay one."""
    how = rng.choice([quote, quote_plus, lambda t: t.replace("%", "%25").replace("&", "%26")])
    return how(text)


def bodies(texts: Iterable[str]) -> list[str]:
    """Those in which something of MARKUP stands, not escaped, and so is made something of."""
    bare = {text: re.sub(r"\\.", "\0", text) for text in texts}
    return [text for text, rest in bare.items() if any(raw in rest for raw in MARKUP)]
