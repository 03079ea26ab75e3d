"""Long work made visible: the words, plain lines at the right times, and bars that fit the terminal."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console

import analyses
import attnprobe as ap
from attnprobe.events import Event, all_of, nobody
from attnprobe.progress import WINDOW, Bars, Lines, Stand, duration, on_a_terminal, shown


def training(done: int, steps: int, of: int = 1_000, of_steps: int = 20_000_000) -> Event:
    return Event(
        "progress",
        {"doing": "training", "done": done, "of": of, "unit": "seeds", "steps": steps, "of_steps": of_steps},
    )


def analyzing(done: int, name: str = "") -> Event:
    return Event("progress", {"doing": "analyzing", "done": done, "of": 51, "unit": "tables", "name": name})


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


# --- words ------------------------------------------------------------------------------------------------


def test_the_words_of_training() -> None:
    clock = Clock()
    stand = Stand(clock)
    said = []
    for now, done, steps in ((0, 0, 0), (20, 0, 0), (21, 30, 700_000), (41, 640, 14_720_000), (60, 1_000, 20_000_000)):
        clock.now = 100.0 + now
        stand.hear(training(done, steps))
        said.append(stand.words())
    assert said == [
        "0 of 1,000 seeds",
        "0 of 1,000 seeds, 20 s",  # compiling: not a part of the rate
        "30 of 1,000 seeds, 700,000 seed-steps/s, 28 s left",
        "640 of 1,000 seeds, 701,000 seed-steps/s, 8 s left",
        "1,000 of 1,000 seeds, 500,000 seed-steps/s, 1 min 00 s",
    ]


def test_the_words_of_named_things() -> None:
    clock = Clock()
    stand = Stand(clock)
    stand.hear(analyzing(12, "rules"))
    clock.now += 8
    assert stand.words() == "12 of 51 tables (rules), 8 s"
    stand.hear(analyzing(51))
    assert stand.words() == "51 of 51 tables, 8 s"
    assert stand.through


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    clock = Clock()
    stand = Stand(clock)
    steps = 0
    for second in range(200):
        clock.now += 1
        steps += 1_000 if second < 100 else 10
        stand.hear(training(0, steps))
        if second == 99:
            assert stand.rate == 1_000
    assert stand.rate == 10
    assert len(stand._seen) <= WINDOW + 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.6, "1 s"), (59.4, "59 s"), (59.9, "1 min 00 s"), (3599.9, "1 h 00 min"), (90_061, "25 h 01 min")],
)
def test_durations(seconds, text) -> None:
    assert duration(seconds) == text


# --- plain lines -------------------------------------------------------------------------------------------


def lines(interval: float, *events: Event) -> list[str]:
    file = io.StringIO()
    with Lines(file, interval) as listener:
        for event in events:
            listener(event)
    return file.getvalue().splitlines()


def test_lines_at_the_start_and_the_end_of_each_piece_of_work() -> None:
    told = [training(0, 0), training(500, 1), Event("shard"), training(1_000, 20_000_000), training(1_000, 20_000_000)]
    assert [line.partition(", ")[0] for line in lines(600, *told, analyzing(0, "history"), analyzing(51))] == [
        "training: 0 of 1,000 seeds",
        "training: 1,000 of 1,000 seeds",
        "analyzing: 0 of 51 tables (history)",
        "analyzing: 51 of 51 tables",
    ]


def test_no_line_where_there_is_nothing_to_do() -> None:
    assert lines(600, training(0, 0, 0, 0), training(0, 0, 0, 0)) == []


def test_with_no_interval_each_event_gives_a_line() -> None:
    assert len(lines(0, *(analyzing(k, "a") for k in range(51)), analyzing(51), analyzing(51))) == 52


def test_lines_come_while_nothing_happens() -> None:
    """A table may take minutes; waited for, not slept for."""
    third = threading.Event()

    class File(io.StringIO):
        def write(self, text: str) -> int:
            written = super().write(text)
            if self.getvalue().count("\n") == 3:
                third.set()
            return written

    file = File()
    with Lines(file, 0.01) as listener:
        listener(analyzing(3, "rules"))
        assert third.wait(60)
    assert {line.split(", ")[0] for line in file.getvalue().splitlines()} == {"analyzing: 3 of 51 tables (rules)"}


def test_at_most_every_interval() -> None:
    assert len(lines(600, *(analyzing(k, "a") for k in range(51)))) == 1


def test_a_log_that_is_closed_ends_no_work() -> None:
    file = io.StringIO()
    with Lines(file, 600) as listener:
        file.close()
        listener(analyzing(0))


# --- bars --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_bar_is_one_line_that_fits(width, monkeypatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr("rich.console.Console", lambda **_: Console(file=file, width=width, force_terminal=True))
    with Bars(file) as bars:
        bars(training(0, 0))
        bars(training(640, 14_000_000))
        drawn = Console(file=io.StringIO(), width=width).render_lines(bars._bar.get_renderable())
        assert len(drawn) == 1
        assert sum(segment.cell_length for segment in drawn[0]) <= width
        text = "".join(segment.text for segment in drawn[0])
        assert ("640 of 1,000 seeds" in text) == (width >= 40)
        assert ("training" in text) == (width >= 80)
        bars(training(1_000, 20_000_000))
        assert bars._bar is None, "closed with the work, so that lines may follow"
        bars(analyzing(0, "rules"))
        assert bars._bar is not None
    assert bars._bar is None


def test_no_bar_where_there_is_nothing_to_do(capsys) -> None:
    with Bars() as bars:
        bars(training(0, 0, 0, 0))
        assert bars._bar is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("term", "there", "bars"),
    [("xterm", True, True), ("dumb", True, False), ("", True, False), (None, True, False), ("xterm", False, False)],
)
def test_where_bars_are_drawn(monkeypatch, term, there, bars) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return there

    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    assert on_a_terminal() == bars
    monkeypatch.setattr("sys.stderr", None)
    assert not on_a_terminal()


# --- events of the library ----------------------------------------------------------------------------------


def test_a_library_does_not_chatter(small_run, tmp_path, capfd) -> None:
    ap.train(small_run.config, [1], tmp_path / "run")
    analyses.write(ap.open_run(tmp_path / "run"), ["digits"])
    assert capfd.readouterr() == ("", "")


def test_what_training_tells(small_run, tmp_path) -> None:
    heard: list[Event] = []
    run = ap.train(small_run.config, [5, 1, 2, 3, 9], tmp_path / "run", shard_size=2, events=heard.append)
    shards = [event.facts for event in heard if event.what == "shard"]
    assert [(f["seeds"], f["n_seeds"], f["done"], f["of"]) for f in shards] == [
        ("1:3", 2, 2, 5),
        ("3,5", 2, 4, 5),
        ("9", 1, 5, 5),
    ]
    assert [f["seed_steps"] for f in shards] == [120, 120, 60]
    assert all(f["not_finite"] == [] and f["seconds"] >= 0 for f in shards)
    steps = [(e.facts["done"], e.facts["steps"]) for e in heard if e.what == "progress"]
    assert steps == sorted(steps), "progress goes up"
    assert (steps[0], steps[-1]) == ((0, 0), (5, 300))
    heard.clear()
    longer = run.config.model_copy(update={"steps": 100})
    ap.train(longer, [1], run.path, events=heard.append)
    assert sum(e.facts["seed_steps"] for e in heard if e.what == "shard") == 5 * 40
    last = [e.facts for e in heard if e.what == "progress"][-1]
    assert (last["steps"], last["of_steps"]) == (200, 200)


def test_seeds_that_are_not_finite_are_told(small_run, tmp_path) -> None:
    heard: list[Event] = []
    wild = small_run.config.model_copy(update={"lr": 1e38})
    run = ap.train(wild, [1, 2], tmp_path / "run", events=heard.append)
    (shard,) = [event.facts for event in heard if event.what == "shard"]
    assert shard["not_finite"] == run.seeds[run.status != "trained"].tolist() != []


def test_what_analyses_tell(small_run, tmp_path) -> None:
    run = ap.train(small_run.config, [1, 2], tmp_path / "run")
    heard: list[Event] = []
    written = analyses.write(run, ["digits", "thresholds"], events=heard.append)
    assert [e.facts["table"] for e in heard if e.what == "table"] == written
    assert {e.facts["table"]: e.facts["rows"] for e in heard if e.what == "table"}["digits"] == 10
    assert [(e.facts["done"], e.facts.get("name")) for e in heard if e.what == "progress"] == [
        *enumerate(written),
        (len(written), None),
    ]


def test_listeners_together() -> None:
    a, b = [], []
    tell = all_of(a.append, None, nobody, b.append)
    tell(Event("table"))
    assert a == b == [Event("table")]
    with shown(False, a.append) as listener:
        listener(Event("shard"))
    assert a[-1] == Event("shard")
