"""The configuration of a model that LaDiMo Studio converted.

It is that of the original model, with a section `ladimo` that has the weights and the policy of every layer.
"""

import transformers
from transformers import LlamaConfig


class LadimoConfig(LlamaConfig):
    model_type = "ladimo"

    @classmethod
    def from_dict(cls, config_dict, **kwargs):
        if transformers.__version__.startswith("4."):
            config_dict = for_version_4(config_dict)
        return super().from_dict(config_dict, **kwargs)


def for_version_4(config_dict):
    """The same for transformers 4: positions in the older spelling, and the name of the original's tokenizer."""
    config_dict, rope = dict(config_dict), config_dict.get("rope_parameters")
    if rope:
        config_dict["rope_theta"] = rope.get("rope_theta", 10000.0)
        if rope.get("rope_type", "default") != "default":
            config_dict["rope_scaling"] = {key: value for key, value in rope.items() if key != "rope_theta"}
    if config_dict.get("tokenizer_class") is None:
        names = transformers.models.auto.tokenization_auto.TOKENIZER_MAPPING_NAMES.get(LlamaConfig.model_type)
        config_dict["tokenizer_class"] = names[0] if names else None
    return config_dict
