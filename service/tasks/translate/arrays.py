"""Arrays that grow along several axes, as the rows of a search do."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def extended(array: NDArray[Any], size: int, new: NDArray[Any]) -> NDArray[Any]:
    """The first `size` of `array` and then `new`, padded with zeros where the other is longer; room after them.

    Writes into `array` itself if that is large enough.

    >>> extended(np.array([[1, 1], [2, 2], [9, 9]]), 2, np.array([[3]])).tolist()
    [[1, 1], [2, 2], [3, 0]]
    """
    needed = size + len(new)
    inner = [max(sizes) for sizes in zip(array.shape[1:], new.shape[1:], strict=True)]
    if len(array) < needed or list(array.shape[1:]) != inner:
        array = widened(array[:size], (2 * needed, *inner))
    place = array[size:needed]
    if place.shape != new.shape:
        place[...] = 0
    place[tuple(slice(length) for length in new.shape)] = new
    return array


def widened(array: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
    """`array` padded with zeros at the ends of its axes."""
    if array.shape == tuple(shape):
        return array
    wider = np.zeros(shape, array.dtype)
    wider[tuple(slice(size) for size in array.shape)] = array
    return wider
