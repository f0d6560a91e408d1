"""What OpenAPI says is what the service does: whatever is sent, what comes back is declared.

schemathesis makes requests out of the document, right and wrong ones, for each path of `/v1`
and `/admin`. Where it would guess a name, it is told what there is, so that it gets further.
"""

import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from serving.folders import alias, fake_opener, put
from serving.in_process import listening

from vaekit.serving import Service, Settings
from vaekit.serving.keys import new_key
from vaekit.serving.log import Log

# beartype takes random items of lists to look at, here in the thread of the service.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

SECRET, KEY = new_key("tester", ["infer", "admin"])
HEADERS = {"Authorization": f"Bearer {SECRET}"}
PARAMETERS = {
    "name": ["toy", "other"],
    "alias": ["live", "canary", "previous", "a b"],
    "version": ["1", "2", "9", "live"],
}
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
UNLIKE = (HealthCheck.too_slow, HealthCheck.filter_too_much)
ROW = {"type": "array", "items": {"type": "number", "minimum": -9, "maximum": 9}}


class Documented:
    """A service, its document, and what it answered so far."""

    def __init__(self, address: str, log: io.StringIO) -> None:
        self.url, self.log = f"http://{address}", log
        self.document = requests.get(f"{self.url}/openapi.json", timeout=10).json()
        self.statuses = Counter[int]()
        self.session = requests.Session()

    def ask(self, operation: Any, examples: int) -> int:
        """Sends right and wrong requests to one path; how many."""
        cases, before = [operation.as_strategy(mode) for mode in MODES], self.statuses.total()

        @settings(max_examples=examples, suppress_health_check=list(UNLIKE), database=None)
        @given(case=st.one_of(cases))
        def call(case: schemathesis.Case) -> None:
            reply = case.call_and_validate(
                self.url, self.session, HEADERS, excluded_checks=[positive_data_acceptance]
            )
            self.statuses[reply.status_code] += 1

        call()
        return self.statuses.total() - before


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documented]:
    folder, log = tmp_path_factory.mktemp("documented"), io.StringIO()
    for version in ("1", "2"):
        put(folder / "models", "toy", version)
    alias(folder / "models", "toy", '{"live": "1"}')
    (folder / "keys").write_text(KEY.line)
    chosen = Settings(path=folder / "models", keys=folder / "keys")
    with listening(Service(chosen, fake_opener, Log(log.write)), lifespan="on") as address:
        found = Documented(address, log)
        yield found
        found.session.close()


def _with_names(whole: dict[str, Any]) -> dict[str, Any]:
    """The document, with what a client would know of this service."""
    told = json.loads(json.dumps(whole))
    for operations in told["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                parameter["schema"] = {"type": "string", "enum": PARAMETERS[parameter["name"]]}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            for name, size in (("x", 4), ("z", 2)):
                if body and name in body["schema"]["properties"]:
                    row = {**ROW, "minItems": size, "maxItems": size}
                    body["schema"]["properties"][name] = {"anyOf": [row, {"type": "array"}]}
    return told


@pytest.mark.parametrize("examples", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_what_comes_back_is_declared(documented: Documented, examples: int) -> None:
    schema = schemathesis.openapi.from_dict(_with_names(documented.document))
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    asked = [documented.ask(operation, examples) for operation in operations]
    said = documented.document["paths"].values()
    assert len(asked) == sum(len(operations) for operations in said)
    assert min(asked) >= examples / 2  # some paths have few requests that differ
    assert {200, 404, 422} <= documented.statuses.keys()
    assert '"failure"' not in documented.log.getvalue()


def test_other_methods_are_told_which_there_are(documented: Documented) -> None:
    for path, operations in documented.document["paths"].items():
        url = documented.url + path.format(name="toy", alias="live")
        reply = documented.session.request("PATCH", url, headers=HEADERS)
        assert reply.status_code == 405
        assert set(reply.headers["allow"].lower().split(", ")) == operations.keys()
