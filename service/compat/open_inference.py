"""The Open Inference Protocol V2 over HTTP, as Triton and KServe speak it: BYTES in, JSON out.

A model takes one tensor of UTF-8 texts and gives one tensor `answer` with a JSON document per text, which is what
the task's own route has in `results`. The options of a task are the request's `parameters`. Texts may also come
as a binary tensor, which is what Triton's client sends; answers never go out as one. Leaves out gRPC
(open_inference_grpc.py), and the loading and unloading of models.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import NoneType
from typing import Any, Literal, get_origin

from pydantic import BaseModel
from pydantic_core import to_json

from service import tasks
from service.compat.endpoints import compat_route
from service.compat.open_inference_messages import (
    InferenceAnswer,
    InferenceRequest,
    InputTensor,
    ModelMetadata,
    ModelReady,
    OutputTensor,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from service.errors import FieldError, InvalidInput, NotFound
from service.http.parsing import in_turn, kinds, parse
from service.http.routing import Route, RoutedRequest
from service.http.task_endpoint import TaskEndpoint
from service.registry.loaded_model import LoadedModel
from service.registry.registry import Registry
from service.tasks.base import TaskSpec

ALIKE = 0.8
"""So much alike (difflib) is a misspelt parameter to the one that is meant."""


def routes(registry: Registry, endpoints: Mapping[str, TaskEndpoint]) -> list[Route]:
    """The routes; `endpoints` answer, by task."""

    async def server_metadata(_: RoutedRequest) -> ServerMetadata:
        """What this server is."""
        return ServerMetadata()

    async def server_live(_: RoutedRequest) -> ServerLive:
        """The process answers."""
        return ServerLive()

    async def server_ready(_: RoutedRequest) -> ServerReady:
        """Every model of the repository is loaded, checked and warm."""
        registry.check_ready()
        return ServerReady()

    async def model_metadata(request: RoutedRequest) -> ModelMetadata:
        """The tensors of a model, and the version that serves."""
        name = _model(registry, request).name
        return ModelMetadata(name=name.name, versions=[str(name.version)])

    async def model_ready(request: RoutedRequest) -> ModelReady:
        """The model serves."""
        return ModelReady(name=_model(registry, request).name.name)

    async def infer(request: RoutedRequest) -> InferenceAnswer:
        """Ask a model: a tensor of texts in, a tensor of JSON documents out, one for each text."""
        body = request.body
        model = _model(registry, request)
        manifest = model.manifest
        json_length = _json_length(request)
        inference = await in_turn(body, parse, InferenceRequest, body[:json_length])
        spec = tasks.specs()[manifest.task]
        options = _options(inference.parameters or {}, spec)
        for name, field in spec.request.model_fields.items():
            # a parameter of the protocol is no list
            if isinstance(options.get(name), str) and _only_lists(field.annotation):
                options[name] = options[name].split(",")
        # the path has chosen the model
        if "model" in options:
            raise InvalidInput("the path names the model, so that no parameter does")
        options |= {**spec.fixed(manifest), "model": model.name.name}
        query = await in_turn(body, _query, spec, options, inference.inputs[0], body[json_length:])
        answer = await endpoints[manifest.task].answer(query, request.call)
        documents = [to_json(result, exclude_none=True).decode() for result in answer.results]
        return InferenceAnswer(
            model_name=model.name.name,
            model_version=str(model.name.version),
            id=inference.id or None,
            outputs=[OutputTensor(shape=[len(documents)], data=documents)],
        )

    served = {
        "": "/v2/models/{name}",
        "_version": "/v2/models/{name}/versions/{version}",
    }
    asked: dict[str, Any] = {"query": InferenceRequest, "queries": _EXAMPLE}
    found = [
        _route("GET", "/v2", server_metadata, ServerMetadata),
        _route("GET", "/v2/health/live", server_live, ServerLive),
        _route("GET", "/v2/health/ready", server_ready, ServerReady, 503),
    ]
    for suffix, path in served.items():
        unserved: dict[str, Any] = {"suffix": suffix}
        found += [
            _route("GET", path, model_metadata, ModelMetadata, 404, 503, **unserved),
            _route("GET", f"{path}/ready", model_ready, ModelReady, 404, 503, **unserved),
            _route(
                "POST", f"{path}/infer", infer, InferenceAnswer,
                400, 404, 413, 415, 503, 504, **unserved, **asked,
            ),
        ]  # fmt: skip
    return found


def _route(
    method: Literal["GET", "POST"],
    path: str,
    endpoint: Any,
    answer: type[BaseModel],
    *problems: int,
    suffix: str = "",
    **about: Any,
) -> Route:
    """suffix: of the operation's name, where one endpoint has two paths."""
    name = f"v2_{endpoint.__name__}{suffix}"
    tag = "Open Inference Protocol"
    return compat_route(method, path, endpoint, name, tag, *problems, answer=answer, **about)


