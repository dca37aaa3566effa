"""What makes Rasa train anew: the labels beside the examples are part of its fingerprint."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DOMAIN = """\
version: "3.1"
intents: [complain_other, thank]
"""
CONFIG = """\
recipe: default.v1
language: zh
pipeline:
  - name: bot.nlu.emotion.EmotionRecognizer
policies:
  - name: MemoizationPolicy
"""
DATA = """\
version: "3.1"
nlu:
- intent: complain_other
  examples:
  - text: 等了两个小时没人管
    metadata: {anger: 1, signals: [complaint]}
  - text: 骗子公司
    metadata: {anger: 3, signals: [complaint]}
- intent: thank
  examples:
  - text: 谢谢，解决了
    metadata: {anger: 0, signals: [closure]}
  - text: 辛苦了
    metadata: {anger: 0, signals: []}
stories:
- story: thanks
  steps:
  - intent: thank
  - action: action_listen
"""


def train(project: Path, *options: str) -> int:
    command = [sys.executable, "-m", "rasa", "train", "--skip-validation", *options]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_CACHE_DIRECTORY": str(project / "cache"),
    }
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, timeout=300, check=False
    )
    return done.returncode


def test_changing_one_label_trains_again(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    data = tmp_path / "data" / "nlu.yml"
    for path, content in (
        (tmp_path / "domain.yml", DOMAIN),
        (tmp_path / "config.yml", CONFIG),
        (data, DATA),
    ):
        path.write_text(content, "utf-8")
    assert train(tmp_path) == 0
    assert train(tmp_path, "--dry-run") == 0, "nothing was changed"

    data.write_text(DATA.replace("anger: 1, signals", "anger: 2, signals"), "utf-8")
    assert train(tmp_path, "--dry-run") & 1, "the anger of one message was changed"

    data.write_text(DATA.replace("[closure]", "[]"), "utf-8")
    assert train(tmp_path, "--dry-run") & 1, "a signal of one message was taken away"
