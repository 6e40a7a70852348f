"""Fair queueing: whose window is next, and who is accepted beside whom."""

import asyncio
import time

import pytest

from service.errors import DeadlineExceeded, QueueFull
from service.scheduling.batcher import Batcher
from service.scheduling.cost_model import MIN_BATCHES
from service.scheduling.executors import EventLoopExecutor
from service.scheduling.fair_queueing import FairClock, FlowKey, Turn

from .computations import Latch, Piece, StepwiseBatch, batcher, later, names, queued, send

pytestmark = pytest.mark.anyio

SECONDS = 0.01
"""That a batch of ten tokens takes."""


def document(windows: int, length: int = 10) -> list[Piece]:
    return [Piece(f"document {number}", length) for number in range(windows)]


def expect_seconds(made: Batcher[Piece, str], seconds: float = SECONDS) -> None:
    """As if batches of ten tokens had taken so long."""
    for _ in range(MIN_BATCHES):
        made._cost_model.update(tokens=10, passes=1, units=10, seconds=seconds)


# --- the clock


def test_flows_take_turns_by_tokens_and_an_idle_one_is_next() -> None:
    clock, turns = FairClock(), dict[Turn, str]()
    for caller, length, windows in (("a", 10, 6), ("b", 30, 2)):
        flow = clock.enter(FlowKey(caller, 0), length * windows)
        turns |= {clock.stamp(flow, length): caller for _ in range(windows)}
    in_order = sorted(turns)
    assert "".join(turns[turn] for turn in in_order) == "abaaabaa"
    for turn in in_order[:4]:
        clock.advance(turn)
    late = clock.stamp(clock.enter(FlowKey("late", 0), 5), 5)
    assert in_order[3] < late < in_order[4]


def test_a_flow_that_is_done_leaves_nothing_behind() -> None:
    clock = FairClock()
    flows = [clock.enter(FlowKey(str(number % 3), 0), 10) for number in range(9)]
    for flow in flows:
        clock.leave(flow, 10)
    assert not clock._flows
    assert clock.tokens_before(FlowKey("0", 0), 10) == 0


# --- which windows make a batch


@pytest.mark.parametrize("caller", ["other", "same"])
async def test_a_short_request_goes_before_the_rest_of_a_document(caller: str) -> None:
    latch = Latch()
    async with batcher(latch, batch_tokens=20, queue_tokens=10_000) as made:
        long = send(made, *document(50), caller="same")
        await latch.entered()
        short = send(made, Piece("short"), caller=caller)
        await queued()
        latch.open()
        assert await short == ["short"]
        assert not long.done()
        assert len(await long) == 50
    assert latch.batches[1][0] == "short"


async def test_two_callers_with_documents_get_equal_parts() -> None:
    latch = Latch()
    async with batcher(latch, batch_tokens=10, queue_tokens=10_000) as made:
        busy = send(made, Piece("busy"))
        await latch.entered()
        tasks = [
            send(made, *(Piece(caller) for _ in range(count)), caller=caller)
            for caller, count in (("a", 40), ("a", 40), ("b", 20))
        ]
        await queued()
        latch.open()
        await asyncio.gather(busy, *tasks)
    order = [batch[0] for batch in latch.batches[1:]]
    assert order[:40].count("b") == 20


@pytest.mark.usefixtures("each_step_a_slice")
async def test_a_full_batch_of_one_caller_has_room_for_another_caller() -> None:
    batch = StepwiseBatch({"long 0"})
    async with batcher(batch, batch_tokens=100, queue_tokens=10_000) as made:
        long = [send(made, Piece(f"long {number}", 50), caller="a") for number in range(20)]
        await batch.at_a_step()
        await queued()
        batch.go.release()
        await batch.at_a_step()
        short = send(made, Piece("short", 2), caller="b")
        await queued()
        for _ in range(3):
            batch.go.release()
            await batch.at_a_step()
        assert ["long 0", "long 1", "short"] in batch.steps
        assert await short == ["short"]
        batch.free()
        await asyncio.gather(*long)
    assert max(len(step) for step in batch.steps) == 3


