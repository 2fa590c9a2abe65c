"""A power meter that reports to a broker of the laboratory, which is not the node's radio."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from node.board.external_meter import ExternalMeter
from node.board.meter_text import DEFAULT_KEY, figures_of_message
from node.errors import LinkError
from node.radio.mqtt import MqttConnector

_log = logging.getLogger(__name__)
_MAX_RECORD_BYTES = 4096
_RETRY_S = 1.0


class MqttMeter(ExternalMeter):
    """Hears the meter while ``run`` runs.

    What the broker had kept from before says nothing about now and is passed over. Without a
    connection no record comes, and the last one grows too old.
    """

    def __init__(
        self,
        connector: MqttConnector,
        topic: str,
        scope: str,
        max_age_s: float,
        *,
        key: str = DEFAULT_KEY,
        retry_s: float = _RETRY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(scope, max_age_s)
        self._connector = connector
        self._topic = topic
        self._key = key
        self._retry_s = retry_s
        self._clock = clock
        self._connected: bool | None = None

    async def run(self) -> None:
        """Stay connected, and take every record that comes."""
        while True:
            try:
                async with self._connector.session([self._topic]) as session:
                    self._note(connected=True)
                    async for incoming in session.incoming():
                        incoming.acknowledge()
                        if not incoming.retained:
                            self._hear(incoming.payload)
            except LinkError as error:
                self._note(connected=False, error=error)
            await asyncio.sleep(self._retry_s)

    def _hear(self, payload: bytes) -> None:
        if len(payload) > _MAX_RECORD_BYTES:
            self.refuse(f"{len(payload)} bytes are no record of a meter")
            return
        try:
            figures = figures_of_message(payload.decode(), self._key)
        except ValueError as error:  # UnicodeDecodeError is one
            self.refuse(error)
            return
        wall_s = self._clock()
        self.take(figures, wall_s, wall_s)

    def _note(self, *, connected: bool, error: object = "") -> None:
        if connected is not self._connected:
            self._connected = connected
            if connected:
                _log.info("meter_connected topic=%s", self._topic)
            else:
                _log.warning("meter_not_connected topic=%s error=%s", self._topic, error)
