"""The Gamma distribution: what is believed of a rate once some events were counted over some time."""

import math

_PRECISION = 1e-12
_MOST_TERMS = 100_000


def gamma_share(shape: float, x: float) -> float:
    """The chance (0-1) that a Gamma variable of this shape and rate 1 is at most `x`.

    The regularized lower incomplete gamma function: its series for small `x`, else its continued fraction (DLMF
    8.7.1 and 8.9.2, the latter by Lentz's method).
    """
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for n in range(1, _MOST_TERMS):
            term *= x / (shape + n)
            total += term
            if term < total * _PRECISION:
                break
        return min(total * front, 1.0)
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    fraction = d
    for n in range(1, _MOST_TERMS):
        a = n * (shape - n)
        b += 2
        d = 1 / _not_zero(a * d + b)
        c = _not_zero(b + a / c)
        fraction *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return max(1 - fraction * front, 0.0)


def _not_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300


def gamma_quantile(shape: float, share: float) -> float:
    """The value that a Gamma variable of this shape (above 0) and rate 1 stays below with the chance `share`."""
    low, high = 0.0, shape + 1
    while gamma_share(shape, high) < share:
        low, high = high, high * 2
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if gamma_share(shape, middle) < share:
            low = middle
        else:
            high = middle
    return high