@pytest.mark.usefixtures("each_step_a_slice")
async def test_a_short_request_takes_no_step_together_with_a_document() -> None:
    begun: list[StepwiseBatch] = []

    class Batches(StepwiseBatch):
        def begin(self) -> StepwiseBatch:
            begun.append(StepwiseBatch(set()) if begun else self)
            return begun[-1]

    documents = Batches({"document 0"})
    async with batcher(documents, batch_tokens=100, queue_tokens=10_000) as made:
        long = send(made, *document(20, length=50))
        await documents.at_a_step()
        short = send(made, Piece("short", 5))
        await queued()
        documents.free()
        assert await short == ["short"]
        assert not long.done()
        await long
    assert begun[1].steps == [["short"]] * 5
    assert all("short" not in step for step in documents.steps)


async def test_models_get_equal_parts_of_the_time() -> None:
    order: list[str] = []

    def compute(windows: list[Piece]) -> list[str]:
        order.append(windows[0].name)
        time.sleep(0.002)
        return names(windows)

    executor = EventLoopExecutor()
    async with (
        batcher(compute, batch_tokens=10, queue_tokens=10_000, executor=executor) as one,  # type: ignore[arg-type]
        batcher(compute, batch_tokens=10, queue_tokens=10_000, executor=executor) as other,  # type: ignore[arg-type]
    ):
        long = send(one, *(Piece("one") for _ in range(60)))
        await asyncio.sleep(0.02)
        begun = len(order)
        short = send(other, *(Piece("other") for _ in range(5)))
        await asyncio.gather(long, short)
    last = max(number for number, name in enumerate(order) if name == "other")
    assert last - begun < 30  # ten, were each sleep of equal length


# --- who is accepted


async def test_documents_of_one_caller_cost_no_other_and_no_short_request_its_place() -> None:
    latch = Latch()
    async with batcher(latch, batch_tokens=20, queue_tokens=3000) as made:
        expect_seconds(made)
        tasks = [send(made, *document(250), caller="a", seconds=60)]
        await latch.entered()
        with pytest.raises(QueueFull):
            await send(made, *document(250), caller="a", seconds=2)
        tasks += [send(made, Piece("short"), caller=caller, seconds=2) for caller in "ab"]
        tasks.append(send(made, *document(10), caller="b", seconds=10))
        await queued()
        assert not any(task.done() for task in tasks)
        latch.open()
        await asyncio.gather(*tasks)


async def test_more_than_the_queue_holds_is_refused_to_whom_it_belongs() -> None:
    latch = Latch()
    async with batcher(latch, batch_tokens=20, queue_tokens=1000) as made:
        tasks = [send(made, *document(200), caller="a")]  # more than the queue, which was empty
        await latch.entered()
        with pytest.raises(QueueFull):
            await send(made, *document(80), caller="a")
        tasks += [send(made, Piece("short"), caller=caller) for caller in "abcdef"]
        tasks += [send(made, *document(20), caller="b")]
        await queued()
        assert not any(task.done() for task in tasks)
        latch.open()
        await asyncio.gather(*tasks)


async def test_a_request_waits_for_the_backlog_of_other_models_in_equal_parts_only() -> None:
    latch, executor = Latch(), EventLoopExecutor()
    async with (
        batcher(names, queue_tokens=100_000, executor=executor) as one,
        batcher(names, queue_tokens=100_000, executor=executor) as other,
    ):
        expect_seconds(one)
        expect_seconds(other)
        task = send(one, *document(1000), seconds=60)  # five seconds
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        other.check(10, 1, deadline=later(1))
        one.check(10, 1, deadline=later(1), caller="b")
        with pytest.raises(QueueFull):
            one.check(10_000, 1000, deadline=later(10))
        await task
        latch.open()


async def test_with_nothing_queued_nothing_is_refused_but_what_surely_cannot_be_done() -> None:
    async with batcher(StepwiseBatch(set()), batch_tokens=1000, queue_tokens=1000) as made:
        for _ in range(2 * MIN_BATCHES):  # sentences of two tokens, one after the other
            made._cost_model.update(tokens=2, passes=8, units=8, seconds=0.02)
        made.check(4500, 160, deadline=later(30))  # by the token, 45 seconds
        with pytest.raises(DeadlineExceeded):
            made.check(450_000, 16_000, deadline=later(30))


async def test_what_was_estimated_is_told_with_the_outcome() -> None:
    async with batcher(names) as made:
        assert (await made.submit([Piece("a")], deadline=later())).expected_seconds == 0
        expect_seconds(made)
        told = (await made.submit([Piece("a")], deadline=later())).expected_seconds
        assert told == pytest.approx(SECONDS, rel=0.2)
