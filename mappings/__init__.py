"""What each AWS resource type means in OpenStack, as data: rows and tables in YAML, and their loader.

    rows = Mappings()                          # the project's own
    rows = Mappings([Path("/etc/isotherm/mappings")])   # the operator's entries go first

`rows.row("AWS::EC2::VPC")` reads one file when it is first asked for; nothing is read at import.
"""

from mappings.loader import BUILTIN, CHOICES, OPTIONS, Mappings
from mappings.row import Decision, Level, MappingError, Member, Row

__all__ = ["BUILTIN", "CHOICES", "OPTIONS", "Decision", "Level", "MappingError", "Mappings", "Member", "Row"]
