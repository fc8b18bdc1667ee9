"""A short soak, and what tells growth from noise."""

from __future__ import annotations

from dataclasses import replace

from load import curves
from load.counts import Sample
from load.soak import Soak, soak

SECONDS = 30
AT_ONCE = 4

REST = Sample(0, 0, True, 120, 100, 70, 40, 0, 3, 0, 0, 1)


def seen(**growing: float) -> Soak:
    """A run of 30 rounds in which fields grow by so much a round."""
    samples = [
        replace(
            REST,
            seconds=i,
            **{name: type(getattr(REST, name))(getattr(REST, name) + by * i) for name, by in growing.items()},
        )
        for i in range(30)
    ]
    return Soak(lives=120, samples=samples, heaps=[(6, 10), (30, 10.5)])


def test_a_run_in_which_nothing_grows_is_well() -> None:
    assert seen().troubles() == []


def test_a_descriptor_lost_in_each_round_is_told() -> None:
    assert seen(descriptors=1).troubles() == ["descriptors grew from 76 to 92"]


def test_a_mount_lost_at_times_is_told() -> None:
    assert seen(mounts=0.1).troubles() == ["mounts grew from 3 to 5"]


def test_memory_that_goes_up_and_down_is_no_growth() -> None:
    noisy = seen()
    noisy.samples = [replace(sample, resident=120 + 60 * (i % 2)) for i, sample in enumerate(noisy.samples)]
    assert noisy.troubles() == []


def test_a_heap_that_keeps_more_and_more_is_told() -> None:
    kept = seen()
    kept.heaps = [(6, 10), (30, 30)]
    assert kept.troubles() == ["live heap grew from 10 to 30 MB"]


def test_what_is_left_over_is_told() -> None:
    left = seen()
    left.left = {"mounts": ["one"]}
    assert left.troubles() == ["left over, mounts: ['one']"]


def test_a_curve_of_many_samples_keeps_the_peaks() -> None:
    many = [replace(REST, seconds=i, resident=900 if i == 777 else 120) for i in range(2000)]
    shown = curves.greatest(many, "resident")
    assert 100 <= len(shown) <= curves.MOST
    assert max(sample.resident for sample in shown) == 900


def test_nothing_grows_when_sandboxes_come_and_go() -> None:
    result = soak(SECONDS, AT_ONCE)
    assert result.troubles() == []
