"""Pulling, against a hub on loopback that drops, lies, stalls and refuses."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import LocalHub, Repo
from model_files import weights, whisper_files, write_model
from talkie.errors import ModelExists, ModelInUse, ModelNotFound, Offline, PullFailed, StoreFull
from talkie.models.pull import Patience
from talkie.models.store import ModelStore

SIZE_BYTES = 600_000
MINE = "hf:me/mine"
QUICK = Patience(retries=2, pause_s=0.001)


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    repos = {
        "me/mine": Repo(whisper_files(SIZE_BYTES) | {"README.md": b"x", "evil.py": b"x", "pytorch_model.bin": b"x"})
    }
    with LocalHub(repos) as hub:
        yield hub


def make_store(home: Path, hub: LocalHub, token: str | None = None) -> ModelStore:
    return ModelStore(home, endpoint=hub.url, offline=False, patience=QUICK, token=token)


@pytest.fixture
def store(tmp_path: Path, hub: LocalHub) -> ModelStore:
    return make_store(tmp_path / "home", hub)


def is_clean(store: ModelStore) -> bool:
    return all(verdict.ok for verdict in store.verify())


def test_a_pull_brings_a_whole_model_and_its_manifest(store: ModelStore, hub: LocalHub) -> None:
    steps: list[tuple[int, int, str]] = []
    model = store.pull(MINE, progress=lambda *step: steps.append(step))
    assert (model.name, model.engine, model.state) == ("mine", "whisper", "verified")
    assert (model.source, model.revision, model.licence) == (MINE, "c" * 40, "mit")
    assert model.languages == ("en", "de", "fr")
    assert sorted(path.name for path in model.path.iterdir()) == sorted([*whisper_files(), "manifest.json"])
    assert [step[0] for step in steps] == sorted(step[0] for step in steps)
    assert steps[-1] == (model.size_bytes, model.size_bytes, "model.bin")
    assert is_clean(store)
    assert store.unfinished() == {}


def test_what_is_no_part_of_a_model_is_never_asked_for(store: ModelStore, hub: LocalHub) -> None:
    store.pull(MINE)
    assert not [path for _, path in hub.requests if path.endswith((".py", ".md", "pytorch_model.bin"))]


def test_what_is_here_needs_no_network(store: ModelStore, hub: LocalHub, tmp_path: Path) -> None:
    store.pull(MINE)
    hub.requests.clear()
    model = store.pull(MINE)
    offline = ModelStore(store.home, endpoint="http://127.0.0.1:9", offline=True)
    assert offline.pull(MINE) == offline.get("mine") == model
    assert hub.requests == []


def test_offline_and_absent_names_the_way(tmp_path: Path, hub: LocalHub) -> None:
    store = ModelStore(tmp_path / "home", endpoint=hub.url, offline=True)
    with pytest.raises(Offline, match="whisper-base") as caught:
        store.pull("whisper-base")
    assert "talkie import" in caught.value.hint
    assert hub.requests == []
    assert not store.home.exists()


def test_the_catalogue_gives_repository_revision_and_licence(tmp_path: Path) -> None:
    with LocalHub({"distil-whisper/distil-large-v3.5-ct2": Repo(whisper_files(), licence="none")}) as hub:
        store = make_store(tmp_path / "home", hub)
        model = store.pull("distil-large-v3.5")
        assert (model.name, model.licence, model.languages) == ("whisper-distil-large-v3.5", "MIT", ("en",))
        assert model.revision == "c" * 40
        again = store.pull("hf:Distil-Whisper/distil-large-v3.5-ct2")
        assert again == model
        assert hub.requests[0][1] == "/api/models/distil-whisper/distil-large-v3.5-ct2/revision/main?blobs=true"


def test_weights_other_than_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    commit = "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"
    with LocalHub({"Systran/faster-whisper-base": Repo(whisper_files(), commit=commit)}) as hub:
        store = make_store(tmp_path / "home", hub)
        with pytest.raises(PullFailed, match="not the one in the catalogue"):
            store.pull("whisper-base")
        assert hub.sent["model.bin"] == 0


def test_an_unknown_name(store: ModelStore, hub: LocalHub) -> None:
    with pytest.raises(ModelNotFound) as caught:
        store.pull("whisper-bass")
    assert "whisper-base" in caught.value.hint
    assert hub.requests == []


def test_a_dropped_connection_goes_on_where_it_broke(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.drop_after["model.bin"] = [100_000, 1, 300_000, 0, 0]
    store.pull(MINE)
    starts = hub.starts["model.bin"]
    assert starts[:4] == [0, 100_000, 100_001, 400_001]
    assert hub.sent["model.bin"] == len(whisper_files(SIZE_BYTES)["model.bin"])
    assert is_clean(store)


def test_after_giving_up_the_next_pull_goes_on(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.drop_after["model.bin"] = [100_000, 0, 0, 0]
    with pytest.raises(PullFailed, match="cannot be reached"):
        store.pull(MINE)
    assert is_clean(store)
    assert store.list(broken=True) == store.list()
    assert list(store.unfinished()) == ["mine"]
    assert store.unfinished()["mine"] >= 100_000
    store.pull(MINE)
    assert hub.starts["model.bin"][-1] == 100_000
    assert hub.sent["model.bin"] == len(whisper_files(SIZE_BYTES)["model.bin"])
    assert hub.starts["config.json"] == [0]


def test_a_server_without_ranges_sends_all_again(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.no_ranges = True
    hub.faults.drop_after["model.bin"] = [100_000]
    steps: list[int] = []
    model = store.pull(MINE, progress=lambda done, total, file: steps.append(done))
    assert steps[-1] == model.size_bytes
    assert max(steps) == model.size_bytes
    assert is_clean(store)


def test_wrong_bytes_are_refused_and_not_kept(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.wrong["model.bin"] = 1
    with pytest.raises(PullFailed, match=r"model\.bin is not what the hub says"):
        store.pull(MINE)
    assert is_clean(store)
    store.pull(MINE)
    assert hub.starts["model.bin"] == [0, 0]


def test_a_part_that_went_bad_on_disk_is_fetched_afresh(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.drop_after["model.bin"] = [100_000, 0, 0, 0]
    with pytest.raises(PullFailed):
        store.pull(MINE)
    (part,) = [path for path in (store.tmp / "pull" / "mine" / "parts").iterdir() if path.stat().st_size > 50_000]
    part.write_bytes(bytes(part.stat().st_size))
    model = store.pull(MINE)
    assert hub.starts["model.bin"][-2:] == [100_000, 0]
    assert model.state == "verified"
    assert is_clean(store)


def test_a_small_file_is_checked_by_its_git_hash(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.wrong["config.json"] = 1
    with pytest.raises(PullFailed, match=r"config\.json"):
        store.pull(MINE)


def test_more_bytes_than_announced_are_not_taken(store: ModelStore, hub: LocalHub) -> None:
    hub.repos["me/mine"].claims["model.bin"] = 1000
    with pytest.raises(PullFailed, match="more of"):
        store.pull(MINE)
    parts = store.tmp / "pull" / "mine" / "parts"
    assert sum(path.stat().st_size for path in parts.iterdir()) <= 1000


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(store: ModelStore, hub: LocalHub, status: int) -> None:
    hub.faults.status = {"api": [status], "model.bin": [status, status]}
    assert store.pull(MINE).state == "verified"


def test_a_hub_that_stays_busy_is_an_error(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.status = {"api": [503] * 9}
    with pytest.raises(PullFailed, match="503"):
        store.pull(MINE)


def test_no_hub_at_all_is_an_error(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "home", endpoint="http://127.0.0.1:9", offline=False, patience=QUICK)
    with pytest.raises(PullFailed, match="cannot be reached"):
        store.pull(MINE)


@pytest.mark.parametrize(
    ("reference", "match"),
    [("hf:me/nothing", "no such repository"), ("hf:me/mine@v9", "no revision 'v9'"), ("hf:me/secret", "no such repo")],
)
def test_what_the_hub_does_not_have(store: ModelStore, hub: LocalHub, reference: str, match: str) -> None:
    hub.repos["me/secret"] = Repo(whisper_files(), token="hf_right")
    with pytest.raises(PullFailed, match=match):
        store.pull(reference)
    assert is_clean(store)


def test_a_token_goes_to_the_hub_only_and_into_no_message(
    tmp_path: Path, hub: LocalHub, caplog: pytest.LogCaptureFixture
) -> None:
    hub.repos["me/secret"] = Repo(whisper_files(), token="hf_right")
    caplog.set_level(0)
    make_store(tmp_path / "a", hub, token="hf_right").pull("hf:me/secret")
    with pytest.raises(PullFailed) as caught:
        make_store(tmp_path / "b", hub, token="hf_canary").pull("hf:me/secret")
    sent = dict(hub.authorizations)
    assert sent["/cdn/me/secret/model.bin"] == ""
    assert any(value == "Bearer hf_right" for value in sent.values())
    assert "hf_" not in caplog.text + str(caught.value) + caught.value.hint
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hf_right" in path.read_bytes()]


@pytest.mark.parametrize("missing", sorted(whisper_files()))
def test_a_repository_of_something_else_is_refused_before_its_bytes(
    store: ModelStore, hub: LocalHub, missing: str
) -> None:
    del hub.repos["me/mine"].files[missing]
    with pytest.raises(PullFailed, match="not a CTranslate2 Whisper model"):
        store.pull(MINE)
    assert not hub.sent


def test_weights_of_another_kind_are_not_kept(store: ModelStore, hub: LocalHub) -> None:
    hub.repos["me/mine"].files["model.bin"] = weights(1000, spec="TransformerSpec")
    with pytest.raises(PullFailed, match="not a CTranslate2 Whisper model"):
        store.pull(MINE)
    assert store.unfinished() == {}
    assert is_clean(store)


def test_a_machine_without_certificates_is_told_so(
    tmp_path: Path, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not that its volume cannot be written to."""
    from huggingface_hub import close_session

    close_session()  # the library reads them once
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nothing.pem"))
    with pytest.raises(PullFailed, match="certificates"):
        make_store(tmp_path, hub).pull(MINE)


