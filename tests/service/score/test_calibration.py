"""The calibration of the score: how far a stated confidence is the share that is right."""

import pytest

from service.score.calibration import Calibration


def test_the_error_is_the_distance_of_confidence_and_rightness_weighed_by_values() -> None:
    calibration = Calibration()
    for index in range(10):
        calibration.add(0.95, right=index < 9)  # 0.05 too sure
    for index in range(30):
        calibration.add(0.65, right=index < 24)  # 0.15 too modest
    assert calibration.error == pytest.approx((10 * 0.05 + 30 * 0.15) / 40)
    lines = list(calibration.lines())
    assert lines[1].split()[:6] == ["0.6", "to", "0.7", "30", "65.0%", "80.0%"]
    assert lines[2].split()[:6] == ["0.9", "to", "1.0", "10", "95.0%", "90.0%"]
    assert lines[-1].split() == ["expected", "calibration", "error", "40", "0.125"]


def test_certainty_is_in_the_last_tenth_and_nothing_given_is_no_error() -> None:
    calibration = Calibration()
    assert calibration.error == 0
    calibration.add(1.0, right=True)
    assert calibration.error == 0
    assert len(list(calibration.lines())) == 3
