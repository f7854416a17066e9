"""What a header, a label or a line of text means: which quantity of network.py, which numbers.

This module knows how people write the names of this exercise, in several languages, and no cells.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from core.backprop.network import WEIGHTS
from core.workbook.exercise.quantities import NEXT, SLOPE, opposite
from core.workbook.formula import numerals
from core.workbook.formula.numerals import UNSIGNED, WITH_POINT

# What words of other languages, and long ones, are called in the patterns below. A word is taken
# whole; of a script without spaces, anywhere.
_VOCABULARY = {
    "epoch": "epoche epoca epoque iteration iterazione iteracion iteracao schritt durchlauf "
    "paso etape passo epoka tijdperk devir adim эпоха шаг итерация 轮次 轮数 周期 迭代 エポック "
    "回数 에포크 युग خطوة",
    "w": "weight weights startgewicht startgewichte gewicht gewichte peso pesos pesi poids waga "
    "wagi gewichten agirlik вес веса 权重 重み 가중치 भार وزن الوزن",
    "in": "input inputs eingang eingabe entrada entradas entree entrees ingresso wejscie invoer "
    "girdi giris вход входы 输入 入力 입력 इनपुट مدخل المدخل",
    "t": "target targets ziel zielwert sollwert soll objetivo objetivos alvo meta cible cibles "
    "obiettivo bersaglio cel doel hedef цель цели 目标 目標 期望 목표 लक्ष्य expected desired هدف "
    "الهدف",
    "hidden": "verborgen verdeckt oculta oculto cachee cache nascosto nascosta ukryta ukryty "
    "gizli скрытый скрытая скрытого 隐藏层 隐藏 隠れ層 隠れ 은닉",
    "out": "aus sal output outputs ausgabe ausgang salida sortie saida uscita wyjscie uitvoer "
    "cikti cikis выход 输出层 输出 出力 출력 आउटपुट activation aktivierung activacion ativacao "
    "attivazione aktywacja активация 激活 活性化 مخرج المخرج",
    "net": "netto netz neto nette netzeingabe nettoeingabe netinput netin preactivation "
    "взвешенная 净输入 加权和 線形和 総入力",
    "sum": "summe suma somme soma somma toplam сумма 求和 合計",
    "err": "error errors fehler erreur errore erro fout hata blad loss cost verlust perdida "
    "perte ошибка ошибки потери 误差 损失 誤差 損失 오차 손실 त्रुटि خطأ الخطأ",
    "total": "gesamt totale totaal toplami calkowity calkowita общая суммарная всего 总 全 합계 कुल "
    "كلي الكلي",
    "grad": "gradient gradients gradiente gradienti gradyan градиент 梯度 勾配 기울기 derivative "
    "ableitung derivada derivee derivata pochodna afgeleide turev производная 导数 微分 تدرج "
    "التدرج",
    "delta": "deltas fehlersignal дельта 德尔塔 デルタ",
    "d": "partial partielle parcial parziale",
    "η": "learningrate lernrate tasadeaprendizaje taxadeaprendizagem taxadeaprendizado "
    "tauxdapprentissage tassodiapprendimento leersnelheid wspolczynnikuczenia szybkoscuczenia "
    "ogrenmeorani ogrenmehizi скоростьобучения 学习率 学習率 학습률 सीखनेकीदर eta lr alpha α",
    "errtotal": "gesamtfehler totalfehler fehlersumme totalerror",
    "": "层 層 neuron value wert valor valeur valore",
}
_NUMERALS = {"one": "1", "two": "2", "eins": "1", "zwei": "2"}


def _plain(text: str) -> str:
    """Lower case, without accents, subscripts as digits, Greek as the patterns have it."""
    text = _CAMEL.sub(" ", unicodedata.normalize("NFKC", text))
    text = _LATEX.sub(" ", text.replace(r"\partial", "∂")).translate(_TO_LATIN).casefold()
    return "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)
    ).translate(_TO_LATIN)


_CAMEL = re.compile("(?<=[a-z])(?=[A-Z])")
_LATEX = re.compile(r"\\(?:frac|text|mathrm|mathbf|left|right|displaystyle)|[{}$]")
_TO_LATIN = str.maketrans(
    {
        **dict.fromkeys("∂δðΔ∇𝛿", " d "),
        **{"σ": "sig", "ς": "sig", "ƞ": "η", "Σ": "sum", "∑": "sum", "ı": "i", "ł": "l", "đ": "d"},
    }
)
_WORDS: dict[str, str] = {
    _plain(word): short for short, words in _VOCABULARY.items() for word in words.split()
} | _NUMERALS
_LATIN = {word: short for word, short in _WORDS.items() if re.fullmatch("[a-zη]+", word)}
_OTHER = re.compile("|".join(sorted(_WORDS.keys() - _LATIN.keys(), key=len, reverse=True)))
_PHRASES = re.compile(
    r"learning[ _-]*rate|taux +d.?apprentissage|tasa +de +aprendizaje|tassa? +d\w+ +apprendimento|"
    r"taxa +de +aprendi\w+|tasso +di +apprendimento|wspolczynnik +uczenia|szybkosc +uczenia|"
    r"ogrenme +(?:orani|hizi)|معدل +التعلم|скорость +обучения|सीखन\w* +क\w* +दर"
)
_VIETNAMESE = {
    **{"dau vao": "in", "dau ra": "out", "muc tieu": "t", "trong so": "w", "toc do hoc": "η"},
    **{"tong loi": "errtotal", "loi ": "err "},
}
_SMALL = re.compile(r"\b(?:of|von|der|des|de|du|di|da|do|del|della|la|le|el|van|the) +(?=\w)")

_LOSS = r"(?:e|l|j|c|err)"
_TOTAL = r"(?:t|to|tot|total|sum|all)"
_NET = r"(?:net|z|in|sum|pre|preact|raw|netin)"
_OUT = r"(?:a|act|activated|out|sig|sigm|sigmoid|f|g|s|phi)"
_GRAD = r"(?:(?:g|grad)(?:of)?)?"
_OLD = r"(?:old|cur|current|prev)"
_PATTERNS = [
    (r"(?:in|inp|feature)?(?:i|x)([12])|ine?([12])|inp([12])", "i{}"),
    (r"t[oz]([12])", "t{}"),
    (r"(?:t|tgt|tar|targ)?(?:t|y)(?:true)?([12])|(?:tgt|tar|targ|label)([12])", "t{}"),
    (rf"{_OLD}?w?(?:w|wt)([1-8])(?:{_OLD}|t|k|n)?", "w{}"),
    (rf"{_GRAD}(?:d?{_LOSS}{_TOTAL}?)?(?:by|over|wrt)?dw(?:t)?([1-8])", "∂E/∂w{}"),
    (rf"{_GRAD}d?{_LOSS}{_TOTAL}?(?:by|over|wrt)?w([1-8])", "∂E/∂w{}"),
    (r"de1dw([56])|de2dw([78])", "∂E/∂w{}"),
    (rf"d?{_LOSS}{_TOTAL}?(?:by|over|wrt)?d?{_OUT}([oh][12])|de1da(o1)|de2da(o2)", "∂E/∂out_{}"),
    (rf"d{_OUT}([oh][12])d{_NET}?\1", "out_{0}(1−out_{0})"),
    (rf"d?{_LOSS}?(?:by|over|wrt)?d(?:elta|net|z)?([oh][12])|(?:d|delta)elta([oh][12])", "∂E/∂{}"),
    (
        r"(?:g|grad|slope)(?:of|by|wrt|nach)?w([1-8])|(?:by|wrt|nach)w([1-8])|w([1-8])grad|"
        r"grad([1-8])|g([1-8])",
        "∂E/∂w{}",
    ),
    (
        rf"(?:hidden)?{_NET}?h([12]){_NET}?|(?:hidden|neuronh){_NET}?([12])|{_NET}hidden([12])",
        "h{}",
    ),
    (rf"(?:(?:out|o)?{_NET})?o([12]){_NET}?|{_NET}out([12])|out{_NET}([12])", "o{}"),
    (
        rf"(?:hidden)?(?:{_OUT}|o)h([12])|h([12]){_OUT}|(?:{_OUT})hidden([12])|hidden{_OUT}([12])|"
        rf"hidden([12]){_OUT}",
        "out_h{}",
    ),
    (
        rf"(?:out)?{_OUT}o([12])|o([12]){_OUT}|oo([12])|out([12]){_OUT}|{_OUT}out([12])|"
        r"(?:a|out)0([12])",
        "out_o{}",
    ),
    (r"out([12])|(?:pred|prediction|predicted|yhat|ypred)o?([12])|(?:pred|out)y([12])", "out_o{}"),
    (rf"(?:err)?{_LOSS}o?([12])", "E{}"),
    (
        rf"(?:err)?{_LOSS}{_TOTAL}?|{_TOTAL}{_LOSS}|total|sige|mse|sse|e1e2|errerr|"
        rf"{_LOSS}{_TOTAL}e1e2|errtotale|totalerre",
        "E_total",
    ),
    (
        r"(?:epochs?|steps?|iter|iterations?|it|n|no|nr|num|number|round|cycle|index)",
        "epoch",
    ),
    (r"η+|(?:rate|stepsize)η?|ηrate", "η"),
]
_NAMES = [(re.compile(pattern), name) for pattern, name in _PATTERNS]
_SYMBOL = re.compile(r"(?<![a-z0-9])(w[1-8]|[iexy][12]|t[12]|out_?[ho][12]|[ho][12])(?![a-z0-9])")
_BRACKETS = re.compile(r"\s*[\^_]?[(\[{][^)\]}]*[)\]}]")
_SLOPE = re.compile(
    r"(?:σ|sigm?|sigmoid|f|φ|g)\s*['′’]\s*\(?\s*_?(?:net_?|z_?)?([oh][12])\s*\)?", re.IGNORECASE
)
"""The derivative of an activation: σ′(o1)."""
_NEXT = re.compile(
    r"(?<=\d)\s*[+′’']\s*$|"
    r"new|next|updat|nuevo|novo|nouveau|nuovo|neu(?:e|es|er)?\b|yeni|nowa|nieuw|нов|新|[kt] ?\+ ?1",
    re.IGNORECASE,
)


def quantity(text: str) -> str | None:
    """The name of `COLUMNS`, "epoch" or "η" that a header means; None if it means none of them.

    What stands on the way to a gradient is called as in reading.py: "∂E/∂o1", "∂E/∂out_h1". A
    gradient with a minus before it is "−∂E/∂w1", and the weight after the step "w1′".

    >>> [quantity(header) for header in ("a_h1", "E∂w3", "δE/δw3", "Etot", "net h2", "Notes")]
    ['out_h1', '∂E/∂w3', '∂E/∂w3', 'E_total', 'h2', None]
    """
    return _meant(text[:80])


@lru_cache(maxsize=4096)  # a label is looked at by each that seeks tables
def _meant(text: str) -> str | None:
    text = unicodedata.normalize("NFKC", text).strip()
    if slope := _SLOPE.fullmatch(text):
        return SLOPE[slope[1].lower()]
    if _NEXT.search(text):
        return _next_weight(text)
    for part in _readings(text):
        if found := _quantity(part):
            return found
    return None


def _next_weight(text: str) -> str | None:
    """The name of a weight after the step: "w1 (new)" is not the w1 of its row."""
    rest = re.sub(r"[(\[{)\]}]", " ", _NEXT.sub(" ", text))
    found = _quantity(re.sub(r"\bweights?\b", " ", rest, flags=re.IGNORECASE))
    return NEXT.get(found or "")


def symbol(text: str) -> str | None:
    """The one symbol, w1 or E2, in a text whose words are not known; None without, or with more."""
    if _NEXT.search(text) or any(c in text for c in "∂δΔ∇𝛿"):
        return None
    words = _translated(text[:80])
    found = set(_SYMBOL.findall(words))
    known = set(re.findall("[a-zη]+", _SYMBOL.sub(" ", words))) & {*_WORDS.values(), "d"}
    return _quantity(found.pop()) if len(found) == 1 and not known else None


def _readings(text: str) -> list[str]:
    """Ways to read a text: as it stands, with what its brackets say, without, and each line."""
    bare = _BRACKETS.sub("", text)
    inside = re.sub(r"[(\[{)\]}]", " ", text)
    return list(dict.fromkeys((text, inside, bare, *text.splitlines())))


def _quantity(text: str) -> str | None:
    text = text.split("=")[0]
    minus = text.strip(" $")[:1] in ("-", "−")
    plain = re.sub(r"[\W_]", "", _translated(text))
    for pattern, name in _NAMES:
        if match := pattern.fullmatch(plain):
            found = name.format(next(filter(None, match.groups()), ""))
            return found if not minus else opposite(found) if found[0] == "∂" else None
    return None


def counted_from_one(texts: Sequence[str]) -> list[str]:
    """Headers whose indices start at 0, as a program's do, with those that start at 1.

    w[0] … w[7] become w1 … w8; fc1.weight[0,1], a weight from input 1 to node 0, becomes w2.
    """
    texts = [_flattened(text) for text in texts]
    stems: dict[str, set[int]] = {}
    parts = [re.fullmatch(r"(.*?\D)[\[_.( ]?(\d)[\])]?", text.strip()) for text in texts]
    for part in parts:
        if part:
            stems.setdefault(part[1].rstrip("[_.( "), set()).add(int(part[2]))
    return [
        f"{stem}{int(part[2]) + 1}"
        if part and stems[stem := part[1].rstrip("[_.( ")] in ({0, 1}, set(range(8)))
        else text
        for part, text in zip(parts, texts, strict=True)
    ]


_ARRAY = re.compile(
    r"(d|g|grad|de/d|dl/d|∂e/∂)?[_ ]?(w|weights?|z|net|a|act|out)_?([12])\s*"
    r"[\[(]\s*([01])\s*(?:[,\]\[)(\s]+\s*([01])\s*)?[\])]"
)
"""A program's arrays, counted from 0: W1[0,1], dW2[1][0], z1[0]."""


