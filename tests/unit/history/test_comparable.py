"""Which settings make the masks of a history comparable."""

from badpix.history.comparable import settings_digest

CONFIG = {"max_jump_limit": 10, "min_darks": 3, "author": "A", "flag_values": {"hot": ["HOT"], "warm": []}}
KEYS = tuple(CONFIG)
FILES = {"manual_flags": "1f", "flat_types": "2e"}


def digest(contents=FILES, made_with=(), **keys):
    return settings_digest(CONFIG | keys, KEYS, dict(made_with), contents)


def test_what_decides_on_pixels_counts():
    others = [
        digest(max_jump_limit=5),
        digest(min_darks=4),
        digest(flag_values={"hot": [], "warm": []}),
        digest(made_with={"darks": {}}),
        digest({}),
        digest(FILES | {"flat_types": "2f"}),
        digest({"flat_types": "1f", "manual_flags": "2e"}),
    ]
    assert len({digest(), *others}) == len(others) + 1


def test_what_names_a_mask_does_not_count():
    assert digest(author="B") == digest(flag_values={"hot": ["DEAD"], "warm": []}) == digest()


def test_three_darks_are_deep_also_where_fewer_are_required():
    assert digest(min_darks=1) == digest()
