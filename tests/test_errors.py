"""The tree of errors: what each says, and what it makes the command line and the service answer."""

import pytest

from vaekit import errors
from vaekit.errors import DataError, MissingExtraError, VaekitError

# (exit code, HTTP status); scripts and alerts rely on these numbers.
CODES = {
    "VaekitError": (1, 500),
    "SpecError": (2, 422),
    "DataError": (3, 422),
    "ArtifactError": (4, 503),
    "DivergenceError": (5, 500),
    "MissingExtraError": (6, 501),
    "RequestError": (7, 400),
    "Interrupted": (130, 500),
}
TREE = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.VaekitError)
}


def test_every_error_has_its_codes() -> None:
    assert {name: (e.exit_code, e.http_status) for name, e in TREE.items()} == CODES


def test_no_two_errors_share_an_exit_code() -> None:
    assert len({code for code, _ in CODES.values()}) == len(CODES)


def test_one_except_clause_catches_all() -> None:
    assert all(issubclass(error, VaekitError) for error in TREE.values())


def test_tree_in_the_docstring_is_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn = errors.__doc__.split("\n\n")[1]
    assert {line.split()[-1 if "--" not in line else 1] for line in drawn.splitlines()[:1]} == {
        "VaekitError"
    }
    assert {line.split("-- ")[1].split()[0] for line in drawn.splitlines()[1:]} == (
        set(CODES) - {"VaekitError"}
    )


def test_message_says_where_expected_found_and_what_to_do() -> None:
    error = DataError("Wrong.", remedy="reshape", found=(3,), expected="shape (4,)", where="x.npy")
    assert str(error) == (
        "Wrong.\n  where:    x.npy\n  expected: shape (4,)\n  found:    (3,)\n  do:       reshape"
    )
    assert error.problem == "Wrong."


@pytest.mark.parametrize("found", [0, False, "", 0.0])
def test_details_that_are_false_are_still_shown(found: object) -> None:
    assert str(DataError("Wrong.", found=found)) == f"Wrong.\n  found:    {found}"


def test_details_left_out_leave_no_line() -> None:
    assert str(VaekitError("Wrong.")) == "Wrong."


def test_missing_extra_says_what_to_install() -> None:
    error = MissingExtraError("parquet", "Reading Parquet")
    assert str(error) == (
        "Reading Parquet needs packages that are not installed.\n"
        "  do:       pip install 'vaekit[parquet]'"
    )
