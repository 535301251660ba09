"""Which apps there are, whose they are, and when one is forgotten.

===================  ====================================================================
``registry``         :class:`AppRegistry`: every app that is known, answered from memory
``places``           where each is shown
``write_behind``     what is new, on its way to the database
``activity``         who logs, and how much, told once a second of those who do
``forgotten_seqs``   where the seqs of a forgotten app would go on
===================  ====================================================================
"""

from cloudbang.apps.errors import AppInUse, NotGone
from cloudbang.apps.places import Place
from cloudbang.apps.registry import AppRegistry
from cloudbang.apps.removal import Removal

__all__ = ["AppInUse", "AppRegistry", "NotGone", "Place", "Removal"]