def _flattened(text: str) -> str:
    """fc2.weight.grad[1,0] is the gradient of w7: of layer 2, to node 1, from node 0.

    So are w11 … w22 of the first layer and v11 … v22 of the second; from 1.
    """
    plain = re.fullmatch(
        r"(d|g|grad|dl?/?d|de/?d)?[_ ]?([wvu])[_ ]?([12])[_, ]?([12])", text.casefold()
    )
    if plain:
        grad, layer, to, source = plain.groups()
        first = 4 * (layer != "w") + 2 * int(to) + int(source) - 2
        return ("dw" if grad else "w") + str(first)
    array = _ARRAY.fullmatch(text.strip().casefold())
    if array:
        grad, kind_of, layer, row, column = array.groups()
        if kind_of.startswith("w") and column is not None:
            number = 1 + 4 * (int(layer) - 1) + 2 * int(row) + int(column)
            return ("dw" if grad else "w") + str(number)
        if column is None and not grad and kind_of in ("z", "net", "a", "act", "out"):
            node = "ho"[int(layer) - 1] + str(int(row) + 1)
            return f"{'net' if kind_of in ('z', 'net') else 'out'}_{node}"
    match = re.fullmatch(
        r"\W*(?:fc|layer|linear|l)_?([12])[._ ]*w(?:eights?)?([._ ]*grad\w*)?\W+([01])\W+([01])\W*",
        text.strip().casefold(),
    )
    if not match:
        return text
    layer, grad, to, source = match.groups()
    return ("dw" if grad else "w") + str(1 + 4 * (int(layer) - 1) + 2 * int(to) + int(source))


