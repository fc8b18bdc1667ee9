"""The parts that make figures, tables and plots of samples."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from harness import budgets, page, plot
from harness.figure import OURS, Effort, Figure, median, quantile, show
from harness.results import LATEST, Results
from measure import QUESTIONS

PEER = "crun run"


def times(key: str = "create.python") -> Figure:
    return Figure(key, "a `question` & more", "ms", {OURS: [3.0, 1.0, 2.0], PEER: [4.0]})


class TestFigure:
    def test_medians_and_quantiles_are_of_sorted_samples(self) -> None:
        assert median([3, 1, 2]) == 2
        assert median([4, 1, 2, 3]) == 2.5
        assert quantile(range(100), 0.99) == 99
        assert quantile([5], 0.99) == 5

    def test_the_ratio_is_of_medians_and_the_best_goes_by_the_unit(self) -> None:
        speeds = Figure("files.in", "a speed", "MB/s", {OURS: [10, 30, 20]})
        assert times().ratio(PEER) == 0.5
        assert (times().best(OURS), times().worst_percent(OURS)) == (1, 3)
        assert (speeds.best(OURS), speeds.worst_percent(OURS)) == (30, 10)

    def test_numbers_are_shown_with_three_digits_and_no_exponent(self) -> None:
        assert [show(n) for n in (0, 0.01234, 1.5, 99.95, 1361.2)] == ["0", "0.0123", "1.50", "100.0", "1361"]

    def test_all_sides_have_their_turn_in_every_round(self) -> None:
        turns: list[str] = []
        figure = Figure("key", "question", "ms")
        probes = {side: lambda side=side: turns.append(side) or [1, 2] for side in (OURS, PEER)}
        Effort(small=True).interleave(figure, 50, probes)
        warm_up, rounds = [OURS, PEER], [OURS, PEER, PEER, OURS, OURS, PEER]
        assert turns == warm_up + rounds, "each of the three rounds begins with another side"
        assert {side: len(samples) for side, samples in figure.sides.items()} == {OURS: 6, PEER: 6}

    def test_a_turn_may_be_several_calls(self) -> None:
        turns: list[str] = []
        probes = {side: lambda side=side: turns.append(side) or 1 for side in (OURS, PEER)}
        Effort().interleave(Figure("key", "question", "ms"), 1, probes, warm_up=0, turn=2)
        assert turns == [OURS, OURS, PEER, PEER]

    def test_a_figure_ends_when_its_time_is_over(self) -> None:
        figure = Effort(seconds=0).interleave(Figure("key", "question", "ms"), 1000, {OURS: lambda: 1})
        assert len(figure.ours) == 3


class TestResults:
    def test_kept_results_are_read_back_as_they_were(self) -> None:
        results = Results.begun()
        results.figures.append(times())
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "results.json")
            results.ended().keep(file)
            assert Results.read(file) == results

    def test_newer_figures_take_the_place_of_older_ones(self) -> None:
        older = Results({}, [times("a"), times("b")])
        newer = Figure("a", "newer", "ms", {OURS: [1]})
        merged = older.replaced_by(Results({}, [newer, times("c")]))
        assert [figure.key for figure in merged.figures] == ["a", "b", "c"]
        assert merged.figure("a") is newer


class TestPage:
    def test_a_budget_is_in_the_unit_of_its_figure(self) -> None:
        kept = Results.read(LATEST)
        for budget in budgets.BUDGETS:
            figure = kept.figure(budget.key)
            assert figure is None or figure.unit == budget.unit

    def test_a_budget_is_kept_missed_or_not_measured(self) -> None:
        fast = Figure("files.in", "a speed", "MB/s", {OURS: [1200], "cat": [2400]})
        results = Results({}, [times(), fast])
        rows = {(row[0], row[1]): row for row in budgets.rows(results)}
        create = "create without a pool, to the first cell's result"
        assert rows[create, "1.5 times crun run's"][2:] == ["2.00 ms", "1.00", "4.00 ms (crun run)", "0.500", "kept"]
        assert rows["the same", "1.5 times runc run's"][2] == "runc run is not on this machine"
        assert rows["files in, a stream", "1000 MB/s"][2:] == ["1200 MB/s", "1200", "2400 MB/s (cat)", "0.500", "kept"]
        assert budgets.rows(Results({}))[0][2] == "not measured"
        fast.sides[OURS] = [900]
        assert "**missed**" in next(row for row in budgets.rows(results) if row[0] == "files in, a stream")

    def test_the_page_has_a_place_for_everything_that_is_generated(self) -> None:
        text = page.PAGE.read_text("utf-8")
        for mark in ("budgets", "figures", "plots"):
            assert text.count(f"<!-- {mark} -->") == 1
            assert text.count(f"<!-- end of {mark} -->") == 1

    def test_a_plot_is_well_formed_and_names_sides_unit_and_question(self) -> None:
        drawing = ET.fromstring(plot.svg("Times", "ms", [times()]))
        words = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
        for expected in (OURS, PEER, "a question & more", "ms, logarithmic", "2.00"):
            assert expected in words

    def test_every_question_has_a_file_and_every_file_is_a_question(self) -> None:
        here = Path(__file__).resolve().parents[1]
        files = {file.stem for file in (here / "questions").glob("*.py")} - {"__init__"}
        assert files == set(QUESTIONS)
