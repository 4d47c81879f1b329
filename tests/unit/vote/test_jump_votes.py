"""The vote of a dark on jumps: once, whatever their number, and only where a pixel can show one."""

import numpy as np

from badpix.vote.jump_votes import JumpVotes

SHAPE = (10, 10)


def test_a_dark_counts_once_and_its_share_is_measured():
    votes = JumpVotes(np.ones(SHAPE, bool))
    up, down = np.zeros(SHAPE, np.int16), np.zeros(SHAPE, np.int16)
    up[0, 0], down[0, 1], up[0, 2], down[0, 2] = 3, 1, 1, 1
    for _ in range(2):  # darks
        for _ in range(3):  # integrations
            votes.add(np.full(SHAPE, 20), up, down)
        votes.end_exposure()
    np.testing.assert_array_equal(votes.votes.k[0, :4], [2, 2, 2, 0])
    assert votes.votes.k.sum() == 6 and (votes.votes.n_valid == 2).all()
    np.testing.assert_allclose(votes.shares, [0.03, 0.03])


def test_ramps_without_usable_groups_and_short_ramps_have_no_vote():
    votes, ones = JumpVotes(np.ones(SHAPE, bool)), np.ones(SHAPE, np.int16)
    good = np.full(SHAPE, 20)
    good[0, 0] = 0
    votes.add(good, ones, ones)
    votes.end_exposure()
    votes.add(np.full(SHAPE, 4), ones, ones)  # the jump step does not find telegraph noise
    votes.end_exposure()
    assert votes.votes.n_valid[0, 0] == 0 and votes.votes.n_valid[1, 1] == 1 and votes.votes.k[1, 1] == 1
    assert votes.shares == [1.0, 1.0]