def _translated(text: str) -> str:
    """The text in plain letters, with the words of the patterns."""
    plain = _PHRASES.sub(" η ", _plain(text))
    for phrase, short in _VIETNAMESE.items():
        plain = plain.replace(phrase, f" {short} ")
    plain = _OTHER.sub(lambda word: f" {_WORDS[word[0]]} ", _SMALL.sub("", plain))
    return re.sub(r"[a-zη]+", lambda word: _short(word[0]), plain)


def _short(word: str) -> str:
    """A word as the patterns have it; endings, "Gradienty", are forgiven to long ones."""
    for end in (len(word), len(word) - 1, len(word) - 2):
        if end > (5 if end < len(word) else 0) and word[:end] in _LATIN:
            return _LATIN[word[:end]]
    return word


def kind(text: str) -> str:
    """What a heading over several columns says that they are, as a word before their own."""
    words = re.findall("[a-zη]+", _translated(text[:60]))
    for short, tells in (
        ("d", ("delta",)),
        ("grad", ("grad", "d", "dedw")),
        ("err", ("err", "e")),
        ("hidden", ("hidden",)),
        ("out", ("out", "sigmoid", "sig", "act", "activated")),
        ("net", ("net", "sum", "z")),
        ("in", ("in", "i")),
        ("t", ("t",)),
        ("w", ("w",)),
    ):
        if set(tells) & set(words):
            return short
    return ""


