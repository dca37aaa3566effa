"""What has to be set before Rasa and its libraries are imported; importing this sets it."""

import os

from bot import logs

os.environ["RASA_TELEMETRY_ENABLED"] = "false"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
logs.configure()
