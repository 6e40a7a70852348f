"""The Open Inference Protocol V2 over HTTP, as Triton and KServe speak it: BYTES in, JSON out.

A model takes one tensor of UTF-8 texts and gives one tensor `answer` with a JSON document per text, which is what
the task's own route has in `results`. The options of a task are the request's `parameters`. Texts may also come
as a binary tensor, which is what Triton's client sends; answers never go out as one. Leaves out gRPC, and the
loading and unloading of models.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Annotated, Any, Literal, get_origin

from pydantic import BaseModel, Field
from pydantic_core import to_json

from service import __version__, tasks
from service.compat.endpoints import compat_route
from service.errors import FieldError, InvalidInput, NotFound
from service.http.parsing import in_turn, kinds, parse
from service.http.routing import Route, RoutedRequest
from service.http.task_endpoint import TaskEndpoint
from service.registry.loaded_model import LoadedModel
from service.registry.registry import Registry
from service.tasks.base import TaskSpec

PROTOCOL_PARAMETERS = {"binary_data_output", "priority", "timeout"}
"""Parameters that say nothing to a task."""


class InputTensor(BaseModel):
    name: str
    datatype: Literal["BYTES"]
    shape: list[Annotated[int, Field(ge=0, le=2**31)]] = Field(max_length=8, fail_fast=True)
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class OutputTensor(BaseModel):
    name: Literal["answer"]


class InferenceRequest(BaseModel):
    id: str = ""
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[OutputTensor] = []
    parameters: dict[str, Any] = {}


def routes(registry: Registry, endpoints: Mapping[str, TaskEndpoint]) -> list[Route]:
    """The routes; `endpoints` answer, by task."""

    async def server(_: RoutedRequest) -> dict[str, Any]:
        return {"name": "textloom", "version": __version__, "extensions": []}

    async def live(_: RoutedRequest) -> dict[str, Any]:
        return {"live": True}

    async def ready(_: RoutedRequest) -> dict[str, Any]:
        registry.check_ready()
        return {"ready": True}

    async def metadata(request: RoutedRequest) -> dict[str, Any]:
        model = _model(registry, request)
        return {
            "name": model.name.name,
            "versions": [str(model.name.version)],
            "platform": "onnxruntime",
            "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
            "outputs": [{"name": "answer", "datatype": "BYTES", "shape": [-1]}],
        }

    async def model_ready(request: RoutedRequest) -> dict[str, Any]:
        return {"name": _model(registry, request).name.name, "ready": True}

    async def infer(request: RoutedRequest) -> dict[str, Any]:
        body = request.body
        model = _model(registry, request)
        manifest = model.manifest
        json_length = _json_length(request)
        inference = await in_turn(body, parse, InferenceRequest, body[:json_length])
        options = {
            key: value
            for key, value in inference.parameters.items()
            if key not in PROTOCOL_PARAMETERS
        }
        spec = tasks.specs()[manifest.task]
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
        output = {
            "name": "answer",
            "datatype": "BYTES",
            "shape": [len(documents)],
            "data": documents,
        }
        whole = {"model_name": model.name.name, "model_version": str(model.name.version)}
        return {**whole, **({"id": inference.id} if inference.id else {}), "outputs": [output]}

    found = [
        compat_route("GET", "/v2", server),
        compat_route("GET", "/v2/health/live", live),
        compat_route("GET", "/v2/health/ready", ready),
    ]
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        found += [
            compat_route("GET", path, metadata),
            compat_route("GET", f"{path}/ready", model_ready),
            compat_route("POST", f"{path}/infer", infer),
        ]
    return found


def _model(registry: Registry, request: RoutedRequest) -> LoadedModel[Any, Any]:
    """The model that the path names. Raises NotFound, also if another version of it serves."""
    name, version = request.parameters["name"], request.parameters.get("version")
    model = registry.get(name)
    if version not in (None, str(model.name.version)):
        raise NotFound(f"{name} serves version {model.name.version}, not {version}")
    return model


def _query(spec: TaskSpec, options: dict[str, Any], tensor: InputTensor, binary: bytes) -> Any:
    return parse(spec.request, to_json({**options, "text": _texts(tensor, binary)}))


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
    elif tensor.parameters.get("binary_data_size") == len(binary):
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
