"""A face network in two halves: what it makes of the picture alone, and what the sound has a part in.

    picture -> seen -> kept by source frame -> heard, with picture and sound -> mouth

A source frame comes again and again, and what the network makes of it alone is the same each time, to the last bit.
Results as wide as the picture itself are not kept but made again: reading them takes as long. Knows nothing of faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

from talkie.engines import openvino_runtime
from talkie.engines.lipsync.signature import Signature, Tensor

ALIGNED = 64

Crossing: TypeAlias = "tuple[Any, list[Any]]"
"""A result, and the inputs of other nodes that it goes into."""


@dataclass(frozen=True, slots=True)
class Halves:
    """Two OpenVINO models. `shapes` of what goes from one to the other; `kind` and `bytes_each` of its numbers."""

    seen: Any
    heard: Any
    shapes: tuple[tuple[int, ...], ...]
    kind: Any
    bytes_each: int

    @property
    def sizes(self) -> list[int]:
        """Bytes of each result, up to where the next one may begin."""
        return [-(-prod(shape) * self.bytes_each // ALIGNED) * ALIGNED for shape in self.shapes]


def halves(model: Any, signature: Signature, precision: str) -> Halves | None:
    """Cuts `model`, whose shapes are fixed and which is used up. None where there is nothing to be kept."""
    runtime = openvino_runtime.load()
    cut = _crossings(model, signature)
    if not cut or any(output.get_element_type() != runtime.Type.f32 for output, _ in cut):
        return None
    shapes = tuple(tuple(output.get_shape()) for output, _ in cut)
    kind, width = (runtime.Type.bf16, 2) if precision == "bf16" else (runtime.Type.f32, 4)
    seen, heard = _seen_half(model.clone(), signature), _heard_half(model, cut, signature)
    return Halves(
        _with_kind(seen, kind, outputs=len(cut)),
        _with_kind(heard, kind, inputs=range(2, 2 + len(cut))),
        shapes,
        kind,
        width,
    )


def _seen_half(model: Any, signature: Signature) -> Any:
    made = [output for output, _ in _crossings(model, signature)]
    return openvino_runtime.load().Model(made, [_node(model, signature.inputs[0])], "seen")


def _heard_half(model: Any, cut: Sequence[Crossing], signature: Signature) -> Any:
    runtime = openvino_runtime.load()
    given = []
    for output, takers in cut:
        given.append(runtime.op.Parameter(runtime.Type.f32, runtime.Shape(list(output.get_shape()))))
        for taker in takers:
            taker.replace_source_output(given[-1].output(0))
    inputs = [_node(model, tensor) for tensor in signature.inputs]
    return runtime.Model(model.get_results(), [*inputs, *given], "heard")


def _crossings(model: Any, signature: Signature) -> list[Crossing]:
    """What is made of the picture alone and goes where sound has a part."""
    seen, heard = (_made_of(model, _node(model, tensor)) for tensor in signature.inputs)
    wide = signature.output.shape[-1]
    found = []
    for node in model.get_ordered_ops():
        if node.get_friendly_name() not in seen - heard or node.get_type_name() == "Parameter":
            continue
        for output in node.outputs():
            takers = [one for one in output.get_target_inputs() if one.get_node().get_friendly_name() in heard]
            if takers and wide not in output.get_shape()[2:]:
                found.append((output, takers))
    return found


def _node(model: Any, tensor: Tensor) -> Any:
    return model.input(tensor.name).get_node()


def _made_of(model: Any, parameter: Any) -> set[str]:
    """The names of that input and of all that is computed from it; names are unique in a model."""
    found = {parameter.get_friendly_name()}
    for node in model.get_ordered_ops():
        if any(one.get_source_output().get_node().get_friendly_name() in found for one in node.inputs()):
            found.add(node.get_friendly_name())
    return found


def _with_kind(model: Any, kind: Any, *, inputs: Sequence[int] = (), outputs: int = 0) -> Any:
    """Those inputs and outputs are of that kind; inside, numbers are as they were."""
    change = openvino_runtime.load().preprocess.PrePostProcessor(model)
    for place in inputs:
        change.input(place).tensor().set_element_type(kind)
    for place in range(outputs):
        change.output(place).tensor().set_element_type(kind)
    return change.build()
