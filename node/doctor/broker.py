"""Can the node reach its broker? Outside a contact it must not: the relay is the radio."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from typing import NamedTuple

from node._compat import timeout
from node.clock import read_anchor
from node.config.build import build_spacecraft
from node.config.load import LoadedInstallation
from node.core.almanac import Almanac
from node.doctor.finding import Finding, error, note, ok
from node.errors import ConfigError, LinkError
from node.radio.mqtt import BrokerAddress, MqttConnector

_AREA = "broker"
_PATIENCE_S = 5.0


class Sky(NamedTuple):
    """Whether a station sees the node now, as far as the mission clock tells."""

    in_contact: bool | None
    """None where no mission clock runs."""
    text: str


async def check_broker(loaded: LoadedInstallation) -> list[Finding]:
    """Try a TCP connection, then a session, under a name of its own: the node keeps its session."""
    if loaded.installation.clock.mode == "freerun":
        return [note(_AREA, "freerun: there is no link")]
    broker = loaded.installation.broker
    place = f"{broker.host}:{broker.port}"
    unreachable = await _unreachable(broker.host, broker.port)
    if unreachable:
        return [
            error(
                _AREA,
                f"{place} cannot be reached by TCP: {unreachable}",
                f"start the relay (groundlink relay --node {loaded.installation.node} --listen "
                f"{place} ...), or set [broker] host and port to where it listens",
            )
        ]
    address = BrokerAddress(
        broker.host, broker.port, broker.keepalive_s, broker.username, loaded.password_path
    )
    identifier = f"orbitnode-doctor-{secrets.token_hex(4)}"
    refusal = ""
    try:
        async with MqttConnector(address, identifier, timeout_s=_PATIENCE_S).session([]):
            pass
    except LinkError as failure:
        refusal = str(failure)
    return [judge(place, refusal, sky(loaded))]


async def _unreachable(host: str, port: int) -> str:
    """Try a TCP connection; say why there is none, nothing where there is."""
    try:
        async with timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port)
    except ConnectionResetError:
        return ""  # somebody was there to reset it, as the relay does outside a contact
    except (OSError, TimeoutError, asyncio.TimeoutError) as failure:
        code = getattr(failure, "errno", None)
        # The loop's own text names the socket and not what is wrong; below 0 is about names.
        return os.strerror(code) if code and code > 0 else str(failure) or "no answer"
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""


def sky(loaded: LoadedInstallation) -> Sky:
    """Read the mission clock, without making one, and look whether a contact goes on."""
    try:
        anchor = read_anchor(loaded.anchor_path)
    except ConfigError:
        anchor = None
    if anchor is None:
        return Sky(None, "no mission clock runs, so that it cannot be said whether it should")
    now = (time.monotonic() - anchor.monotonic_zero_s) * anchor.rate
    almanac = Almanac(build_spacecraft(loaded.scenario))
    contact = almanac.contact(now)
    if contact is not None:
        return Sky(True, f"in contact with {contact.station.name}")
    coming = almanac.next_contact(now)
    if coming is None:
        return Sky(False, "no contact within a day")
    return Sky(
        False,
        f"next AOS at mission time {coming.aos_s:.0f} s over {coming.station.name}, in "
        f"{(coming.aos_s - now) / anchor.rate:.0f} s",
    )


def judge(place: str, refusal: str, now: Sky) -> Finding:
    """Hold what the broker did against what it should do now. Pure."""
    if not refusal:
        return ok(_AREA, f"{place} answers MQTT CONNECT ({now.text})")
    if "authori" in refusal.lower() or "user name" in refusal.lower():
        return error(
            _AREA,
            f"{place} refuses this node: {refusal}",
            "see [broker] username and password_file, and the broker's password file",
        )
    if now.in_contact:
        return error(
            _AREA,
            f"{place} accepts TCP and refuses MQTT, though the node is {now.text}: {refusal}",
            "see that the broker behind the relay runs (groundlink relay --broker), and the "
            "relay's log for a blackout",
        )
    if now.in_contact is None:
        return note(_AREA, f"{place} accepts TCP and refuses MQTT: {now.text} ({refusal})")
    return ok(_AREA, f"{place} refuses MQTT, as it must outside a contact: {now.text}")
