"""A bare ASGI application that reads the body and returns a constant of the same size: the roof."""

import os

import uvicorn

ANSWER = b'{"elbo_nats":[-81.8612345678],"kl_nats":[25.1234567890],"mse":[0.00512345678]}'
HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(ANSWER)),
    ],
}
END = {"type": "http.response.body", "body": ANSWER}


async def app(scope, receive, send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send(HEAD)
    await send(END)


if __name__ == "__main__":
    uvicorn.run(
        app, port=int(os.environ["PORT"]), log_level="error", access_log=False, lifespan="off"
    )
