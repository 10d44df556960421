from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCODING_UNSPECIFIED: _ClassVar[Encoding]
    ENCODING_S16LE: _ClassVar[Encoding]
    ENCODING_S24LE: _ClassVar[Encoding]
    ENCODING_S32LE: _ClassVar[Encoding]
    ENCODING_U8: _ClassVar[Encoding]
    ENCODING_F32LE: _ClassVar[Encoding]
    ENCODING_F64LE: _ClassVar[Encoding]
    ENCODING_MULAW: _ClassVar[Encoding]
    ENCODING_ALAW: _ClassVar[Encoding]

class Task(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_UNSPECIFIED: _ClassVar[Task]
    TASK_TRANSCRIBE: _ClassVar[Task]
    TASK_TRANSLATE: _ClassVar[Task]
ENCODING_UNSPECIFIED: Encoding
ENCODING_S16LE: Encoding
ENCODING_S24LE: Encoding
ENCODING_S32LE: Encoding
ENCODING_U8: Encoding
ENCODING_F32LE: Encoding
ENCODING_F64LE: Encoding
ENCODING_MULAW: Encoding
ENCODING_ALAW: Encoding
TASK_UNSPECIFIED: Task
TASK_TRANSCRIBE: Task
TASK_TRANSLATE: Task

class RawAudio(_message.Message):
    __slots__ = ("encoding", "sample_rate_hz", "channels")
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    encoding: Encoding
    sample_rate_hz: int
    channels: int
    def __init__(self, encoding: _Optional[_Union[Encoding, str]] = ..., sample_rate_hz: _Optional[int] = ..., channels: _Optional[int] = ...) -> None: ...

class RecognitionConfig(_message.Message):
    __slots__ = ("model", "language", "task", "prompt", "hotwords", "words", "preset", "filters", "raw")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    HOTWORDS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    PRESET_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    model: str
    language: str
    task: Task
    prompt: str
    hotwords: str
    words: bool
    preset: str
    filters: bool
    raw: RawAudio
    def __init__(self, model: _Optional[str] = ..., language: _Optional[str] = ..., task: _Optional[_Union[Task, str]] = ..., prompt: _Optional[str] = ..., hotwords: _Optional[str] = ..., words: _Optional[bool] = ..., preset: _Optional[str] = ..., filters: _Optional[bool] = ..., raw: _Optional[_Union[RawAudio, _Mapping]] = ...) -> None: ...

class RecognizeRequest(_message.Message):
    __slots__ = ("config", "audio", "temperature", "vad")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    VAD_FIELD_NUMBER: _ClassVar[int]
    config: RecognitionConfig
    audio: bytes
    temperature: float
    vad: bool
    def __init__(self, config: _Optional[_Union[RecognitionConfig, _Mapping]] = ..., audio: _Optional[bytes] = ..., temperature: _Optional[float] = ..., vad: _Optional[bool] = ...) -> None: ...

class RecognizeResponse(_message.Message):
    __slots__ = ("transcript",)
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    transcript: Transcript
    def __init__(self, transcript: _Optional[_Union[Transcript, _Mapping]] = ...) -> None: ...

class Transcript(_message.Message):
    __slots__ = ("text", "language", "language_probability", "duration_s", "model", "task", "segments", "notices", "dropped")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    language_probability: float
    duration_s: float
    model: str
    task: Task
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    notices: _containers.RepeatedCompositeFieldContainer[Notice]
    dropped: _containers.RepeatedCompositeFieldContainer[Dropped]
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ..., language_probability: _Optional[float] = ..., duration_s: _Optional[float] = ..., model: _Optional[str] = ..., task: _Optional[_Union[Task, str]] = ..., segments: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ..., notices: _Optional[_Iterable[_Union[Notice, _Mapping]]] = ..., dropped: _Optional[_Iterable[_Union[Dropped, _Mapping]]] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("text", "start_s", "end_s", "words", "avg_logprob", "no_speech_prob", "compression_ratio", "temperature")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    AVG_LOGPROB_FIELD_NUMBER: _ClassVar[int]
    NO_SPEECH_PROB_FIELD_NUMBER: _ClassVar[int]
    COMPRESSION_RATIO_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    text: str
    start_s: float
    end_s: float
    words: _containers.RepeatedCompositeFieldContainer[Word]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float
    def __init__(self, text: _Optional[str] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., words: _Optional[_Iterable[_Union[Word, _Mapping]]] = ..., avg_logprob: _Optional[float] = ..., no_speech_prob: _Optional[float] = ..., compression_ratio: _Optional[float] = ..., temperature: _Optional[float] = ...) -> None: ...

class Word(_message.Message):
    __slots__ = ("text", "start_s", "end_s", "probability")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    text: str
    start_s: float
    end_s: float
    probability: float
    def __init__(self, text: _Optional[str] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., probability: _Optional[float] = ...) -> None: ...

class Notice(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Dropped(_message.Message):
    __slots__ = ("segment", "reason")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    segment: Segment
    reason: str
    def __init__(self, segment: _Optional[_Union[Segment, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class StreamingRecognizeRequest(_message.Message):
    __slots__ = ("config", "audio", "commit", "clear")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    CLEAR_FIELD_NUMBER: _ClassVar[int]
    config: StreamingConfig
    audio: bytes
    commit: Commit
    clear: Clear
    def __init__(self, config: _Optional[_Union[StreamingConfig, _Mapping]] = ..., audio: _Optional[bytes] = ..., commit: _Optional[_Union[Commit, _Mapping]] = ..., clear: _Optional[_Union[Clear, _Mapping]] = ...) -> None: ...

class Commit(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Clear(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamingConfig(_message.Message):
    __slots__ = ("config", "partials", "turns", "manual_turns", "client_label")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    PARTIALS_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    MANUAL_TURNS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_LABEL_FIELD_NUMBER: _ClassVar[int]
    config: RecognitionConfig
    partials: bool
    turns: Turns
    manual_turns: bool
    client_label: str
    def __init__(self, config: _Optional[_Union[RecognitionConfig, _Mapping]] = ..., partials: _Optional[bool] = ..., turns: _Optional[_Union[Turns, _Mapping]] = ..., manual_turns: _Optional[bool] = ..., client_label: _Optional[str] = ...) -> None: ...

class Turns(_message.Message):
    __slots__ = ("threshold", "silence_ms", "padding_ms")
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SILENCE_MS_FIELD_NUMBER: _ClassVar[int]
    PADDING_MS_FIELD_NUMBER: _ClassVar[int]
    threshold: float
    silence_ms: float
    padding_ms: float
    def __init__(self, threshold: _Optional[float] = ..., silence_ms: _Optional[float] = ..., padding_ms: _Optional[float] = ...) -> None: ...

class StreamingRecognizeResponse(_message.Message):
    __slots__ = ("ready", "speech_started", "partial", "speech_stopped", "final", "notice")
    READY_FIELD_NUMBER: _ClassVar[int]
    SPEECH_STARTED_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    SPEECH_STOPPED_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    ready: Ready
    speech_started: SpeechStarted
    partial: Partial
    speech_stopped: SpeechStopped
    final: Final
    notice: Notice
    def __init__(self, ready: _Optional[_Union[Ready, _Mapping]] = ..., speech_started: _Optional[_Union[SpeechStarted, _Mapping]] = ..., partial: _Optional[_Union[Partial, _Mapping]] = ..., speech_stopped: _Optional[_Union[SpeechStopped, _Mapping]] = ..., final: _Optional[_Union[Final, _Mapping]] = ..., notice: _Optional[_Union[Notice, _Mapping]] = ...) -> None: ...

class Ready(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class SpeechStarted(_message.Message):
    __slots__ = ("utterance", "at_s")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    at_s: float
    def __init__(self, utterance: _Optional[int] = ..., at_s: _Optional[float] = ...) -> None: ...

class SpeechStopped(_message.Message):
    __slots__ = ("utterance", "at_s", "by_client")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    AT_S_FIELD_NUMBER: _ClassVar[int]
    BY_CLIENT_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    at_s: float
    by_client: bool
    def __init__(self, utterance: _Optional[int] = ..., at_s: _Optional[float] = ..., by_client: _Optional[bool] = ...) -> None: ...

class Partial(_message.Message):
    __slots__ = ("utterance", "start_s", "end_s", "committed", "tentative", "language")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    TENTATIVE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    start_s: float
    end_s: float
    committed: str
    tentative: str
    language: str
    def __init__(self, utterance: _Optional[int] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., committed: _Optional[str] = ..., tentative: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class Final(_message.Message):
    __slots__ = ("utterance", "start_s", "end_s", "transcript")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    start_s: float
    end_s: float
    transcript: Transcript
    def __init__(self, utterance: _Optional[int] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., transcript: _Optional[_Union[Transcript, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("id", "engine", "languages", "size_bytes", "loaded", "kind")
    ID_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    LOADED_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    id: str
    engine: str
    languages: _containers.RepeatedScalarFieldContainer[str]
    size_bytes: int
    loaded: bool
    kind: str
    def __init__(self, id: _Optional[str] = ..., engine: _Optional[str] = ..., languages: _Optional[_Iterable[str]] = ..., size_bytes: _Optional[int] = ..., loaded: _Optional[bool] = ..., kind: _Optional[str] = ...) -> None: ...

class SynthesizeRequest(_message.Message):
    __slots__ = ("text", "model", "voice", "language", "speed", "raw", "ssml", "instructions", "visemes", "align", "cache", "generation")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    SSML_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    VISEMES_FIELD_NUMBER: _ClassVar[int]
    ALIGN_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    text: str
    model: str
    voice: str
    language: str
    speed: float
    raw: RawAudio
    ssml: bool
    instructions: str
    visemes: bool
    align: bool
    cache: bool
    generation: int
    def __init__(self, text: _Optional[str] = ..., model: _Optional[str] = ..., voice: _Optional[str] = ..., language: _Optional[str] = ..., speed: _Optional[float] = ..., raw: _Optional[_Union[RawAudio, _Mapping]] = ..., ssml: _Optional[bool] = ..., instructions: _Optional[str] = ..., visemes: _Optional[bool] = ..., align: _Optional[bool] = ..., cache: _Optional[bool] = ..., generation: _Optional[int] = ...) -> None: ...

class SynthesizeResponse(_message.Message):
    __slots__ = ("format", "audio", "mark", "generation")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    format: RawAudio
    audio: bytes
    mark: Mark
    generation: int
    def __init__(self, format: _Optional[_Union[RawAudio, _Mapping]] = ..., audio: _Optional[bytes] = ..., mark: _Optional[_Union[Mark, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class StreamingSynthesizeRequest(_message.Message):
    __slots__ = ("config", "text", "end", "interrupt")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    config: SynthesizeRequest
    text: str
    end: EndUtterance
    interrupt: Interrupt
    def __init__(self, config: _Optional[_Union[SynthesizeRequest, _Mapping]] = ..., text: _Optional[str] = ..., end: _Optional[_Union[EndUtterance, _Mapping]] = ..., interrupt: _Optional[_Union[Interrupt, _Mapping]] = ...) -> None: ...

class EndUtterance(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Interrupt(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamingSynthesizeResponse(_message.Message):
    __slots__ = ("format", "audio", "mark", "done", "interrupted", "generation")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    INTERRUPTED_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    format: RawAudio
    audio: bytes
    mark: Mark
    done: UtteranceDone
    interrupted: Interrupted
    generation: int
    def __init__(self, format: _Optional[_Union[RawAudio, _Mapping]] = ..., audio: _Optional[bytes] = ..., mark: _Optional[_Union[Mark, _Mapping]] = ..., done: _Optional[_Union[UtteranceDone, _Mapping]] = ..., interrupted: _Optional[_Union[Interrupted, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class UtteranceDone(_message.Message):
    __slots__ = ("duration_s",)
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    duration_s: float
    def __init__(self, duration_s: _Optional[float] = ...) -> None: ...

class Interrupted(_message.Message):
    __slots__ = ("sent_s",)
    SENT_S_FIELD_NUMBER: _ClassVar[int]
    sent_s: float
    def __init__(self, sent_s: _Optional[float] = ...) -> None: ...

class Mark(_message.Message):
    __slots__ = ("kind", "text", "start_s", "end_s", "estimated")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Mark.Kind]
        KIND_WORD: _ClassVar[Mark.Kind]
        KIND_PHONEME: _ClassVar[Mark.Kind]
        KIND_VISEME: _ClassVar[Mark.Kind]
    KIND_UNSPECIFIED: Mark.Kind
    KIND_WORD: Mark.Kind
    KIND_PHONEME: Mark.Kind
    KIND_VISEME: Mark.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_S_FIELD_NUMBER: _ClassVar[int]
    END_S_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    kind: Mark.Kind
    text: str
    start_s: float
    end_s: float
    estimated: bool
    def __init__(self, kind: _Optional[_Union[Mark.Kind, str]] = ..., text: _Optional[str] = ..., start_s: _Optional[float] = ..., end_s: _Optional[float] = ..., estimated: _Optional[bool] = ...) -> None: ...

class AnimateRequest(_message.Message):
    __slots__ = ("avatar", "text", "audio", "model", "voice", "raw", "output", "language", "speed", "ssml", "instructions", "width", "height", "mood", "cache", "generation")
    class Output(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTPUT_UNSPECIFIED: _ClassVar[AnimateRequest.Output]
        OUTPUT_FRAMES: _ClassVar[AnimateRequest.Output]
        OUTPUT_MP4: _ClassVar[AnimateRequest.Output]
        OUTPUT_WEBM: _ClassVar[AnimateRequest.Output]
    OUTPUT_UNSPECIFIED: AnimateRequest.Output
    OUTPUT_FRAMES: AnimateRequest.Output
    OUTPUT_MP4: AnimateRequest.Output
    OUTPUT_WEBM: AnimateRequest.Output
    AVATAR_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    SSML_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    MOOD_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    avatar: str
    text: str
    audio: bytes
    model: str
    voice: str
    raw: RawAudio
    output: AnimateRequest.Output
    language: str
    speed: float
    ssml: bool
    instructions: str
    width: int
    height: int
    mood: str
    cache: bool
    generation: int
    def __init__(self, avatar: _Optional[str] = ..., text: _Optional[str] = ..., audio: _Optional[bytes] = ..., model: _Optional[str] = ..., voice: _Optional[str] = ..., raw: _Optional[_Union[RawAudio, _Mapping]] = ..., output: _Optional[_Union[AnimateRequest.Output, str]] = ..., language: _Optional[str] = ..., speed: _Optional[float] = ..., ssml: _Optional[bool] = ..., instructions: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., mood: _Optional[str] = ..., cache: _Optional[bool] = ..., generation: _Optional[int] = ...) -> None: ...

class AnimateResponse(_message.Message):
    __slots__ = ("frame", "video", "audio", "mark", "format", "generation")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    VIDEO_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    frame: VideoFrame
    video: bytes
    audio: bytes
    mark: Mark
    format: AnimateFormat
    generation: int
    def __init__(self, frame: _Optional[_Union[VideoFrame, _Mapping]] = ..., video: _Optional[bytes] = ..., audio: _Optional[bytes] = ..., mark: _Optional[_Union[Mark, _Mapping]] = ..., format: _Optional[_Union[AnimateFormat, _Mapping]] = ..., generation: _Optional[int] = ...) -> None: ...

class AnimateFormat(_message.Message):
    __slots__ = ("media_type", "width", "height", "fps", "audio")
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    FPS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    width: int
    height: int
    fps: float
    audio: RawAudio
    def __init__(self, media_type: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., fps: _Optional[float] = ..., audio: _Optional[_Union[RawAudio, _Mapping]] = ...) -> None: ...

class VideoFrame(_message.Message):
    __slots__ = ("at_s", "width", "height", "rgb", "index", "first_row")
    AT_S_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    RGB_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIRST_ROW_FIELD_NUMBER: _ClassVar[int]
    at_s: float
    width: int
    height: int
    rgb: bytes
    index: int
    first_row: int
    def __init__(self, at_s: _Optional[float] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., rgb: _Optional[bytes] = ..., index: _Optional[int] = ..., first_row: _Optional[int] = ...) -> None: ...
