"""The customer profile, and how each touchpoint changes it.

`evolve` is the only thing that changes a profile, and it is pure. A profile is a
fold that commutes: any order of the same events, and any split of them into two
profiles that are merged, gives the same profile.
"""

from models.profile.evolve import evolve, merge
from models.profile.history import fold_all
from models.profile.shape import Moment, Profile, Trait
from models.profile.timeline import moments, timeline

__all__ = ["Moment", "Profile", "Trait", "evolve", "fold_all", "merge", "moments", "timeline"]
