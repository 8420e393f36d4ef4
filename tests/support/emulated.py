"""Emulators of BigQuery and of Cloud Storage on this machine: started, and stopped."""

import contextlib
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from runners.warehouses.bigquery.clients import GRPC_EMULATOR, REST_EMULATOR
from tests.support.processes import end_with_parent, free_ports

PROJECT, BUCKET = "test-project", "bucket"
_LOOK_S, _LOOKS = 0.2, 300


class Emulator:
    """A program that answers at an address of this machine.

    Attributes:
      environment: what lets libraries ask it instead of the cloud.
    """

    def __init__(self, command: Sequence[str], home: Path, log: Path, asked: str, environment: Mapping[str, str]) -> None:
        self.environment = environment
        with log.open("wb") as told:
            inherited = {**os.environ, "HOME": str(home / "home")}
            whole = [str(home / "bin" / command[0]), *command[1:]]
            self.process = subprocess.Popen(whole, stdout=told, stderr=told, env=inherited, preexec_fn=end_with_parent)
        assert any(self._answers(asked) for _ in range(_LOOKS)), log.read_text()[-2000:]

    def _answers(self, asked: str) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_LOOK_S)
            return False
        try:
            with urllib.request.urlopen(asked, timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def bigquery(home: Path, folder: Path) -> Emulator:
    """An emulator of BigQuery, for one project. `home` is the environment of emulators, as `make test-services` makes it."""
    rest, storage = free_ports(2)
    ports = ["--rest-port", str(rest), "--grpc-port", str(storage)]
    command = ["bqemulator", "start", "--project", PROJECT, *ports, "--log-level", "error"]
    address = f"http://127.0.0.1:{rest}"
    environment = {REST_EMULATOR: address, GRPC_EMULATOR: f"127.0.0.1:{storage}"}
    return Emulator(command, home, folder / "bigquery.log", f"{address}/bigquery/v2/projects/{PROJECT}/datasets", environment)


def cloud_storage(home: Path, folder: Path) -> Emulator:
    """An emulator of Cloud Storage, with one bucket."""
    (port,) = free_ports(1)
    at = ["--host", "127.0.0.1", "--port", str(port)]
    command = ["gcp-storage-emulator", "start", *at, "-M", "-q", "--default-bucket", BUCKET]
    address = f"http://127.0.0.1:{port}"
    return Emulator(command, home, folder / "storage.log", f"{address}/storage/v1/b/{BUCKET}", {"STORAGE_EMULATOR_HOST": address})
