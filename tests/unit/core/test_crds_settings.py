"""The environment variables of CRDS."""

from crds.core import config

from badpix.core.crds_settings import set_crds_environment


def test_a_server_that_does_not_answer_is_given_up_in_minutes(monkeypatch):
    """By the setting that the package crds reads, and writes when it is read; the user's own value stays."""
    monkeypatch.delenv("CRDS_CLIENT_TIMEOUT_SECONDS", raising=False)
    set_crds_environment(None, None, None)
    assert config.get_client_timeout_seconds() == 120
    monkeypatch.setenv("CRDS_CLIENT_TIMEOUT_SECONDS", "7")
    set_crds_environment(None, None, None)
    assert config.get_client_timeout_seconds() == 7
