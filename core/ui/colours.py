"""What each colour means. The same hue stands for the same thing on every page, light and dark.

Blue is a value on its way forward; orange and purple are gradients, positive and negative; teal is
the loss; pink is a mistake, and never stands beside a gradient. The first four differ for every
common kind of colour blindness (they follow the blue-orange and purple-orange axes), and all stand
out by 3:1 or more from both backgrounds.
"""

FORWARD = "#3a80cc"
GRADIENT_UP = "#cf6a12"
GRADIENT_DOWN = "#9065d0"
LOSS = "#12907c"
NEUTRAL = "#7d8894"
WRONG = "#d6336c"
