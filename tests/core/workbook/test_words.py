import doctest

import pytest

from core.workbook.find import words
from core.workbook.find.words import counted_from_one, kind, numbers_in, quantity, rate_in, symbol

MEANT = {
    "i1": "i1 x1 input_1 Input·1 entrée·i1 Eingabe·1 输入·i1 giriş·1 đầu·vào·1 مدخل·1 Eingabe·e1",
    "t2": "t2 y2 target_2 Zielwert·2 cible·t2 objetivo·t2 目标·t2 target·o2",
    "w3": "w3 W_3 w₃ poids·w3 Gewicht·w3 вес·w3 权重·w3 peso·w3 $w_3$ w3·(old)",
    "h1": "h1 net_h1 net·h1 z_h1 Netzeingabe·h1 сумма·h1 隐藏层净输入·h1 Hidden·1",
    "out_h2": "out_h2 a_h2 act_h2 σ(h2) sig·h2 sortie·h2 выход·h2 隐藏层输出·h2 OutH2",
    "o2": "o2 net_o2 NetO2 net·o2 输出层净输入·o2",
    "out_o1": "out_o1 a_o1 a_01 pred1 y_hat1 Output·1 sortie·o1 输出·o1",
    "E1": "E1 error_1 loss1 erreur·E1 Fehler·E1 E_o1",
    "E_total": "E_total Etot E_t total·loss loss Gesamtfehler 总误差 erro·total E1+E2 الخطأ·الكلي",
    "∂E/∂w8": "∂E/∂w8 E∂w8 δE/δw8 dE/dw8 ∂E_total/∂w8 grad_w8 gradient·w8 градиент·w8 dL/dw8 "
    r"Gradient·nach·w8 partial·E/partial·w8 \frac{\partial·E}{\partial·w_8}",
    "∂E/∂o1": "δ_o1 delta·o1 дельта·o1",
    "out_o1(1−out_o1)": "σ'(o1) da_o1/do1 ∂out_o1/∂net_o1",
    "∂E/∂out_h1": "∂E/∂a_h1 ∂E/∂saída·h1",
    "w5′": "w5_new w5+ w5′ w5·(new) w5·neu new·w5 yeni·ağırlık·5",
    "η": "η eta lr learning·rate Lernrate taux·d'apprentissage скорость·обучения معدل·التعلم",
    "epoch": "epoch Epoch·# Iteration Época 轮次 n step",
}


@pytest.mark.parametrize(
    ("name", "text"),
    [(name, text.replace("·", " ")) for name, texts in MEANT.items() for text in texts.split()],
)
def test_a_header_is_understood(name, text):
    assert quantity(text) == name


@pytest.mark.parametrize("text", ["Notes", "t1-a_o1", "b1", "ReLU", "remarks", "derivada o1", "t"])
def test_what_is_no_quantity_is_none(text):
    assert quantity(text) is None


def test_an_unknown_word_leaves_the_symbol_beside_it():
    assert symbol("вектор w4") == "w4"
    assert symbol("w1 and w2") is None
    assert symbol("∂w4·k") is None
    assert symbol("gradient w4") is None  # a known word that means something else


def test_indices_from_0_are_counted_from_1():
    weights = [f"w[{n}]" for n in range(8)]
    assert counted_from_one(["epoch", *weights]) == ["epoch", *(f"w{n}" for n in range(1, 9))]
    assert counted_from_one(["w1", "w2"]) == ["w1", "w2"]
    assert counted_from_one(["fc1.weight[0,1]", "fc2.weight.grad[1][0]"]) == ["w2", "dw7"]


def test_lines_of_text_tell_numbers():
    text = "# SGD(lr=0.5); inputs=[0.05 0.10]; targets=[0.01 0.99]; init fc1=[.15 .20 .25 .30]"
    expected = {"η": 0.5, "i1": 0.05, "i2": 0.1, "t1": 0.01, "t2": 0.99}
    assert numbers_in(text) == {**expected, "w1": 0.15, "w2": 0.2, "w3": 0.25, "w4": 0.3}
    assert numbers_in("i1=0,1; i2=0,3") == {"i1": 0.1, "i2": 0.3}
    assert numbers_in("h1 = w1*i1 + w2*i2, E1 = 0.5*(t1-out_o1)^2") == {}


@pytest.mark.parametrize(
    ("text", "rate"),
    [("LR=0.1", 0.1), ("η = 0,5", 0.5), ("loss (lr=0.8)", 0.8), ("Learning rate η = 2", 2.0)],
)
def test_a_rate_is_read_from_a_text(text, rate):
    assert rate_in(text) == rate


def test_a_heading_over_several_columns_says_what_they_are():
    assert [
        kind(text)
        for text in ("Gradienty ∂E/∂w", "Delta", "Wagi", "Wyjście σ", "Inputs", "remarks")
    ] == [*("grad", "d", "w", "out", "in", "")]


def test_the_examples_in_its_docstrings():
    assert doctest.testmod(words).failed == 0
