"""How every annotation of vaekit is checked while the tests run: pyproject.toml names `checked`."""

from beartype import BeartypeConf, beartype

as_pyright_does = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float


def checked(function):
    """Checks `function` at every call, but for annotations with Self.

    jaxtyping wraps a method before its class exists, so that beartype could not tell who Self is.
    """
    hints = function.__annotations__
    function.__annotations__ = {
        name: hint for name, hint in hints.items() if "Self" not in str(hint)
    }
    return as_pyright_does(function)
