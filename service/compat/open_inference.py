"""The Open Inference Protocol V2 over HTTP, as Triton and KServe speak it: BYTES in, JSON out.

A model takes one tensor of UTF-8 texts and gives one tensor `answer` with a JSON document per text, which is what
the task's own route has in `results`. The options of a task are the request's `parameters`. Texts may also come
as a binary tensor, which is what Triton's client sends; answers never go out as one. Leaves out gRPC, and the
loading and unloading of models.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from fastapi import Request
from pydantic import BaseModel, Field
from pydantic_core import to_json

from service import __version__, tasks
from service.compat.endpoints import Endpoint, answer_json, call_task
from service.errors import FieldError, InvalidInput, NotFound
from service.http.parsing import parse
from service.registry.loaded_model import LoadedModel
from service.registry.registry import Registry

PROTOCOL_PARAMETERS = {"binary_data_output", "priority", "timeout"}
"""Parameters that say nothing to a task."""


class InputTensor(BaseModel):
    name: str
    datatype: Literal["BYTES"]
    shape: list[int]
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class OutputTensor(BaseModel):
    name: Literal["answer"]


class InferenceRequest(BaseModel):
    id: str = ""
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[OutputTensor] = []
    parameters: dict[str, Any] = {}


def install(add: Callable[..., None], endpoints: Mapping[str, Endpoint]) -> None:
    """Adds the routes with `add(path, endpoint, methods)`; `endpoints` answer, by task."""

    async def server(request: Request) -> dict[str, Any]:
        return {"name": "textloom", "version": __version__, "extensions": []}

    async def live(request: Request) -> dict[str, Any]:
        return {"live": True}

    async def ready(request: Request) -> dict[str, Any]:
        _registry(request).check_ready()
        return {"ready": True}

    async def metadata(request: Request) -> dict[str, Any]:
        model = _model(request)
        return {
            "name": model.name.name,
            "versions": [str(model.name.version)],
            "platform": "onnxruntime",
            "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
            "outputs": [{"name": "answer", "datatype": "BYTES", "shape": [-1]}],
        }

    async def model_ready(request: Request) -> dict[str, Any]:
        return {"name": _model(request).name.name, "ready": True}

    async def infer(request: Request) -> dict[str, Any]:
        body = await request.body()
        model = _model(request)
        manifest = model.manifest
        json_length = _json_length(request, body)
        inference = parse(InferenceRequest, body[:json_length])
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
        options["text"] = _texts(inference.inputs[0], body[json_length:])
        query = parse(spec.request, to_json(options))
        answer = await call_task(endpoints[manifest.task], query, request)
        documents = [to_json(result, exclude_none=True).decode() for result in answer.results]
        output = {
            "name": "answer",
            "datatype": "BYTES",
            "shape": [len(documents)],
            "data": documents,
        }
        whole = {"model_name": model.name.name, "model_version": str(model.name.version)}
        return {**whole, **({"id": inference.id} if inference.id else {}), "outputs": [output]}

    add("/v2", answer_json(server), "GET")
    add("/v2/health/live", answer_json(live), "GET")
    add("/v2/health/ready", answer_json(ready), "GET")
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        add(path, answer_json(metadata), "GET")
        add(f"{path}/ready", answer_json(model_ready), "GET")
        add(f"{path}/infer", answer_json(infer), "POST")


def _model(request: Request) -> LoadedModel[Any, Any]:
    """The model that the path names. Raises NotFound, also if another version of it serves."""
    name, version = request.path_params["name"], request.path_params.get("version")
    model = _registry(request).get(name)
    if version not in (None, str(model.name.version)):
        raise NotFound(f"{name} serves version {model.name.version}, not {version}")
    return model


def _only_lists(annotation: Any) -> bool:
    """Whether a field takes a list, or nothing else but None."""
    kinds = get_args(annotation) if get_origin(annotation) is UnionType else (annotation,)
    return all(get_origin(kind) is list for kind in kinds if kind is not NoneType)


def _json_length(request: Request, body: bytes) -> int:
    """How many bytes of the body are JSON; binary tensors follow."""
    given = request.headers.get("inference-header-content-length")
    if given is None:
        return len(body)
    if not (given.isascii() and given.isdigit() and int(given) <= len(body)):
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


def _registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry
