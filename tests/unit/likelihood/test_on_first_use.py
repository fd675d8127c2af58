import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from torchfit.likelihood.on_first_use import OnFirstUse


class Squares:
    def __init__(self):
        self.asked = []
        self.table = OnFirstUse(self.square)

    def square(self, number):
        self.asked.append(number)
        time.sleep(0.02)
        if number < 0:
            raise ValueError("negative")
        return number**2


def test_an_entry_is_computed_once():
    squares = Squares()
    assert [squares.table[number] for number in (3, 4, 3, 3)] == [9, 16, 9, 9]
    assert squares.asked == [3, 4]
    assert len(squares.table) == 2


def test_by_the_thread_that_asks_first_while_the_others_wait():
    squares, barrier = Squares(), threading.Barrier(8)

    def ask(number):
        barrier.wait(timeout=20)
        return squares.table[number % 2 + 5]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [25, 36] * 4
    assert sorted(squares.asked) == [5, 6]


def test_an_error_is_not_kept():
    squares = Squares()
    for _ in range(2):
        with pytest.raises(ValueError, match="negative"):
            squares.table[-1]
    assert squares.asked == [-1, -1]
    assert len(squares.table) == 0


def test_a_copy_starts_empty():
    squares = Squares()
    squares.table[7]
    copy = pickle.loads(pickle.dumps(squares))
    assert len(copy.table) == 0
    assert copy.table[8] == 64
    assert copy.asked == [7, 8]
    assert len(squares.table) == 1
