"""Every error that orbitnode raises on purpose.

OrbitnodeError
├── ConfigError (ValueError)         a scenario or installation file is wrong; carries every problem
├── PhysicsError (ValueError)        a physical model was given what it cannot compute with
│   └── PropagationError             SGP4 refuses the orbit at this time
├── TransitionError (ValueError)     an operating-mode transition that the table does not have
├── ModelError (ValueError)          a model folder is missing, corrupt, oversize or mis-hashed
├── TensorError (ValueError)         an input tensor does not fit the model
├── ProviderError (RuntimeError)     an execution provider was asked for and is not there
├── WorkerError (RuntimeError)       the inference worker died or could not start
├── BoardError (OSError)             the board that was asked for is not there
├── SensorError (OSError)            a sensor that exists could not be read
├── MessageError (ValueError)        a message is malformed, oversize or of another version
├── StoreError (OSError)             the store cannot keep what it was given
│   └── ObjectMismatchError          an object came in whole, and its SHA-256 is another
├── LinkError (ConnectionError)      the link is down or the broker refused
├── GroundError (RuntimeError)       the ground daemon refused a request
├── GovernorError (RuntimeError)     orbitnode-governor did not do what was asked
│   ├── GovernorRefusedError         it refused, and says why
│   └── GovernorGoneError            it went away, or does not answer
├── AssetError (RuntimeError)        a demo asset could not be had or does not match its hash
└── ProcessError (RuntimeError)      a process of a run died or did not come up in time
"""

from __future__ import annotations

from typing import NamedTuple


class OrbitnodeError(Exception):
    """Base of every error that orbitnode raises on purpose."""


class Problem(NamedTuple):
    """One thing that is wrong in one configuration file."""

    file: str
    line: int | None
    """Line of the offending key, counted from 1; None where the file has no such line."""
    path: str
    """Dotted path of the key, for example ``battery.initial_soc``; empty for the whole file."""
    message: str

    def __str__(self) -> str:
        """Render as ``scenario.toml:17: battery.initial_soc: expected ...``."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class ConfigError(OrbitnodeError, ValueError):
    """One or more configuration files are wrong; ``problems`` holds every finding."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the findings in the order of the files' lines."""
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class PhysicsError(OrbitnodeError, ValueError):
    """A physical model was given what it cannot compute with."""


class PropagationError(PhysicsError):
    """SGP4 refuses the orbit at this time."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep SGP4's own error code."""
        self.code = code
        super().__init__(f"SGP4 error {code}: {reason}")


class TransitionError(OrbitnodeError, ValueError):
    """An operating-mode transition that the table does not have."""


class ModelError(OrbitnodeError, ValueError):
    """A model folder is missing, corrupt, oversize or mis-hashed."""


class TensorError(OrbitnodeError, ValueError):
    """An input tensor does not fit the model."""


class ProviderError(OrbitnodeError, RuntimeError):
    """An execution provider was asked for and is not there."""


class WorkerError(OrbitnodeError, RuntimeError):
    """The inference worker died or could not start."""


class BoardError(OrbitnodeError, OSError):
    """The board that was asked for is not there."""


class SensorError(OrbitnodeError, OSError):
    """A sensor that exists could not be read."""


class MessageError(OrbitnodeError, ValueError):
    """A message is malformed, oversize or of another version."""


class StoreError(OrbitnodeError, OSError):
    """The store cannot keep what it was given."""


class ObjectMismatchError(StoreError):
    """An object came in whole, and its SHA-256 is another; what came in is dropped."""


class LinkError(OrbitnodeError, ConnectionError):
    """The link is down or the broker refused."""


class GroundError(OrbitnodeError, RuntimeError):
    """The ground daemon refused a request."""


class GovernorError(OrbitnodeError, RuntimeError):
    """orbitnode-governor did not do what was asked."""


class GovernorRefusedError(GovernorError):
    """orbitnode-governor refused; ``code`` is one of its protocol's."""

    def __init__(self, code: str, text: str, holder: str = "") -> None:
        """Keep the reason as a code, and who holds the lease where that is the reason."""
        self.code = code
        self.text = text
        self.holder = holder
        super().__init__(f"{code}: {text}")


class GovernorGoneError(GovernorError):
    """orbitnode-governor went away or does not answer; it restores what it has lowered."""


class AssetError(OrbitnodeError, RuntimeError):
    """A demo asset could not be had or does not match its hash."""


class ProcessError(OrbitnodeError, RuntimeError):
    """A process of a run died or did not come up in time."""
