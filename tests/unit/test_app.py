"""What a restarted node goes on from."""

import msgspec
from spacecraft import spacecraft

from node.app import resumable
from node.core.emulation import start_state


def test_a_saved_state_is_taken_up() -> None:
    craft = spacecraft()
    state = start_state(craft)
    assert resumable(msgspec.to_builtins(state), craft) == state


def test_a_state_of_another_scenario_begins_anew() -> None:
    craft = spacecraft()
    saved = msgspec.to_builtins(start_state(craft))
    assert resumable({**saved, "temperatures_c": [1.0]}, craft) is None


def test_a_state_of_another_version_begins_anew() -> None:
    craft = spacecraft()
    saved = msgspec.to_builtins(start_state(craft))
    assert resumable({**saved, "state_of_charge": "full"}, craft) is None
    del saved["mode"]
    assert resumable(saved, craft) is None
