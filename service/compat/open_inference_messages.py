"""What requests and answers of the Open Inference Protocol V2 hold, as far as texts need it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service import __version__


class Message(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class InputTensor(Message):
    name: str
    datatype: Literal["BYTES"]
    shape: list[Annotated[int, Field(ge=0, le=2**31)]] = Field(max_length=8, fail_fast=True)
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None


class RequestedOutput(Message):
    name: Literal["answer"]


class InferenceRequest(Message):
    id: str | None = None
    inputs: list[InputTensor] = Field(min_length=1, max_length=1)
    outputs: list[RequestedOutput] | None = None
    parameters: dict[str, Any] | None = None
    """Options of the task; others are ignored."""


class OutputTensor(Message):
    name: Literal["answer"] = "answer"
    datatype: Literal["BYTES"] = "BYTES"
    shape: list[int]
    data: list[str]
    """A JSON document for each text."""


class InferenceAnswer(Message):
    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class TensorMetadata(Message):
    name: str
    datatype: Literal["BYTES"] = "BYTES"
    shape: list[int] = [-1]


class ModelMetadata(Message):
    name: str
    versions: list[str]
    platform: str = "onnxruntime"
    inputs: list[TensorMetadata] = [TensorMetadata(name="text")]
    outputs: list[TensorMetadata] = [TensorMetadata(name="answer")]


class ServerMetadata(Message):
    name: str = "textloom"
    version: str = __version__
    extensions: list[str] = []


class ServerLive(Message):
    live: bool = True


class ServerReady(Message):
    ready: bool = True


class ModelReady(Message):
    name: str
    ready: bool = True
