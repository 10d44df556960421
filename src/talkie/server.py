"""The composition root: settings in, a running server out. Everything is put together here and nowhere else."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from talkie.compose import build_service
from talkie.errors import AddressTaken, ModelError, SettingsError, UnsafeAddress
from talkie.models.files import can_keep
from talkie.models.store import ModelStore
from talkie.transports.http.access import AccessRules
from talkie.transports.http.door import Door, SpeechService
from talkie.transports.http.origins import HostNames, Origins, is_loopback
from talkie.transports.http.upload import UploadLimits
from talkie.transports.http.work import Gate
from talkie.transports.keys import KeyRing
from talkie.transports.logs import set_up_logging
from talkie.transports.warming import start_warming

if TYPE_CHECKING:
    import uvicorn

    from talkie.settings import Settings
    from talkie.transports.http.app import Companion

log = logging.getLogger("talkie.server")

BACKLOG = 2048
MAX_CONNECTIONS = 1024
UPLOAD_PLACES = 16
"""Requests that may upload while the line is full, so that one who is refused is refused by the line's own words."""
CLOSE_S = 5.0


def serve(settings: Settings) -> None:
    """Listen until a signal says stop; then finish what was accepted. Raises `SettingsError`."""
    rules = access_rules(settings)
    if not is_loopback(settings.host) and not rules.keys.required:
        raise UnsafeAddress(settings.host)
    check_pull(settings)
    listening = bind(settings.host, settings.port)
    set_up_logging(settings.log_level, as_json=settings.log_json)
    tls = certificate(settings)
    uploads = upload_limits(settings)
    service: SpeechService = build_service(settings, max_audio_bytes=uploads.max_bytes)
    gate = Gate(settings.concurrency + settings.queue_size + UPLOAD_PLACES)
    door = Door(service, uploads, rules, gate, is_warming=True)
    try:
        beside = companions(settings, door, tls)
        start_warming(service)  # while the HTTP door, which is half of a start, is still being put together
        announce(settings, listening, tls)
        stopping_server(door, settings, tls, beside).run(sockets=[listening])
    finally:
        service.close(0.0)
        log.info("Talkie has stopped.")


def companions(settings: Settings, door: Door, tls: tuple[str, str] | None) -> list[Companion]:
    """The other doors that were asked for, each on a port of its own, which is theirs from here on.

    What a door needs is loaded only where there is one. Raises `SettingsError`.
    """
    doors: list[Companion] = []
    if settings.grpc_port:
        doors.append(grpc_door(settings, door, tls))
        log_door("gRPC", settings.host, settings.grpc_port)
    if settings.wyoming_port:
        doors.append(wyoming_door(settings, door.service))
        log_door("Wyoming", settings.host, settings.wyoming_port)
    return doors


def grpc_door(settings: Settings, door: Door, tls: tuple[str, str] | None) -> Companion:
    """With the keys, the limits, the gate and the certificate of the HTTP door."""
    from talkie.transports.grpc.server import GrpcDoor

    return GrpcDoor(
        door.service,
        door.rules,
        settings.host,
        settings.grpc_port,
        door.uploads,
        tls,
        gate=door.gate,
        grace_s=settings.shutdown_grace_s,
    )


def wyoming_door(settings: Settings, service: SpeechService) -> Companion:
    """The door of Home Assistant; without keys, so for this machine and the networks that were listed."""
    from talkie.transports.wyoming.access import Peers
    from talkie.transports.wyoming.server import WyomingDoor, WyomingLimits

    peers = Peers(settings.wyoming_allow)
    peers.check_host(settings.host)
    limits = WyomingLimits(
        idle_s=settings.session_idle_s,
        max_audio_s=settings.max_audio_seconds,
        grace_s=min(CLOSE_S, settings.shutdown_grace_s),
    )
    listening = bind(settings.host, settings.wyoming_port, "wyoming_port")
    return WyomingDoor(service, peers, listening, limits, only=settings.model)


def log_door(name: str, host: str, port: int) -> None:
    log.info("%s listens on %s port %d", name, host, port, extra={"facts": {"door": name, "door_port": port}})


def access_rules(settings: Settings) -> AccessRules:
    """Keys, names and origins by the settings. Raises `SettingsError`."""
    key = settings.api_key.get_secret_value() if settings.api_key else None
    if settings.keys_file is not None and not settings.keys_file.is_file():
        raise SettingsError(
            f"There is no file of keys at {settings.keys_file}.", hint="`talkie keys add NAME` makes it."
        )
    names = own_names(settings.host)
    return AccessRules(
        keys=KeyRing(key, settings.keys_path),
        hosts=HostNames([*names, *settings.allowed_hosts]),
        origins=Origins(settings.cors_origins),
    )


