"""The Open Inference Protocol V2 over gRPC, at a port of its own, for clients such as `tritonclient[grpc]`.

An adapter, as http/asgi.py is one: a call becomes the request for the same thing over HTTP, which goes the way of
all requests, with keys, quotas, deadlines, log and metrics; texts travel as the binary tensor that HTTP has too.
Leaves out streams, and what else Triton adds to the protocol. It needs requirements/grpc.txt.
"""

import json
import math
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from operator import methodcaller
from typing import Any
from urllib.parse import unquote

import grpc

from service.compat import inference_pb2 as messages
from service.http.handler import Handler
from service.http.limits import MAX_TIMEOUT_MS
from service.http.messages import HttpRequest, HttpResponse
from service.settings import Settings, address

SERVICE = "inference.GRPCInferenceService"

HEADERS = ("authorization", "traceparent", "x-request-id", "x-request-timeout-ms", "x-canary")
"""Of a call's metadata, what a request has as headers."""
TRAILERS = (b"x-request-id", b"retry-after", b"server-timing", b"ratelimit", b"ratelimit-policy")

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}

Context = Any  # grpc.aio.ServicerContext; grpcio has no annotations
Answer = Callable[[Any, Context], Awaitable[Any]]


class GrpcServer:
    """To be made and bound before the workers are forked; each of them serves."""

    def __init__(self, handler: Handler, settings: Settings) -> None:
        self._handler, self._settings = handler, settings
        self._host, self._port = address(settings.grpc)
        self._reserved: socket.socket | None = None

    def bind(self) -> str:
        """Reserve the address, which the workers then share; gives it. Raises OSError if it cannot be had."""
        family, kind, protocol, _, found = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        self._reserved = socket.socket(family, kind, protocol)
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved.bind(found)
        self._port = self._reserved.getsockname()[1]
        return self._address

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serves in the running event loop; at the end calls in flight have the time for shutting down."""
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", self._settings.max_body_bytes),
            ]
        )
        server.add_generic_rpc_handlers([self._calls()])
        server.add_insecure_port(self._address)
        await server.start()
        try:
            yield
        finally:
            await server.stop(self._settings.shutdown_seconds)

    @property
    def _address(self) -> str:
        return f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"

    def _calls(self) -> Any:
        answers: dict[str, tuple[Answer, Any]] = {
            "ServerLive": (self._server_live, messages.ServerLiveRequest),
            "ServerReady": (self._server_ready, messages.ServerReadyRequest),
            "ModelReady": (self._model_ready, messages.ModelReadyRequest),
            "ServerMetadata": (self._server_metadata, messages.ServerMetadataRequest),
            "ModelMetadata": (self._model_metadata, messages.ModelMetadataRequest),
            "ModelInfer": (self._infer, messages.ModelInferRequest),
        }
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                name: grpc.unary_unary_rpc_method_handler(
                    answer,
                    request_deserializer=message.FromString,
                    response_serializer=methodcaller("SerializeToString"),
                )
                for name, (answer, message) in answers.items()
            },
        )

    async def _server_live(self, _: Any, context: Context) -> Any:
        return messages.ServerLiveResponse(**await self._get("/v2/health/live", context))

    async def _server_ready(self, _: Any, context: Context) -> Any:
        return messages.ServerReadyResponse(ready=await self._is("/v2/health/ready", context))

    async def _model_ready(self, request: Any, context: Context) -> Any:
        path = f"{_path(request.name, request.version)}/ready"
        return messages.ModelReadyResponse(ready=await self._is(path, context))

    async def _server_metadata(self, _: Any, context: Context) -> Any:
        return messages.ServerMetadataResponse(**await self._get("/v2", context))

    async def _model_metadata(self, request: Any, context: Context) -> Any:
        path = _path(request.name, request.version)
        return messages.ModelMetadataResponse(**await self._get(path, context))

    async def _infer(self, request: Any, context: Context) -> Any:
        path = f"{_path(request.model_name, request.model_version)}/infer"
        head, binary = _inference(request)
        headers = {b"inference-header-content-length": b"%d" % len(head)}
        answered = await self._ask("POST", path, context, head + binary, headers)
        answer = json.loads((await self._success(answered, context)).body)
        (output,) = answer["outputs"]
        texts = [text.encode() for text in output.pop("data")]
        response = messages.ModelInferResponse(**{**answer, "outputs": [output]})
        if request.raw_input_contents:
            response.raw_output_contents.append(_packed(texts))
        else:
            response.outputs[0].contents.bytes_contents.extend(texts)
        return response

    async def _get(self, path: str, context: Context) -> dict[str, Any]:
        answered = await self._success(await self._ask("GET", path, context), context)
        found: dict[str, Any] = json.loads(answered.body)
        return found

    async def _is(self, path: str, context: Context) -> bool:
        """Whether something is ready: what is not there, or not yet, is no error."""
        answered = await self._ask("GET", path, context)
        if answered.status not in (404, 503):
            await self._success(answered, context)
        return answered.status == 200

    async def _ask(
        self,
        method: str,
        path: str,
        context: Context,
        content: bytes = b"",
        more: dict[bytes, bytes] | None = None,
    ) -> HttpResponse:
        """What the same question over HTTP gets."""
        given = {key: value for key, value in context.invocation_metadata() or () if key in HEADERS}
        headers = {
            key.encode(): value if isinstance(value, bytes) else value.encode()
            for key, value in given.items()
        }
        seconds = context.time_remaining()
        if seconds is not None and math.isfinite(seconds):
            milliseconds = min(max(1, int(seconds * 1000)), MAX_TIMEOUT_MS)
            headers.setdefault(b"x-request-timeout-ms", b"%d" % milliseconds)
        headers |= more or {}
        peer = _address(context.peer())
        return await self._handler.handle(
            HttpRequest(method, path, headers, _Body(content), peer=peer)
        )

    async def _success(self, answered: HttpResponse, context: Context) -> HttpResponse:
        """An answer that is none becomes the error of the call."""
        trailers = [
            (name.decode(), value.decode()) for name, value in answered.headers if name in TRAILERS
        ]
        if answered.status != 200:
            code = _CODES.get(answered.status, grpc.StatusCode.INTERNAL)
            await context.abort(code, json.loads(answered.body)["error"], tuple(trailers))
        context.set_trailing_metadata(tuple(trailers))
        return answered


class _Body:
    """The body of a request that has come whole."""

    complete = True

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def read(self) -> bytes:
        content, self._content = self._content, b""
        return content


def _address(peer: str) -> str:
    """
    >>> _address("ipv4:127.0.0.1:5001"), _address("ipv6:%5B::1%5D:5001")
    ('127.0.0.1', '::1')
    """
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")


def _path(name: str, version: str) -> str:
    # a name with a slash is no model's, and must not become another path
    quoted = name.replace("/", " ")
    return f"/v2/models/{quoted}" + (f"/versions/{version.replace('/', ' ')}" if version else "")


def _inference(request: Any) -> tuple[bytes, bytes]:
    """The JSON of an inference over HTTP, and the binary tensors that follow it."""
    inputs, binary = [], []
    for place, tensor in enumerate(request.inputs):
        if place < len(request.raw_input_contents):
            binary.append(request.raw_input_contents[place])
        else:
            binary.append(_packed(tensor.contents.bytes_contents))
        inputs.append(
            {
                "name": tensor.name,
                "datatype": tensor.datatype,
                "shape": list(tensor.shape),
                "parameters": {"binary_data_size": len(binary[-1])},
            }
        )
    outputs = [{"name": output.name} for output in request.outputs]
    parameters = {
        name: getattr(given, given.WhichOneof("parameter_choice"))
        for name, given in request.parameters.items()
        if given.WhichOneof("parameter_choice")
    }
    asked = {"id": request.id, "inputs": inputs, "outputs": outputs, "parameters": parameters}
    return json.dumps(asked).encode(), b"".join(binary)


def _packed(texts: Sequence[bytes]) -> bytes:
    """A binary tensor: each text after its length in four bytes, the lowest first."""
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)
