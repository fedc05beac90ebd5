"""The decisions: what may be asked, believed, written and charged. Pure: no database, network or clock."""