def test_too_little_room_is_said_before_a_byte_is_fetched(hub: LocalHub) -> None:
    claimed = 60 * 10**9
    memory = Path("/dev/shm")
    if not memory.is_dir() or shutil.disk_usage(memory).free > claimed:
        pytest.skip("there is no file system here that is small enough")
    hub.repos["me/mine"].claims["model.bin"] = claimed
    with tempfile.TemporaryDirectory(dir=memory) as home, pytest.raises(StoreFull, match=f"60,0.* at {home}"):
        make_store(Path(home), hub).pull(MINE)
    assert not hub.sent


def test_a_disk_that_fills_up_is_said_and_given_back(tmp_path: Path, hub: LocalHub) -> None:
    code = (
        "import sys, resource, pathlib\n"
        "from talkie.models.store import ModelStore\n"
        "from talkie.errors import StoreFull\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, {resource.RLIM_INFINITY}))\n"
        "store = ModelStore(pathlib.Path(sys.argv[1]), endpoint=sys.argv[2], offline=False)\n"
        "try: store.pull('hf:me/mine')\n"
        "except StoreFull as error: print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "home", hub.url], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("store_full\n", "")
    store = make_store(tmp_path / "home", hub)
    assert store.unfinished() == {}
    assert is_clean(store)


def test_two_pulls_of_one_model_share_one_download(tmp_path: Path, hub: LocalHub) -> None:
    waiting, notices = threading.Event(), []

    def on_bytes(file: str, sent: int) -> None:
        if file == "model.bin" and sent > 100_000:
            assert waiting.wait(20)

    def notice(text: str) -> None:
        notices.append(text)
        waiting.set()

    hub.faults.on_bytes = on_bytes
    stores = [make_store(tmp_path / "home", hub) for _ in range(2)]
    found = []
    threads = [threading.Thread(target=lambda s=store: found.append(s.pull(MINE, notice=notice))) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hub.starts["model.bin"] == [0]
    assert found[0] == found[1]
    assert len(notices) == 1
    assert "being pulled already" in notices[0]


def test_a_broken_model_is_mended_by_pulling_it(store: ModelStore, hub: LocalHub) -> None:
    path = store.pull(MINE).path
    (path / "config.json").write_text("{")
    assert not is_clean(store)
    store.pull(MINE)
    assert is_clean(store)
    assert [entry.name for entry in store.tmp.iterdir() if entry.name.startswith("trash")] == []


def test_force_fetches_again_and_a_held_model_is_left(store: ModelStore, hub: LocalHub) -> None:
    model = store.pull(MINE)
    with store.hold(model), pytest.raises(ModelInUse):
        store.pull(MINE, force=True)
    assert is_clean(store)
    hub.repos["me/mine"].commit = "d" * 40
    assert store.pull(MINE).revision == "c" * 40
    assert store.pull(MINE, force=True).revision == "d" * 40
    assert is_clean(store)


def test_a_name_that_another_model_has(store: ModelStore, hub: LocalHub) -> None:
    hub.repos["you/mine"] = Repo(whisper_files(seed=8))
    store.pull(MINE)
    with pytest.raises(ModelExists):
        store.pull("hf:you/mine")
    assert store.pull("hf:you/mine", name="yours").name == "yours"
    assert len(store.list()) == 3


def test_a_model_by_hand_under_the_name_is_taken_as_it_is(store: ModelStore, hub: LocalHub) -> None:
    write_model(store.models / "mine")
    assert store.pull(MINE).state == "unverified"
    assert hub.requests == []


def test_rm_takes_an_unfinished_pull_along(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.drop_after["model.bin"] = [100_000, 0, 0, 0]
    with pytest.raises(PullFailed):
        store.pull(MINE)
    store.remove("mine")
    assert store.unfinished() == {}


def test_a_new_revision_keeps_what_did_not_change(store: ModelStore, hub: LocalHub) -> None:
    hub.faults.drop_after["model.bin"] = [100_000, 0, 0, 0]
    with pytest.raises(PullFailed):
        store.pull(MINE)
    repo = hub.repos["me/mine"]
    repo.commit, repo.files["config.json"] = "d" * 40, b'{"new": true}'
    model = store.pull(MINE)
    assert hub.starts["model.bin"][-1] == 100_000
    assert model.revision == "d" * 40
    assert (model.path / "config.json").read_bytes() == b'{"new": true}'
    assert is_clean(store)


@pytest.mark.parametrize("licence", ["x" * 5000, "two\nlines", "\x1b[2J"])
def test_a_licence_that_is_no_line_of_text_is_left_out(store: ModelStore, hub: LocalHub, licence: str) -> None:
    hub.repos["me/mine"].licence = licence
    assert store.pull(MINE).licence == ""
    assert is_clean(store)
