"""A FastAPI endpoint as tutorials write it: the body is a pydantic model, nothing is batched."""

import os

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from scorer import Scorer

scorer = Scorer()
app = FastAPI()


class Body(BaseModel):
    x: list[list[int]]


class Scores(BaseModel):
    elbo_nats: list[float]
    kl_nats: list[float]
    mse: list[float]


@app.post("/score")
def score(body: Body) -> Scores:
    return Scores(**scorer(body.x))


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["PORT"]), log_level="error", access_log=False)
