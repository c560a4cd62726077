"""What stands before a fit: the population in force, and how much models have learnt with it.

The newest snapshots tell it, so there is nothing else to keep. Priors are for models that know
little: what has learnt from features made with some parameters goes on with them. Others would
move these features by deviations at once, and no label says so for a whole horizon.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from infra.admin import partitions
from infra.settings import Settings, SettingsError
from infra.verify.log import Reading
from models.online.learner import CHURN, CONTRACT, POPULATION
from models.online.signing import SnapshotError
from models.online.snapshots import decode
from models.population import DEFAULT, Population
from models.population import decode as parameters
from models.topics import MODEL_SNAPSHOTS

LEARNT: Final = 1_000  # examples from which on a model's features stay as it knows them
# The parts that enter a binary model's features: `models.features` tells where. What is known
# of visits stands beside what is known of contracts.
ENTERS: Final = {"contacts": (CHURN, CONTRACT), "contracts": (CONTRACT,)}
_MODELS: Final = {name.encode(): name for name in (POPULATION, CHURN, CONTRACT)}


class Standing(NamedTuple):
    """The population in force, and by model the examples that its weights have learnt."""

    population: Population = DEFAULT
    learnt: Mapping[str, int] = MappingProxyType({})
    frozen: bool = False  # the population's learner takes no fit

    def held(self) -> dict[str, str]:
        """Return the parts that a fit leaves as they are, with why."""
        held = {}
        for part, models in ENTERS.items():
            model = max(models, key=lambda name: self.learnt.get(name, 0))
            learnt = self.learnt.get(model, 0)
            if learnt >= LEARNT:
                held[part] = f"the {model} model has learnt {learnt:,} examples with them"
        return held


NOTHING: Final = Standing()


def told(snapshots: Mapping[str, bytes | None], secret: bytes) -> Standing:
    """Return what stands by the newest snapshots of models. Raises SnapshotError.

    A version does not tell what was learnt: a reset takes none back. The weights do.
    """
    value = snapshots.get(POPULATION)
    fitted = decode(value, secret) if value else None
    return Standing(
        parameters(fitted.served) if fitted else DEFAULT,
        {
            model: int(decode(value, secret).state["learnt"])
            for model in (CHURN, CONTRACT)
            if (value := snapshots.get(model))
        },
        fitted.frozen if fitted else False,
    )


async def read(settings: Settings) -> Standing:
    """Return what stands now, as far as learners have come. Raises KafkaError, SettingsError."""
    newest: dict[str, bytes | None] = {}
    for number in range(partitions(MODEL_SNAPSHOTS, settings)):
        async with Reading(settings, MODEL_SNAPSHOTS, number) as reading:
            async for records in reading.upto(await reading.end()):
                for record in records:
                    if model := _MODELS.get(record.key):
                        newest[model] = record.value
    try:
        return told(newest, settings.snapshot_secret.get_secret_value().encode())
    except SnapshotError as error:
        raise SettingsError(f"C360_SNAPSHOT_SECRET: {error}") from error
