"""whisper-streaming behind a socket: each session is an `ASRProcessor` of its own, with a model of its own.

Called as `run_whisper_streaming.py MODEL THREADS CLIENTS`; writes one line with its address once it listens. The
library has no server that takes sound from a network, so this is the least there can be: 16-bit samples in, a chunk a
second to the processor, each text that it commits out as JSON. `end` ends a session, and what was not certain is told
as well.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import suppress
from importlib.metadata import version
from queue import Empty, Queue
from typing import Any

RATE_HZ = 16_000
CHUNK_BYTES = 2 * RATE_HZ
BUFFER_S, LAST_S = 15.0, 2.0
"""A chunk of a second and a buffer of fifteen are the original's defaults; after two seconds without sound it ends."""


class Library:
    """What is used of the library, and how it is set."""

    def __init__(self, model: str, threads: int) -> None:
        self.numpy: Any = importlib.import_module("numpy")
        self.all: Any = importlib.import_module("whisper_streaming")
        self.faster: Any = importlib.import_module("whisper_streaming.backend")
        self.processor: Any = importlib.import_module("whisper_streaming.processor")
        self._model, self._threads = model, threads

    def session(self, receiver: Any, sender: Any) -> Any:
        """As its documentation builds one; voice activity detection on, greedy as everybody else here."""
        config = self.all.ASRProcessor.ProcessorConfig(
            sampling_rate=RATE_HZ,
            prompt_size=200,
            audio_receiver_timeout=LAST_S,
            audio_trimming=self.all.TimeTrimming(seconds=BUFFER_S),
            language="en",
        )
        model = self.faster.FasterWhisperModelConfig(
            self._model, device="cpu", compute_type="int8", cpu_threads=self._threads, local_files_only=True
        )
        transcribe = self.faster.FasterWhisperTranscribeConfig(beam_size=1, vad_filter=True)
        features = self.faster.FasterWhisperFeatureExtractorConfig()
        backend = self.all.Backend.FASTER_WHISPER
        return self.all.ASRProcessor(config, receiver, sender, backend, model, transcribe, features)

    def receiver(self, sound: Queue[Any]) -> Any:
        """Hands on chunks; None ends it."""

        class Receiver(self.processor.AudioReceiver):  # type: ignore[misc, name-defined]
            def _do_receive(self) -> Any:
                return sound.get()

            def _do_close(self) -> None:
                sound.put(None)

        return Receiver()

    def sender(self, socket: Any) -> Any:
        class Sender(self.processor.OutputSender):  # type: ignore[misc, name-defined]
            def _do_output(self, data: Any) -> None:
                text = {"start": float(data.start), "end": float(data.end), "text": data.word}
                with suppress(OSError):
                    socket.send(json.dumps(text))

            def _do_close(self) -> None:
                """It stops at once; what still waits is told here."""
                with suppress(Empty):
                    while True:
                        self._do_output(self.queue.get_nowait())

        return Sender()

    def samples(self, data: bytes) -> Any:
        return self.numpy.frombuffer(data, "<i2").astype(self.numpy.float32) / 32768


def serve(library: Library, socket: Any) -> None:
    import threading

    sound: Queue[Any] = Queue()
    session = library.session(library.receiver(sound), library.sender(socket))
    at_work = threading.Thread(target=session.run)
    at_work.start()
    socket.send(json.dumps({"type": "ready"}))
    waiting = bytearray()
    try:
        for message in socket:
            if message == "end":
                break
            waiting += message
            while len(waiting) >= CHUNK_BYTES:
                sound.put(library.samples(bytes(waiting[:CHUNK_BYTES])))
                del waiting[:CHUNK_BYTES]
        sound.put(library.samples(bytes(waiting)))
    finally:
        sound.put(None)
        at_work.join()
    socket.send(json.dumps({"type": "done"}))


def main(model: str, threads: str, _clients: str) -> None:
    library = Library(model, int(threads))
    sockets: Any = importlib.import_module("websockets.sync.server")
    with sockets.serve(lambda socket: serve(library, socket), "127.0.0.1", 0, compression=None) as server:
        port = server.socket.getsockname()[1]
        versions = {name: version(name) for name in ("whisper-streaming", "faster-whisper", "ctranslate2")}
        settings = {"threads": threads, "chunk_s": 1.0, "buffer_s": BUFFER_S, "beam_size": 1, "vad_filter": True}
        print(json.dumps({"url": f"http://127.0.0.1:{port}", "versions": versions, "settings": settings}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:4])