def own_names(host: str) -> list[str]:
    """The names this machine goes by, as far as it knows without asking anybody."""
    name = socket.gethostname()
    plain = name if name.replace("-", "").replace(".", "").replace("_", "").isalnum() and name.isascii() else ""
    own = [plain, f"{plain}.local"] if plain and "." not in plain else [plain]
    return [item for item in (*own, "" if ":" in host or host == "*" else host) if item]


def check_pull(settings: Settings) -> None:
    """Names that nothing can be pulled by are said before anything starts. Raises `SettingsError`."""
    store = ModelStore(settings.home)
    here = {model.name for model in store.list(broken=True)} if settings.pull else set()
    for name in settings.pull:
        try:
            if name not in here:
                store.name_of(name)
        except ModelError as error:
            raise SettingsError(
                f"The setting pull names {name[:80]!r}, which cannot be pulled.", hint=error.hint, param="pull"
            ) from None


def upload_limits(settings: Settings) -> UploadLimits:
    """Uploads lie in the home while they are worked on; where that cannot be written to, in the system's place."""
    usual = settings.home / "tmp"
    with contextlib.suppress(FileNotFoundError):  # a system without such a place, where every upload will say so
        usual = usual if can_keep(usual) else Path(tempfile.gettempdir())
    return UploadLimits(usual, round(settings.max_upload_mb * 1e6), settings.upload_idle_s)


def bind(host: str, port: int, setting: str = "port") -> socket.socket:
    """A listening socket; `setting` names its port. Raises `AddressTaken` when the address is not ours or taken."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name may stand for addresses of both families; most programs on this machine try 127.0.0.1.
        family, _, _, _, address = min(found, key=lambda item: item[0] != socket.AF_INET)
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        why = error.strerror or "it is no address of this machine"
        another = f"Another port: `talkie serve --{setting.replace('_', '-')} {port % 65535 + 1}`."
        raise AddressTaken(f"Cannot listen on {host} port {port}: {why}.", hint=another, param=setting) from None


def certificate(settings: Settings) -> tuple[str, str] | None:
    """Paths of the certificate and its key; None without TLS. Raises `SettingsError`."""
    if settings.tls_cert is not None and settings.tls_key is not None:
        given = str(settings.tls_cert), str(settings.tls_key)
        try:
            # An empty password, or OpenSSL would ask for one at the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*given, password="")
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError(
                f"The certificate {given[0]} with the key {given[1]} cannot be used: {error.strerror or error}.",
                hint="tls_cert and tls_key name PEM files that belong together; the key has no password.",
            ) from None
        return given
    if settings.tls == "off":
        return None
    from talkie.transports.tls import fingerprint, self_signed

    try:
        made, key = self_signed(settings.home / "tls", own_names(settings.host))
    except OSError as error:
        raise SettingsError(
            f"No certificate can be kept at {settings.home / 'tls'}: {error.strerror or error}.",
            hint="Make the volume writable, or give a certificate of your own: tls_cert and tls_key.",
        ) from None
    log.info("The certificate is self-made; its SHA-256 is %s", fingerprint(made))
    return str(made), str(key)


def announce(settings: Settings, listening: socket.socket, tls: tuple[str, str] | None) -> None:
    host, port = listening.getsockname()[:2]
    url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    log.info("Talkie listens on %s", url, extra={"facts": {"url": url}})
    if tls is None and not is_loopback(settings.host):
        log.warning("Keys and speech travel unencrypted: use --tls self-signed, or a proxy that speaks HTTPS.")


def stopping_server(
    door: Door, settings: Settings, tls: tuple[str, str] | None, beside: Sequence[Companion] = ()
) -> uvicorn.Server:
    """uvicorn, told to say "not ready" before it stops, and to end with exit code 0 when it is asked to stop."""
    import uvicorn

    from talkie.transports.http.app import create_app
    from talkie.transports.http.protocol import BoundedHttpProtocol
    from talkie.transports.websocket.protocol import BoundedSocketProtocol

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            door.gate.close()
            super().handle_exit(sig, frame)

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for sig, handler in before.items():
                    signal.signal(sig, handler)

    more: dict[str, Any] = {"ssl_certfile": tls[0], "ssl_keyfile": tls[1]} if tls else {}
    return Server(
        uvicorn.Config(
            create_app(door, beside),
            http=BoundedHttpProtocol,
            ws=BoundedSocketProtocol,
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            forwarded_allow_ips="",
            server_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=max(1, round(settings.shutdown_grace_s)),
            **more,
        )
    )
