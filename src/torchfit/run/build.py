"""From a node of the configuration to the object it names."""

from collections.abc import Sequence
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, ListConfig

from torchfit.exceptions import ConfigError

PLAIN = {int, float, bool, str, type(None)}


def build(node: DictConfig) -> Any:
    """Make what a node names, once its plain values are of the types its constructor asks for.

    Python would take a word for a number, and fail far away from it.

    Args:
        node: A node with a ``_target_``.

    Returns:
        The object; what waits for more arguments, for a ``_partial_`` node.

    Raises:
        ConfigError: If a value is of another type, or the constructor refuses it.
    """
    _demand_types(node)
    return instantiate(node, _convert_="all")


def _demand_types(node: DictConfig) -> None:
    hints = _type_hints(node)
    for key, value in node.items():
        if isinstance(value, DictConfig):
            _demand_types(value)
        elif not _fits(value, hint := hints.get(str(key))):
            text = _as_typed(node._get_full_key(key))
            if text is not None and _fits(text, hint):
                node[key] = text
                continue
            wanted = getattr(hint, "__name__", hint)
            raise ConfigError(f"{node._get_full_key(key)}={value} must be of type {wanted}")


def _as_typed(full_key: str) -> str | None:
    """What was typed for a key; ``data.root=2020_01`` is a name that looks like a number."""
    typed = HydraConfig.get().overrides.task if HydraConfig.initialized() else ()
    for key, _, text in (word.lstrip("+").partition("=") for word in reversed(typed)):
        if key == full_key:
            return text
    return None


def _type_hints(node: DictConfig) -> dict[str, Any]:
    if "_target_" not in node:
        return {}
    target = get_object(node["_target_"])
    constructor = target.__init__ if isinstance(target, type) else target  # type: ignore[misc]
    return get_type_hints(constructor)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value fits a hint of plain types or of a sequence; no other hint is looked at."""
    if get_origin(hint) is Sequence:
        return isinstance(value, ListConfig)
    allowed = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
    if not allowed <= PLAIN:
        return True
    return type(value) in allowed or (type(value) is int and float in allowed)
