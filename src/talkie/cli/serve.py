"""`talkie serve`: the server in the foreground, until Ctrl-C or SIGTERM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; any but loopback needs a key.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.")] = None,
    grpc_port: Annotated[int | None, typer.Option(help="The port for gRPC; without it there is none.")] = None,
    wyoming_port: Annotated[int | None, typer.Option(help="The port for Home Assistant, usually 10300.")] = None,
    model: Annotated[str | None, typer.Option(help="What `auto` means.")] = None,
    pull: Annotated[str | None, typer.Option(help="Models to fetch at the start where they are not here.")] = None,
    home: Annotated[Path | None, typer.Option(help="The directory of models, certificates and uploads.")] = None,
    preset: Annotated[str | None, typer.Option(help="fast, balanced or strict.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    compute_type: Annotated[str | None, typer.Option(help="int8, float16, float32 …")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for one model; 0 suits the machine.")] = None,
    workers: Annotated[int | None, typer.Option(help="Workers of a model; 0 suits the machine.")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Recordings at work at once.")] = None,
    queue_size: Annotated[int | None, typer.Option(help="Recordings that may wait.")] = None,
    max_upload_mb: Annotated[float | None, typer.Option(help="The largest upload, in millions of bytes.")] = None,
    cors_origins: Annotated[str | None, typer.Option(help="Web origins that may call, separated by commas.")] = None,
    allowed_hosts: Annotated[str | None, typer.Option(help="Further names of this server, with commas.")] = None,
    keys_file: Annotated[Path | None, typer.Option(help="The file of hashed keys.")] = None,
    tls: Annotated[str | None, typer.Option(help="off, or self-signed.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="A certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The key of that certificate (PEM).")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_json: Annotated[bool | None, typer.Option("--log-json", help="One JSON object a line on stderr.")] = None,
) -> None:
    """Start the server. Every flag is a setting too: `talkie config` lists them all."""
    flags: dict[str, Any] = dict(locals())
    from talkie.cli.leaving import stoppable

    with stoppable():
        from talkie.server import serve as run
        from talkie.settings import load_settings

        settings, _ = load_settings(flags)
        run(settings)
