"""The batcher, with real threads and a computation that each test controls."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from service.errors import DeadlineExceeded, Draining, InternalError, QueueFull
from service.scheduling.batch import SingleStepBatch
from service.scheduling.batcher import Batcher
from service.scheduling.cost_model import MIN_BATCHES
from service.scheduling.executors import EventLoopExecutor
from service.telemetry.counts import Count
from service.telemetry.metrics import Metrics

from .computations import Latch, Piece, StepwiseBatch, batcher, later, names, queued, send

pytestmark = pytest.mark.anyio


def value(count: Count) -> float:
    """What has been counted."""
    count.flush()
    return count._counter._value.get()


async def test_no_timer_keeps_a_queue_whose_requests_are_all_answered() -> None:
    async with batcher(names, threads=2) as made:
        for _ in range(2):
            await asyncio.gather(*(send(made, Piece("a"), seconds=seconds) for seconds in (90, 50)))
            assert made._timer is None


async def test_outputs_come_in_the_order_of_the_windows_whatever_batches_they_were_in() -> None:
    async with batcher(names, threads=2, batch_tokens=30) as made:
        pieces = [Piece(str(index), length=1 + index * 7 % 40) for index in range(100)]
        assert await send(made, *pieces) == [str(index) for index in range(100)]


async def test_a_free_thread_runs_a_lone_window_at_once() -> None:
    async with batcher(names) as made:
        runs = [await made.submit([Piece("a")], deadline=later()) for _ in range(100)]
        assert all(ran.queue_seconds > 0 and ran.run_seconds > 0 for ran in runs)
        # the quickest: whatever else the machine does, a wait window would show in all of them
        assert min(ran.queue_seconds for ran in runs) < 0.001


async def test_what_is_queued_behind_a_busy_thread_runs_as_one_batch() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        first = send(made, Piece("first"))
        await latch.entered()
        rest = [send(made, Piece(str(index))) for index in range(5)]
        await queued()
        latch.open()
        await asyncio.gather(first, *rest)
    assert latch.batches == [["first"], ["0", "1", "2", "3", "4"]]


async def test_a_batch_holds_windows_of_like_length_only_and_the_oldest_goes_first() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        busy = send(made, Piece("busy"))
        await latch.entered()
        rest = [
            send(made, Piece("long", 100)),
            send(made, Piece("short", 10)),
            send(made, Piece("long too", 101)),
            send(made, Piece("short too", 10)),
        ]
        await queued()
        latch.open()
        await asyncio.gather(busy, *rest)
    assert latch.batches[1:] == [["long", "long too"], ["short", "short too"]]


async def test_a_batch_stays_within_the_budget_of_padded_tokens() -> None:
    latch = Latch()
    async with batcher(latch, batch_tokens=36) as made:
        busy = send(made, Piece("busy"))
        await latch.entered()
        task = send(
            made, *(Piece(str(index), length) for index, length in enumerate([11, 12, 12, 12]))
        )
        await queued()
        latch.open()
        await asyncio.gather(busy, task)
    assert latch.batches[1:] == [["0", "1", "2"], ["3"]]


async def test_a_window_over_the_budget_runs_alone() -> None:
    async with batcher(names, batch_tokens=5) as made:
        assert await send(made, Piece("a", 50), Piece("b", 50)) == ["a", "b"]


async def test_a_failing_batch_fails_its_own_callers_and_no_one_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def answer(windows: Sequence[Piece]) -> list[str]:
        if "bad" in names(windows):
            raise ValueError("secret text")
        return names(windows)

    latch = Latch(answer)
    async with batcher(latch) as made:
        before = send(made, Piece("before"))
        await latch.entered()
        bad, neighbour = send(made, Piece("bad")), send(made, Piece("neighbour"))
        other = send(made, Piece("of other length", 100))
        await queued()
        latch.open()
        assert await before == ["before"]
        assert await other == ["of other length"]
        for task in (bad, neighbour):
            with pytest.raises(InternalError):
                await task
        assert await send(made, Piece("afterwards")) == ["afterwards"]
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_request_in_many_batches_fails_once_if_one_of_them_fails() -> None:
    def answer(windows: Sequence[Piece]) -> list[str]:
        if "2" in names(windows):
            raise ValueError
        return names(windows)

    async with batcher(answer, threads=2, batch_tokens=10) as made:
        with pytest.raises(InternalError):
            await send(made, *(Piece(str(index)) for index in range(6)))
        assert await send(made, Piece("afterwards")) == ["afterwards"]


@pytest.mark.parametrize("outputs", [[], ["one", "too many"]])
async def test_a_wrong_count_of_outputs_is_a_failure_and_no_caller_gets_anothers(
    outputs: list[str],
) -> None:
    async with batcher(lambda _: outputs) as made:
        with pytest.raises(InternalError):
            await send(made, Piece("a"))


async def test_a_caller_who_left_the_queue_is_not_computed() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        busy = send(made, Piece("busy"))
        await latch.entered()
        waiting = {name: send(made, Piece(name)) for name in ("gone", "one", "gone too", "two")}
        await queued()
        waiting["gone"].cancel()
        waiting["gone too"].cancel()
        await queued()
        latch.open()
        assert await busy == ["busy"]
        assert await waiting["one"] == ["one"]
        assert await waiting["two"] == ["two"]
        assert latch.batches == [["busy"], ["one", "two"]]
        assert value(made._metrics.rejected["caller_left"]) == 2


async def test_a_caller_cancelled_in_mid_batch_harms_no_neighbour() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        busy = send(made, Piece("busy"))
        await latch.entered()
        pair = [send(made, Piece("gone")), send(made, Piece("stays"))]
        await queued()
        latch.open()
        await asyncio.wait([busy])
        pair[0].cancel()
        assert await pair[1] == ["stays"]
        assert await send(made, Piece("afterwards")) == ["afterwards"]


async def test_when_all_callers_left_the_next_is_served_at_once() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        tasks = [send(made, Piece(str(index))) for index in range(50)]
        await latch.entered()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        latch.open()
        assert await send(made, Piece("afterwards")) == ["afterwards"]
    assert latch.batches == [["0"], ["afterwards"]]


async def test_a_full_queue_says_so_at_once_and_when_to_come_back() -> None:
    latch = Latch()
    async with batcher(latch, queue_tokens=100) as made:
        latch.open()
        for _ in range(5):
            await send(made, Piece("warm"))
        latch._open.clear()
        tasks = [send(made, Piece("busy")), *(send(made, Piece("waits", 30)) for _ in range(3))]
        await queued()
        with pytest.raises(QueueFull) as refused:
            await send(made, Piece("too much", 30))
        assert refused.value.retry_after == 1  # 90 tokens wait, and thousands a second were seen
        for _ in range(1000):
            made._cost_model.update(tokens=3, passes=1, units=3, seconds=1.0)
        with pytest.raises(QueueFull) as refused:
            await send(made, Piece("too much", 30), seconds=1000)
        # 90 tokens and half of the 10 that run: half of the cost of 3 is one batch's, half that of tokens
        assert refused.value.retry_after == 17
        assert value(made._metrics.rejected["queue_full"]) == 2
        latch.open()
        await asyncio.gather(*tasks)
        assert await send(made, Piece("fits again", 30)) == ["fits again"]


async def test_a_long_request_is_not_refused_for_the_little_that_is_ahead_of_it() -> None:
    latch = Latch()
    async with batcher(latch, queue_tokens=10_000) as made:
        for _ in range(20):  # 1000 tokens take five seconds
            made._cost_model.update(tokens=10, passes=1, units=10, seconds=0.1)
        busy = send(made, Piece("busy", 20))
        await latch.entered()
        made.check(1000, 1, deadline=later(5))
        with pytest.raises(QueueFull):
            made.check(1000, 1, deadline=later(1.5))
        latch.open()
        await busy


async def test_estimates_are_corrected_by_how_long_requests_of_as_many_windows_took() -> None:
    latch = Latch()
    async with batcher(latch, queue_tokens=10_000) as made:
        for _ in range(20):  # 100 tokens take a second
            made._cost_model.update(tokens=10, passes=1, units=10, seconds=0.1)
        busy = send(made, Piece("busy", 100), seconds=100)
        await latch.entered()
        made.check(100, 16, deadline=later(5))
        made._estimate_correction.record(16, estimated=1.0, took=4.0)
        made.check(100, 1, deadline=later(5))
        with pytest.raises(QueueFull):
            made.check(100, 16, deadline=later(5))
        latch.open()
        await busy


async def test_it_is_busy_while_accepted_work_waits() -> None:
    async with batcher(names) as made:
        found = []
        for tokens in (0, 10, 0):
            made._size_classes.of(0).queue.tokens = tokens
            found.append(made.busy)
    assert found == [False, True, False]


async def test_callers_who_left_make_room_in_the_queue_at_once() -> None:
    latch = Latch()
    async with batcher(latch, queue_tokens=100) as made:
        busy = send(made, Piece("busy"))
        await latch.entered()
        gone = send(made, Piece("gone", 90))
        await queued()
        gone.cancel()
        await queued()
        assert made._size_classes.windows == 0
        fits = send(made, Piece("fits", 90))
        await queued()
        latch.open()
        assert await busy == ["busy"]
        assert await fits == ["fits"]


async def test_a_request_larger_than_the_queue_is_served_when_nothing_waits() -> None:
    async with batcher(names, queue_tokens=100) as made:
        pieces = [Piece(str(index), 60) for index in range(5)]
        assert await send(made, *pieces) == names(pieces)


async def test_a_deadline_that_passes_in_the_queue_is_noticed_there() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        busy = send(made, Piece("busy"))
        await latch.entered()
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await send(made, Piece("late"), seconds=0.05)
        assert 0.04 < time.monotonic() - began < 50
        latch.open()
        assert await busy == ["busy"]
        assert await send(made, Piece("afterwards")) == ["afterwards"]
    assert latch.batches == [["busy"], ["afterwards"]]


async def test_a_deadline_that_passes_while_computing_answers_then_and_not_later() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        slow = send(made, Piece("slow"), seconds=0.05)
        await latch.entered()  # its thread may begin late
        with pytest.raises(DeadlineExceeded):
            await slow
        assert latch.batches == [["slow"]]
        assert value(made._metrics.rejected["deadline"]) == 1


async def test_a_deadline_in_the_past_is_refused_before_anything_is_queued() -> None:
    async with batcher(names) as made:
        with pytest.raises(DeadlineExceeded):
            await send(made, Piece("late"), seconds=-1)


async def test_closing_finishes_what_was_accepted_and_refuses_the_rest() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        accepted = [send(made, Piece(str(index))) for index in range(3)]
        await latch.entered()
        closing = asyncio.create_task(made.close(grace=60))
        await queued()
        with pytest.raises(Draining):
            await send(made, Piece("too late"))
        assert not closing.done()
        latch.open()
        assert await asyncio.gather(*accepted) == [["0"], ["1"], ["2"]]
        await closing


async def test_closing_gives_up_after_its_grace_and_leaves_no_caller_waiting() -> None:
    latch = Latch()
    async with batcher(latch) as made:
        stuck = send(made, Piece("stuck"))
        await latch.entered()
        await made.close(grace=0.05)
        with pytest.raises(Draining):
            await stuck


async def test_no_windows_need_no_thread() -> None:
    async with batcher(names) as made:
        assert await send(made) == []


async def test_two_batchers_share_the_executor_and_the_older_request_goes_first() -> None:
    latch = Latch()
    async with batcher(latch) as one:
        other = Batcher(
            name="other",
            begin=partial(SingleStepBatch, latch),
            stepwise=False,
            executor=one._executor,
            metrics=Metrics().model("other"),
            batch_tokens=1000,
            queue_tokens=1000,
        )
        busy = send(one, Piece("busy"))
        await latch.entered()
        tasks = []
        for name, to in (("other 1", other), ("one 1", one), ("other 2", other)):
            tasks.append(send(to, Piece(name)))
            await queued()
        latch.open()
        await asyncio.gather(busy, *tasks)
    assert latch.batches == [["busy"], ["other 1", "other 2"], ["one 1"]]


async def test_among_many_disconnects_failures_and_deadlines_every_caller_is_answered_once() -> (
    None
):
    def answer(windows: Sequence[Piece]) -> list[str]:
        time.sleep(0.0005)
        if any(window.name.endswith("13") for window in windows):
            raise ValueError
        return names(windows)

    async with batcher(answer, threads=2, batch_tokens=100, queue_tokens=30_000) as made:
        tasks = []
        for index in range(1000):
            seconds = 0.01 if index % 7 == 0 else 1000  # too long for a slow machine to refuse any
            tasks.append(send(made, Piece(str(index), 1 + index % 50), seconds=seconds))
            if index % 11 == 0:
                await asyncio.sleep(0)
                tasks[index // 2].cancel()
        _, waiting = await asyncio.wait(tasks, timeout=120)
        assert not waiting
        outcomes = [
            "left"
            if task.cancelled()
            else type(error).__name__
            if (error := task.exception())
            else "ok"
            for task in tasks
        ]
        answered = [task for task, outcome in zip(tasks, outcomes, strict=True) if outcome == "ok"]
        assert all(task.result() == [str(tasks.index(task))] for task in answered)
        assert set(outcomes[::7]) <= {
            "ok",
            "left",
            "InternalError",
            "DeadlineExceeded",
            "QueueFull",
        }  # the hurried ones: some are seen at once to be too late
        del outcomes[::7]
        assert set(outcomes) <= {"ok", "left", "InternalError"}
        assert len(answered) > 200
        await asyncio.sleep(0)
        assert made._size_classes.windows == made._size_classes.tokens == 0
        assert not made._jobs
        assert await send(made, Piece("afterwards")) == ["afterwards"]


@pytest.mark.usefixtures("each_step_a_slice")
async def test_a_batch_is_computed_however_long_it_took_to_get_ready() -> None:
    async with batcher(names) as made:
        assert await send(made, Piece("a"), Piece("b", 2)) == ["a", "b"]


# --- batches of many steps


@pytest.mark.usefixtures("each_step_a_slice")
async def test_windows_join_a_running_batch_and_leave_it_when_they_are_done() -> None:
    batch = StepwiseBatch({"long"})
    async with batcher(batch) as made:
        long = send(made, Piece("long", 50))
        await batch.at_a_step()
        short = send(made, Piece("short", 2))
        await queued()
        batch.free()
        assert await short == ["short"]
        assert not long.done()
        assert await long == ["long"]
    assert batch.steps[0] == ["long"]
    assert batch.steps.count(["long", "short"]) == 2
    assert batch.steps[-1] == ["long"]


async def test_a_slice_ends_when_a_request_is_answered_not_at_each_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.scheduling.batcher.SLICE_SECONDS", 60.0)
    batch = StepwiseBatch({"one"})
    async with batcher(batch, batch_tokens=6) as made:
        tasks = [send(made, Piece("one", 1), Piece("two", 2))]
        await batch.at_a_step()
        tasks += [send(made, Piece(f"of {steps}", steps)) for steps in (4, 1, 2)]
        batch.free()
        assert [await task for task in tasks] == [["one", "two"], ["of 4"], ["of 1"], ["of 2"]]
    assert batch.steps == [
        *(["one", "two"], ["two"]),  # there is room for "of 4" as soon as "one" is done
        *(["of 4", "of 1"], ["of 4", "of 2"], ["of 4", "of 2"], ["of 4"]),
    ]


@pytest.mark.usefixtures("each_step_a_slice")
async def test_the_cost_model_counts_every_token_once_though_most_slices_finish_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = StepwiseBatch({"long"})
    updates: list[float] = []
    async with batcher(batch) as made:
        update = made._cost_model.update

        def record(*, tokens: float, **others: Any) -> None:
            updates.append(tokens)
            update(tokens=tokens, **others)

        monkeypatch.setattr(made._cost_model, "update", record)
        long = send(made, Piece("long", 20))
        await batch.at_a_step()
        gone, short = send(made, Piece("gone", 30)), send(made, Piece("short", 4))
        await queued()
        batch.go.release()
        await batch.at_a_step()
        gone.cancel()
        batch.free()
        await asyncio.gather(long, short)
    # a half when they join, a half when they finish; of those removed the half is taken back
    assert updates[:2] == [10, 17]
    assert min(updates) == 0
    assert sum(updates) == 20 + 4 + 15


@pytest.mark.usefixtures("each_step_a_slice")
async def test_a_caller_who_leaves_between_two_steps_frees_the_place() -> None:
    batch = StepwiseBatch({"gone"})
    async with batcher(batch, batch_tokens=100) as made:
        gone, stays = send(made, Piece("gone", 60)), send(made, Piece("stays", 40))
        waits = send(made, Piece("waits", 60))
        await batch.at_a_step()
        gone.cancel()
        batch.free()
        assert await waits == ["waits"]
        assert await stays == ["stays"]
        assert value(made._metrics.rejected["caller_left"]) == 1
        assert made._running_tokens == made._size_classes.tokens == 0
    assert len([names for names in batch.steps if "gone" in names]) < 60
    assert not [names for names in batch.steps if {"gone", "waits"} <= set(names)]


@pytest.mark.usefixtures("each_step_a_slice")
async def test_a_deadline_that_passes_between_two_steps_frees_the_place() -> None:
    batch = StepwiseBatch({"late"})
    async with batcher(batch, batch_tokens=100) as made:
        late, stays = send(made, Piece("late", 60), seconds=0.05), send(made, Piece("stays", 40))
        await batch.at_a_step()
        with pytest.raises(DeadlineExceeded):
            await late
        batch.free()
        assert await stays == ["stays"]
        assert value(made._metrics.rejected["deadline"]) == 1
        assert made._running_tokens == 0
    assert len([names for names in batch.steps if "late" in names]) < 60


async def test_a_step_that_raises_fails_all_who_are_in_it_and_the_next_batch_is_a_new_one() -> None:
    batch = StepwiseBatch({"a"})
    async with batcher(batch) as made:
        both = [send(made, Piece("a", 5)), send(made, Piece("b", 5))]
        await batch.at_a_step()
        batch._left[99] = (Piece("broken"), "no number")  # type: ignore[assignment]
        batch.free()
        for task in both:
            with pytest.raises(InternalError):
                await task
        batch._left.clear()
        assert await send(made, Piece("afterwards", 3)) == ["afterwards"]
        assert made._running_tokens == 0


# --- computing in the event loop


async def test_the_event_loop_executor_answers_every_caller_once_and_lets_the_loop_do_other_things() -> (
    None
):
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    async with batcher(
        names, batch_tokens=20, queue_tokens=10_000, executor=EventLoopExecutor()
    ) as made:
        beating = asyncio.create_task(beat())
        tasks = [send(made, Piece(str(index), 1 + index % 9)) for index in range(200)]
        assert await asyncio.gather(*tasks) == [[str(index)] for index in range(200)]
        beating.cancel()
    assert beats > 50  # once a batch at least


@pytest.mark.parametrize("seconds", [0.02, 0.0], ids=["slow", "little waits"])
async def test_a_turn_runs_several_batches_while_much_is_queued_but_not_beyond_its_time(
    seconds: float,
) -> None:
    iterations, turns = 0, list[int]()

    async def count_iterations() -> None:
        nonlocal iterations
        while True:
            iterations += 1
            await asyncio.sleep(0)

    def compute(windows: Sequence[Piece]) -> list[str]:
        turns.append(iterations)
        time.sleep(seconds)
        return names(windows)

    async with batcher(
        compute, batch_tokens=10, queue_tokens=10_000, executor=EventLoopExecutor()
    ) as made:
        for _ in range(MIN_BATCHES):
            made._cost_model.update(tokens=10, passes=1, units=10, seconds=seconds)
        counting = asyncio.create_task(count_iterations())
        tasks = [send(made, Piece(str(index))) for index in range(20)]
        assert await asyncio.gather(*tasks) == [[str(index)] for index in range(20)]
        counting.cancel()
    batches = Counter(turns).values()
    assert sum(batches) == 20
    assert max(batches) == (3 if seconds else 1)


async def test_a_turn_gathers_the_requests_in_flight_and_a_lone_request_is_computed_at_once() -> (
    None
):
    batches: list[list[str]] = []

    def compute(windows: Sequence[Piece]) -> list[str]:
        batches.append(names(windows))
        return names(windows)

    executor = EventLoopExecutor()
    async with batcher(compute, executor=executor) as made:
        executor.in_flight = [1, 2, 3]
        await asyncio.gather(*[send(made, Piece(str(index))) for index in range(3)])
        executor.in_flight = [1]
        submitted = made.submit([Piece("alone")], deadline=later())
        with pytest.raises(StopIteration) as returned:
            submitted.send(None)  # it never has to wait
        assert returned.value.value.outputs == ["alone"]
    assert batches == [["0", "1", "2"], ["alone"]]


async def test_a_batch_that_raises_in_a_turn_fails_its_own_callers_only() -> None:
    def compute(windows: Sequence[Piece]) -> list[str]:
        if windows[0].name == "bad":
            raise ValueError
        return names(windows)

    async with batcher(compute, executor=EventLoopExecutor()) as made:
        bad, good = send(made, Piece("bad", 5)), send(made, Piece("good", 500))
        with pytest.raises(InternalError):
            await bad
        assert await good == ["good"]


# --- admission


async def test_what_cannot_be_done_by_its_deadline_is_refused_at_once_by_the_measured_rate() -> (
    None
):
    def slowly(windows: Sequence[Piece]) -> list[str]:
        time.sleep(0.02 * len(windows))
        return names(windows)

    async with batcher(slowly, batch_tokens=10, queue_tokens=100_000) as made:
        for index in range(MIN_BATCHES):  # 10 tokens take 20 ms
            await send(made, Piece(str(index)))
        # with so much time even a slow machine refuses none of them
        accepted = [send(made, Piece(str(index)), seconds=1000) for index in range(40)]
        await queued()
        with pytest.raises(QueueFull) as refused:
            made.check(10, 1, deadline=later(0.9))
        assert (refused.value.retry_after or 0) >= 1
        made.check(10, 1, deadline=later(1000))
        with pytest.raises(DeadlineExceeded):  # alone it would take 20 s
            made.check(10_000, 1000, deadline=later(1))
        await asyncio.gather(*accepted)
        made.check(10, 1, deadline=later(0.9))