_HIDDEN, _OUTER = r"(?:h|1|hidden|inh|ih|xh)", r"(?:o|2|out|hout|ho|hiddenout|y)"
_MATRICES = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"in|i|x|ins|inx", "x"),
        (r"t|tt|ty|y", "t"),
        (rf"(?:hidden)?w(?:eights)?{_HIDDEN}|hiddenw", "W1"),
        (rf"(?:out)?w(?:eights)?{_OUTER}|outw", "W2"),
        (rf"(?:{_NET}{_HIDDEN}|{_HIDDEN}{_NET}|h)", "h"),
        (rf"(?:{_OUT}{_HIDDEN}|{_HIDDEN}{_OUT}|{_OUT}{_NET}{_HIDDEN})", "out_h"),
        (rf"(?:{_NET}{_OUTER}|{_OUTER}{_NET}|o)", "o"),
        (rf"(?:{_OUT}{_OUTER}|{_OUTER}{_OUT}|{_OUT}{_NET}{_OUTER}|yhat|ypred|pred|out)", "out_o"),
        (r"e|err|errs", "E"),
        (rf"d(?:elta)?{_OUTER}|d{_LOSS}d{_NET}?{_OUTER}", "δo"),
        (rf"d(?:elta)?{_HIDDEN}|d{_LOSS}d{_NET}?{_HIDDEN}", "δh"),
        (rf"(?:grad|g|d{_LOSS}{_TOTAL}?d?|d)w{_HIDDEN}", "dW1"),
        (rf"(?:grad|g|d{_LOSS}{_TOTAL}?d?|d)w{_OUTER}", "dW2"),
    )
]


