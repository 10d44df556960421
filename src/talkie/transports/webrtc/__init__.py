"""The face as a call: WebRTC, by aiortc (the extra `webrtc`). Only `calls` is imported before somebody calls."""
