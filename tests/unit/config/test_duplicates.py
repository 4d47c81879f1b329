"""Keys that a configuration file has twice."""

from badpix.config.duplicates import duplicate_keys


def test_each_duplicate_is_named_with_its_lines_at_any_depth(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("min_darks: 3\nflag_values:\n  noisy: [HOT]\n  hot: [HOT]\n  noisy: [RC]\nepochs:\n"
                    "- name: a\n  start: x\n- {name: b, name: c}\nmin_darks: 2\n")  # fmt: skip
    assert duplicate_keys([path]) == [
        f"{path}, line 5: the key flag_values.noisy is there already, in line 3; remove one of the two",
        f"{path}, line 9: the key epochs.name is there already, in line 9; remove one of the two",
        f"{path}, line 10: the key min_darks is there already, in line 1; remove one of the two",
    ]


def test_files_without_duplicates_and_files_that_are_no_yaml_have_none(tmp_path):
    for name, text in {"a": "x: {y: 1}\ny: 1\n", "b": "", "c": "x: [", "d": "- 1\n- 1\n", "e": '{"x": 1}'}.items():
        (tmp_path / name).write_text(text)
        assert duplicate_keys([tmp_path / name]) == []
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00x")
    assert duplicate_keys([tmp_path / "binary", tmp_path / "absent"]) == []
