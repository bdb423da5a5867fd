"""`AWS::` resources → groups of OpenStack resources, by the rows of `mappings` and, where several types decide
together, by the functions here that the rows name."""

from translators.lowering.known_images import with_known_images
from translators.lowering.lower import lower, unmapped

__all__ = ["lower", "unmapped", "with_known_images"]
