-- Fewer pairs of regions are kept than at first (docs/decisions/0007-regions.md): the next roll-up makes them all anew.

update fairway.rollup_state set places_revision = null;
