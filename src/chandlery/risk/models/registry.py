"""The models by name, in the order reports print them."""

from types import MappingProxyType

from chandlery.risk.models.cornish_fisher import CORNISH_FISHER
from chandlery.risk.models.ewma import EWMA
from chandlery.risk.models.historical import HISTORICAL
from chandlery.risk.models.normal import NORMAL

VAR_MODELS = MappingProxyType({model.model_id: model for model in (HISTORICAL, NORMAL, EWMA, CORNISH_FISHER)})
"""Every model by `model_id`; read-only."""
