"""Opens the meter beside the board that the installation names."""

from __future__ import annotations

from pathlib import Path

from node.board.external_meter import ExternalMeter
from node.board.file_meter import FileMeter
from node.board.mqtt_meter import MqttMeter
from node.config.installation import AnyMeter, FileMeterChoice
from node.radio.mqtt import BrokerAddress, MqttConnector


def open_meter(choice: AnyMeter, folder: Path, node: str) -> ExternalMeter:
    """Open a meter; what it says is heard while its ``run`` runs.

    Args:
        choice: what the installation says.
        folder: of the installation file, from which its relative paths count.
        node: name of the node, by which the broker of the laboratory knows it.
    """
    if isinstance(choice, FileMeterChoice):
        path = folder / choice.path
        return FileMeter(path, choice.scope, choice.max_age_s, key=choice.key)
    password_file = None if choice.password_file is None else folder / choice.password_file
    address = BrokerAddress(
        choice.host, choice.port, username=choice.username, password_file=password_file
    )
    connector = MqttConnector(address, f"orbitnode-{node}-meter")
    return MqttMeter(connector, choice.topic, choice.scope, choice.max_age_s, key=choice.key)
