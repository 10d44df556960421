"""Which kinds of numbers a model is computed with on OpenVINO, by the name that the user gave. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """`int8`: matrices in INT8. `precision`: of all other arithmetic, `f32` or `bf16`. `name` is CTranslate2's."""

    name: str
    int8: bool
    precision: str


FORMS = {
    "int8_bfloat16": Form("int8_bfloat16", int8=True, precision="bf16"),
    "int8_float32": Form("int8_float32", int8=True, precision="f32"),
    "bfloat16": Form("bfloat16", int8=False, precision="bf16"),
    "float32": Form("float32", int8=False, precision="f32"),
}


def choose_form(compute_type: str, *, has_bf16: bool) -> Form | None:
    """The form for a compute type; None: there is none for it. `int8`, `default` and `auto` are the fastest INT8."""
    if compute_type in ("default", "auto", "int8"):
        compute_type = "int8_bfloat16" if has_bf16 else "int8_float32"
    form = FORMS.get(compute_type)
    return None if form is None or (form.precision == "bf16" and not has_bf16) else form
