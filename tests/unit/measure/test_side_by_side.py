import threading
import time

import pytest
import torch

from torchfit.measure.side_by_side import AHEAD, side_by_side


@pytest.fixture(params=[1, 2, 5])
def n_threads(request):
    """Torch has so many; as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_batches(n_threads):
    def slow_at_first(number):
        time.sleep(0.05 if number == 0 else 0.0)
        return number**2

    assert list(side_by_side(slow_at_first, range(9))) == [n**2 for n in range(9)]


def test_batches_are_computed_at_the_same_time_each_by_one_thread(n_threads):
    barrier = threading.Barrier(n_threads)

    def meet(number):
        barrier.wait(timeout=20)
        return torch.get_num_threads()

    assert list(side_by_side(meet, range(n_threads))) == [1] * n_threads
    assert torch.get_num_threads() == n_threads


def test_nothing_to_do(n_threads):
    assert list(side_by_side(abs, [])) == []


def test_an_error_comes_through_and_what_has_not_begun_is_dropped(n_threads):
    begun = []

    def fail_at_once(number):
        begun.append(number)
        if number == 0:
            raise ValueError("no")
        time.sleep(0.01)

    with pytest.raises(ValueError, match="no"):
        list(side_by_side(fail_at_once, range(1000)))
    assert len(begun) < 1000
    assert torch.get_num_threads() == n_threads


def test_whoever_stops_asking_stops_the_work(n_threads):
    begun = []
    results = side_by_side(lambda number: (begun.append(number), time.sleep(0.01)), range(1000))
    next(results)
    results.close()
    assert len(begun) < 1000
    assert torch.get_num_threads() == n_threads


def test_who_takes_results_slowly_does_not_heap_them_up(n_threads):
    begun, most = [], AHEAD * n_threads
    for number, _ in enumerate(side_by_side(begun.append, range(40))):
        time.sleep(0.005)
        assert len(begun) <= number + most + 1
    assert len(begun) == 40
