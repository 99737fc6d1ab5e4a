"""Lengths that inputs decide move numbers: what has such a length pays for being moved about."""

from __future__ import annotations

import numpy as np
import pytest

from meter.metered import Meter, totals

WIDE = 1000
ONE, OTHER = np.arange(WIDE) * 1.0, -np.arange(WIDE) * 2.0


class Choice:
    """A meter, two computed records, and a bit of an input."""

    def __init__(self, bit):
        self.meter = Meter()
        self.xp = self.meter.xp
        self.meter.begin(np.zeros((1, 1)), inputs=100)
        self.one, self.other = self.meter.put(ONE), self.meter.put(OTHER)
        bit = self.meter.put(np.array([bit]))
        single = self.xp.ones((1,), dtype=self.xp.bool)
        self.there, self.not_there = single[bit], single[~bit]  # lengths 1 and 0, or 0 and 1
        self.before = self.cost()

    def cost(self):
        return sum(amount for kind, amount in totals(self.meter.charges()).items() if kind != "load")

    def spent(self):
        return self.cost() - self.before


def by_padding(c):
    """Shift a record by a length."""
    return c.xp.concat([c.xp.astype(c.there, c.xp.float64), c.one])[:WIDE]


def by_meshgrid(c):
    """Repeat one record as often as a bit says, and the other one as often as it does not."""
    one, other = (
        c.xp.meshgrid(length, record)[1] for length, record in ((c.there, c.one), (c.not_there, c.other))
    )
    return c.xp.concat([one, other], axis=1)[:, 0]


def by_broadcasting(c):
    one, other = (
        c.xp.broadcast_arrays(length[None, :], record[:, None])[1]
        for length, record in ((c.there, c.one), (c.not_there, c.other))
    )
    return c.xp.reshape(c.xp.concat([one, other], axis=1), (WIDE,))


def by_a_mask_of_lengths(c):
    """Constants, but for how many there are of each."""
    mask = c.xp.concat([c.xp.ones_like(c.there), c.xp.zeros_like(c.not_there)])
    return c.xp.concat([c.one[None, :][mask, :], c.other[None, :][~mask, :]], axis=0)[0, :]


def by_an_index_of_lengths(c):
    index = c.xp.concat([c.xp.ones_like(c.there, dtype="int64"), c.xp.zeros_like(c.not_there, dtype="int64")])
    return c.xp.stack([c.other, c.one])[index, :][0, :]


def by_writing(c):
    one, other = (
        c.xp.meshgrid(length, record)[1] for length, record in ((c.there, c.one), (c.not_there, c.other))
    )
    out = c.xp.zeros((WIDE, 1))
    out[:, :] = c.xp.concat([one, other], axis=1)
    return out[:, 0]


def by_rolling(c):
    padded = c.xp.concat([c.xp.astype(c.there, c.xp.float64), c.one, c.xp.astype(c.not_there, c.xp.float64)])
    return c.xp.roll(padded, 1)[1:WIDE]


CHOICES = [by_meshgrid, by_broadcasting, by_a_mask_of_lengths, by_an_index_of_lengths, by_writing]


@pytest.mark.parametrize("choose", [*CHOICES, by_padding, by_rolling])
@pytest.mark.parametrize("bit", [False, True])
def test_a_length_chooses_no_wide_record_for_nothing(choose, bit):
    choice = Choice(bit)
    made = choice.meter.get(choose(choice))
    if choose in CHOICES:
        np.testing.assert_array_equal(made.reshape(-1), ONE if bit else OTHER)  # it does choose
    assert choice.spent() >= WIDE - 1


def test_once_its_length_is_paid_for_it_is_an_array_like_others():
    choice = Choice(True)
    assert choice.there.shape == (1,)
    before = choice.spent()
    _ = choice.xp.concat([choice.xp.astype(choice.there, choice.xp.float64), choice.one])[:WIDE]
    assert choice.spent() == before
    mask = choice.xp.ones_like(choice.there)
    _ = choice.one[None, :][mask, :]
    assert choice.spent() == before


def test_what_a_mask_of_the_model_keeps_is_no_secret():
    choice = Choice(True)
    mask = choice.xp.asarray(np.arange(WIDE) % 2 == 0)
    kept = choice.one[mask]
    assert kept.shape == (WIDE // 2,)
    assert choice.xp.nonzero(mask)[0].shape == (WIDE // 2,)
    _ = choice.xp.flip(kept)[:7]
    assert choice.spent() == choice.meter.engine.bits_revealed == 0


def test_what_has_no_such_length_is_moved_for_nothing():
    choice = Choice(True)
    _ = choice.xp.roll(choice.xp.concat([choice.one, choice.other]), 3)[:7]
    assert choice.spent() == 0
