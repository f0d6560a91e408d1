"""Arrays in .npy and .npz files, read without unpickling anything."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from vaekit.data.files.places import existing
from vaekit.errors import DataError

UNREADABLE = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


def read_array(path: Path, key: str | None = None) -> np.ndarray:
    """An array from a file.

    Args:
        path: A .npy file, or a .npz file.
        key: Name of the array in a .npz file; not needed where it holds one array.

    Raises:
        DataError: Where the file, or the array in it, is not there or cannot be read.
    """
    path = existing(path)
    if path.suffix not in (".npy", ".npz"):
        raise DataError(
            "This kind of file cannot be read.",
            where=path,
            expected="a .npy or .npz file",
            found=path.suffix or "no suffix",
            remedy="write the values with numpy.save or numpy.savez, or a table as .csv",
        )
    try:
        with path.open("rb") as file:  # numpy would not close a file that it cannot read
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return _unnamed(loaded, key, path)
            return loaded[_name_in(loaded.files, key, path)]
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> DataError:
    """What to raise where the reader of a format gave up."""
    reason = str(error) or type(error).__name__
    if "Object arrays" in reason or "Python objects" in reason:
        return DataError(
            "A file holds Python objects, which are not read.",
            where=path,
            expected="an array of numbers",
            remedy="save the values as an array of numbers, with rows of equal length",
        )
    # Where numpy knows nothing of a file it takes it for a pickle, and says how to load that.
    return DataError(
        "A file is damaged, or not what its name says.",
        where=path,
        expected=f"a whole {path.suffix} file",
        found="something else" if "pickle" in reason else reason.splitlines()[0],
        remedy="write it again",
    )


def compact(array: np.ndarray, where: str) -> np.ndarray:
    """The array in a type that tensors have: the same numbers, in native byte order.

    Raises:
        DataError: Where the values are not numbers.
    """
    wider = {"uint16": "int32", "uint32": "int64", "bool": "uint8"}
    if array.dtype.kind not in "buif" or array.dtype.name in ("uint64", "longdouble", "float128"):
        raise DataError(
            "These values are not numbers that can be used.",
            where=where,
            expected="integers of up to 64 bits, floating-point numbers or booleans",
            found=f"values of type {array.dtype}",
            remedy="convert them, for example with .astype('float32')",
        )
    name = array.dtype.name
    return array.astype(wider.get(name, name), copy=False)


def _unnamed(array: np.ndarray, key: str | None, path: Path) -> np.ndarray:
    if key is None:
        return array
    raise DataError(
        "A file of one array has no names in it.",
        where=path,
        expected="a .npz file",
        found=f"a .npy file, and the name {key!r}",
        remedy="leave the name out, or give the path of the other array",
    )


def _name_in(names: list[str], key: str | None, path: Path) -> str:
    if key is None and len(names) == 1:
        return names[0]
    if key in names:
        return str(key)
    raise DataError(
        "It is not clear which array is meant." if key is None else "There is no such array.",
        where=path,
        expected=f"one of {', '.join(names)}",
        found="no name" if key is None else key,
        remedy="name it: --array on the command line, data.key in a recipe",
    )
