"""LitServe, with its own batching."""

import os

import litserve
from scorer import Scorer


class Api(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.scorer = Scorer()

    def decode_request(self, request: dict) -> list:
        return request["x"][0]

    def batch(self, inputs: list) -> list:
        return inputs

    def predict(self, batch: list) -> list:
        found = self.scorer(batch)
        return [{name: [values[i]] for name, values in found.items()} for i in range(len(batch))]

    def unbatch(self, output: list) -> list:
        return output

    def encode_response(self, output: dict) -> dict:
        return output


if __name__ == "__main__":
    api = Api(max_batch_size=64, batch_timeout=0.001, api_path="/score")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        port=int(os.environ["PORT"]),
        log_level="error",
        num_api_servers=1,
        generate_client_file=False,
    )
