import pytest

from vaekit.cli.table import results_columns, show_table


def test_losses_are_positive_and_settings_short(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"model.encoder.hidden": "[2]", "model.decoder.hidden": "[3]", "model.latent_dim": "4",
         **results_columns({"elbo_nats": -90.123, "seed": 0})},
        {"model.latent_dim": "5", "elbo_nats": None},
    ]  # fmt: skip
    show_table(rows)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["encoder.hidden", "decoder.hidden", "latent_dim", "-ELBO"]
    assert lines[3].split() == ["[2]", "[3]", "4", "90.12"]
    assert lines[4].split() == ["5"]
