"""`talkie bench face`: how fast a face network makes faces, alone and all the way; the built-in face; live faces."""

from __future__ import annotations

from typing import Annotated

import typer

from talkie.cli import bench_run as running

PARTS = ("network", "drawn", "live")


def face(
    parts: Annotated[str, typer.Option(help="What is measured, with commas: network, drawn, live.")] = ",".join(PARTS),
    seconds: Annotated[
        float, typer.Option(min=0.2, max=600, help="Length of the recording; 10.22 are 255 frames.")
    ] = 10.22,
    films: Annotated[int, typer.Option(min=1, max=100, help="How often it is made into a film.")] = 5,
    batches: Annotated[str, typer.Option(help="Frames a call, with commas.")] = "1,2,4,8,16",
    limit: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds for each size of call above 1.")] = 15.0,
    texts: Annotated[int, typer.Option(min=1, max=1000, help="How many texts a live face is told.")] = 40,
    backend: Annotated[
        str, typer.Option(help="What runs the network: auto, onnxruntime, openvino, cuda or tensorrt.")
    ] = "auto",
    threads: Annotated[int, typer.Option(min=0, max=256, help="Of the network; 0: all processors.")] = 0,
    output: running.Output = None,
    html: running.Html = None,
) -> None:
    """Times of single frames and of whole films, beside plain ONNX Runtime; pictures a second; live waits."""
    from talkie.cli import bench_face_run as doing
    from talkie.errors import InvalidValue

    wanted = running.split(parts)
    if unknown := [one for one in wanted if one not in PARTS]:
        raise InvalidValue("parts", f"There is no part {unknown[0][:20]!r}.", hint=", ".join(PARTS))
    sizes = running.counts(batches, "batches")
    asked = doing.Asked(wanted, seconds, films, sizes, limit, texts, backend, threads)
    doing.tell(doing.measured(asked), output, html)