def matrix(text: str) -> str | None:
    """The name of matrices.py for a label over a matrix, or a vector, of numbers; else None.

    >>> [matrix(label) for label in ("W1", "W_ho", "a_h", "σ(o)", "δ_h", "∂E/∂W2", "Epoch 3")]
    ['W1', 'W2', 'out_h', 'out_o', 'δh', 'dW2', None]
    """
    text = unicodedata.normalize("NFKC", text[:40]).split("=")[0]
    for part in _readings(text):
        plain = re.sub(r"[\W_]", "", _translated(part))
        for pattern, name in _MATRICES:
            if pattern.fullmatch(plain):
                return name
    return "E_total" if quantity(text) == "E_total" else None


_RATE = re.compile(
    r"\W*(?:η|eta|lr|α|alpha|(?:learn(?:ing)?[ _-]?)?rate)(?:\s*\(?(?:η|eta|lr|α|alpha)\)?)?"
    rf"[\s_:=of-]*(?P<number>{UNSIGNED})\W*",
    re.IGNORECASE,
)


_LOSS_BEFORE = re.compile(r"^(?:e|err|error|loss|cost)[ _]?(?:t|tot|total)?\W+", re.IGNORECASE)


def rate_in(text: str) -> float | None:
    """The number in a text such as "LR=0.1", "η = 0,5" or "loss (lr=0.5)"; else None."""
    text = unicodedata.normalize("NFKC", text[:60]).strip()
    for part in (text, _LOSS_BEFORE.sub("", text)):
        if match := _RATE.fullmatch(part):
            return numerals.value(match["number"])
    return None


_SAID = re.compile(
    rf"(?P<name>[^\W\d][^\d=:,;()\[\]]*\d?(?:\s*\.\.\.?\s*w8)?)\s*[=:,\s]*[(\[]?\s*"
    rf"(?P<numbers>(?<![\w.]){WITH_POINT}(?:[,;\s]+{WITH_POINT})*)(?![\w.*/^])",
    re.IGNORECASE,
)
_TOGETHER = [
    (r"(?:initial|start|starting|first)?w|w1w8|w18", WEIGHTS),
    (r"(?:init|initial)?(?:fc1|w1w4|layer1)", WEIGHTS[:4]),
    (r"(?:init|initial)?(?:fc2|w5w8|layer2)", WEIGHTS[4:]),
    (r"in|i|x|i1i2|x1x2", ("i1", "i2")),
    (r"t|y|t1t2|y1y2", ("t1", "t2")),
]


def numbers_in(text: str) -> dict[str, float]:
    """Inputs, targets, weights and η that a line of text tells.

    >>> numbers_in("x = (0.05, 0.10), target: 0.01 0.99; lr = 0.5")
    {'i1': 0.05, 'i2': 0.1, 't1': 0.01, 't2': 0.99, 'η': 0.5}
    """
    found: dict[str, float] = {}
    for match in _SAID.finditer(unicodedata.normalize("NFKC", text[:500])):
        values = [numerals.value(n) for n in re.findall(WITH_POINT, match["numbers"])]
        name = quantity(match["name"])
        if len(values) == 2 and name and "," in match["numbers"] and " " not in match["numbers"]:
            values = [numerals.value(match["numbers"])]  # one number, a comma in it
        if len(values) == 1:
            if name == "η" or name in ("i1", "i2", "t1", "t2", *WEIGHTS):
                found.setdefault(name, values[0])
            continue
        plain = re.sub(r"[\W_]", "", _translated(match["name"]))
        for pattern, names in _TOGETHER:
            if re.fullmatch(pattern, plain) and len(values) == len(names):
                for one, value in zip(names, values, strict=True):
                    found.setdefault(one, value)
    return found