_EXAMPLE = {
    "a list of texts": {
        "inputs": [
            {
                "name": "text",
                "datatype": "BYTES",
                "shape": [1],
                "data": ["Ada Lovelace lived in London."],
            }
        ]
    }
}


def _model(registry: Registry, request: RoutedRequest) -> LoadedModel[Any, Any]:
    """The model that the path names. Raises NotFound, also if another version of it serves."""
    name, version = request.parameters["name"], request.parameters.get("version")
    model = registry.get(name)
    if version not in (None, str(model.name.version)):
        raise NotFound(f"{name} serves version {model.name.version}, not {version}")
    return model


def _query(spec: TaskSpec, options: dict[str, Any], tensor: InputTensor, binary: bytes) -> Any:
    return parse(spec.request, to_json({**options, "text": _texts(tensor, binary)}))


def _options(parameters: Mapping[str, Any], spec: TaskSpec) -> dict[str, Any]:
    """Those parameters that the task knows: clients send others, such as `content_type` or `priority`.

    Raises InvalidInput for one that is most likely a misspelt option.
    """
    known = set(spec.request.model_fields) - {"text"}
    for name in parameters.keys() - known:
        if near := get_close_matches(name, known, 1, ALIKE):
            detail = f"did you mean {near[0]}?"
            raise InvalidInput(f"/parameters: {detail}", errors=[FieldError("/parameters", detail)])
    return {name: value for name, value in parameters.items() if name in known}


def _only_lists(annotation: Any) -> bool:
    """Whether a field takes a list, or nothing else but None."""
    return all(get_origin(kind) is list for kind in kinds(annotation) if kind is not NoneType)


def _json_length(request: RoutedRequest) -> int:
    """How many bytes of the body are JSON; binary tensors follow."""
    given = request.headers.get(b"inference-header-content-length")
    if given is None:
        return len(request.body)
    if not (given.isdigit() and int(given) <= len(request.body)):
        raise InvalidInput("Inference-Header-Content-Length is not a length of this body")
    return int(given)


def _texts(tensor: InputTensor, binary: bytes) -> list[str]:
    """The texts of a tensor, whatever its shape. Raises InvalidInput if there are fewer or more than it has."""
    if tensor.data is not None:
        found = list(_flat(tensor.data))
    elif (tensor.parameters or {}).get("binary_data_size") == len(binary):
        found = list(_unpack(binary))
    else:
        raise _wrong("it has neither `data` nor as many bytes as its `binary_data_size` says")
    wanted = 1
    for size in tensor.shape:
        wanted *= size
    if len(found) != wanted:
        raise _wrong(f"{len(found)} texts do not make the shape {json.dumps(tensor.shape)}")
    return found


def _flat(data: list[Any]) -> Iterator[Any]:
    waiting = [iter(data)]
    while waiting:
        for item in waiting[-1]:
            if isinstance(item, list):
                waiting.append(iter(item))
                break
            if not isinstance(item, str):
                raise _wrong("its `data` holds something that is no string")
            yield item
        else:
            waiting.pop()


def _unpack(binary: bytes) -> Iterator[str]:
    """The texts of a binary tensor: each after its length in four bytes, the lowest first."""
    place = 0
    while place < len(binary):
        try:
            (length,) = struct.unpack_from("<I", binary, place)
            place += 4 + length
            if place > len(binary):
                raise _wrong("it ends within a text")
            yield binary[place - length : place].decode("utf-8")
        except (struct.error, UnicodeDecodeError):
            raise _wrong("it is not a list of UTF-8 texts, each after its length") from None


def _wrong(detail: str) -> InvalidInput:
    return InvalidInput(f"the input tensor: {detail}", errors=[FieldError("/inputs/0", detail)])
