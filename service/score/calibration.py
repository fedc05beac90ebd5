"""Whether the confidence that the built-in sources state is the share of their values that are right.

Each value that a source gives counts, for a field whose right answer is known, whether it was written or not. The
expected calibration error is the mean distance of both, weighed by the number of values in each tenth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

_TENTHS = 10
_WIDEST = 20  # characters of a bar


@dataclass(slots=True)
class Calibration:
    """The confidence (0-1) and the rightness of each value that was given."""

    given: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, confidence: float, *, right: bool) -> None:
        self.given.append((confidence, right))

    @property
    def error(self) -> float:
        """The expected calibration error, 0 to 1."""
        distances = (
            abs(sum(stated for stated, _ in tenth) - sum(right for _, right in tenth)) for tenth in self._bins()
        )
        return sum(distances) / len(self.given) if self.given else 0.0

    def lines(self) -> Iterator[str]:
        """The curve: for each tenth how many values were given, the mean confidence, and the share that was right."""
        yield f"{'Confidence of the sources':<36}{'values':>10}{'stated':>10}{'right':>10}"
        for index, tenth in enumerate(self._bins()):
            if tenth:
                stated = sum(stated for stated, _ in tenth) / len(tenth)
                right = sum(right for _, right in tenth) / len(tenth)
                label = f"  {index / _TENTHS:.1f} to {(index + 1) / _TENTHS:.1f}"
                bar = "#" * round(right * _WIDEST)
                yield f"{label:<36}{len(tenth):>10}{stated:>10.1%}{right:>10.1%}  {bar}"
        yield f"{'  expected calibration error':<36}{len(self.given):>10}{self.error:>20.3f}"

    def _bins(self) -> list[list[tuple[float, bool]]]:
        bins: list[list[tuple[float, bool]]] = [[] for _ in range(_TENTHS)]
        for confidence, right in self.given:
            bins[min(int(confidence * _TENTHS), _TENTHS - 1)].append((confidence, right))
        return bins
