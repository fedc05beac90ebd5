"""The seed of what is drawn by chance, and for how long: the same each time, but for `make fuzz`."""

import os

SEED_SETTING = "AUTO_ENRICHMENT_TEST_SEED"
SEED = int(os.environ.get(SEED_SETTING, "20261124"))
FUZZ_SECONDS = 60 * float(os.environ.get("AUTO_ENRICHMENT_TEST_FUZZ_MINUTES", "0"))
