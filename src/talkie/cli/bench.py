"""`talkie bench`: its commands by name, and the round through the short ones. One file a command."""

from __future__ import annotations

from typing import Annotated

import typer

from talkie.cli import bench_shared as shared
from talkie.cli.bench_compare import compare
from talkie.cli.bench_concurrency import concurrency
from talkie.cli.bench_deploy import deploy
from talkie.cli.bench_face import face
from talkie.cli.bench_live import live
from talkie.cli.bench_memory import memory
from talkie.cli.bench_models import models
from talkie.cli.bench_report import report
from talkie.cli.bench_restart import restart
from talkie.cli.bench_speed import speed
from talkie.cli.bench_start import start
from talkie.cli.bench_tts import tts
from talkie.cli.bench_upload import upload
from talkie.cli.bench_wer import wer

app = typer.Typer(
    help="Measure error rates, speed, memory and start-up time, beside other programs.", no_args_is_help=True
)

for command in (
    speed,
    concurrency,
    live,
    tts,
    face,
    wer,
    start,
    memory,
    upload,
    deploy,
    restart,
    models,
    compare,
    report,
):
    app.command()(command)


@app.command(name="all")
def everything(
    speech: shared.Speech = None,
    model: shared.Model = shared.BUILT_IN,
    minutes: Annotated[float, typer.Option(min=0.1, max=600, help="Length of the file for the memory.")] = 5.0,
) -> None:
    """Error rate, start-up time, uploads and memory of Talkie alone, one after the other."""
    wer(speech, [model])
    start(model, 3)
    upload(model, 3)
    memory(model, minutes)
