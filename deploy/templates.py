"""The templates of vast.ai and RunPod: their fields as those services document them, and Talkie's values for them.

usage: templates.py vast|runpod [--image IMAGE] [--tag TAG] [--volume ID] [--pull MODELS]     prints one as JSON
       templates.py write                                    writes template.json and template.schema.json of each
Knows nothing of accounts: no key and no volume of anybody stands in what is written. A volume is named when one makes
a template for oneself.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic.alias_generators import to_camel

HERE = Path(__file__).resolve().parent
IMAGE, TAG = "ghcr.io/talkie-speech/talkie", "cuda-rented"
PULL = "whisper-large-v3-turbo"
PORT = 8000

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Image = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._/:-]*$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")]
Gigabytes = Annotated[int, Field(ge=1, le=1000)]
Value = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]*$")]

_PORT = r"-p \d{1,5}:\d{1,5}(?:/(?:tcp|udp))?"
_VOLUME = r"-v V\.\d+:/[\w/.-]+"
_SETTING = r'-e [A-Z][A-Z0-9_]*=(?:[\w./:,@+=-]*|"[^"\\$`\x00-\x1f]*")'
OPTIONS = re.compile(rf"(?:{_PORT}|{_VOLUME}|{_SETTING})(?: (?:{_PORT}|{_VOLUME}|{_SETTING}))*")
SECRET = re.compile(r"tk_[\w-]{20,}|TALKIE_API_KEY=[^\s\"]")


class Template(BaseModel):
    """Fields that are not documented are refused: a slip of the pen would be passed over in silence by the service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _no_secret(cls, value: object) -> object:
        if SECRET.search(json.dumps(value, default=str)):
            raise ValueError("a template is read by everybody: no key belongs into it")
        return value


class VastTemplate(Template):
    """The body of `POST /api/v0/template/` of vast.ai."""

    name: Name
    image: Image
    tag: Tag = "latest"
    desc: str = Field(max_length=500)
    readme: str = Field(max_length=20_000)
    readme_visible: bool = True
    env: str = Field(description="Options of docker create: -e, -p, and -v for a volume of vast.ai's.", max_length=4000)
    onstart: str = Field(description="Run by a shell at every start of the instance.", max_length=4048)
    runtype: Literal["ssh", "jupyter", "args"]
    ssh_direct: bool = False
    use_ssh: bool = False
    jup_direct: bool = False
    recommended_disk_space: Gigabytes
    href: str = ""
    repo: str = ""
    private: bool = True

    @field_validator("env")
    @classmethod
    def _options(cls, value: str) -> str:
        if not OPTIONS.fullmatch(value):
            raise ValueError("env holds -e NAME=VALUE, -p OUT:IN and -v V.ID:/PATH, with single spaces between")
        return value


class RunPodTemplate(Template):
    """The body of `POST /v1/templates` of RunPod. A network volume is chosen with the pod."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    name: Name
    image_name: Image
    category: Literal["NVIDIA", "AMD", "CPU"] = "NVIDIA"
    container_disk_in_gb: Gigabytes
    volume_in_gb: Annotated[int, Field(ge=0, le=1000)]
    volume_mount_path: Literal["/workspace"] = "/workspace"
    ports: list[Annotated[str, StringConstraints(pattern=r"^\d{1,5}/(http|tcp|udp)$")]] = Field(min_length=1)
    env: dict[Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")], Value] = Field(max_length=50)
    docker_entrypoint: list[str] = Field(description="Empty: the image's own.")
    docker_start_cmd: list[str] = Field(description="Empty: the image's own.")
    is_public: bool = False
    is_serverless: Literal[False] = False
    readme: str = Field(max_length=20_000)


TEMPLATES: dict[str, type[Template]] = {"vast": VastTemplate, "runpod": RunPodTemplate}


def vast(image: str = IMAGE, tag: str = TAG, volume: int | None = None, pull: str = PULL) -> VastTemplate:
    """`volume` is the number of a volume that was made before; without one, models are on the instance's own disk."""
    options = [f"-p {PORT}:{PORT}", "-e TALKIE_HOME=/data", f'-e TALKIE_PULL="{pull}"', "-e TALKIE_TLS=self-signed"]
    options += [f"-v V.{volume}:/data"] if volume is not None else []
    return VastTemplate(
        name="Talkie speech server",
        image=image,
        tag=tag,
        desc="Hears, speaks and shows a talking face, by OpenAI's speech API. Models stay on the volume.",
        readme=(HERE / "vast" / "README.md").read_text(encoding="utf-8"),
        env=" ".join(options),
        onstart=(HERE / "vast" / "on-start.sh").read_text(encoding="utf-8"),
        runtype="ssh",
        use_ssh=True,
        ssh_direct=True,
        recommended_disk_space=24,
        href="https://github.com/talkie-speech/talkie",
        repo="talkie-speech/talkie",
    )


def runpod(image: str = IMAGE, tag: str = TAG, pull: str = PULL) -> RunPodTemplate:
    """TLS is taken off by RunPod's proxy, so the server behind it speaks plainly."""
    return RunPodTemplate(
        name="talkie",
        image_name=f"{image}:{tag}",
        container_disk_in_gb=10,
        volume_in_gb=0,
        ports=[f"{PORT}/http"],
        env={"TALKIE_HOME": "/workspace/talkie", "TALKIE_PULL": pull, "TALKIE_TLS": "off"},
        docker_entrypoint=[],
        docker_start_cmd=[],
        readme=(HERE / "runpod" / "README.md").read_text(encoding="utf-8"),
    )


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def files() -> dict[Path, str]:
    """What belongs into the repository, by path."""
    made: dict[str, Template] = {"vast": vast(), "runpod": runpod()}
    written = {
        HERE / name / "template.json": as_json(template.model_dump(by_alias=True)) for name, template in made.items()
    }
    for name, kind in TEMPLATES.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | kind.model_json_schema()
        written[HERE / name / "template.schema.json"] = as_json(schema)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description="The templates of vast.ai and RunPod as JSON.")
    parser.add_argument("what", choices=("vast", "runpod", "write"))
    parser.add_argument("--image", default=IMAGE)
    parser.add_argument("--tag", default=TAG)
    parser.add_argument("--pull", default=PULL, help="models to fetch at the first start")
    parser.add_argument("--volume", type=int, help="the number of a volume of yours on vast.ai")
    wish = parser.parse_args()
    if wish.what == "write":
        for path, text in files().items():
            path.write_text(text, encoding="utf-8")
    elif wish.what == "vast":
        sys.stdout.write(as_json(vast(wish.image, wish.tag, wish.volume, wish.pull).model_dump(by_alias=True)))
    elif wish.volume is not None:
        parser.error("on RunPod a network volume is chosen with the pod (networkVolumeId), not in the template")
    else:
        sys.stdout.write(as_json(runpod(wish.image, wish.tag, wish.pull).model_dump(by_alias=True)))


if __name__ == "__main__":
    main()
