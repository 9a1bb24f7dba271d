"""What one `live` tells (uplink.md): what changed since it was heard, and in turn a tenth of the rest."""

import json
from typing import Any

from ganpo_agent.uplink.picture import CHANGED, LARGEST, SMALLEST, Picture

Seen = dict[str, dict[str, Any]]


class Plant:
    """A picture of `number` subjects, and the collector that hears of it."""

    def __init__(self, number: int) -> None:
        self.subjects = {
            f"SB-{n:05}": {"state": "IDLE", "since": "2026-11-25T02:15:03.120Z"} for n in range(number)
        }
        self.connections = {"bus": {"state": "up", "since": "2026-11-25T02:15:03.120Z", "error": None}}
        self.picture = Picture(self.look)
        self.known: Seen = {}
        self.picture.begin()

    def look(self) -> dict[str, Any]:
        return {
            "connections": dict(self.connections),
            "subjects": dict(self.subjects),
            "versions": {"ganpo": "1"},
        }

    def change(self, *numbers: int, state: str = "PRODUCING") -> set[str]:
        names = {f"SB-{n:05}" for n in numbers}
        for name in names:
            self.subjects[name] = {"state": state, "since": "2026-11-25T03:00:00.000Z"}
        return names

    def say(self, *, heard: bool = True) -> dict[str, Any]:
        told = self.picture.next({"v": 1})
        assert len(told) <= self.picture.largest
        body: dict[str, Any] = json.loads(told)
        if heard:
            self.known |= body["subjects"]
            self.picture.answered()
        return body

    def settled(self) -> "Plant":
        while self.say() and self.picture.rest:
            pass
        return self


def test_the_first_of_a_small_plant_tells_everything_and_the_next_a_tenth_in_turn() -> None:
    plant = Plant(42)
    first = plant.say()
    assert set(first) == {"v", "versions", "connections", "subjects", "counts"}
    assert (first["subjects"], first["connections"]) == (plant.subjects, plant.connections)
    assert first["counts"] == {"IDLE": 42}
    ten = [plant.say() for _ in range(10)]
    assert max(len(body["subjects"]) + len(body["connections"]) for body in ten) == 5
    assert {name for body in ten for name in body["subjects"]} == set(plant.subjects)
    assert {name for body in ten for name in body["connections"]} == {"bus"}


def test_what_changed_is_told_at_once_with_the_counts_and_then_no_more() -> None:
    plant = Plant(42).settled()
    names = plant.change(7, 33)
    body = plant.say()
    assert names <= set(body["subjects"])
    assert body["counts"] == {"IDLE": 40, "PRODUCING": 2}
    assert len(plant.say()["subjects"]) <= 5


def test_at_most_a_hundred_changes_are_in_one_and_the_rest_in_the_next() -> None:
    plant = Plant(250).settled()
    names = plant.change(*range(250))
    first = plant.say()
    assert len(first["subjects"]) <= CHANGED + 26
    assert plant.picture.rest
    second, third = plant.say(), plant.say()
    assert not plant.picture.rest
    assert {*first["subjects"], *second["subjects"], *third["subjects"]} == names


def test_one_that_was_not_answered_is_told_again_and_one_that_was_lost_after_the_answer_heals_within_ten() -> (
    None
):
    plant = Plant(300).settled()
    names = plant.change(1, 299)
    assert names <= set(plant.say(heard=False)["subjects"])
    assert names <= set(plant.say()["subjects"])
    names = plant.change(4, 150)
    plant.picture.next({"v": 1})
    plant.picture.answered()
    assert any(plant.known[name] != plant.subjects[name] for name in names)
    for _ in range(10):
        plant.say()
    assert plant.known == plant.subjects


def test_changes_that_never_end_do_not_keep_the_others_back() -> None:
    plant = Plant(2000).settled()
    for n in range(40):
        plant.change(*range(1000), state=("IDLE", "HELD")[n % 2])
        plant.known.pop(f"SB-{1000 + n:05}", None)
        plant.say()
    for _ in range(12):
        plant.say()
    assert set(plant.known) == set(plant.subjects)


def test_ten_thousand_subjects_are_told_in_as_many_as_their_size_takes() -> None:
    plant = Plant(10_000)
    said = 0
    while plant.known != plant.subjects:
        assert len(plant.picture.next({"v": 1})) <= LARGEST
        plant.say()
        said += 1
        assert said < 100
    names = plant.change(5, 9_999)
    assert names <= set(plant.say()["subjects"])


def test_a_new_session_tells_everything_anew() -> None:
    plant = Plant(42).settled()
    plant.picture.begin()
    assert plant.say()["subjects"] == plant.subjects


def test_one_after_which_the_session_ends_is_halved_and_what_is_answered_grows_again() -> None:
    plant = Plant(100)
    sizes = []
    while True:
        plant.picture.begin()
        size = len(plant.picture.next({"v": 1}))
        sizes.append(size)
        if size <= 1400:
            break
        assert plant.picture.refused() == size
    assert len(sizes) <= 5
    plant.picture.answered()
    assert plant.picture.refused() == 0, "it was answered: the session ended for another reason"
    small = plant.picture.largest
    for _ in range(119):
        plant.say()
    assert plant.picture.largest == 2 * small
    for _ in range(20):
        plant.picture.next({"v": 1})
        plant.picture.refused()
        plant.picture.begin()
    assert plant.picture.largest == SMALLEST
    seen: set[str] = set()
    for _ in range(100):
        seen |= set(plant.say()["subjects"])
    assert seen == set(plant.subjects)
